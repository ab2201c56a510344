import Networks
import Specs
import Tensors
import Training

/// The Brier score: the mean over images of Σ over classes of (p - y)², y being 1 for the label and 0 for
/// others. From 0 for certainty of the label to 2 for certainty of another class.
struct BrierScore: EvaluationMetric {
  static let description = MetricDescription("brier", title: "Brier score", isHigherBetter: false)

  private var sum = 0.0
  private var count = 0

  init() {}

  mutating func add(_ outputs: Tensor, _ targets: any Targets) {
    let classes = outputs.shape[1]
    let shares = outputs.softmax().doubles
    for (row, label) in targets.groups.enumerated() {
      for place in 0..<classes {
        let difference = shares[row * classes + place] - (place == label ? 1 : 0)
        sum += difference * difference
      }
    }
    count += targets.count
  }

  var value: Double { sum / Double(count) }
}
