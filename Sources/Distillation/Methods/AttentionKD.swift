package import Networks
package import Specs
internal import Tensors

/// AT (Zagoruyko and Komodakis 2017): the student looks at an image where its teachers look, stage by stage.
package struct AttentionKD: DistillationMethod {
  package static let description = MethodDescription(
    name: "at", summary: "Attention maps of every stage, teachers weighed alike.",
    readsTeachers: true, reads: [.stages],
    options: [
      SettingDescription(
        option: "attentionBeta", .number(minimum: DecimalNumber(0)), default: 1000,
        "Weight β of attention transfer: of the sum over stages.")
    ],
    explanation: """
      q(F) = vec(Σ_c F_c²) / |Σ_c F_c²|
      A_m  = Σ over pairs of stages of the mean over positions of (q(F^S) - q(F^m))²
      L    = mean over samples of H + attentionBeta (1/M) Σ_m A_m

      Stages are paired from the last one backwards and the larger map of a pair is pooled to the smaller one's size. β is 1000, as in the
      paper's experiments; the grid's beta belongs to other distances and is not read. The paper has one teacher and takes half the distance
      between q's; its authors' code takes the mean of squares, and so do we.
      """)

  private let beta: Double

  package init(_ options: MethodOptions, _ context: MethodContext) {
    beta = options.number("attentionBeta")
  }

  package func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let task = batch.taskLoss
    let stages = batch.student.stages
    let distances = columns(
      batch.teachers.map { AttentionTransfer.distances(student: stages, teacher: $0.stages) })
    let weights = Tensor.full(1 / Double(batch.teachers.count), distances.shape, distances.precision)
    let feature = (distances * weights).sum() / Double(task.count)
    let mean = task.mean()
    var details = LossDetails(studentCrossEntropy: task.detached)
    details.distance = distances.detached
    details.featureCosts = distances.detached
    details.featureWeights = weights
    return MethodLoss(
      total: mean + feature * beta, task: mean.scalar, logit: nil, feature: feature.scalar,
      scales: TermScales(feature: beta), details: details)
  }
}
