internal import Datasets
internal import Networks
package import Specs
package import Storage
internal import Sweeps
internal import Transfers

extension EvaluationStage: StageKind {
  static var readsFiles: Bool { true }
  func title(_ names: WrittenNames) -> String { "\(transfer.title), \(names.title(of: network))" }
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
    let costs = try stage.transfers.map { try EpochCost.measured(in: workspace.store.stage($0)) }
    var shown: [(picture: TransferFindings.Picture, png: [UInt8])] = []
    for key in stage.transfers {
      let predictions = try TransferBody.predictions(key, images: test.count, in: workspace.store)
      guard predictions.count == test.count else { throw MissingInput(key: key) }
      evaluations.append(try TransferEvaluation(predictions, of: test, in: dataset, stage.transfer))
      if shown.isEmpty { shown = try pictures(dataset.test, parts, predictions) }
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
            state: records.count == 1 ? records[0].state : ContentKey(hashing: Array(states.utf8)),
            measured: EpochCost.mean(over: costs, record: epoch))))
    }
    var all = totals
    all["steps"] = Double(steps)
    all["transfers"] = Double(stage.transfers.count)
    all["test.images"] = Double(test.count)
    let findings = findings(evaluations, shown.map(\.picture))
    let files = shown.enumerated().map { (TransferFindings.file(ofPicture: $0.offset), $0.element.png) }
    try workspace.publish([(file, findings.canonicalBytes)] + files, Metrics(all))
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

  /// For people: nothing of it is in a key or a number.
  private static func findings(
    _ evaluations: [TransferEvaluation], _ pictures: [TransferFindings.Picture]
  ) -> TransferFindings {
    var findings = TransferFindings()
    findings.classes = evaluations.first?.perClass.map(\.name) ?? []
    findings.values = evaluations.map { $0.perClass.map(\.value) }
    if evaluations.contains(where: { !$0.perClassOfMasks.isEmpty }) {
      findings.maskValues = evaluations.map(\.perClassOfMasks)
    }
    findings.curves = evaluations.first?.curves ?? []
    findings.pictures = pictures
    return findings
  }

  private static func pictures(
    _ test: AnnotatedSplit, _ parts: AnnotatedParts, _ predictions: [Prediction]
  ) throws -> [(picture: TransferFindings.Picture, png: [UInt8])] {
    try (0..<min(ShownImages.count, test.count)).map { index in
      try ShownImages.picture(of: test.image(index, parts.union(.pixels)), predictions[index])
    }
  }

  /// What an evaluation wrote for people; nil where its folder is not here, or it came to no end.
  ///
  /// - Throws: for files that are damaged.
  static func findings(of key: ContentKey, in folder: StoreFolder) throws -> EvaluationFindings? {
    guard let output = try folder.stage(key).published(), output.names.contains(file) else { return nil }
    let findings = try TransferFindings(JSONReader.read(output.read(file)).value, at: file)
    let pictures = try findings.pictures.indices.map { place in
      try output.read(TransferFindings.file(ofPicture: place))
    }
    return EvaluationFindings(findings: findings, pictures: pictures)
  }
}

/// What an evaluation wrote for people, with the files of its pictures.
package struct EvaluationFindings: Sendable {
  package let findings: TransferFindings
  /// PNG files, as many as there are pictures.
  package let pictures: [[UInt8]]

  /// Nil for other stages, where the folder of the run is not here, and before its end.
  package init?(of stage: StageRecord, in folder: StoreFolder) throws {
    guard stage.kind == EvaluationStage.kind,
      let found = try EvaluationBody.findings(of: stage.key, in: folder)
    else { return nil }
    self = found
  }

  fileprivate init(findings: TransferFindings, pictures: [[UInt8]]) {
    self.findings = findings
    self.pictures = pictures
  }
}
