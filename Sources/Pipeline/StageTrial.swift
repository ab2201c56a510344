package import Foundation
internal import Datasets
internal import Distillation
internal import Networks
package import Specs
internal import Storage
package import Sweeps
internal import Tensors
internal import Training

/// What one stage of a sweep does in one training step and one batch of evaluation,
/// before the sweep is started.
///
/// Weights are random: teachers need not be there. A trial runs in a process of its own, so that its peak of
/// memory is its own and a stage that dies takes nothing with it.
package struct StageTrial: Sendable {
  /// `student mini-resnet8-w8 mtkd-rl, 2 teachers`.
  package let title: String
  /// How many stages of the plan it stands for: those that differ in seeds, amounts and lengths alone.
  package let stages: Int
  /// A teacher is tried as a run of the baseline.
  private let run: RunSpec

  /// The distinct stages of a grid that this program trains, teachers first; and how many runs an external
  /// trainer would train, which are not tried.
  package static func all(of expansion: GridExpansion) -> (trials: [StageTrial], external: Int) {
    var (order, found, external): ([[UInt8]], [[UInt8]: (title: String, run: RunSpec, stages: Int)], Int) =
      ([], [:], 0)
    func add(_ title: String, _ run: RunSpec) {
      let bytes = run.canonicalBytes
      if found[bytes] == nil {
        order.append(bytes)
        found[bytes] = (title, run, 0)
      }
      found[bytes]!.stages += 1
    }
    var (students, teachers): ([RunSpec], Set<TeacherStage>) = ([], [])
    for planned in expansion.runs {
      let run = planned.spec
      if run.trainer != nil { external += 1 } else { students.append(run) }
      for teacher in run.teachers where teacher.weights == nil && teacher.trainer == nil {
        guard teachers.insert(TeacherStage(teacher, on: run.dataset)).inserted else { continue }
        let alone = RunSpec(
          dataset: run.dataset, student: teacher.network, method: MethodSpec(name: "baseline"), teachers: [],
          recipe: teacher.recipe, seed: 0)
        add("teacher \(expansion.names.title(of: teacher.network))", Self.representative(alone))
      }
    }
    for run in students {
      let pool = run.teachers.isEmpty ? "" : ", \(counted(run.teachers.count, "teacher"))"
      add(
        "student \(expansion.names.title(of: run.student)) \(run.method.name)\(pool)",
        Self.representative(run))
    }
    let trials = order.map { bytes in
      StageTrial(title: found[bytes]!.title, stages: found[bytes]!.stages, run: found[bytes]!.run)
    }
    return (trials, external)
  }

  /// The same run without what changes neither the shape nor the course of a step: seeds, amounts, lengths.
  private static func representative(_ run: RunSpec) -> RunSpec {
    var run = run
    let amounts = Set(
      GridVocabulary.engine(dataFolders: []).settings.entries.filter { $0.place == .method && $0.isAmount }
        .map(\.encodedName))
    run.seed = 0
    run.method.options = run.method.options.filter { !amounts.contains($0.key) }
    let computed = run.recipe
    run.recipe = .student(epochs: 1, batchSize: computed.batchSize)
    run.recipe.optimizer = computed.optimizer
    run.recipe.convolution = computed.convolution
    run.recipe.numerics = computed.numerics
    run.recipe.dropPath = computed.dropPath
    run.recipe.colourJitter = computed.colourJitter
    if computed.optimizer == .adamW { run.recipe.learningRate = DecimalNumber(mantissa: 1, exponent: -3) }
    run.views = min(run.views, 1)
    run.agreement = false
    run.teachers = run.teachers.map { teacher in
      var recipe = RecipeSpec.student(epochs: 1)
      recipe.convolution = teacher.recipe.convolution
      recipe.numerics = teacher.recipe.numerics
      return TeacherSpec(network: teacher.network, recipe: recipe, seed: 0)
    }
    return run
  }

  // MARK: In its own process

  /// What a trial's process is told on its standard input.
  package func request(threads: Int) -> Data {
    var members: [String: JSONValue] = ["threads": .number(DecimalNumber(threads))]
    members["run"] = try? JSONReader.read(run.canonicalBytes).value
    members["folder"] = run.dataset.folder.map { .string($0) }
    return Data(CanonicalJSON.bytes(of: .object(members)))
  }

  /// What to set and to remove (nil) in the environment of the process.
  package var environment: [String: String?] {
    get throws { try NumericsProfile.environment(of: StageRequest(StudentStage(run))) }
  }

  /// What the step and the batch took.
  package struct Outcome: Hashable, Sendable {
    /// Wall seconds.
    package let step: Double
    package let evaluation: Double
    /// The most that the process held, in bytes: images, networks, gradients.
    package let peakBytes: Int
    /// Of the step.
    package let loss: Double

    /// Reads what `perform` wrote.
    package init(_ json: JSONValue) throws(SpecError) {
      let object = try SpecObject(json)
      step = try object.number("step").double
      evaluation = try object.number("evaluation").double
      peakBytes = try object.integer("peakBytes")
      loss = try object.number("loss").double
    }
  }

  /// Does what `request` says.
  ///
  /// - Returns: an outcome as JSON.
  /// - Throws: `SpecError`, `DatasetError` and whatever a network that cannot be built or a loss
  ///   that is not finite throws.
  package static func perform(_ request: [UInt8]) throws -> JSONValue {
    let object = try SpecObject(JSONReader.read(request).value)
    let device = Device(threads: max(1, try object.integer("threads")))
    var run = try RunSpec(object["run"] ?? .null)
    run.dataset.folder = try object.optional("folder", SpecObject.string)
    return try device.run { try measured(run) }
  }

  private static func measured(_ run: RunSpec) throws -> JSONValue {
    let source = FirstBatches(
      DatasetBatches(
        try DatasetCatalog.read(run.dataset, index: .of(nil)), batchSize: run.recipe.batchSize, seed: 0,
        plan: ViewPlan(views: run.views), augmentation: Augmentation(run.recipe)))
    let teachers = try run.teachers.enumerated().map { index, teacher in
      let built = try BuiltNetwork(teacher.network, source.task)
      var state = built.state(seed: UInt64(index), precision: .single)
      state.convolution = ConvolutionChoice(teacher.recipe.convolution)
      return Teacher(built, state)
    }
    var training = try TrainingRun(
      student: run.student, teachers: teachers, method: run.method, recipe: run.recipe, source: source,
      seed: 0)
    let clock = ContinuousClock()
    training.stopwatch = { [start = clock.now] in [(clock.now - start) / .seconds(1)] }
    let start = clock.now
    guard let report = try training.step() else { preconditionFailure("an epoch has a batch") }
    let whole = (clock.now - start) / .seconds(1)
    let evaluation = report.evaluationCost?.first ?? 0
    func number(_ value: Double) -> JSONValue { DecimalNumber(value).map { .number($0) } ?? 0 }
    return .object([
      "step": number(max(0, whole - evaluation)), "evaluation": number(evaluation),
      "peakBytes": .number(DecimalNumber(peakBytes())), "loss": number(report.loss.total.scalar),
    ])
  }

  /// The most memory that this process held, in bytes: `VmHWM`, which `exec` begins anew.
  private static func peakBytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return 1024
      * (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0)
  }
}

/// A source whose epochs have one batch, and whose evaluation has one.
private struct FirstBatches: BatchSource {
  private let source: DatasetBatches

  init(_ source: DatasetBatches) { self.source = source }

  var task: ImageTask { source.task }
  func order(epoch: Int) -> [[Int]] { Array(source.order(epoch: epoch).prefix(1)) }
  var evaluationOrder: [[Int]] { Array(source.evaluationOrder.prefix(1)) }
  func trainingBatch(
    _ positions: [Int], epoch: Int
  ) throws(DatasetError) -> (images: Tensor, targets: any Targets) {
    try source.trainingBatch(positions, epoch: epoch)
  }
  func plainBatch(_ positions: [Int]) throws(DatasetError) -> (images: Tensor, targets: any Targets) {
    try source.plainBatch(positions)
  }
  func views(_ positions: [Int], epoch: Int) -> [Int]? { source.views(positions, epoch: epoch) }
  func evaluationBatch(_ positions: [Int]) throws(DatasetError) -> (images: Tensor, targets: any Targets) {
    try source.evaluationBatch(positions)
  }
}
