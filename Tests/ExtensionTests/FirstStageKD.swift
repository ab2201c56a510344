import Distillation
import Networks
import Specs
import Tensors

/// The student's first stage, averaged over its channels, follows that of its teachers.
struct FirstStageKD: DistillationMethod {
  static let description = MethodDescription(
    name: "first-stage", summary: "The mean over channels of the first stage's map, teachers weighed alike.",
    readsTeachers: true, reads: [.stages],
    options: [
      SettingDescription(
        option: "mapWeight", .number(minimum: 0), default: 1, "Weight of the distance between the maps.")
    ],
    explanation: """
      P(F) = the mean of F over channels, pooled to 4 × 4 positions
      L    = mean over samples of H + mapWeight (1/M) Σ_m mean over positions of (P(F^S) - P(F^m))²
      """)

  private let weight: Double

  init(_ options: MethodOptions, _ context: MethodContext) { weight = options.number("mapWeight") }

  mutating func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let student = Self.picture(batch.student.stages[0])
    let distances = batch.teachers.map { (student - Self.picture($0.stages[0])).square().rowMeans() }
    let sum = distances.dropFirst().reduce(distances[0]) { $0 + $1 }
    let feature = (sum / Double(distances.count)).mean()
    let task = batch.taskLoss
    let mean = task.mean()
    return MethodLoss(
      total: mean + feature * weight, task: mean.scalar, logit: nil, feature: feature.scalar,
      scales: TermScales(feature: weight), details: LossDetails(studentCrossEntropy: task.detached))
  }

  /// P of a map `[batch, channels, height, width]`: `[batch, 16]`.
  private static func picture(_ map: Tensor) -> Tensor {
    map.adaptiveAveragePool2D(height: 4, width: 4).mean(axis: 1).flattenedRows
  }
}
