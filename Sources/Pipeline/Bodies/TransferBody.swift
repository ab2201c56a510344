internal import Datasets
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Tensors
internal import Training
internal import Transfers

extension TransferStage: StageKind {
  static var readsFiles: Bool { true }
  static var isPartOfRun: Bool { true }
  func title(_ names: WrittenNames) -> String {
    "\(transfer.title) seed \(seed), \(names.title(of: network))"
  }
  var datasetName: String? { transfer.dataset.name }

  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? {
    let trunk = NetworkNames.title(of: network)
    let shape = meter.shape(of: transfer.dataset)
    return StageCost(
      multiplyAdds: try meter.transfer(self),
      topics: [
        "transfer \(transfer.head) \(trunk) \(shape)", "transfer \(transfer.head)", "transfer",
        Forecast.topic,
      ],
      diskBytes: 0, memory: try meter.memory(self, trunk))
  }

  func run(in workspace: Workspace) throws { try TransferBody.run(self, in: workspace) }
}

/// Trains a detector or a segmentor and writes down what it says of the test images, part by part: what a
/// stop or a kill costs is a snapshot's interval, or the part in hand.
enum TransferBody {
  static let curveFile = "curve.json"
  /// Test images of a part.
  static let imagesPerPart = 200

  static func partName(_ part: Int) -> String { "predictions-\(part).bin" }
  static func parts(of images: Int) -> Int { (images + imagesPerPart - 1) / imagesPerPart }

  /// The images of a transfer, opened where they lie.
  static func dataset(_ transfer: TransferSpec, in workspace: Workspace) throws -> AnnotatedDataset {
    var spec = transfer.dataset
    spec.folder = workspace.dataFolder
    return try AnnotatedCatalog.open(spec, index: .of(workspace.store), AnnotatedReading(transfer))
  }

  static func run(_ stage: TransferStage, in workspace: Workspace) throws {
    // Its dataset stage has looked at all annotations.
    let dataset = try dataset(stage.transfer, in: workspace)
    var fresh = try TransferRun(
      stage.transfer, on: BackboneBody.trunk(stage.backbone, in: workspace), dataset, seed: stage.seed,
      convolution: ConvolutionChoice(stage.recipe.convolution))
    fresh.stopwatch = EpochCost.stopwatch
    var (run, curve) = try resumed(fresh, in: workspace)
    try workspace.record(.started(step: run.stepCount, ProgramIdentity.provenance()))
    try train(&run, &curve, stage, in: workspace)
    try predict(run, in: workspace)
    try learn(run, in: workspace)
    let final = run.state.stateDictionary.encoded()
    let records = JSONValue.array(curve.map { $0.json })
    try workspace.publish(
      parts: (0..<parts(of: run.testCount)).map(partName),
      and: [(TrainingBody.finalFile, final), (curveFile, CanonicalJSON.bytes(of: records))]
    ) { bytes in
      var totals = ["steps": Double(run.stepCount), "bytes": Double(bytes)]
      for metric in curve.last?.metrics.values ?? [] where metric.name.hasPrefix("train.") {
        totals[metric.name] = metric.value
      }
      return Metrics(totals)
    }
  }

  private static func train(
    _ run: inout TransferRun, _ curve: inout [EpochRecord], _ stage: TransferStage, in workspace: Workspace
  ) throws {
    let firstStep = run.stepCount
    func snapshot(_ run: TransferRun) throws {
      var state = run.snapshot
      let text = CanonicalJSON.bytes(of: .array(curve.map { $0.json }))
      state.put("curve", text: String(decoding: text, as: UTF8.self))
      try workspace.write(Storage.Snapshot(step: run.stepCount, bytes: state.encoded()))
    }
    let batch = stage.transfer.fields["batchSize"]?.integer ?? 1
    var cost = EpochCost(isPartial: !run.isAtRecordStart)
    while true {
      cost.begin()
      guard let report = try run.step() else { break }
      let measured = cost.end(report)
      let isLeaving = workspace.isStopRequested
      if var record = report.finished {
        // What it cost is no part of what is published: two executions would differ.
        curve.append(record)
        record.measured = measured
        try workspace.record(.epoch(record))
        // The last one too: a kill while the test images are looked at costs no training.
        try snapshot(run)
      } else if workspace.isSnapshotDue || isLeaving {
        try snapshot(run)
      }
      let steps = run.stepCount - firstStep
      try workspace.report(
        WorkerProgress(
          epoch: report.record, epochs: run.recordCount, step: run.stepCount, steps: run.totalSteps,
          loss: report.loss, imagesPerSecond: Double(steps * batch) / max(workspace.elapsed, 1e-3),
          cpuSeconds: processorSeconds(), stepsHere: steps), always: run.isFinished)
      if isLeaving {
        try workspace.record(.stopped(step: run.stepCount))
        throw WorkerStopped()
      }
    }
  }

  /// What predictions took on top of training is a part of what forecasts learn: without it the peak
  /// would be that of training.
  private static func learn(_ run: TransferRun, in workspace: Workspace) throws {
    guard var progress = WorkerProgress(of: workspace.attempt), progress.stepsHere > 0 else { return }
    progress.cpuSeconds = processorSeconds()
    progress.peakBytes = WorkerProgress.peakBytes()
    try workspace.report(progress, always: true)
  }

  /// Writes the predictions that no earlier attempt has written.
  private static func predict(_ run: TransferRun, in workspace: Workspace) throws {
    let earlier = try workspace.stage.attempts().filter { $0 != workspace.attempt }.reversed()
    for part in 0..<parts(of: run.testCount) {
      let name = partName(part)
      if try TeacherOutputsBody.adopt(name, from: earlier, in: workspace) { continue }
      var chunks: [[UInt8]] = []
      for index in part * imagesPerPart..<min((part + 1) * imagesPerPart, run.testCount) {
        if workspace.isStopRequested {
          try workspace.record(.stopped(step: run.stepCount))
          throw WorkerStopped()
        }
        chunks.append(try run.prediction(index).canonicalBytes)
      }
      try workspace.attempt.writePart(name, ChunkFile.encoded(chunks, packs: true))
    }
  }

  /// The run where its newest usable snapshot left it, or at its start; with its records so far.
  private static func resumed(
    _ fresh: TransferRun, in workspace: Workspace
  ) throws -> (run: TransferRun, curve: [EpochRecord]) {
    let (newest, damaged) = try workspace.stage.newestSnapshot()
    for path in damaged { workspace.note("\(path) is damaged and was passed over") }
    guard let newest else { return (fresh, []) }
    try workspace.checkProfile()
    do {
      let snapshot = try Networks.Snapshot(decoding: newest.bytes)
      var run = fresh
      try run.restore(from: snapshot)
      return (run, try EpochRecord.curve(Array(snapshot.text("curve").utf8)))
    } catch let error as SnapshotError {
      workspace.note("\(error) The run starts again.")
    } catch let error as SafetensorsError {
      workspace.note("\(error) The run starts again.")
    } catch let error as SpecError {
      workspace.note("\(error) The run starts again.")
    }
    return (fresh, [])
  }

  /// What a finished transfer says of its test images, in their order.
  static func predictions(_ key: ContentKey, images: Int, in store: StoreFolder) throws -> [Prediction] {
    guard let output = try store.stage(key).published() else { throw MissingInput(key: key) }
    var predictions: [Prediction] = []
    for part in 0..<parts(of: images) {
      let chunks = try MappedChunks(output.path(of: partName(part)))
      for chunk in 0..<chunks.count {
        predictions.append(
          try Prediction(JSONReader.read(chunks.bytes(of: chunk)).value, at: partName(part)))
      }
    }
    return predictions
  }
}

extension AnnotatedReading {
  /// As a transfer's recipe says.
  init(_ transfer: TransferSpec) {
    self.init(stuffIDs: transfer.fields["stuffIds"]?.string.flatMap(StuffIDs.init) ?? .raw)
  }
}

extension EpochRecord {
  /// As a line of a curve.
  var json: JSONValue {
    let bytes = RunRecord.epoch(self).canonicalBytes
    return (try? JSONReader.read(bytes).value) ?? .null
  }

  /// Reads what `json` wrote, a list.
  static func curve(_ bytes: [UInt8]) throws(SpecError) -> [EpochRecord] {
    guard let lines = (try? JSONReader.read(bytes).value)?.array else {
      throw SpecError(path: "curve", expected: "a list of records")
    }
    var records: [EpochRecord] = []
    for line in lines {
      guard case .epoch(let record) = try RunRecord(line, at: "curve") else {
        throw SpecError(path: "curve", expected: "records of epochs")
      }
      records.append(record)
    }
    return records
  }
}
