internal import Distillation
internal import Networks
internal import Specs
internal import Storage
internal import Tensors
internal import Training

/// A run while a worker trains it: writes records and snapshots around the steps of a `TrainingRun`, leaves
/// on request and publishes the end.
struct TrainingSession {
  private let workspace: Workspace
  private var run: TrainingRun
  private var best: BestEpoch?
  private var last: EpochRecord?
  private var cost: EpochCost
  private let firstStep: Int
  private let totalSteps: Int
  /// Whether the process trains nothing else.
  private let isAlone: Bool
  /// CPU seconds of this attempt's steps, and of what the teachers said in them, whoever has asked: what the
  /// run would have taken alone.
  private var (spent, teaching) = (0.0, 0.0)

  /// A run where its newest usable snapshot left it, or at its start.
  init(_ fresh: TrainingRun, isAlone: Bool = true, in workspace: Workspace) throws {
    self.workspace = workspace
    self.isAlone = isAlone
    (run, best) = try Self.resumed(fresh, in: workspace)
    try workspace.record(.started(step: run.stepCount, ProgramIdentity.provenance()))
    (firstStep, totalSteps) = (run.stepCount, run.totalSteps)
    cost = EpochCost(isPartial: !run.isAtEpochStart)
    run.stopwatch = EpochCost.stopwatch
  }

  /// Of the next batch, both from 0.
  var place: (epoch: Int, batch: Int) { run.place }

  /// Trains on the next batch.
  ///
  /// - Returns: whether there is another; where there is none, the run is published.
  /// - Throws: `WorkerStopped` after a snapshot, where a stop is wanted; what a step throws.
  mutating func advance() throws -> Bool {
    cost.begin()
    guard let report = try run.step() else { preconditionFailure("the run has ended") }
    let measured = cost.end(report)
    spent += cost.lastStep
    teaching += report.teachingCost?.spent.last ?? 0
    // Asked once a step: a wish that comes while a step is written down is heard after the
    // next one, with a snapshot.
    let isLeaving = workspace.isStopRequested
    if let epoch = report.finishedEpoch {
      try end(epoch, measured)
    } else if workspace.isSnapshotDue || isLeaving {
      try snapshot()
    }
    try workspace.report(progress(report), always: run.isFinished)
    if run.isFinished {
      try finish()
      return false
    }
    if isLeaving {
      try workspace.record(.stopped(step: run.stepCount))
      throw WorkerStopped()
    }
    return true
  }

  private mutating func end(_ epoch: EpochRecord, _ measured: Metrics) throws {
    var epoch = epoch
    epoch.measured = measured
    let better = BestEpoch(epoch, than: best)
    (best, last) = (better ?? best, epoch)
    // The end is published with all of this at once: to write it twice would take a small stage
    // as long as its training.
    try workspace.record(.epoch(epoch), isFollowed: run.isFinished)
    if run.isFinished { return }
    // What a snapshot refers to is on disk before the snapshot is.
    if let better {
      try workspace.writeBest(
        Storage.Snapshot(step: better.step, bytes: run.state.stateDictionary.encoded()))
    }
    try snapshot()
  }

  private func snapshot() throws {
    var state = run.snapshot
    best?.save(to: &state)
    try workspace.write(Storage.Snapshot(step: run.stepCount, bytes: state.encoded()))
  }

  private func progress(_ report: StepReport) -> WorkerProgress {
    let steps = run.stepCount - firstStep
    var progress = WorkerProgress(
      epoch: report.epoch, epochs: run.recipe.epochs, step: run.stepCount, steps: totalSteps,
      loss: report.loss.total.scalar,
      imagesPerSecond: Double(steps * run.recipe.batchSize) / max(workspace.elapsed, 1e-3),
      cpuSeconds: isAlone ? processorSeconds() : spent, stepsHere: steps)
    if teaching > 0 { progress.teachingSeconds = teaching }
    return progress
  }

  /// Publishes a run that has ended, with the numbers of its last epoch.
  private func finish() throws {
    guard let best, let epoch = last else { preconditionFailure("a run ends with an epoch") }
    let final = run.state.stateDictionary.encoded()
    var bestState = final
    if best.step != run.stepCount {
      guard let kept = try workspace.stage.newestBest(upTo: best.step).snapshot, kept.step == best.step else {
        throw LostBestEpoch()
      }
      bestState = kept.bytes
    }
    var end = run.snapshot
    best.save(to: &end)
    try workspace.publish(
      [
        (TrainingBody.finalFile, final), (TrainingBody.bestFile, bestState),
        (TrainingBody.lastFile, end.encoded()),
      ], Self.totals(of: epoch, best: best, steps: run.stepCount))
  }

  /// The numbers of a whole run: its last evaluation, and where its best epoch was.
  static func totals(of last: EpochRecord, best: BestEpoch?, steps: Int) -> Metrics {
    var totals: [String: Double] = ["steps": Double(steps)]
    for metric in last.metrics.values
    where metric.name.hasPrefix("\(ClassificationMetrics.Split.test.rawValue).") {
      totals[metric.name] = metric.value
    }
    if let best {
      totals[ClassificationMetrics.best(BestEpoch.metric.name)] = best.value
      totals["best.epoch"] = Double(best.epoch)
      totals["best.step"] = Double(best.step)
    }
    return Metrics(totals)
  }

  /// The run where its newest usable snapshot left it, or at its start. A snapshot is usable when the best
  /// state that it refers to is there too.
  private static func resumed(
    _ fresh: TrainingRun, in workspace: Workspace
  ) throws -> (run: TrainingRun, best: BestEpoch?) {
    let (newest, damaged) = try workspace.stage.newestSnapshot()
    for path in damaged { workspace.note("\(path) is damaged and was passed over") }
    guard let newest else { return (fresh, nil) }
    try workspace.checkProfile()
    do {
      let snapshot = try Networks.Snapshot(decoding: newest.bytes)
      var run = fresh
      try run.restore(from: snapshot)
      // An end is published, not written down to go on from.
      if run.isFinished {
        throw SnapshotError.unexpected("place", found: "the end of the run", expected: "a step before it")
      }
      guard let best = try BestEpoch(from: snapshot) else { return (run, nil) }
      if try workspace.stage.newestBest(upTo: best.step).snapshot?.step == best.step { return (run, best) }
      workspace.note("the best state of step \(best.step) is gone; the run starts again")
    } catch let error as SnapshotError {
      workspace.note("\(error) The run starts again.")
    } catch let error as SafetensorsError {
      workspace.note("\(error) The run starts again.")
    }
    return (fresh, nil)
  }
}

/// The epoch with the best value of the task's headline so far, the earliest if several.
struct BestEpoch {
  static let metric = ClassificationMetrics.headline

  let epoch: Int
  let step: Int
  /// Of the metric.
  let value: Double

  private init(epoch: Int, step: Int, value: Double) {
    self.epoch = epoch
    self.step = step
    self.value = value
  }

  /// Nil where the epoch is not better.
  init?(_ record: EpochRecord, than best: BestEpoch?) {
    guard let value = record.metrics[Self.metric.name],
      best.map({ Self.metric.isBetter(value, than: $0.value) }) != false
    else { return nil }
    self.init(epoch: record.epoch, step: record.step, value: value)
  }

  func save(to snapshot: inout Networks.Snapshot) {
    snapshot.put("best.place", [epoch, step])
    snapshot.put("best.accuracy", [value])
  }

  /// Nil where no epoch had ended.
  init?(from snapshot: Networks.Snapshot) throws {
    guard snapshot.has("best.place") else { return nil }
    let place = try snapshot.integers("best.place")
    let value = try snapshot.doubles("best.accuracy")
    guard place.count == 2, value.count == 1 else {
      throw SnapshotError.unexpected("best.place", found: "\(place.count) integers", expected: "2")
    }
    self.init(epoch: place[0], step: place[1], value: value[0])
  }
}

/// The best state was on disk when the run went on from it, and is not any more.
private struct LostBestEpoch: Error, CustomStringConvertible {
  var description: String {
    "The state of the best epoch was removed while the run was going on. Run the sweep again."
  }
}
