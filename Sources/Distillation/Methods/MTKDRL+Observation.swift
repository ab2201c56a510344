internal import Networks
internal import Tensors

/// What MTKD-RL sees of one batch; matrices are `[batch, teachers]`, all constant (`methods.md` 2.1, 2.2).
struct Observation: Sendable {
  /// Of each teacher, what is kept of `[f | z | CE | cos | KL]`.
  var states: [Tensor]
  let crossEntropy: Tensor
  let cosine: Tensor
  let confidence: Tensor
  let logitDivergence: Tensor
  let featureDivergence: Tensor
  var logitWeights: Tensor?
  var featureWeights: Tensor?
  var reward: Tensor?
  var choice: Choice?
  private let batch: Int

  init(
    _ batch: DistillationBatch, _ terms: WeightedDistillation.Terms, _ entries: [StateEntry],
    cosine: Tensor, divergenceSign: Double
  ) {
    let kl = terms.kl
    self.batch = batch.index
    crossEntropy = terms.teacherCrossEntropy
    self.cosine = cosine
    states = batch.teachers.indices.map { [crossEntropy, cosine] index in
      let parts = [crossEntropy, cosine, kl].map { $0.sliced(axis: 1, from: index, to: index + 1) }
      return StateEntry.state(
        entries, feature: batch.teachers[index].embedding, logits: batch.teachers[index].logits,
        ce: parts[0], cos: parts[1], kl: parts[2])
    }
    confidence = TeacherMix.confidence(crossEntropy)
    logitDivergence = TeacherMix.divergence(kl * divergenceSign)
    featureDivergence = TeacherMix.divergence(cosine)
  }

  /// Of the student's map in each teacher's form and the teacher's embedding, `[batch, teachers]`.
  static func cosine(of batch: DistillationBatch, _ terms: WeightedDistillation.Terms) -> Tensor {
    columns(
      zip(terms.transformed, batch.teachers).map { transformed, teacher in
        let mean = transformed.detached.globalAveragePool()
        // Where a teacher's map and embedding differ in width (MobileNetV2) the map's mean stands in.
        let target =
          mean.shape == teacher.embedding.shape ? teacher.embedding : teacher.map.globalAveragePool()
        return cosineSimilarity(mean, target)
      })
  }

  func experience(reward: Tensor) -> Experience {
    Experience(
      batch: batch, states: states, confidence: confidence, logitDivergence: logitDivergence,
      featureDivergence: featureDivergence, reward: reward, choice: choice)
  }

  /// Samples whose state or reward is not finite; the policy does not learn from them.
  var nonfiniteSamples: Int { confidence.shape[0] - finiteSamples.count }

  private var finiteSamples: [Int] {
    let rows = (states + [logitDivergence, featureDivergence] + (reward.map { [$0] } ?? [])).map { tensor in
      (values: tensor.doubles, width: tensor.count / tensor.shape[0])
    }
    return (0..<confidence.shape[0]).filter { sample in
      rows.allSatisfy { row in
        row.values[(sample * row.width)..<((sample + 1) * row.width)].allSatisfy(\.isFinite)
      }
    }
  }

  /// What is stored of the batch once it is paid: its finite samples; nil where there are none.
  var finiteExperience: Experience? {
    guard let reward else { preconditionFailure("a batch is stored before it is paid") }
    let kept = finiteSamples
    if kept.isEmpty { return nil }
    if kept.count == confidence.shape[0] { return experience(reward: reward) }
    return Experience(
      batch: batch, states: states.map { $0.rows(kept) }, confidence: confidence.rows(kept),
      logitDivergence: logitDivergence.rows(kept), featureDivergence: featureDivergence.rows(kept),
      reward: reward.rows(kept), choice: choice?.rows(kept))
  }
}
