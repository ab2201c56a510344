public import Specs
public import Tensors

/// Classification's targets: one label an image. Its head is `LinearHead`, its metrics are
/// `ClassificationMetrics`.
public struct ClassTargets: Targets {
  /// From 0 up to the number of classes.
  private let labels: [Int]
  private let classes: Int
  /// The share of a label that all classes divide among them in training.
  private var smoothing = 0.0

  /// - Precondition: labels from 0 up to, not including, `classes`.
  public init(_ labels: [Int], classes: Int) {
    self.labels = labels
    self.classes = classes
  }

  public var count: Int { labels.count }

  /// Cross-entropy in nats.
  public func loss(of output: Tensor) -> Tensor { output.crossEntropy(labels: labels) }

  public func trainingLoss(of output: Tensor) -> Tensor {
    output.crossEntropy(labels: labels, smoothing: smoothing)
  }

  public func trained(by recipe: RecipeSpec) -> any Targets {
    var targets = self
    targets.smoothing = recipe.labelSmoothing.double
    return targets
  }

  /// Of equal logits the lowest label counts.
  public func hits(of output: Tensor) -> [Bool] { zip(output.largestPerRow(), labels).map { $0 == $1 } }

  /// The larger logits come before that of the label, and of equal ones those of lower labels. Every logit
  /// comes before one that is not a number.
  public func ranks(of output: Tensor) -> [Int] {
    let values = output.doubles
    let width = output.shape[1]
    return labels.enumerated().map { row, label in
      let logits = values[row * width..<(row + 1) * width]
      let own = logits[logits.startIndex + label]
      guard !own.isNaN else { return width }
      return logits.enumerated().count { $1 > own || ($1 == own && $0 < label) }
    }
  }

  public var groups: [Int] { labels }
  public var groupCount: Int { classes }
  public var groupName: String { "class" }

  public func joined(with others: [any Targets]) -> any Targets {
    let all = others.reduce(labels) { labels, other in
      guard let other = other as? ClassTargets else { preconditionFailure("targets of one task") }
      return labels + other.labels
    }
    var targets = ClassTargets(all, classes: classes)
    targets.smoothing = smoothing
    return targets
  }
}
