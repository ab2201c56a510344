package import Datasets
package import Networks
package import Specs
internal import Tensors

/// How a network does on the images that measure it.
package struct Evaluation: Hashable, Sendable {
  package private(set) var count = 0
  /// Images whose label has the largest logit; of equal logits the lowest label counts.
  package private(set) var correct = 0
  /// Images whose label is among the five largest logits; nil for too few classes.
  package private(set) var correctAmongFive: Int?
  /// Sum of the cross-entropies in nats.
  private var totalLoss = 0.0
  private var calibration = CalibrationBins()
  /// Images for which each teacher names the class that the network names; empty where nobody asks.
  package private(set) var agreements: [Int] = []
  /// Metrics that the program in use adds, without the set of images in their names.
  private var added: [String: Double] = [:]

  /// Mean cross-entropy in nats.
  package var loss: Double { count > 0 ? totalLoss / Double(count) : .nan }
  /// Percent of images classified right.
  package var accuracy: Double { percent(Double(correct)) }
  /// The expected calibration error in percent, as `CalibrationBins` computes it.
  package var calibrationError: Double { percent(calibration.gap) }

  private func percent(_ part: Double) -> Double { 100 * part / Double(count) }

  /// Before the first batch.
  init() {}

  /// Evaluates with running statistics; nothing changes.
  ///
  /// - Parameter choices: the class that each teacher names for each image, in the order of evaluation; empty
  ///   where nobody asks how often they agree.
  package init(
    _ network: Network, _ state: ModelState, on source: some BatchSource, beside choices: [[Int]] = []
  ) throws(DatasetError) {
    try self.init(on: source, beside: choices) { .stacked(network.parts(of: $0, state).map(\.logits)) }
  }

  /// Evaluates a teacher, whose images may be normalised in another way.
  package init(_ teacher: Teacher, on source: some BatchSource) throws(DatasetError) {
    try self.init(on: source) { teacher($0).logits }
  }

  private init(
    on source: some BatchSource, beside choices: [[Int]] = [], _ logits: (Tensor) -> Tensor
  ) throws(DatasetError) {
    var metrics = Catalog.metrics.entries.map { $0.init() }
    for positions in source.evaluationOrder {
      let (images, targets) = try source.evaluationBatch(positions)
      let logits = logits(images)
      add(logits, targets, beside: choices.map { Array($0[count..<count + targets.count]) })
      for place in metrics.indices { metrics[place].add(logits, targets) }
    }
    for metric in metrics where count > 0 { added[type(of: metric).description.name] = metric.value }
  }

  /// Takes in a batch.
  ///
  /// - Parameters:
  ///   - logits: `[batch, classes]`.
  ///   - taught: the class that each teacher names for each image of the batch.
  mutating func add(_ logits: Tensor, _ targets: any Targets, beside taught: [[Int]] = []) {
    let classes = logits.shape[1]
    let choices = logits.largestPerRow()
    if agreements.isEmpty { agreements = taught.map { _ in 0 } }
    for (teacher, named) in taught.enumerated() {
      agreements[teacher] += zip(named, choices).count { $0 == $1 }
    }
    let shares = logits.softmax().doubles
    for (row, isRight) in targets.hits(of: logits).enumerated() {
      if isRight { correct += 1 }
      calibration.add(shares[row * classes + choices[row]], isRight: isRight)
    }
    if classes >= ClassificationMetrics.fewestClassesForTopFive {
      correctAmongFive = (correctAmongFive ?? 0) + targets.ranks(of: logits).count { $0 < 5 }
    }
    totalLoss += targets.loss(of: logits).doubles.reduce(0, +)
    count += targets.count
  }

  /// The numbers under the names that the classification task declares.
  package func metrics(_ split: ClassificationMetrics.Split) -> [String: Double] {
    var metrics = [
      ClassificationMetrics.accuracy(split): accuracy, ClassificationMetrics.loss(split): loss,
      ClassificationMetrics.calibration(split): calibrationError,
      ClassificationMetrics.images(split): Double(count),
    ]
    for (teacher, count) in agreements.enumerated() {
      metrics[ClassificationMetrics.agreement(split, teacher: teacher)] = percent(Double(count))
    }
    for (name, value) in added { metrics["\(split.rawValue).\(name)"] = value }
    if let correctAmongFive {
      metrics[ClassificationMetrics.topFive(split)] = percent(Double(correctAmongFive))
    }
    return metrics
  }
}

/// The bins of the expected calibration error: how far confidence and accuracy lie apart.
///
///     ECE = 1/n · sum over bins of | sum over the bin of (right - confidence) |
///
/// - Source: Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks", equation 3, with
///   their fifteen bins of equal width, each open below and closed above.
struct CalibrationBins: Hashable, Sendable {
  static let count = 15
  /// Right answers minus confidences, by bin.
  private var differences = Array(repeating: 0.0, count: Self.count)

  /// - Parameter confidence: the largest probability, in [0, 1]; one that is not a number
  ///   makes the error none either.
  mutating func add(_ confidence: Double, isRight: Bool) {
    let place = (confidence * Double(Self.count)).rounded(.up) - 1
    let bin = place.isNaN ? 0 : max(0, min(Self.count - 1, Int(place)))
    differences[bin] += (isRight ? 1 : 0) - confidence
  }

  /// The sum over the bins of the absolute differences, in images.
  var gap: Double { differences.reduce(0) { $0 + abs($1) } }
}
