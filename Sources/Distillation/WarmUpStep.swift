package import Networks
internal import Tensors

/// What one step of a warm-up came to: all that anybody but the student reads of it.
///
/// While a method executes fixed weights, its policy watches and changes nothing. Runs that differ in the policy alone train their students alike in
/// these epochs: one of them does it, the others take its steps over, let their own policies watch, and have the same bits.
package struct WarmUpStep: Sendable {
  /// Among the training images.
  package let samples: [Int]
  let labels: [Int]
  /// Of the student, `[batch, classes]`.
  let logits: Tensor
  /// Logits and embeddings.
  let teachers: [Activations]
  /// Constants.
  let terms: WeightedDistillation.Terms
  /// Of the student's transformed maps and the teachers' embeddings, `[batch, teachers]`.
  let cosine: Tensor

  init(_ batch: DistillationBatch, _ terms: WeightedDistillation.Terms, cosine: Tensor) {
    (samples, labels, self.cosine) = (batch.samples, batch.labels, cosine)
    logits = batch.student.logits.detached
    teachers = batch.teachers.map { Activations(features: [$0.embedding], logits: $0.logits) }
    self.terms = WeightedDistillation.Terms(
      task: terms.task.detached, teacherCrossEntropy: terms.teacherCrossEntropy, kl: terms.kl,
      logit: terms.logit.detached, distance: terms.distance?.detached, feature: terms.feature?.detached)
  }

  /// The batch without its maps, which nobody reads any more.
  func batch(epoch: Int, index: Int) -> DistillationBatch {
    DistillationBatch(
      samples: samples, labels: labels, student: Activations(features: [], logits: logits),
      teachers: teachers,
      epoch: epoch, index: index)
  }
}

extension WarmUpStep {
  package var snapshot: Snapshot {
    var snapshot = Snapshot()
    snapshot.put("samples", samples)
    snapshot.put("labels", labels)
    snapshot.put("logits", logits)
    for (index, teacher) in teachers.enumerated() {
      snapshot.put("teacher.\(index).logits", teacher.logits)
      snapshot.put("teacher.\(index).embedding", teacher.embedding)
    }
    snapshot.put("task", terms.task)
    snapshot.put("crossEntropy", terms.teacherCrossEntropy)
    snapshot.put("kl", terms.kl)
    snapshot.put("logit", terms.logit)
    if let distance = terms.distance { snapshot.put("distance", distance) }
    if let feature = terms.feature { snapshot.put("feature", feature) }
    snapshot.put("cosine", cosine)
    return snapshot
  }

  /// - Throws: `SnapshotError` for the snapshot of something else.
  package init(_ snapshot: Snapshot) throws {
    let samples = try snapshot.integers("samples")
    let labels = try snapshot.integers("labels")
    let logits = try snapshot.tensor("logits")
    let cosine = try snapshot.tensor("cosine")
    let matrix = cosine.shape
    guard matrix.rank == 2, matrix[0] == samples.count, labels.count == samples.count, logits.shape.rank == 2,
      logits.shape[0] == samples.count
    else { throw SnapshotError.unexpected("cosine", found: "\(matrix)", expected: "a row for each sample") }
    func optional(_ name: String) throws -> Tensor? {
      snapshot.has(name) ? try snapshot.tensor(name, matrix) : nil
    }
    (self.samples, self.labels, self.logits, self.cosine) = (samples, labels, logits, cosine)
    teachers = try (0..<matrix[1]).map { index in
      Activations(
        features: [try snapshot.tensor("teacher.\(index).embedding")],
        logits: try snapshot.tensor("teacher.\(index).logits", logits.shape))
    }
    terms = WeightedDistillation.Terms(
      task: try snapshot.tensor("task", [samples.count]),
      teacherCrossEntropy: try snapshot.tensor("crossEntropy", matrix),
      kl: try snapshot.tensor("kl", matrix), logit: try snapshot.tensor("logit", matrix),
      distance: try optional("distance"), feature: try optional("feature"))
  }
}
