package import Networks
package import Tensors

/// Equation 2: the mean over samples of H + alpha Σ_m a_l KL + beta Σ_m a_f D, for any weights of the teachers.
///
/// - Source: `methods.md` 1.2. Weights multiply sample by sample before the mean.
package struct WeightedDistillation: Sendable {
  package let alpha: Double
  package let beta: Double
  package let temperature: Double
  /// Nil for methods without a feature term.
  package let features: FitNet?

  package init(alpha: Double, beta: Double, temperature: Double, features: FitNet?) {
    (self.alpha, self.beta, self.temperature, self.features) = (alpha, beta, temperature, features)
  }

  /// The terms of a batch before anybody weighs them; gradients flow into the student.
  package struct Terms {
    /// H, `[batch]`.
    package let task: Tensor
    /// `[batch, teachers]`.
    package let kl: Tensor
    package let distance: Tensor?
    /// x of each teacher.
    package let transformed: [Tensor]
  }

  package func terms(of batch: DistillationBatch, _ pass: Pass) -> Terms {
    let transformed = features?.transformed(batch.student.map, like: batch.teachers, pass) ?? []
    return Terms(
      task: batch.student.logits.crossEntropy(labels: batch.labels),
      kl: kullbackLeibler(
        student: batch.student.logits, teachers: batch.teachers.map(\.logits), temperature: temperature),
      distance: features == nil ? nil : FitNet.distances(transformed, batch.teachers), transformed: transformed)
  }

  /// - Parameters:
  ///   - logitWeights: a_l, `[batch, teachers]`, constant.
  ///   - featureWeights: a_f; not read where there is no feature term.
  package func loss(_ terms: Terms, logitWeights: Tensor, featureWeights: Tensor?) -> MethodLoss {
    let task = terms.task.mean()
    let count = Double(terms.task.count)
    let logit = (terms.kl * logitWeights).sum() / count
    var total = task + logit * alpha
    var feature: Tensor?
    if let distance = terms.distance, let featureWeights {
      let weighted = (distance * featureWeights).sum() / count
      total = total + weighted * beta
      feature = weighted
    }
    var details = LossDetails(studentCrossEntropy: terms.task.detached)
    details.kl = terms.kl.detached
    details.distance = terms.distance?.detached
    details.logitWeights = logitWeights
    details.featureWeights = feature == nil ? nil : featureWeights
    return MethodLoss(
      total: total, task: task.scalar, logit: logit.scalar, feature: feature?.scalar, details: details)
  }
}
