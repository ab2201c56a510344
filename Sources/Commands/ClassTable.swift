import Pipeline
import Reports
import Specs
import Storage

/// What a transfer's evaluation says of single classes, for `show`.
struct ClassTable {
  private let findings: TransferFindings
  private let metrics: Metrics

  /// Nil for runs without a transfer, and where the folder of the run is not here.
  init?(of stage: StageRecord, in folder: StoreFolder, metrics: Metrics = Metrics()) throws {
    guard let found = try EvaluationFindings(of: stage, in: folder)?.findings, !found.classes.isEmpty else {
      return nil
    }
    findings = found
    self.metrics = metrics
  }

  /// Lines of `show` after those of the epochs; none for a run without a transfer.
  static func lines(of stage: StageRecord, _ store: ResultStore, in folder: StoreFolder) throws -> [String] {
    let metrics = try store.metrics(of: stage.key)
    guard let table = try ClassTable(of: stage, in: folder, metrics: metrics) else { return [] }
    return table.lines
  }

  private var columns: [(title: String, key: String, means: [Double?])] {
    func means(_ values: [[Double?]]) -> [Double?] {
      TransferFindings.means(values, classes: findings.classes.count)
    }
    let isDetection = metrics[TransferMetrics.meanIntersection] == nil
    let first = (isDetection ? "box AP" : "IoU", "value", means(findings.values))
    return findings.maskValues.isEmpty ? [first] : [first, ("mask AP", "mask", means(findings.maskValues))]
  }

  private var lines: [String] {
    var lines = [TransferTask.detection, .segmentation].flatMap { task in
      TransferMetrics.descriptions([task]).filter { $0.name.hasPrefix("test.") }
    }.compactMap { metric in
      metrics[metric.name].map { "\(metric.name)  \(metric.text($0))  \(metric.title)" }
    }
    let columns = columns
    var rows = [["class"] + columns.map { "\($0.title), %" }]
    for (index, name) in findings.classes.enumerated() {
      rows.append([ForeignText.line(name)] + columns.map { Self.text($0.means[index]) })
    }
    lines += aligned(rows).split(separator: "\n").map(String.init)
    let transfers = findings.values.count
    if transfers > 1 { lines.append("Values of classes are means over \(transfers) transfers.") }
    return lines
  }

  /// A list of classes in their order.
  var json: JSONValue {
    .array(
      findings.classes.enumerated().map { index, name in
        var members: [String: JSONValue] = ["name": .string(name)]
        for column in columns {
          members[column.key] = column.means[index].map { JSONValue($0) } ?? .null
        }
        return .object(members)
      })
  }

  /// Two digits; `n/a` for a class that does not occur.
  private static func text(_ value: Double?) -> String { value.map { NumberFormat.fixed($0, 2) } ?? "n/a" }
}
