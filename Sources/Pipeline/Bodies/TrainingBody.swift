internal import Foundation
internal import Datasets
internal import Distillation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Tensors
internal import Training

extension TeacherStage: StageKind {
  static var hasCheckpoints: Bool { true }
  func title(_ names: WrittenNames) -> String { teacher.title(names.title(of: teacher)) }
  var sourceWeights: ImportedWeights? { teacher.weights }
  var network: TrainedNetwork? {
    TrainedNetwork(
      model: teacher.network, dataset: dataset, method: "teacher",
      normalisation: teacher.weights?.normalisation)
  }

  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? {
    StageCost(
      multiplyAdds: try meter.teacher(self),
      topics: [
        "teacher \(NetworkNames.title(of: teacher.network)) \(try meter.shape(of: dataset))", "teacher",
        Forecast.topic,
      ], diskBytes: 0)
  }

  func run(in workspace: Workspace) throws { try TrainingBody.run(self, in: workspace) }
}

extension StudentStage: StageKind {
  static var hasCheckpoints: Bool { true }
  static var isPartOfRun: Bool { true }
  func title(_ names: WrittenNames) -> String {
    "\(names.title(of: run.student)) \(run.method.name) seed \(run.seed)"
  }
  var importedWeights: [ImportedWeights] { run.teachers.compactMap(\.weights) }
  var trainer: TrainerSpec? { run.trainer }
  var optionalInputs: [ContentKey] {
    guard run.views > 0 else { return [] }
    return run.teachers.flatMap { teacher in
      TeacherOutputs.heads.sufficient.map {
        TeacherOutputsStage(teacher, on: run.dataset, views: run.views, keeps: $0).key
      }
    }
  }
  var network: TrainedNetwork? {
    TrainedNetwork(model: run.student, dataset: run.dataset, method: run.method.name, normalisation: nil)
  }

  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? {
    let (own, teachers) = try meter.student(run)
    let pool = run.teachers.map { NetworkNames.title(of: $0.network) }.joined(separator: " ")
    let how = run.teachers.isEmpty ? "alone" : hasHelpers ? "reading" : "asking"
    let (network, shape) = (NetworkNames.title(of: run.student), try meter.shape(of: run.dataset))
    return StageCost(
      multiplyAdds: hasHelpers ? own : own + teachers.reduce(0) { $0 + $1.cost },
      topics: [
        "student \(network) \(run.method.name) \(how) \(pool) \(shape)", "student \(network) \(how) \(shape)",
        "student \(how)", Forecast.topic,
      ],
      diskBytes: run.trainer == nil ? try meter.bytes(run.student, run.dataset) : 0,
      spared: try hasHelpers
        ? teachers.map { teacher, cost in
          let outputs = TeacherOutputsStage(teacher, on: run.dataset, views: 1, keeps: .maps)
          return (cost, try outputs.topics(&meter))
        } : [])
  }

  func run(in workspace: Workspace) throws { try Trainers.trainer(of: self.run).run(self, in: workspace) }
}

/// Trains teachers and students: the loop around a `TrainingRun` that writes records and snapshots and leaves on request.
enum TrainingBody {
  static let finalFile = "final.safetensors"
  static let bestFile = "best.safetensors"
  static let lastFile = "last.safetensors"

  static func run(_ stage: TeacherStage, in workspace: Workspace) throws {
    if stage.teacher.weights != nil { return try takeIn(stage, in: workspace) }
    try stage.teacher.recipe.check()
    let source = DatasetBatches(
      try DatasetBody.dataset(stage.inputs[0], in: workspace), batchSize: stage.teacher.recipe.batchSize,
      seed: stage.teacher.seed)
    let run = try TrainingRun(
      student: stage.teacher.network, teachers: [], method: MethodSpec(name: "baseline"),
      recipe: stage.teacher.recipe, source: source, seed: stage.teacher.seed)
    try train(run, in: workspace)
  }

  static func run(_ stage: StudentStage, in workspace: Workspace) throws {
    try train(student(stage.run, inputs: stage.inputs, in: workspace), in: workspace)
  }

  /// A student before its first step.
  ///
  /// - Parameter inputs: keys of the dataset, then of the teachers.
  static func student(
    _ run: RunSpec, inputs: [ContentKey], in workspace: Workspace
  ) throws -> TrainingRun {
    try run.recipe.check()
    let dataset = try DatasetBody.dataset(inputs[0], in: workspace)
    let teachers = try zip(run.teachers, inputs.dropFirst()).map { teacher, key in
      try self.teacher(teacher, key, dataset, in: workspace)
    }
    let source = DatasetBatches(
      dataset, batchSize: run.recipe.batchSize, seed: run.seed, plan: ViewPlan(views: run.views),
      augmentation: Augmentation(run.recipe))
    return try TrainingRun(
      student: run.student, teachers: teachers, method: run.method, recipe: run.recipe, source: source,
      seed: run.seed, recorded: try TeacherRecord.all(of: run, in: workspace))
  }

  /// A trained teacher as those who learn from it see it.
  static func teacher(
    _ teacher: TeacherSpec, _ key: ContentKey, _ dataset: Dataset, in workspace: Workspace
  ) throws -> Teacher {
    let built = try BuiltNetwork(teacher.network, dataset.task)
    var state = ModelState(unfilled: built.declarations)
    state.convolution = ConvolutionChoice(teacher.recipe.convolution)
    // The best test epoch, as the authors' script keeps it (`methods.md` 7.2).
    try state.load(Safetensors(decoding: workspace.input(key, bestFile)))
    return Teacher(built, state, renormalisation: TeacherWeights.renormalisation(teacher.weights, dataset))
  }

  /// A teacher that was trained elsewhere: its weights are read, fitted, measured and published as if one epoch had made them.
  private static func takeIn(_ stage: TeacherStage, in workspace: Workspace) throws {
    try workspace.record(.started(step: 0, ProgramIdentity.provenance()))
    let dataset = try DatasetBody.dataset(stage.inputs[0], in: workspace)
    let teacher = try TeacherWeights.teacher(stage.teacher, dataset, in: WeightsFolder(workspace.store))
    let evaluation = try Evaluation(teacher, on: DatasetBatches(dataset, batchSize: 64, seed: 0))
    let weights = teacher.state.stateDictionary.encoded()
    let epoch = EpochRecord(
      epoch: 0, step: 0,
      metrics: Metrics(evaluation.metrics(.test)),
      state: ContentKey(hashing: weights))
    try workspace.record(.epoch(epoch))
    var place = Networks.Snapshot()
    place.put("place", [1, 0, 0])
    BestEpoch(epoch, than: nil)?.save(to: &place)
    try workspace.publish(
      [(finalFile, weights), (bestFile, weights), (lastFile, place.encoded())],
      totals(of: epoch, best: BestEpoch(epoch, than: nil), steps: 0))
  }

  private static func train(_ fresh: TrainingRun, in workspace: Workspace) throws {
    var (run, best) = try resumed(fresh, in: workspace)
    try workspace.record(.started(step: run.stepCount, ProgramIdentity.provenance()))
    let (firstStep, totalSteps) = (run.stepCount, run.totalSteps)
    func snapshot() throws {
      var state = run.snapshot
      best?.save(to: &state)
      try workspace.write(Storage.Snapshot(step: run.stepCount, bytes: state.encoded()))
    }
    func progress(_ report: StepReport) -> WorkerProgress {
      let steps = run.stepCount - firstStep
      return WorkerProgress(
        epoch: report.epoch, epochs: run.recipe.epochs, step: run.stepCount, steps: totalSteps,
        loss: report.loss.total.scalar,
        imagesPerSecond: Double(steps * run.recipe.batchSize) / max(workspace.elapsed, 1e-3),
        cpuSeconds: processorSeconds(), stepsHere: steps)
    }
    var (cost, last): (EpochCost, EpochRecord?) = (EpochCost(isPartial: !run.isAtEpochStart), nil)
    run.stopwatch = EpochCost.stopwatch
    cost.begin()
    while let report = try run.step() {
      let measured = cost.end(report)
      // Asked once a step: a wish that comes while a step is written down is heard after the next one, with a snapshot.
      let isLeaving = workspace.isStopRequested
      if var epoch = report.finishedEpoch {
        epoch.measured = measured
        let better = BestEpoch(epoch, than: best)
        (best, last) = (better ?? best, epoch)
        // The end is published with all of this at once: to write it twice would take a small stage as long as its training.
        try workspace.record(.epoch(epoch), isFollowed: run.isFinished)
        if !run.isFinished {
          // What a snapshot refers to is on disk before the snapshot is.
          if let better {
            try workspace.writeBest(
              Storage.Snapshot(step: better.step, bytes: run.state.stateDictionary.encoded()))
          }
          try snapshot()
        }
      } else if workspace.isSnapshotDue || isLeaving {
        try snapshot()
      }
      try workspace.report(progress(report), always: run.isFinished)
      if isLeaving, !run.isFinished {
        try workspace.record(.stopped(step: run.stepCount))
        throw WorkerStopped()
      }
      cost.begin()
    }
    try finish(run, best, last, in: workspace)
  }

  /// Publishes a run that has ended, with the numbers of its last epoch.
  private static func finish(
    _ run: TrainingRun, _ best: BestEpoch?, _ epoch: EpochRecord?, in workspace: Workspace
  ) throws {
    guard let best, let epoch else { preconditionFailure("a run ends with an epoch") }
    let final = run.state.stateDictionary.encoded()
    var bestState = final
    if best.step != run.stepCount {
      guard let kept = try workspace.stage.newestBest(upTo: best.step).snapshot, kept.step == best.step else {
        throw LostBestEpoch()
      }
      bestState = kept.bytes
    }
    var last = run.snapshot
    best.save(to: &last)
    try workspace.publish(
      [(finalFile, final), (bestFile, bestState), (lastFile, last.encoded())],
      totals(of: epoch, best: best, steps: run.stepCount))
  }

  /// The numbers of a whole run: its last evaluation, and where its best epoch was.
  private static func totals(of last: EpochRecord, best: BestEpoch?, steps: Int) -> Metrics {
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

  /// The run where its newest usable snapshot left it, or at its start. A snapshot is usable when the best state that it refers to is
  /// there too.
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
private struct BestEpoch {
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

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
