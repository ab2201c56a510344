package import Networks
package import Specs
internal import Tensors

/// The student alone: L = mean of H (`methods.md` 5.1).
package struct Baseline: DistillationMethod {
  package static let description = MethodDescription(
    name: "baseline", summary: "The student alone, on labels.", readsTeachers: false)

  package init(_ options: MethodOptions, _ context: MethodContext) {}

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let task = batch.taskLoss
    let total = task.mean()
    return MethodLoss(
      total: total, task: total.scalar, logit: nil, feature: nil,
      details: LossDetails(studentCrossEntropy: task.detached))
  }
}
