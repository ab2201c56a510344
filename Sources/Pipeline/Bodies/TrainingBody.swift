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
  var trainer: TrainerSpec? { teacher.trainer }
  var network: TrainedNetwork? {
    TrainedNetwork(
      model: teacher.network, dataset: dataset, method: "teacher",
      normalisation: teacher.weights?.normalisation)
  }

  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? {
    // What somebody else's code takes nobody knows.
    guard trainer == nil else { return nil }
    let (network, isImported) = (teacher.network, teacher.weights != nil)
    return StageCost(
      multiplyAdds: try meter.teacher(self),
      topics: [
        "teacher \(NetworkNames.title(of: network)) \(meter.shape(of: dataset))", "teacher",
        Forecast.topic,
      ],
      diskBytes: try isImported
        ? meter.bytes(imported: network, dataset) : meter.bytes(trained: network, dataset),
      assumedRate: isImported ? AssumedRate.inference(network) : AssumedRate.training(network))
  }

  func run(in workspace: Workspace) throws {
    guard let trainer else { return try TrainingBody.run(self, in: workspace) }
    try ExternalBody.run(TrainerTask(self), trainer, in: workspace)
  }
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
    let (network, shape) = (NetworkNames.title(of: run.student), meter.shape(of: run.dataset))
    let asking = hasHelpers ? [] : teachers.map { (network: $0.teacher.network, multiplyAdds: $0.cost) }
    let asked = asking.reduce(0) { $0 + $1.multiplyAdds }
    let student = run.student
    let topics = [
      "student \(network) \(run.method.name) \(how) \(pool) \(shape)", "student \(network) \(how) \(shape)",
      "student \(how)", Forecast.topic,
    ]
    return StageCost(
      multiplyAdds: own + asked, topics: topics,
      diskBytes: run.trainer == nil ? try meter.bytes(trained: student, run.dataset) : 0,
      assumedRate: AssumedRate.run(student, own: own, asking),
      teaching: asked > 0
        ? AskedWork(
          multiplyAdds: asked, topics: ["asking \(pool) \(shape)"] + topics,
          assumedRate: AssumedRate.run(student, own: 0, asking)) : nil,
      spared: try hasHelpers
        ? teachers.map { teacher, cost in
          let outputs = TeacherOutputsStage(teacher, on: run.dataset, views: 1, keeps: .maps)
          return AskedWork(
            multiplyAdds: cost, topics: try outputs.topics(&meter),
            assumedRate: AssumedRate.inference(teacher.network))
        } : [])
  }

  func run(in workspace: Workspace) throws { try Trainers.trainer(of: self.run).run(self, in: workspace) }
}

/// Trains teachers and students, or takes in those that were trained elsewhere.
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
  /// - Parameters:
  ///   - inputs: keys of the dataset, then of the teachers.
  ///   - lesson: what the run has in common with others of its process; nil where it is alone.
  static func student(
    _ run: RunSpec, inputs: [ContentKey], sharing lesson: SharedLesson? = nil, in workspace: Workspace
  ) throws -> TrainingRun {
    try run.recipe.check()
    let (dataset, teachers) = try lesson?.loaded ?? self.lesson(of: run, inputs, in: workspace)
    lesson?.loaded = (dataset, teachers)
    let source = DatasetBatches(
      dataset, batchSize: run.recipe.batchSize, seed: run.seed, plan: ViewPlan(views: run.views),
      augmentation: Augmentation(run.recipe))
    return try TrainingRun(
      student: run.student, teachers: teachers, method: run.method, recipe: run.recipe, source: source,
      seed: run.seed, recorded: try TeacherRecord.all(of: run, in: workspace), shared: lesson?.answers,
      measuresAgreement: run.agreement)
  }

  private static func lesson(
    of run: RunSpec, _ inputs: [ContentKey], in workspace: Workspace
  ) throws -> (Dataset, [Teacher]) {
    let dataset = try DatasetBody.dataset(inputs[0], in: workspace)
    let teachers = try zip(run.teachers, inputs.dropFirst()).map { teacher, key in
      try self.teacher(teacher, key, dataset, in: workspace)
    }
    return (dataset, teachers)
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

  /// A teacher that was trained elsewhere: its weights are read, fitted, measured and published as if
  /// one epoch had made them.
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
      TrainingSession.totals(of: epoch, best: BestEpoch(epoch, than: nil), steps: 0))
  }

  private static func train(_ fresh: TrainingRun, in workspace: Workspace) throws {
    var session = try TrainingSession(fresh, in: workspace)
    while try session.advance() {}
  }
}

func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
