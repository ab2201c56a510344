internal import Datasets
internal import Distillation
internal import Networks
package import Specs
internal import Storage
internal import Sweeps
internal import Tensors
internal import Transfers

/// How much work is left: networks' multiply-adds, times what a multiply-add of that work took here before.
///
/// What a multiply-add takes differs by several times between networks, so what was measured is kept by
/// topic: a network in its part (teacher, outputs of a teacher, student under a method with live or
/// recorded teachers), that part whatever the network, and everything. The most particular topic that
/// has been measured counts.
package struct Forecast: Sendable {
  /// The topic of all work.
  static let topic = "seconds for 10^9 multiply-adds"
  /// Bytes of memory that are assumed of a stage where nothing has been measured.
  static let assumedMemory = 600e6
  /// Wall seconds of a worker that are no work: its start, its folder, its last words.
  static let overhead = 0.2

  package let cpuSeconds: Double
  /// CPU seconds that runs would take in addition if each asked its teachers, less what
  /// writing the outputs down takes.
  package let savedSeconds: Double
  /// Of outputs of teachers still to be written, uncompressed; a part of `diskBytes`.
  package let outputBytes: Double
  package let diskBytes: Double
  /// Of the transfers still to run, the one that takes most memory.
  package let largestTransfer: TransferMemory?
  /// Stages behind the rates; 0 where they are assumed.
  package let measurements: Int
  /// Of each stage still to run.
  private let works: [ContentKey: Work]
  private let topics: [Topic]

  private struct Work: Sendable {
    let multiplyAdds: Float
    let topic: Int32
    /// Those of teachers that are asked.
    var teaching: (multiplyAdds: Float, topic: Int32) = (0, 0)

    init(_ cost: StageCost, _ book: inout TopicBook) {
      (multiplyAdds, topic) = (
        Float(cost.multiplyAdds),
        book.topic(cost.topics, cost.assumedRate, assuming: cost.memory?.bytes)
      )
      guard let asked = cost.teaching else { return }
      teaching = (Float(asked.multiplyAdds), book.topic(asked.topics, asked.assumedRate))
    }
  }

  /// What the forecast of a run depends on.
  private struct RunKind: Hashable {
    let lesson: Int
    let teacherSeed: Int
    let recipe: Int
    let method: String
    let isRead: Bool

    init(_ run: PlannedRun, isRead: Bool) {
      let cell = run.cell
      (lesson, teacherSeed) = (cell.lesson.number, cell.lesson.teacherSeed(of: run.seed))
      (recipe, method, self.isRead) = (cell.recipe.number, cell.method.name, isRead)
    }
  }

  private struct RunDemand {
    let work: Work
    /// Bytes.
    let disk: Double
    /// CPU seconds that running the teachers would take in addition.
    let saved: Double

    init(_ cost: StageCost?, _ book: inout TopicBook) {
      let cost = cost ?? StageCost(multiplyAdds: 0, topics: [Forecast.topic], diskBytes: 0)
      work = Work(cost, &book)
      disk = cost.diskBytes
      saved = cost.spared.reduce(0) { $0 + $1.multiplyAdds * book.rate($1.topics, $1.assumedRate) }
    }
  }

  /// The stages that runs read and that have yet to be made, each handed out once.
  private struct Preparations {
    private var open: [ContentKey: StageRequest] = [:]
    /// Of stages of transfers, whose inputs have inputs.
    private var inputs: [ContentKey: [ContentKey]] = [:]

    init(_ plan: SweepPlan, done: Set<ContentKey>) {
      for stage in plan.stages where stage.role == .preparation && !done.contains(stage.key) {
        open[stage.key] = stage
      }
      guard plan.hasTransfers else { return }
      for stage in plan.stages { inputs[stage.key] = stage.inputs }
    }

    /// What a stage reads, and what that reads, and so on; what is read first comes first.
    mutating func takeAll(before key: ContentKey) -> [StageRequest] {
      guard let inputs = inputs[key] else { return [] }
      var found: [StageRequest] = []
      for input in inputs {
        guard let stage = open[input] else { continue }
        found += takeAll(before: input)
        open[input] = nil
        found.append(stage)
      }
      return found
    }

    mutating func take(_ keys: [ContentKey]) -> [StageRequest] {
      keys.compactMap { open.removeValue(forKey: $0) }
    }
  }

  /// A kind of work with what it takes.
  private struct Topic: Sendable {
    /// From the most particular to the most general.
    let names: [String]
    /// CPU seconds a multiply-add.
    let rate: Double
    /// Bytes.
    var memory: Double
    /// Whether that was measured here.
    let isMeasured: Bool
  }

  init(
    _ expansion: GridExpansion, _ plan: SweepPlan, done: Set<ContentKey>, estimates: [String: Estimate]
  ) throws {
    var tally = Tally(book: TopicBook(estimates))
    for run in expansion.runs {
      // What was read of files is in no document of a stage.
      guard let dataset = run.cell.transfer?.spec.dataset, let digest = dataset.digest else { continue }
      tally.meter.facts[digest] = dataset.facts
    }
    tally.works.reserveCapacity(plan.runKeys.count - min(done.count, plan.runKeys.count))
    let helpers = plan.stages.filter { $0.role == .helper && !done.contains($0.key) }
    for helper in helpers.sorted(by: { $0.key < $1.key }) { try tally.add(helper: helper) }
    let readers = Set(plan.stages.lazy.filter { !$0.helpers.isEmpty }.map(\.key))
    var preparations = Preparations(plan, done: done)
    // What runs of one kind take is worked out once; most grids have few kinds, and
    // neighbours mostly the same.
    var kinds: [RunKind: RunDemand] = [:]
    var last: (kind: RunKind, demand: RunDemand)?
    for (run, key) in zip(expansion.runs, plan.runKeys) where !done.contains(key) {
      if run.cell.transfer != nil {
        for stage in preparations.takeAll(before: key) {
          try tally.add(ofTransfer: stage, hasHelpers: readers.contains(stage.key))
        }
        continue
      }
      let kind = RunKind(run, isRead: !readers.isEmpty && readers.contains(key))
      let demand: RunDemand
      if let last, last.kind == kind {
        demand = last.demand
      } else if let known = kinds[kind] {
        demand = known
      } else {
        let stage = StudentStage(run.spec)
        demand = try RunDemand(stage.cost(hasHelpers: kind.isRead, &tally.meter), &tally.book)
        kinds[kind] = demand
        for preparation in preparations.take(stage.inputs) { try tally.add(preparation: preparation) }
      }
      last = (kind, demand)
      tally.add(demand, as: key)
    }
    works = tally.works
    topics = tally.book.topics
    cpuSeconds = tally.seconds
    savedSeconds = max(0, tally.saved)
    outputBytes = tally.outputs
    diskBytes = tally.disk + tally.outputs
    largestTransfer = tally.largest
    measurements = estimates[Self.topic]?.count ?? 0
  }

  /// What stages take, summed in one order: in another it would end in other digits.
  private struct Tally {
    var meter = CostMeter()
    var book: TopicBook
    var works: [ContentKey: Work] = [:]
    private(set) var seconds = 0.0
    private(set) var disk = 0.0
    private(set) var outputs = 0.0
    private(set) var saved = 0.0
    private(set) var largest: TransferMemory?

    init(book: TopicBook) { self.book = book }

    mutating func add(_ demand: RunDemand, as key: ContentKey) {
      enter(demand.work, as: key)
      disk += demand.disk
      saved += demand.saved
    }

    mutating func add(helper: StageRequest) throws {
      guard let cost = try helper.stage.cost(hasHelpers: false, &meter) else { return }
      let work = Work(cost, &book)
      enter(work, as: helper.key)
      outputs += cost.diskBytes
      saved -= cost.multiplyAdds * book.topics[Int(work.topic)].rate
    }

    mutating func add(preparation: StageRequest) throws {
      guard let cost = try preparation.stage.cost(hasHelpers: false, &meter) else { return }
      enter(Work(cost, &book), as: preparation.key)
      disk += cost.diskBytes
    }

    mutating func add(ofTransfer stage: StageRequest, hasHelpers: Bool) throws {
      guard let cost = try stage.stage.cost(hasHelpers: hasHelpers, &meter) else { return }
      enter(Work(cost, &book), as: stage.key)
      if let memory = cost.memory, memory.bytes > largest?.bytes ?? 0 { largest = memory }
      disk += cost.diskBytes
    }

    private mutating func enter(_ work: Work, as key: ContentKey) {
      works[key] = work
      seconds += Double(work.multiplyAdds) * book.topics[Int(work.topic)].rate
    }
  }

  /// CPU seconds of one stage.
  package func seconds(of key: ContentKey) -> Double {
    works[key].map { Double($0.multiplyAdds) * topics[Int($0.topic)].rate } ?? 0
  }

  /// The part of them in which it asks its teachers.
  func teachingSeconds(of key: ContentKey) -> Double {
    guard let work = works[key], work.teaching.multiplyAdds > 0 else { return 0 }
    let teaching = Double(work.teaching.multiplyAdds) * topics[Int(work.teaching.topic)].rate
    // The two were measured in different runs.
    return min(teaching, seconds(of: key))
  }

  /// Bytes of memory that one stage takes at its worst.
  func memory(of key: ContentKey) -> Int { Int(works[key].map { topics[Int($0.topic)].memory } ?? 100e6) }

  /// Multiply-adds of one stage still to run, and what to keep a measurement of it under.
  func cost(of key: ContentKey) -> (multiplyAdds: Double, topics: [String])? {
    works[key].map { (Double($0.multiplyAdds), topics[Int($0.topic)].names) }
  }

  /// What a finished stage took a multiply-add, as its worker has counted it.
  func measurements(
    of key: ContentKey, from attempt: AttemptFolder
  ) -> [(topic: String, seconds: Double)] {
    guard let progress = WorkerProgress(of: attempt), progress.steps > 0, progress.stepsHere > 0,
      let cost = cost(of: key), cost.multiplyAdds > 0
    else { return [] }
    let done = cost.multiplyAdds * Double(progress.stepsHere) / Double(progress.steps)
    var measured = cost.topics.map { ($0, progress.cpuSeconds / done * 1e9) }
    if let seconds = progress.teachingSeconds, let work = works[key], work.teaching.multiplyAdds > 0 {
      let share = done / cost.multiplyAdds
      let asked = Double(work.teaching.multiplyAdds) * share
      measured.append((topics[Int(work.teaching.topic)].names[0], seconds / asked * 1e9))
    }
    if let peak = progress.peakBytes { measured.append((Self.memoryTopic(cost.topics[0]), Double(peak))) }
    return measured
  }

  /// Keeps what a finished stage took.
  func learn(_ key: ContentKey, from attempt: AttemptFolder, into store: ResultStore) {
    // A forecast that cannot be stored is no reason to lose a sweep; the next write will say what is wrong.
    try? store.measured(measurements(of: key, from: attempt))
  }

  /// What the memory of a topic is kept under.
  static func memoryTopic(_ name: String) -> String { "bytes of \(name)" }

  /// Finds topics by what makes them, each computed once.
  private struct TopicBook {
    private let estimates: [String: Estimate]
    private(set) var topics: [Topic] = []
    private var byNames: [[String]: Int32] = [:]

    init(_ estimates: [String: Estimate]) { self.estimates = estimates }

    /// CPU seconds a multiply-add.
    mutating func rate(_ names: [String], _ assumedRate: Double) -> Double {
      topics[Int(topic(names, assumedRate))].rate
    }

    /// - Parameters:
    ///   - assumedRate: multiply-adds a CPU second, where no topic was measured.
    ///   - bytes: of memory, where none was measured.
    mutating func topic(_ names: [String], _ assumedRate: Double, assuming bytes: Double? = nil) -> Int32 {
      if let known = byNames[names] {
        let place = Int(known)
        if let bytes, !topics[place].isMeasured { topics[place].memory = max(topics[place].memory, bytes) }
        return known
      }
      let measured = names.compactMap { estimates[$0] }.first
      let memory = names.compactMap { estimates[Forecast.memoryTopic($0)] }.first
      topics.append(
        Topic(
          names: names, rate: measured.map { $0.seconds / 1e9 } ?? 1 / assumedRate,
          memory: memory?.seconds ?? bytes ?? Forecast.assumedMemory, isMeasured: memory != nil))
      byNames[names] = Int32(topics.count - 1)
      return Int32(topics.count - 1)
    }
  }
}

/// Multiply-adds of stages; every network is evaluated once a task.
public struct CostMeter {
  /// A training step costs a forward pass and about two more for the gradients.
  private static let trainingPasses = 3.0

  private var networks: [ModelSpec: [ImageTask: NetworkCost]] = [:]
  private var shapes: [DatasetSpec: String] = [:]
  /// Of datasets that transfers read, by their digests.
  var facts: [ContentKey: DatasetFacts] = [:]
  /// Multiply-adds of the run itself, and of each of its teachers if it asks them.
  mutating func student(_ run: RunSpec) throws -> (
    own: Double, teachers: [(teacher: TeacherSpec, cost: Double)]
  ) {
    guard let (task, train, test) = Self.size(of: run.dataset) else {
      return (0, run.teachers.map { ($0, 0) })
    }
    // Of networks and methods that a trainer alone knows, nobody knows what they take.
    let isKnown =
      Catalog.methods.names.contains(run.method.name)
      && ([run.student] + run.teachers.map(\.network)).allSatisfy { (try? cost($0, task)) != nil }
    guard run.trainer == nil || isKnown else { return (0, run.teachers.map { ($0, 0) }) }
    let own = Double(try cost(run.student, task).multiplyAdds)
    let epochs = Double(run.recipe.epochs)
    let teachers = try run.teachers.map {
      ($0, epochs * train * Double(try cost($0.network, task).multiplyAdds))
    }
    let steps = 1 + (try Catalog.methods.entry(run.method.name).description.extraSteps)
    return (epochs * (train * Self.trainingPasses * own * steps + test * own), teachers)
  }

  /// Of a transfer: its trunk and as much again for what stands on it, three times in training and
  /// once in each evaluation.
  mutating func transfer(_ stage: TransferStage) throws -> Double {
    let spec = stage.transfer
    guard let facts = transferFacts(spec) else { return 0 }
    let image = 2 * Double(try trunk(stage, facts).multiplyAdds)
    let (train, test) = Self.counts(spec, facts)
    let shown =
      spec.fields["epochs"]?.integer.map { $0 * train }
      ?? (spec.fields["steps"]?.integer ?? 0) * (spec.fields["batchSize"]?.integer ?? 1)
    let every = spec.fields["evalEvery"]?.integer ?? 0
    let length = spec.fields["epochs"]?.integer ?? spec.fields["steps"]?.integer ?? 0
    let earlier = TransferSchedule(steps: length, interval: 1, evaluation: every).evaluations
    let tested = (earlier + 1) * (test + spec.dataset.validationImages)
    return image * (Self.trainingPasses * Double(shown) + Double(tested))
  }

  /// Nil where nobody knows how many images there are.
  ///
  /// - Parameter title: of the trunk.
  mutating func memory(_ stage: TransferStage, _ title: String) throws -> TransferMemory? {
    let spec = stage.transfer
    guard let facts = transferFacts(spec) else { return nil }
    let (train, test) = Self.counts(spec, facts)
    var kept = 0.0
    if case .fixed(let height, let width) = facts.size {
      // As `KeptImages` keeps them, a byte a value, and as many again of annotations and what holds them.
      for count in [train, test] {
        let bytes = Double(3 * count * height * width)
        if bytes <= Double(KeptImages.limit) { kept += 2 * bytes }
      }
    }
    return TransferMemory(
      spec, on: stage.network, "\(spec.head) on \(title)", size: Self.size(spec, facts),
      parameters: try trunk(stage, facts).parameters, kept: kept)
  }

  private func transferFacts(_ spec: TransferSpec) -> DatasetFacts? {
    spec.dataset.facts ?? spec.dataset.digest.flatMap { facts[$0] }
      ?? (try? AnnotatedCatalog.kind(of: spec.dataset.name))?.published(spec.dataset.name)
  }

  private static func counts(_ spec: TransferSpec, _ facts: DatasetFacts) -> (train: Int, test: Int) {
    (
      spec.dataset.trainImages ?? max(facts.trainImages - spec.dataset.validationImages, 1),
      spec.dataset.testImages ?? facts.testImages
    )
  }

  /// Sides of an image as the network sees it; a guess where images have sizes of their own.
  private static func size(_ spec: TransferSpec, _ facts: DatasetFacts) -> (height: Int, width: Int) {
    func field(_ name: String) -> Int? { spec.fields[name]?.integer.flatMap { $0 > 0 ? $0 : nil } }
    if let height = field("cropHeight"), let width = field("cropWidth") { return (height, width) }
    if let short = field("shortSide"), let long = field("longSide") {
      return (short, min(long, short * 4 / 3))
    }
    if case .fixed(let height, let width) = facts.size { return (height, width) }
    return (512, 1024)
  }

  private mutating func trunk(_ stage: TransferStage, _ facts: DatasetFacts) throws -> NetworkCost {
    let side = Self.size(stage.transfer, facts)
    return try cost(
      stage.network, ImageTask(channels: 3, height: side.height, width: side.width, classes: 2))
  }

  mutating func teacher(_ stage: TeacherStage) throws -> Double {
    guard let (task, train, test) = Self.size(of: stage.dataset) else { return 0 }
    let own = Double(try cost(stage.teacher.network, task).multiplyAdds)
    if stage.teacher.weights != nil { return own * test }
    return Double(stage.teacher.recipe.epochs) * own * (Self.trainingPasses * train + test)
  }

  mutating func record(_ stage: TeacherOutputsStage) throws -> Double {
    guard let (task, train, _) = Self.size(of: stage.dataset) else { return 0 }
    return train * Double(stage.views) * Double(try cost(stage.teacher.network, task).multiplyAdds)
  }

  /// Of what a teacher says, uncompressed; the most that its trainer may write where it has one.
  mutating func bytes(of stage: TeacherOutputsStage) throws -> Double {
    guard let (task, train, _) = Self.size(of: stage.dataset) else { return 0 }
    if let features = stage.teacher.outputs {
      return train * Double(stage.views) * Double(4 * (task.classes + features) + 32 * (features > 0 ? 2 : 1))
    }
    let cost = try cost(stage.teacher.network, task)
    let maps = cost.kept(by: stage.keeps)
    let numbers = task.classes + cost.embedding + maps.reduce(0) { $0 + $1.count }
    return train * Double(stage.views) * Double(4 * numbers + 32 * (1 + maps.count))
  }

  /// What a training leaves, on disk and in the store: states last, best and final, 7.02 times the weights
  /// (ResNet-8x4 and ResNet-20, two epochs).
  mutating func bytes(trained network: ModelSpec, _ dataset: DatasetSpec) throws -> Double {
    7.02 * (try bytes(network, dataset))
  }

  /// Of a teacher that was trained elsewhere: its weights, here and in the store.
  mutating func bytes(imported network: ModelSpec, _ dataset: DatasetSpec) throws -> Double {
    2 * (try bytes(network, dataset))
  }

  /// Of a network's weights.
  private mutating func bytes(_ network: ModelSpec, _ dataset: DatasetSpec) throws -> Double {
    guard let task = Self.size(of: dataset)?.task else { return 0 }
    return 4 * Double(try cost(network, task).parameters)
  }

  /// Channels, height, width of a dataset's images, as words.
  mutating func shape(of dataset: DatasetSpec) -> String {
    if let known = shapes[dataset] { return known }
    let shape =
      Self.size(of: dataset).map { size in
        "\(size.task.channels)x\(size.task.height)x\(size.task.width)-\(size.task.classes)"
      } ?? dataset.name
    shapes[dataset] = shape
    return shape
  }

  private mutating func cost(_ network: ModelSpec, _ task: ImageTask) throws -> NetworkCost {
    if let known = networks[network]?[task] { return known }
    let cost = try NetworkCost(network, task)
    networks[network, default: [:]][task] = cost
    return cost
  }

  /// The task of a dataset and the images that a run sees; nil where neither files nor name say.
  private static func size(of dataset: DatasetSpec) -> (task: ImageTask, train: Double, test: Double)? {
    guard let facts = DatasetCatalog.facts(of: dataset), let task = facts.imageTask else { return nil }
    let train = dataset.trainImages ?? (facts.trainImages - dataset.validationImages)
    return (task, Double(train), Double(dataset.testImages ?? facts.testImages))
  }
}
