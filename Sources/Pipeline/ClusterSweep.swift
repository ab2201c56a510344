internal import Foundation
internal import Specs
package import Storage
package import Sweeps

/// A sweep on a cluster: takes in what has ended, looks at the queue once, submits what is missing,
/// and can leave at any moment. Nothing of it has to live while jobs run: every call finds in the
/// folders what the last one knew.
package final class ClusterSweep {
  /// How a call ended.
  package enum Outcome: Equatable, Sendable {
    case done(RunOutcome)
    /// Jobs are queued or running; a later call takes in what they make.
    case submitted(pending: Int, running: Int)
  }

  private let sweep: PlannedSweep
  private let folder: StoreFolder
  private let store: ResultStore
  private let site: SiteOptions
  private let scheduler: any BatchScheduler
  private let schedulerName: String
  private let program: String
  private let local: any Executor
  private let observe: (RunEvent) -> Void
  private let intake: Intake
  private let dataFolders: [ContentKey: String]
  private let options: WorkerOptions
  private let room: CacheRoom
  /// Runs that hear the same of their teachers have the same number.
  private lazy var groups = options.asksTeachers ? [:] : sweep.plan.groups(sweep.expansion.runs)
  private var done: Set<ContentKey>
  private var failed: Set<ContentKey>
  private var dropped: Set<ContentKey> = []
  /// A run that was found to have diverged in this call.
  private var justDiverged: ContentKey?
  private var reasons: FailureReasons
  /// Runs that the grid leaves alone, and outputs for which there is no room.
  private var leftAlone: Set<ContentKey> = []
  private var limits: BatchLimits?
  private var isChecked = false
  private var said: Set<String> = []
  /// How long workers have been silent under this process's eyes.
  private var watch = SilenceWatch()
  /// Seconds for which a worker whose heartbeat looks old is watched before it counts as
  /// lost: longer than one beat.
  private static let confirmation = AttemptFolder.beatSeconds + 5

  /// - Parameters:
  ///   - folder: by its absolute path, as nodes see it too.
  ///   - local: makes datasets here, so that nodes need not see their files.
  ///   - options: what workers on nodes are told.
  /// - Precondition: the caller holds the store's lease.
  package init(
    _ sweep: PlannedSweep, folder: StoreFolder, store: ResultStore, scheduler: SchedulerDescription,
    site: SiteOptions, program: String, local: any Executor, cache: CachePolicy = CachePolicy(),
    options: WorkerOptions = WorkerOptions(),
    observe: @escaping (RunEvent) -> Void
  ) throws {
    self.sweep = sweep
    self.folder = folder
    self.store = store
    self.site = site
    self.program = program
    self.local = local
    self.observe = observe
    self.scheduler = scheduler.make(site.bin)
    schedulerName = scheduler.name
    intake = Intake(
      folder: folder, store: store,
      stages: Dictionary(sweep.plan.stages.map { ($0.key, $0) }) { first, _ in first },
      titles: StageTitle.all(sweep))
    intake.watchesPrograms = true
    dataFolders = sweep.dataFolders
    self.options = options
    room = CacheRoom(cache, folder, store)
    (done, failed) = (sweep.done, Set(sweep.failed.keys))
    reasons = FailureReasons(sweep.failed, intake.stages)
    try store.save(sweep, in: folder)
  }

  /// - Parameters:
  ///   - waiting: whether to stay until all is done.
  ///   - stop: leaves; jobs go on.
  package func run(waiting: Bool, until stop: StopSignal) async throws -> Outcome {
    observe(.planned(sweep.counts, workers: 0))
    try await makeDatasets()
    try makeRoom()
    var pause = Double(site.pollSeconds)
    while true {
      do {
        let (outcome, hasChanged) = try await round(stop)
        guard waiting, case .submitted = outcome else { return outcome }
        pause = hasChanged ? Double(site.pollSeconds) : min(60, pause * 2)
      } catch let error as ExecutorError {
        // While somebody waits, a scheduler that cannot be asked is asked again later.
        guard waiting, case .unavailable = error else { throw error }
        say("\(error)")
        pause = min(60, pause * 2)
      }
      if try await isStopped(within: pause * .random(in: 0.9...1.1), stop) { return .done(.stopped) }
    }
  }

  /// Waits, by a clock that nobody sets.
  ///
  /// - Returns: whether a stop was asked for meanwhile.
  private func isStopped(within seconds: Double, _ stop: StopSignal) async throws -> Bool {
    let end = Self.now + seconds
    while Self.now < end {
      if stop.isRequested { return true }
      try await Task.sleep(for: .milliseconds(100))
      watch.look(at: Self.now)
    }
    return false
  }

  /// Seconds of a clock that nobody sets and that stands still while the machine sleeps.
  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// One look and what follows from it.
  private func round(_ stop: StopSignal) async throws -> (outcome: Outcome, hasChanged: Bool) {
    let news = try takeInAll()
    if try await isStoppedByGrid() { return (.done(.stopped), true) }
    if isComplete { return (.done(outcome), true) }
    if limits == nil { limits = try await scheduler.limits() }
    let open = try folder.batches().filter { $0.voidReason == nil && !$0.isOver }.map(\.token)
    let tasks = try await scheduler.tasks(of: open)
    // Files are read after the queue: what has left it has written all that it will.
    let moreNews = try takeInAll()
    if moreNews, try await isStoppedByGrid() { return (.done(.stopped), true) }
    if isComplete { return (.done(outcome), true) }
    while try hasDoubtful(), try await !isStopped(within: 1, stop) {}
    var decision = try decide(tasks)
    if !decision.refused.isEmpty {
      try await recordRefusals(decision)
      decision = try decide(tasks)
    }
    try await record(decision)
    for (reason, count, advice) in decision.troubles {
      say("\(count) tasks wait with the reason \(reason): \(advice)")
    }
    let submitted = try await submit(decision)
    if !decision.isActive, submitted == 0 { return (.done(outcome), true) }
    return (
      .submitted(pending: decision.pending + submitted, running: decision.running + decision.outside),
      news || moreNews || submitted > 0
    )
  }

  private func decide(_ tasks: [BatchTask]) throws -> Reconciliation {
    try Reconciliation(
      stages(), facts(folder.batches()), tasks: tasks, by: scheduler,
      quiet: Double(limits?.quietSeconds ?? 30))
  }

  private var isComplete: Bool {
    sweep.plan.runKeys.allSatisfy { done.contains($0) || failed.contains($0) || dropped.contains($0) }
  }

  private var outcome: RunOutcome {
    let failures = sweep.plan.runKeys.count { !done.contains($0) }
    return failures > 0 ? .someFailed(failures) : .allDone
  }

  /// Once for each sentence: rounds repeat themselves.
  private func say(_ sentence: String) {
    if said.insert(sentence).inserted { observe(.warning(sentence)) }
  }
}

// MARK: Files

extension ClusterSweep {
  /// - Returns: whether a stage has come to an end since the last look.
  private func takeInAll() throws -> Bool {
    var news = false
    for stage in sweep.plan.stages where !done.contains(stage.key) && !failed.contains(stage.key) {
      let key = stage.key
      let place = folder.stage(key)
      if place.isPublished {
        let taken = try intake.take(key, closing: .finished)
        for sentence in taken.complaints { say(sentence) }
        if let missing = taken.missing {
          say("\(title(key).text): \(missing). It is made again from its beginning.")
          try place.setAside()
          continue
        }
        for attempt in try place.attempts() where attempt.exitNote?.code == Int(WorkerExit.contradicted) {
          say(intake.lastWords(attempt))
        }
        done.insert(key)
        dropped.remove(key)
        if let last = try place.attempts().last { sweep.forecast.learn(key, from: last, into: store) }
        observe(.stageFinished(title(key), taken.metrics, seconds: try seconds(of: key), worker: 0))
        news = true
      } else if let failure = try intake.unreadFailure(of: key) {
        try intake.take(key, closing: .failed(failure))
        failed.insert(key)
        reasons.add(failure, of: key)
        if failure.cause == .diverged, stage.role == .result { justDiverged = key }
        observe(.stageFailed(title(key), failure, worker: 0))
        news = true
      }
    }
    return news
  }

  /// From the last attempt's claim to its output.
  private func seconds(of key: ContentKey) throws -> Double {
    guard let since = try folder.stage(key).attempts().last?.holder?.since else { return 0 }
    return max(0, Date.now.timeIntervalSince1970 - Double(since))
  }

  private func facts(_ batches: [BatchFolder]) throws -> [Reconciliation.Batch] {
    let clock = try folder.clock()
    return try batches.map { batch in
      let manifest = try BatchManifest(JSONReader.read(batch.manifest()).value, at: batch.path)
      return Reconciliation.Batch(
        manifest, number: batch.number, isVoid: batch.voidReason != nil, isOver: batch.isOver,
        starters: manifest.tasks.indices.map { batch.starter(of: $0)?.job }, refusals: batch.refusals,
        age: batch.age(clock: clock))
    }
  }

  private func stages() throws -> [Reconciliation.Stage] {
    let clock = try folder.clock()
    return try sweep.plan.stages.map { stage in
      if done.contains(stage.key) { return Reconciliation.Stage(stage, .done) }
      if failed.contains(stage.key) || leftAlone.contains(stage.key) {
        return Reconciliation.Stage(stage, .failed)
      }
      let place = folder.stage(stage.key)
      let (attempts, forgiven) = (try place.attempts(), place.forgiven)
      return Reconciliation.Stage(
        stage, .open,
        attempts: attempts.filter { $0.number > forgiven }.map {
          Reconciliation.Attempt(standing(of: $0, clock), job: $0.holder?.job)
        }, lastAttempt: attempts.last?.number ?? 0)
    }
  }

  private func standing(of attempt: AttemptFolder, _ clock: Double) -> Reconciliation.Attempt.Standing {
    switch attempt.activity(clock: clock) {
    case .working, .lost: return isLost(attempt, clock) ? .vanished : .working
    case .ended(let note):
      switch note.code.map({ Int32($0) }) {
      case WorkerExit.stopped, WorkerExit.superseded:
        let (from, at) = steps(of: attempt)
        return .stopped(from: from, at: at)
      case WorkerExit.inputOutput, WorkerExit.noRoom: return .died(intake.lastWords(attempt))
      case nil: return .died(note.signal.map { "signal \($0)" } ?? note.reason ?? "nobody saw how")
      case let code?:
        let last = intake.lastWords(attempt)
        return .broken("its worker ended with code \(code)\(last.isEmpty ? "" : ": \(last)")")
      }
    }
  }

  /// Whether the worker of an attempt that has not ended is gone, or alive and without a heartbeat, such as
  /// one that was stopped by a signal. Seen from outside, a machine that slept or a clock that was set looks
  /// the same at first: an old heartbeat counts once nobody has beaten for a while under this process's eyes.
  private func isLost(_ attempt: AttemptFolder, _ clock: Double) -> Bool {
    guard let sign = attempt.lastSign, attempt.holder?.identity.isAlive != false else { return true }
    let silence = watch.silence(of: attempt.path, beat: sign)
    let isOld = clock - sign >= AttemptFolder.patience
    return silence >= AttemptFolder.patience || isOld && silence >= Self.confirmation
  }

  /// Whether there is a worker of which another look, a little later, will tell whether it is lost.
  private func hasDoubtful() throws -> Bool {
    let clock = try folder.clock()
    for stage in sweep.plan.stages where !done.contains(stage.key) && !failed.contains(stage.key) {
      guard let attempt = try folder.stage(stage.key).attempts().last, attempt.exitNote == nil,
        let sign = attempt.lastSign, clock - sign >= AttemptFolder.patience
      else { continue }
      if !isLost(attempt, clock) { return true }
    }
    return false
  }

  /// Where an attempt began and where it stopped.
  private func steps(of attempt: AttemptFolder) -> (from: Int, at: Int) {
    var (from, at) = (0, 0)
    var reader = RecordReader(attempt.records)
    for record in (try? reader.next()) ?? [] {
      switch record.record {
      case .started(let step, _): (from, at) = (step, step)
      case .epoch(let epoch): at = epoch.step
      case .stopped(let step): at = step
      case .finished, .failed: break
      }
    }
    return (from, at)
  }

  private func title(_ key: ContentKey) -> StageTitle {
    intake.titles[key] ?? StageTitle(key: key, kind: "stage", text: key.short)
  }

  /// Datasets that something still to run reads, in this process's place: they take seconds, and then
  /// no node needs their files.
  private func makeDatasets() async throws {
    let waiting = sweep.plan.stages.filter { !done.contains($0.key) && !failed.contains($0.key) }
    let wanted = Set(waiting.flatMap { $0.inputs + $0.helpers })
    for stage in sweep.plan.stages where wanted.contains(stage.key) {
      let place = folder.stage(stage.key)
      if place.isPublished, stage.role != .helper, !intake.isIntact(stage.key) {
        say("\(title(stage.key).text): its output is not what was published. It is put back or made again.")
        try place.setAside()
      }
      guard !place.isPublished else { continue }
      if done.contains(stage.key) {
        if try intake.putBack(stage.key) { continue }
        done.remove(stage.key)
      }
      guard Catalog.stageKinds[stage.kind]?.readsFiles == true else { continue }
      try place.create(spec: stage.document)
      let attempt = try place.newAttempt()
      var arguments = [
        "worker", stage.key.description, "--store", folder.path, "--attempt", "\(attempt.number)",
      ]
      if let data = dataFolders[stage.key] { arguments += ["--data-folder", data] }
      let end = await local.run(
        Job(
          key: stage.key, arguments: arguments, environment: try NumericsProfile.environment(of: stage),
          log: attempt.log),
        started: { _ in })
      try? attempt.close(ExitNote(end))
    }
  }
}

// MARK: What is left alone

extension ClusterSweep {
  /// Promises room to what is kept only as long as there is some; what gets none is done without.
  private func makeRoom() throws {
    let open = sweep.plan.stages.filter { $0.role == .result && !done.contains($0.key) }
    let wanted = Set(open.flatMap(\.helpers))
    for key in wanted.sorted() where !done.contains(key) && !folder.stage(key).isPublished {
      guard let size = try intake.stages[key]?.keptBytes(),
        try !room.make(for: key, bytes: size, wanted: wanted)
      else { continue }
      leftAlone.insert(key)
      say("\(title(key).text): no room within --cache-limit; each run does without")
    }
  }

  /// What the grid wants where runs have diverged: the other seeds of their cells are passed over by whoever
  /// has them on a list, or everything ends.
  ///
  /// - Returns: whether the sweep stops.
  private func isStoppedByGrid() async throws -> Bool {
    let rule = sweep.grid.run.onDiverged
    // Like a stop by hand: the next call goes on.
    if rule == .stopSweep, let key = justDiverged {
      say("\(title(key).text) diverged: the sweep stops, as its grid says")
      try await ClusterStatus.cancel(
        ClusterStatus.open(in: folder, sweep: sweep.name),
        because: "\(title(key).text) diverged (onDiverged: stopSweep)")
      return true
    }
    /// With the run that diverged.
    var left: [ContentKey: ContentKey] = [:]
    if rule == .stopCell {
      let states = try store.states(of: sweep.plan.runKeys.filter(failed.contains))
      for (place, key) in sweep.plan.runKeys.enumerated() {
        guard case .failed(let failure)? = states[key], failure.cause == .diverged else { continue }
        for other in sweep.cell(of: place) { left[other] = key }
      }
    }
    for key in sweep.plan.runKeys where !done.contains(key) && !failed.contains(key) {
      let place = folder.stage(key)
      // What has begun ends as it ends.
      if let culprit = left[key] {
        guard !dropped.contains(key), try place.attempts().isEmpty else { continue }
        try place.create(spec: intake.stages[key]?.document ?? [])
        try place.setLeftAlone(true)
        leftAlone.insert(key)
        dropped.insert(key)
        try intake.register(key)
        try store.setState(.blocked(reason: PlannedSweep.divergedCell), of: key)
        observe(.stageBlocked(title(key), by: title(culprit)))
      } else {
        try place.setLeftAlone(false)
      }
    }
    return false
  }
}

// MARK: The scheduler

extension ClusterSweep {
  /// Asks how tasks ended that never began, while the scheduler still remembers them.
  private func recordRefusals(_ decision: Reconciliation) async throws {
    for (token, tasks) in decision.refused.sorted(by: { $0.key < $1.key }) {
      let batch = folder.batch(token)
      var refusals = batch.refusals
      for task in tasks {
        let code = await scheduler.exitCode(of: task.id) ?? "?"
        refusals[task.index] = (task.node, code)
        say(
          "task \(task.id) ended before its program began (\(task.word), \(task.reason), exit code \(code), "
            + "node \(task.node))"
        )
      }
      try batch.setRefusals(refusals)
    }
  }

  private func record(_ decision: Reconciliation) async throws {
    for (token, number) in decision.adopted.sorted(by: { $0.key < $1.key }) {
      try folder.batch(token).setNumber(number)
      say("the scheduler has batch \(token) as job \(number), though it had not answered")
    }
    for token in decision.void {
      try folder.batch(token).makeVoid("The scheduler never had it.")
    }
    for token in decision.over { try folder.batch(token).setOver() }
    if !decision.stalled.isEmpty {
      say(
        "tasks \(decision.stalled.joined(separator: ", ")) are said to run, and their workers are gone: "
          + "ended, to be submitted anew"
      )
      try await scheduler.cancel(tasks: decision.stalled)
    }
    for (key, culprit) in decision.blocked {
      try intake.register(key)
      let state = reasons.state(of: key, behind: culprit, title(culprit))
      try store.setState(state, of: key)
      if case .failed(let failure) = state {
        failed.insert(key)
        justDiverged = key
        observe(.stageFailed(title(key), failure, worker: 0))
      } else {
        dropped.insert(key)
        observe(.stageBlocked(title(key), by: title(culprit)))
      }
    }
    for (key, reason) in decision.gaveUp {
      dropped.insert(key)
      try intake.register(key)
      try store.setState(.blocked(reason: reason), of: key)
      observe(.workerDied(title(key), how: reason, triesLeft: 0, worker: 0))
    }
  }

  /// - Returns: how many tasks were submitted.
  private func submit(_ decision: Reconciliation) async throws -> Int {
    var numbers: [[String]] = []
    var count = 0
    for wave in decision.waves {
      let after = Set(wave.afterWaves.sorted().flatMap { numbers[$0] }).union(wave.after).sorted()
      var submitted: [String] = []
      for (tasks, gres) in try arrays(wave.entries.map(grouped)) {
        let token = String(UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(12))
        var submission = BatchSubmission(
          token: token, tasks: tasks.count, program: program, store: folder.path)
        submission.after = after
        submission.exclude = decision.exclude
        submission.delay = wave.refusals == 0 ? 0 : site.retrySeconds << min(10, wave.refusals - 1)
        submission.environment = NumericsProfile.environment
        submission.devices = gres
        let manifest = BatchManifest(
          token: token, sweep: sweep.name, tasks: tasks,
          slots: gres == nil ? max(1, site.cpus / options.threads) : sweep.grid.run.runsPerDevice,
          wallSeconds: site.wallSeconds, leadSeconds: site.leadSeconds, bin: site.bin,
          scheduler: schedulerName, options: options)
        submitted.append(try await submit(manifest, submission))
        count += tasks.count
        observe(
          .notice(
            "submitted batch \(token) as job \(submitted.last ?? "?"): "
              + "\(counted(manifest.keys.count, "stage")) in \(counted(tasks.count, "task"))"
          ))
      }
      numbers.append(submitted)
    }
    return count
  }

  private func submit(
    _ manifest: BatchManifest, _ submission: BatchSubmission
  ) async throws -> String {
    let batch = folder.batch(manifest.token)
    try batch.create(manifest: manifest.canonicalBytes, script: scheduler.script(submission, site))
    do {
      if !isChecked { try await scheduler.check(batch.script, site) }
      isChecked = true
      let number = try await scheduler.submit(batch.script)
      try batch.setNumber(number)
      return number
    } catch let error as ExecutorError {
      if case .unavailable = error {
        // Perhaps it was taken: the next look at the queue tells, by the batch's name.
        throw error
      }
      guard !submission.exclude.isEmpty else {
        try batch.makeVoid("\(error)")
        throw error
      }
      // Without the nodes to avoid there may be none left; a bad node is better than none.
      var all = submission
      all.exclude = []
      return try await submit(manifest, all)
    }
  }

  /// What `--gres` asks for with each task that runs trainers: as the site spells it, else as many
  /// as a run of the grid gets.
  private var gres: String? {
    let run = sweep.grid.run
    return site.gres ?? (run.devices.isEmpty && run.devicesPerRun == 1 ? nil : "gpu:\(run.devicesPerRun)")
  }

  /// An entry that says with which runs it may be trained side by side, unless a process has ended under it
  /// without a word.
  private func grouped(_ entry: BatchManifest.Entry) throws -> BatchManifest.Entry {
    guard let group = groups[entry.key], try !folder.stage(entry.key).hasDied() else { return entry }
    return BatchManifest.Entry(key: entry.key, after: entry.after, group: group)
  }

  /// The tasks of some stages, cut into arrays that the scheduler takes: those of trainers, with a device
  /// each, in arrays of their own.
  private func arrays(
    _ entries: [BatchManifest.Entry]
  ) throws -> [(tasks: [[BatchManifest.Entry]], gres: String?)] {
    for entry in entries {
      if let stage = intake.stages[entry.key] { try folder.stage(entry.key).create(spec: stage.document) }
    }
    let onDevices = gres == nil ? [] : sweep.workOfTrainers
    let (theirs, ours) = (
      entries.filter { onDevices.contains($0.key) }, entries.filter { !onDevices.contains($0.key) }
    )
    return try cut(ours, slots: site.cpus).map { ($0, nil) }
      + cut(theirs, slots: sweep.grid.run.runsPerDevice).map { ($0, gres) }
  }

  private func cut(_ entries: [BatchManifest.Entry], slots: Int) throws -> [[[BatchManifest.Entry]]] {
    if entries.isEmpty { return [] }
    let most = min(site.maxTasks, limits?.maxJobCount ?? site.maxTasks)
    let forecast = sweep.forecast
    var rule = BatchManifest.Cut(
      seconds: forecast.seconds, goal: Double(site.chunkMinutes * 60 * slots), limit: most)
    (rule.teaching, rule.tasksAtOnce) = (forecast.teachingSeconds, site.tasksAtOnce)
    rule.slots = max(1, slots / options.threads)
    if let wall = site.wallSeconds { rule.most = Double(max(0, wall - site.leadSeconds) * slots) }
    let tasks = BatchManifest.chunks(entries, rule)
    let size = max(1, limits?.maxArraySize ?? 1001)
    return stride(from: 0, to: tasks.count, by: size).map { Array(tasks[$0..<min($0 + size, tasks.count)]) }
  }
}
