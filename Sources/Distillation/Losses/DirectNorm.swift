package import Networks
internal import Specs
package import Tensors

/// ND (Wang et al. 2023): the student's embedding should point where its class points in the teacher's space,
/// and be as long as the teacher's.
///
///     nd[i, m] = 1 - g[i] · e[m, y_i] / max(|g[i]|, |f[i, m]|),    e = the teacher's mean embedding of the class, of length 1
///
/// g is the student's embedding, sent through batch normalisation, dropout 0.5 and a linear layer
/// where it is of another width.
///
/// - Source: `methods.md` 6.2. Values lie in [0, 2].
package struct DirectNorm: Sendable {
  /// How ND and the feature loss go together.
  package enum Mode: String, CaseIterable, Sendable { case off, replace, add }

  private struct Projector {
    let norm: BatchNorm
    let linear: Linear
  }

  /// Nil where the widths agree.
  private let projectors: [Projector?]
  /// Of each teacher, e of each class, `[classes, width]`.
  private let directions: [Tensor]
  private let seed: UInt64

  /// Declares `nd.0`, `nd.1`, … under the context's scope, where a projector is needed.
  package init(_ context: MethodContext) throws {
    let student = context.student.embedding
    projectors = context.teachers.enumerated().map { index, teacher in
      if teacher.embedding == student { return nil }
      let scope = context.scope / "nd" / index
      return Projector(
        norm: BatchNorm(scope / "bn", channels: student),
        linear: Linear(scope / "fc", inputs: student, outputs: teacher.embedding))
    }
    directions = try context.classMeans().map(Self.directions)
    seed = context.seed
  }

  /// Rows of length 1.
  package static func directions(_ means: Tensor) -> Tensor {
    means.scaled(byRow: Tensor.full(1, [means.shape[0]], means.precision) / rowNorms(means)).detached
  }

  /// nd, `[batch, teachers]`; gradients flow into student and projectors.
  package func costs(_ batch: DistillationBatch, _ pass: Pass) -> Tensor {
    columns(
      batch.teachers.indices.map { index in
        let projected = projected(batch, teacher: index, pass)
        return Self.costs(
          projected, teacher: batch.teachers[index].embedding,
          directions: directions[index].rows(batch.targets.groups))
      })
  }

  /// - Parameters:
  ///   - student: g, `[batch, width]`.
  ///   - directions: e of each sample's class, `[batch, width]`.
  package static func costs(_ student: Tensor, teacher: Tensor, directions: Tensor) -> Tensor {
    let lengths = rowNorms(student)
    // max(a, b) = a + max(b - a, 0), so that of equal lengths the student's counts.
    let longest = lengths + (rowNorms(teacher.detached) - lengths).relu()
    return ((student * directions).rowSums() / longest).affine(-1, 1)
  }

  private func projected(_ batch: DistillationBatch, teacher index: Int, _ pass: Pass) -> Tensor {
    let embedding = batch.student.embedding
    guard let projector = projectors[index] else { return embedding }
    // One sample has no batch statistics; it goes on as it is.
    let normalised = batch.targets.count > 1 ? projector.norm(embedding, pass) : embedding
    return projector.linear(normalised * dropout(batch, teacher: index, like: embedding), pass)
  }

  /// 0 or 2 for each element, by sample and not by place in the batch.
  private func dropout(_ batch: DistillationBatch, teacher: Int, like embedding: Tensor) -> Tensor {
    let width = embedding.shape[1]
    let factors = batch.samples.flatMap { sample in
      var stream = RandomStream(seed: seed, "nd dropout", batch.epoch, sample, teacher)
      return (0..<width).map { _ in stream.uniform() < 0.5 ? 0.0 : 2.0 }
    }
    return Tensor(factors, embedding.shape, embedding.precision)
  }
}
