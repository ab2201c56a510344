package import Networks
package import Specs
internal import Tensors

/// AVER (KD): equation 2 with a_l = 1/M and no feature term (`methods.md` 5.2).
package struct AverageKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "aver-kd", summary: "Every teacher's logits, weighed alike.", readsTeachers: true,
    options: [.alpha, .temperature])

  private let distillation: WeightedDistillation

  package init(_ options: MethodOptions, _ context: MethodContext) {
    distillation = WeightedDistillation(
      alpha: options.number("alpha"), beta: 0, temperature: options.number("temperature"), features: nil)
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss { distillation.equalLoss(of: batch, pass) }
}

/// AVER (KD+FitNet): equation 2 with a_l = a_f = 1/M (`methods.md` 5.2).
package struct AverageKDFitNet: DistillationMethod {
  package static let description = MethodDescription(
    name: "aver-kd-fitnet", summary: "Every teacher's logits and feature map, weighed alike.", readsTeachers: true,
    options: [.alpha, .beta, .temperature])

  private let distillation: WeightedDistillation

  package init(_ options: MethodOptions, _ context: MethodContext) {
    distillation = WeightedDistillation(
      alpha: options.number("alpha"), beta: options.number("beta"), temperature: options.number("temperature"),
      features: FitNet(context.scope, student: context.student, teachers: context.teachers))
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss { distillation.equalLoss(of: batch, pass) }
}

extension WeightedDistillation {
  /// Every teacher weighed 1/M.
  fileprivate func equalLoss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = terms(of: batch, pass)
    let equal = Tensor.full(1 / Double(batch.teachers.count), terms.kl.shape, terms.kl.precision)
    return loss(terms, logitWeights: equal, featureWeights: equal)
  }
}
