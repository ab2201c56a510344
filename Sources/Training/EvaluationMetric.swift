public import Networks
public import Specs
public import Tensors

/// A number that is measured wherever a network is evaluated, over the test images and the validation
/// images. A value takes in one evaluation, batch by batch, in an order that is the same each time:
///
///     struct ErrorRate: EvaluationMetric {
///       static let description = MetricDescription("error", unit: "%", isHigherBetter: false)
///       private var wrong = 0
///       private var count = 0
///       init() {}
///       mutating func add(_ outputs: Tensor, _ targets: any Targets) {
///         wrong += targets.hits(of: outputs).count { !$0 }
///         count += targets.count
///       }
///       var value: Double { 100 * Double(wrong) / Double(count) }
///     }
///
/// Records, tables and figures call it by the set of images and its name: `test.error`, `validation.error`.
public protocol EvaluationMetric: Sendable {
  /// What the number is called, its unit and its direction. The name is without the set of images.
  static var description: MetricDescription { get }
  /// Before the first batch.
  init()
  /// Takes in a batch.
  ///
  /// - Parameters:
  ///   - outputs: of the network's head, one row an image: logits `[batch, classes]` of a classifier.
  ///   - targets: what the outputs should be.
  mutating func add(_ outputs: Tensor, _ targets: any Targets)
  /// The number over all batches; at least one was taken in.
  var value: Double { get }
}

extension Catalog where Entry == any EvaluationMetric.Type {
  /// Metrics besides those of the task. This package has none.
  package static var metrics: Catalog { metricsHere.extended }

  fileprivate static let metricsHere = Catalog("metric", []) { $0.description.name }
}

extension Extensions {
  /// Adds a metric, which every evaluation then records and every report can be of.
  ///
  /// - Throws: `ExtensionError.nameTaken` where the task or another entry has a metric of this name.
  public mutating func add(_ metric: any EvaluationMetric.Type) throws(ExtensionError) {
    let name = ClassificationMetrics.Split.test.rawValue + "." + metric.description.name
    if ClassificationMetrics.descriptions(teachers: 1).contains(where: { $0.name == name }) {
      throw ExtensionError.nameTaken(kind: "metric", name: metric.description.name)
    }
    try add(metric, to: .metricsHere) { [$0.description.name] }
  }
}

extension Evaluation {
  /// The metrics that the program in use adds, of test and of validation images.
  package static var addedMetrics: [MetricDescription] {
    Catalog.metrics.entries.flatMap { metric in
      [ClassificationMetrics.Split.test, .validation].map { split in
        var description = metric.description
        description.isHeadline = false
        description.name = "\(split.rawValue).\(description.name)"
        if split == .validation { description.title = "validation \(description.title)" }
        return description
      }
    }
  }
}
