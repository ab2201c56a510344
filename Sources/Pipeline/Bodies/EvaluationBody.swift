internal import Datasets
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Transfers

extension EvaluationStage: StageKind {
  static var readsFiles: Bool { true }
  var title: String { "\(transfer.title), \(NetworkNames.title(of: network))" }
  var datasetName: String? { transfer.dataset.name }
  /// Whoever only judges the same predictions again has verified little.
  var verifiedInputs: [ContentKey] { transfers }

  func run(in workspace: Workspace) throws { try EvaluationBody.run(self, in: workspace) }
}

/// Compares predictions with the truth; the numbers of a run are the means over its transfers.
enum EvaluationBody {
  static let file = "evaluation.json"

  static func run(_ stage: EvaluationStage, in workspace: Workspace) throws {
    try workspace.record(.started(step: 0, ProgramIdentity.provenance()))
    let dataset = try TransferBody.dataset(stage.transfer, in: workspace)
    let parts: AnnotatedParts = stage.transfer.task == .segmentation ? .semantics : [.objects, .masks]
    let test = try (0..<dataset.test.count).map { try dataset.test.image($0, parts) }
    var evaluations: [TransferEvaluation] = []
    var curves: [[EpochRecord]] = []
    for key in stage.transfers {
      let predictions = try TransferBody.predictions(key, images: test.count, in: workspace.store)
      guard predictions.count == test.count else { throw MissingInput(key: key) }
      evaluations.append(try TransferEvaluation(predictions, of: test, in: dataset, stage.transfer))
      curves.append(try EpochRecord.curve(workspace.input(key, TransferBody.curveFile)))
    }
    let totals = mean(evaluations.map(\.metrics))
    let shortest = curves.map(\.count).min() ?? 0
    var steps = 0
    for epoch in 0..<shortest {
      let records = curves.map { $0[epoch] }
      var metrics = mean(
        records.map { record in
          Dictionary(record.metrics.values.map { ($0.name, $0.value) }) { $1 }
        })
      // What the last epoch came to is measured on its predictions, here.
      if epoch + 1 == shortest { metrics.merge(totals) { $1 } }
      steps = records[0].step
      let states = records.map(\.state.description).joined(separator: " ")
      try workspace.record(
        .epoch(
          EpochRecord(
            epoch: epoch, step: steps, metrics: Metrics(metrics),
            state: records.count == 1 ? records[0].state : ContentKey(hashing: Array(states.utf8)))))
    }
    var all = totals
    all["steps"] = Double(steps)
    all["transfers"] = Double(stage.transfers.count)
    all["test.images"] = Double(test.count)
    try workspace.publish([(file, CanonicalJSON.bytes(of: document(evaluations)))], Metrics(all))
  }

  /// Of what some have, over those that have it.
  private static func mean(_ parts: [[String: Double]]) -> [String: Double] {
    var means: [String: Double] = [:]
    for name in Set(parts.flatMap(\.keys)) {
      let values = parts.compactMap { $0[name] }
      means[name] = values.reduce(0, +) / Double(values.count)
    }
    return means
  }

  /// Classes with their values, of each transfer.
  private static func document(_ evaluations: [TransferEvaluation]) -> JSONValue {
    func number(_ value: Double?) -> JSONValue {
      value.flatMap { DecimalNumber($0) }.map { .number($0) } ?? .null
    }
    return [
      "classes": .array(evaluations.first?.perClass.map { .string($0.name) } ?? []),
      "values": .array(evaluations.map { .array($0.perClass.map { number($0.value) }) }),
    ]
  }
}
