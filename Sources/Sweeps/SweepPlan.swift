package import Specs

/// The stages of a sweep, each once, every stage after its inputs.
package struct SweepPlan: Sendable {
  /// Datasets, then teachers, then their outputs, then students in the order of the runs.
  package private(set) var stages: [StageRequest]
  /// Of each run of the expansion, in its order.
  package let runKeys: [ContentKey]
  /// The stages that write down what teachers say.
  package let records: [ContentKey: TeacherOutputsStage]
  /// The stages that train first epochs for several runs.
  package private(set) var warmUps: [ContentKey: WarmUpStage] = [:]
  /// Of each run that takes first epochs over, the stage that trains them.
  package private(set) var warmUpOfRun: [ContentKey: ContentKey] = [:]

  init(stages: [StageRequest], runKeys: [ContentKey], records: [ContentKey: TeacherOutputsStage]) {
    (self.stages, self.runKeys, self.records) = (stages, runKeys, records)
  }

  package init(_ runs: [PlannedRun]) {
    var made: [StageRequest] = []
    var seen: Set<ContentKey> = []
    var datasets: [DatasetSpec: ContentKey] = [:]
    var teachers: [TeacherStage: ContentKey] = [:]
    var students: [StageRequest] = []
    func add(_ request: StageRequest) {
      if seen.insert(request.key).inserted { made.append(request) }
    }
    /// Keys of shared stages are computed once: most runs differ in little.
    func inputs(of run: PlannedRun) -> [ContentKey] {
      let dataset = run.spec.dataset
      if datasets[dataset] == nil {
        let request = StageRequest(DatasetStage(dataset))
        datasets[dataset] = request.key
        add(request)
      }
      var inputs = [datasets[dataset]!]
      for teacher in run.spec.teachers {
        let stage = TeacherStage(teacher, on: dataset)
        if teachers[stage] == nil {
          let request = StageRequest(stage, inputs: [datasets[dataset]!])
          teachers[stage] = request.key
          add(request)
        }
        inputs.append(teachers[stage]!)
      }
      return inputs
    }
    var keys: [ContentKey] = []
    keys.reserveCapacity(runs.count)
    var inputsOfCell: [Int: [ContentKey]] = [:]
    for run in runs {
      let inputs = inputsOfCell[run.cell.number] ?? inputs(of: run)
      // Teachers of their own seeds are others in each run.
      if run.cell.encoding != nil { inputsOfCell[run.cell.number] = inputs }
      let request = StageRequest(
        kind: StudentStage.kind, revision: StudentStage.revision, spec: run.cell.encoding(of: run.spec),
        inputs: inputs)
      keys.append(request.key)
      if seen.insert(request.key).inserted { students.append(request) }
    }
    stages =
      made.filter { $0.kind == DatasetStage.kind } + made.filter { $0.kind == TeacherStage.kind } + students
    runKeys = keys
    records = [:]
  }

  /// The same without the students that are not meant; what only they read is left alone by whoever schedules.
  package func keeping(_ students: Set<ContentKey>) -> SweepPlan {
    var plan = self
    plan.stages = stages.filter { $0.kind != StudentStage.kind || students.contains($0.key) }
    return plan
  }
}

extension SweepPlan {
  /// How many datasets, teachers and outputs of teachers something that is still to run waits for.
  package func preparations(done: Set<ContentKey>, failed: Set<ContentKey>) -> Int {
    var needed: Set<ContentKey> = []
    var count = 0
    for stage in stages.reversed() where !done.contains(stage.key) && !failed.contains(stage.key) {
      let isRun = stage.kind == StudentStage.kind
      guard isRun || needed.contains(stage.key) else { continue }
      if !isRun { count += 1 }
      for key in stage.inputs + stage.helpers where !needed.contains(key) { needed.insert(key) }
    }
    return count
  }

  /// The plan with stages that write down what teachers say of fixed views, where that is less work than asking in each run: where the epochs of
  /// the runs that would read it are more than the views.
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
    for (run, key) in zip(runs, runKeys) where run.spec.views > 0 && !done.contains(key) {
      let demand = reads[run.spec.method.name] ?? .none
      guard demand == .heads || demand == .maps, !run.spec.teachers.isEmpty else { continue }
      demands[TeacherPoolViews(run.spec), default: Demand()].add(run.spec.recipe.epochs, demand)
    }
    if demands.isEmpty { return self }
    // Pools overlap: what one teacher is asked is the sum over all pools that it is in.
    var teachers: [TeacherOutputsStage: Demand] = [:]
    for (pool, demand) in demands {
      for teacher in Set(pool.teachers) {
        let stage = TeacherOutputsStage(teacher, on: pool.dataset, views: pool.views, maps: false)
        teachers[stage, default: Demand()].add(demand)
      }
    }
    var chosen: [TeacherOutputsStage: StageRequest] = [:]
    var records: [ContentKey: TeacherOutputsStage] = [:]
    for (stage, demand) in teachers where demand.epochs > stage.views {
      var stage = stage
      let plain = stage
      stage.maps = true
      let full = StageRequest(stage)
      if !demand.maps, try !exists(full.key) { stage.maps = false }
      chosen[plain] = stage.maps ? full : StageRequest(stage)
      records[chosen[plain]!.key] = stage
    }
    var helpers: [TeacherPoolViews: [ContentKey]] = [:]
    for pool in demands.keys {
      helpers[pool] = pool.teachers.compactMap {
        chosen[TeacherOutputsStage($0, on: pool.dataset, views: pool.views, maps: false)]?.key
      }
    }
    var students: [ContentKey: [ContentKey]] = [:]
    for (run, key) in zip(runs, runKeys) where run.spec.views > 0 && !done.contains(key) {
      if let helpers = helpers[TeacherPoolViews(run.spec)] { students[key] = helpers }
    }
    let first = stages.firstIndex { $0.kind == StudentStage.kind } ?? stages.count
    let helped = stages[first...].map { stage in
      guard let helpers = students[stage.key] else { return stage }
      var stage = stage
      stage.helpers = helpers
      return stage
    }
    return SweepPlan(
      stages: Array(stages[..<first]) + chosen.values.sorted { $0.key < $1.key } + helped, runKeys: runKeys,
      records: records)
  }
}

extension SweepPlan {
  /// Above so many runs nobody looks for shared epochs: what comparing takes would be felt, and what they save would not.
  private static let warmUpLimit = 20_000

  /// The plan with stages that train first epochs once for all runs whose keys prove that they would train them alike, where there are at least
  /// two that still have to.
  ///
  /// - Parameters:
  ///   - runs: those that the plan was made of.
  ///   - warmUp: the first epochs of a run as a stage; nil where it has none to share.
  ///   - done: runs that need not run.
  package func sharingWarmUps(
    _ runs: [PlannedRun], done: Set<ContentKey>, _ warmUp: (RunSpec) -> WarmUpStage?
  ) -> SweepPlan {
    guard runs.count <= Self.warmUpLimit else { return self }
    var sharers: [WarmUpStage: [ContentKey]] = [:]
    for (run, key) in zip(runs, runKeys) where !done.contains(key) {
      if let stage = warmUp(run.spec) { sharers[stage, default: []].append(key) }
    }
    var plan = self
    for (stage, keys) in sharers where keys.count > 1 {
      let key = stage.key
      plan.warmUps[key] = stage
      for run in keys { plan.warmUpOfRun[run] = key }
    }
    if plan.warmUps.isEmpty { return self }
    var requests: [ContentKey: StageRequest] = [:]
    let first = stages.firstIndex { $0.kind == StudentStage.kind } ?? stages.count
    let students = stages[first...].map { student in
      guard let key = plan.warmUpOfRun[student.key], let stage = plan.warmUps[key] else { return student }
      if requests[key] == nil {
        requests[key] = StageRequest(stage)
        // Whoever trains the epochs reads what is written down of teachers as its runs do.
        requests[key]?.helpers = student.helpers
      }
      var student = student
      student.helpers.append(key)
      return student
    }
    plan.stages = stages[..<first] + requests.values.sorted { $0.key < $1.key } + students
    return plan
  }
}

/// Teachers who are shown the same views.
private struct TeacherPoolViews: Hashable {
  let dataset: DatasetSpec
  let teachers: [TeacherSpec]
  let views: Int

  init(_ run: RunSpec) { (dataset, teachers, views) = (run.dataset, run.teachers, run.views) }
}

/// What runs would ask of a teacher.
private struct Demand {
  var epochs = 0
  var maps = false

  mutating func add(_ epochs: Int, _ reads: TeacherOutputs) {
    self.epochs += epochs
    maps = maps || reads == .maps
  }

  mutating func add(_ other: Demand) { (epochs, maps) = (epochs + other.epochs, maps || other.maps) }
}

extension StageRequest {
  /// For callers that know the keys of the inputs already.
  fileprivate init(_ stage: some StageSpec, inputs: [ContentKey]) {
    self.init(
      kind: type(of: stage).kind, revision: type(of: stage).revision, spec: stage.canonicalBytes,
      inputs: inputs)
  }
}
