package import Specs

/// The stages of a sweep, each once, every stage after its inputs.
package struct SweepPlan: Sendable {
  /// Datasets, then teachers, then their outputs, then students in the order of the runs.
  package private(set) var stages: [StageRequest]
  /// Of each run of the expansion, in its order: the stage that its numbers come from.
  package let runKeys: [ContentKey]
  /// The student of each run, in the same order: the same stages, but for runs with a transfer. Nil for a
  /// backbone that comes from elsewhere.
  package let students: [ContentKey?]
  /// The stages that write down what teachers say.
  package let records: [ContentKey: TeacherOutputsStage]
  /// Stages that the program in use has after its runs, besides those that the grid asks for.
  package private(set) var added: Set<ContentKey> = []

  init(
    stages: [StageRequest], runKeys: [ContentKey], records: [ContentKey: TeacherOutputsStage],
    students: [ContentKey?]? = nil
  ) {
    self.stages = stages
    self.runKeys = runKeys
    self.records = records
    self.students = students ?? runKeys
  }

  /// The same with stages that read what is made by those here, each once.
  package func adding(_ more: [StageRequest]) -> SweepPlan {
    var seen = Set(stages.map(\.key))
    var plan = self
    for stage in more where seen.insert(stage.key).inserted {
      plan.stages.append(stage)
      plan.added.insert(stage.key)
    }
    return plan
  }

  /// Whether backbones are put to something.
  package var hasTransfers: Bool { stages.contains { $0.kind == BackboneStage.kind } }

  /// - Parameter runs: each once, as an expansion has them.
  package init(_ runs: [PlannedRun]) {
    var made: [StageRequest] = []
    var seen: Set<ContentKey> = []
    // What the runs of a lesson have in common, by the lesson and the seed of its teachers.
    var prepared: [LessonSeed: Prepared] = [:]
    func add(_ request: StageRequest) -> ContentKey {
      if seen.insert(request.key).inserted { made.append(request) }
      return request.key
    }
    func prepare(_ lesson: Lesson, seed: Int) -> Prepared {
      let dataset = add(StageRequest(DatasetStage(lesson.dataset)))
      let teachers = lesson.teachers(seed: seed).map { teacher in
        let stage = TeacherStage(teacher, on: lesson.dataset)
        let images =
          stage.dataset == lesson.dataset ? dataset : add(StageRequest(DatasetStage(stage.dataset)))
        return add(StageRequest(stage, inputs: [images]))
      }
      return Prepared(encoding: lesson.gapped(seed: seed), inputs: [dataset] + teachers)
    }
    let common = runs.map { run -> Prepared in
      if let transfer = run.cell.transfer {
        _ = add(StageRequest(DatasetStage(transfer.spec.dataset)))
        guard transfer.source.isStudent else { return .none }
      }
      let lesson = LessonSeed(run)
      if let known = prepared[lesson] { return known }
      let new = prepare(run.cell.lesson, seed: run.seed)
      prepared[lesson] = new
      return new
    }
    var stages = made.filter(\.inputs.isEmpty) + made.filter { !$0.inputs.isEmpty }
    stages.reserveCapacity(stages.count + runs.count)
    var keys: [ContentKey] = []
    keys.reserveCapacity(runs.count)
    var hasher = RequestHasher()
    guard runs.contains(where: { $0.cell.transfer != nil }) else {
      for (run, common) in zip(runs, common) {
        let request = StageRequest(run, common.encoding, inputs: common.inputs, &hasher)
        keys.append(request.key)
        stages.append(request)
      }
      self.init(stages: stages, runKeys: keys, records: [:])
      return
    }
    var chains = TransferChains(stages)
    for (run, common) in zip(runs, common) {
      let student =
        run.cell.transfer?.source.isStudent == false
        ? nil : StageRequest(run, common.encoding, inputs: common.inputs, &hasher)
      chains.add(run, student: student)
    }
    self.init(stages: chains.stages, runKeys: chains.runKeys, records: [:], students: chains.students)
  }

  /// The same without the students that are not meant; what only they read is left
  /// alone by whoever schedules.
  package func keeping(_ students: Set<ContentKey>) -> SweepPlan {
    var plan = self
    // What is added goes with the runs that it reads.
    let left = added.isEmpty ? [] : Set(runKeys).subtracting(students)
    plan.stages = stages.filter { stage in
      stage.role != .result || students.contains(stage.key)
        || added.contains(stage.key) && left.isDisjoint(with: stage.inputs)
    }
    return plan
  }
}

extension SweepPlan {
  /// How many datasets, teachers and outputs of teachers something that is still to run waits for.
  package func preparations(done: Set<ContentKey>, failed: Set<ContentKey>) -> Int {
    var needed: Set<ContentKey> = []
    var last: (inputs: [ContentKey], helpers: [ContentKey]) = ([], [])
    var count = 0
    for stage in stages.reversed() where !done.contains(stage.key) && !failed.contains(stage.key) {
      let isRun = stage.role == .result
      guard isRun || needed.contains(stage.key) else { continue }
      if !isRun { count += 1 }
      // Neighbours mostly wait for the same.
      if stage.inputs != last.inputs || stage.helpers != last.helpers {
        needed.formUnion(stage.inputs)
        needed.formUnion(stage.helpers)
        last = (stage.inputs, stage.helpers)
      }
    }
    return count
  }

  /// The plan with stages that write down what teachers say of fixed views, where that is less work than
  /// asking in each run: where the epochs of the runs that would read it are more than the views.
  ///
  /// - Parameters:
  ///   - runs: those that the plan was made of.
  ///   - reads: by the names of methods.
  ///   - done: runs that need not run.
  ///   - exists: whether a stage's output is there already.
  package func recordingTeachers(
    _ runs: [PlannedRun], reads: [String: TeacherOutputs], done: Set<ContentKey>,
    exists: (ContentKey) throws -> Bool
  ) rethrows -> SweepPlan {
    var demands: [TeacherPoolViews: Demand] = [:]
    // Of each run: who is asked what, told by its lesson alone.
    var pools: [LessonSeed: TeacherPoolViews] = [:]
    func pool(_ run: PlannedRun) -> TeacherPoolViews {
      let lesson = LessonSeed(run)
      if let known = pools[lesson] { return known }
      let pool = TeacherPoolViews(run.cell.lesson, seed: run.seed)
      pools[lesson] = pool
      return pool
    }
    // Most grids have few lessons and as few recipes: their demands are summed before pools are compared.
    var asked: [LessonSeed: (run: PlannedRun, demand: Demand)] = [:]
    var counted: Set<ContentKey> = []
    for (place, run) in runs.enumerated() where run.cell.lesson.views > 0 && !done.contains(runKeys[place]) {
      guard let student = students[place], !done.contains(student) else { continue }
      // Runs with one student ask its teachers once.
      if run.cell.transfer != nil, !counted.insert(student).inserted { continue }
      let demand = run.cell.lesson.reads ?? reads[run.cell.method.name] ?? .none
      guard demand != .none, run.cell.lesson.hasTeachers else { continue }
      asked[LessonSeed(run), default: (run, Demand())].demand.add(run.cell.recipe.spec.epochs, demand)
    }
    for (run, demand) in asked.values { demands[pool(run), default: Demand()].add(demand) }
    if demands.isEmpty { return self }
    let chosen = try Self.worthRecording(demands, exists: exists)
    var helpers: [TeacherPoolViews: [ContentKey]] = [:]
    for pool in demands.keys {
      helpers[pool] = pool.teachers.compactMap {
        chosen[TeacherOutputsStage($0, on: pool.dataset, views: pool.views, keeps: .heads)]?.request.key
      }
    }
    let helpersOfLesson = asked.mapValues { helpers[pool($0.run)] ?? [] }
    let first =
      stages.firstIndex { $0.role == .result || $0.kind == StudentStage.kind } ?? stages.count
    var helped = Array(stages[first...])
    // Where every run is its student, the two stand in one order.
    var places: [ContentKey: Int]?
    if helped.count != runs.count || runs.contains(where: { $0.cell.transfer != nil }) {
      places = Dictionary(helped.enumerated().map { ($1.key, $0) }) { first, _ in first }
    }
    for (place, run) in runs.enumerated() where run.cell.lesson.views > 0 && !done.contains(runKeys[place]) {
      guard let student = students[place], let helpers = helpersOfLesson[LessonSeed(run)] else { continue }
      helped[places?[student] ?? place].helpers = helpers
    }
    return SweepPlan(
      stages: Array(stages[..<first]) + chosen.values.map(\.request).sorted { $0.key < $1.key } + helped,
      runKeys: runKeys,
      records: Dictionary(uniqueKeysWithValues: chosen.values.map { ($0.request.key, $0.stage) }),
      students: students)
  }

  /// Stages that are less work than asking: by what they would be if they kept logits and
  /// embeddings alone, as they are.
  private static func worthRecording(
    _ demands: [TeacherPoolViews: Demand], exists: (ContentKey) throws -> Bool
  ) rethrows -> [TeacherOutputsStage: (stage: TeacherOutputsStage, request: StageRequest)] {
    // Pools overlap: what one teacher is asked is the sum over all pools that it is in.
    var teachers: [TeacherOutputsStage: Demand] = [:]
    for (pool, demand) in demands {
      for teacher in Set(pool.teachers) {
        let stage = TeacherOutputsStage(teacher, on: pool.dataset, views: pool.views, keeps: .heads)
        teachers[stage, default: Demand()].add(demand)
      }
    }
    var chosen: [TeacherOutputsStage: (stage: TeacherOutputsStage, request: StageRequest)] = [:]
    for (plain, demand) in teachers where demand.epochs > plain.views {
      var stage = plain
      stage.keeps = demand.reads
      // What keeps more and is there already serves as well.
      for larger in demand.reads.sufficient.dropFirst() {
        var other = stage
        other.keeps = larger
        if try exists(other.key) { stage.keeps = larger }
      }
      chosen[plain] = (stage, StageRequest(stage))
    }
    return chosen
  }
}

/// Teachers who are shown the same views.
private struct TeacherPoolViews: Hashable {
  let dataset: DatasetSpec
  let teachers: [TeacherSpec]
  let views: Int

  init(_ lesson: Lesson, seed: Int) {
    (dataset, views) = (lesson.dataset, lesson.views)
    // A trainer asks those whose weights come from elsewhere for itself.
    teachers = lesson.teachers(seed: seed).filter { lesson.trainer == nil || $0.trainer != nil }
  }
}

/// A lesson, with the seed of its teachers where they have one of their own.
private struct LessonSeed: Hashable {
  let lesson: Int
  let seed: Int

  init(_ run: PlannedRun) {
    (lesson, seed) = (run.cell.lesson.number, run.cell.lesson.teacherSeed(of: run.seed))
  }
}

/// What the stages of a lesson's runs have in common.
private final class Prepared {
  let encoding: GappedRun
  let inputs: [ContentKey]

  init(encoding: GappedRun, inputs: [ContentKey]) {
    self.encoding = encoding
    self.inputs = inputs
  }

  /// Of runs that train no student.
  static var none: Prepared {
    let run = RunSpec(
      dataset: DatasetSpec(name: ""), student: ModelSpec(family: "", parameters: [:]),
      method: MethodSpec(name: ""), teachers: [], recipe: .none, seed: 0)
    return Prepared(encoding: run.gapped, inputs: [])
  }
}

/// Appends students, and what follows them where their backbones are put to something.
private struct TransferChains {
  private(set) var stages: [StageRequest]
  private(set) var runKeys: [ContentKey] = []
  private(set) var students: [ContentKey?] = []
  private var places: [ContentKey: Int] = [:]

  init(_ stages: [StageRequest]) { self.stages = stages }

  /// - Parameter student: nil where the backbone comes from elsewhere.
  mutating func add(_ run: PlannedRun, student: StageRequest?) {
    students.append(student?.key)
    guard let transfer = run.cell.transfer else {
      guard let student else { preconditionFailure("a run without a transfer is its student") }
      place(student)
      return runKeys.append(student.key)
    }
    if let student { place(student.preparing) }
    let network = transfer.network(of: run.cell.lesson)
    let backbone = StageRequest(BackboneStage(network, source(transfer, run, student)))
    place(backbone)
    let transfers = transfer.seeds(of: run.seed).map { seed in
      let stage = StageRequest(
        TransferStage(
          transfer.spec, on: network, backbone: backbone.key, seed: seed, computation: transfer.computation))
      place(stage)
      return stage.key
    }
    let evaluation = StageRequest(EvaluationStage(transfer.spec, on: network, transfers: transfers))
    place(evaluation)
    runKeys.append(evaluation.key)
  }

  private func source(
    _ transfer: TransferPart, _ run: PlannedRun, _ student: StageRequest?
  ) -> BackboneStage.Source {
    switch transfer.source {
    case .student(let epoch):
      guard let student else { preconditionFailure("a run with a student has its stage") }
      return .student(student.key, dataset: student.inputs[0], epoch: epoch)
    case .random: return .random(seed: run.seed)
    case .weights(let teacher):
      guard let weights = teacher.weights else { preconditionFailure("a backbone of weights has weights") }
      return .weights(weights.withoutPath)
    }
  }

  /// What is asked for by itself is a result, whoever reads it besides.
  private mutating func place(_ stage: StageRequest) {
    guard let known = places[stage.key] else {
      places[stage.key] = stages.count
      return stages.append(stage)
    }
    if stage.role == .result { stages[known] = stage }
  }
}

/// What runs would ask of a teacher.
private struct Demand {
  var epochs = 0
  var reads = TeacherOutputs.heads

  mutating func add(_ epochs: Int, _ reads: TeacherOutputs) {
    self.epochs += epochs
    self.reads = max(self.reads, reads)
  }

  mutating func add(_ other: Demand) { add(other.epochs, other.reads) }
}

extension StageRequest {
  /// For callers that know the keys of the inputs already.
  fileprivate init(_ stage: some StageSpec, inputs: [ContentKey]) {
    self.init(
      kind: type(of: stage).kind, revision: type(of: stage).revision, role: type(of: stage).role,
      spec: stage.canonicalBytes, inputs: inputs)
  }
}
