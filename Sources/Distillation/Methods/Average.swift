package import Networks
package import Specs
internal import Tensors

/// AVER (KD): equation 2 with a_l = 1/M and no feature term (`methods.md` 5.2).
package struct AverageKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "aver-kd", summary: "Every teacher's logits, weighed alike.",
    readsTeachers: true, reads: [.logits, .embedding],
    options: [.alpha] + SettingDescription.losses(hasFeatures: false),
    unread: unreadLossOptions,
    explanation: """
      L = mean over samples of H + alpha (1/M) Σ_m KL_m

      Paper and release agree: every teacher counts 1/M.
      """)

  private let distillation: WeightedDistillation

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    distillation = try WeightedDistillation(options, context, hasFeatures: false)
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    distillation.equalLoss(of: batch, pass)
  }
}

/// AVER (KD+FitNet): equation 2 with a_l = a_f = 1/M (`methods.md` 5.2).
package struct AverageKDFitNet: DistillationMethod {
  package static let description = MethodDescription(
    name: "aver-kd-fitnet",
    summary: "Every teacher's logits and feature map, weighed alike.", readsTeachers: true,
    reads: [.logits, .embedding, .map],
    options: [.alpha, .beta] + SettingDescription.losses(hasFeatures: true),
    unread: unreadLossOptions,
    explanation: """
      L = mean over samples of H + alpha (1/M) Σ_m KL_m + beta (1/M) Σ_m D_m

      D is the mean squared difference of the student's map, aligned and sent through a 1 × 1 regressor, and the teacher's map. Two
      repositories that this method is often taken from rebuild the feature loss from plain numbers and so train without it; we do not.
      """)

  private let distillation: WeightedDistillation

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    distillation = try WeightedDistillation(options, context, hasFeatures: true)
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    distillation.equalLoss(of: batch, pass)
  }
}

extension WeightedDistillation {
  /// Every teacher weighed 1/M.
  fileprivate func equalLoss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = terms(of: batch, pass)
    return loss(
      terms, logitWeights: .full(1 / Double(batch.teachers.count), terms.kl.shape, terms.kl.precision))
  }
}
