internal import Foundation
internal import Networks
package import Specs
package import Storage
package import Sweeps

/// How a sweep's run ended.
package enum RunOutcome: Equatable, Sendable {
  case allDone
  /// So many runs have no number: they failed, or something that they need did.
  case someFailed(Int)
  /// A stop was asked for; the same command goes on.
  case stopped
}

/// A worker could not write what it had to.
package struct WorkerCannotWrite: UserError, Equatable {
  package var exitStatus: ExitStatus { .inputOutput }
  package let stage: String
  package let reason: String

  package var description: String { "\(stage): \(reason)" }
}

/// Does what the scheduler says: starts workers, takes in what they leave, tells whoever watches. The
/// only writer of the store.
package final class Coordinator {
  private let sweep: PlannedSweep
  private let folder: StoreFolder
  private let store: ResultStore
  private let executor: any Executor
  private let workers: Int
  private let observe: (RunEvent) -> Void
  private let room: CacheRoom
  private let options: WorkerOptions
  private let limits: WorkLimits
  private var scheduler: Scheduler
  private var running: [ContentKey: Running] = [:]
  private let stages: [ContentKey: StageRequest]
  private let titles: [ContentKey: StageTitle]
  private let dataFolders: [ContentKey: String]
  /// Whether somebody asked for an end: workers are leaving.
  private var isStopping = false
  private let intake: Intake
  private var failures = 0
  private var reasons: FailureReasons
  private var cannotWrite: WorkerCannotWrite?
  /// Whether the grid asked to stop, because a run diverged.
  private var isStoppedByGrid = false
  private var devices: DevicePool?
  private let onDevices: Set<ContentKey>
  private var processes = 0

  /// What workers are watched by: it stands still while this process does.
  private var watch = WatchClock()
  private var pause = StartPause()

  private static let tickSeconds = 0.25
  /// Bytes of checkpoints that wait for a transaction to be shared.
  private static let mostWaiting = 64 << 20

  private struct Running {
    let attempt: AttemptFolder
    let worker: Int
    /// The number of its process, and how many runs were started in it.
    let process: Int
    let size: Int
    /// When it was started, by `Coordinator.now`.
    let started: Double
    /// The same by the coordinator's watch.
    let watched: Double
    /// Its newest heartbeat, and when the coordinator's watch first saw that one.
    var beat: (time: Double, seen: Double)?
    /// Known once the executor has started it; one for all of its runs.
    let box: ProcessBox
    var progress: WorkerProgress?
    /// Why it was ended from here.
    var verdict: Verdict?
    /// What it was given; nothing where it takes none.
    var devices: [String] = []
    /// How many of its worker's notes people have been told.
    var told = 0
  }

  private enum Verdict { case hung, overtime }

  private enum Signal: Sendable {
    case ended(process: Int, JobEnd)
    case tick
  }

  /// - Precondition: the caller holds the store's lease.
  package init(
    _ sweep: PlannedSweep, folder: StoreFolder, store: ResultStore, executor: any Executor, workers: Int,
    cache: CachePolicy = CachePolicy(), limits: WorkLimits = WorkLimits(),
    observe: @escaping (RunEvent) -> Void
  ) throws {
    devices = limits.devices.map { DevicePool($0.share) }
    onDevices = limits.devices == nil ? [] : sweep.workOfTrainers
    self.sweep = sweep
    self.folder = folder
    self.store = store
    room = CacheRoom(cache, folder, store)
    options = WorkerOptions(
      asksTeachers: !cache.isUsed, allowsOtherProfile: limits.allowsOtherProfile, niceness: limits.niceness,
      threads: limits.threads, logLimit: limits.logLimit, keep: limits.keep)
    self.limits = limits
    self.executor = executor
    self.workers = workers
    self.observe = observe
    stages = Dictionary(sweep.plan.stages.map { ($0.key, $0) }) { first, _ in first }
    reasons = FailureReasons(sweep.failed, stages)
    titles = StageTitle.all(sweep)
    dataFolders = sweep.dataFolders
    intake = Intake(folder: folder, store: store, stages: stages, titles: titles)
    intake.watchesPrograms = true
    scheduler = Scheduler(sweep.plan.stages, done: [], failed: [], slots: 1, retries: 0)
    try store.save(sweep, in: folder)
    let (done, failed) = try settled()
    scheduler = Scheduler(
      sweep.plan.stages, done: done, failed: failed, slots: workers, retries: sweep.grid.run.retries,
      demand: sweep.demand(limits, sharing: cache.isUsed && type(of: executor).takesGroups),
      order: sweep.order)
    failures = sweep.plan.runKeys.count { failed.contains($0) }
  }

  /// Runs to the end, or until a stop is asked for.
  package func run(until stop: StopSignal) async throws -> RunOutcome {
    observe(.planned(sweep.counts, workers: workers))
    let (signals, inbox) = AsyncStream.makeStream(of: Signal.self)
    var isOver = try perform(scheduler.begin(), inbox)
    if isOver {
      try flush()
      return outcome(stopped: false)
    }
    let ticker = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(Coordinator.tickSeconds))
        inbox.yield(.tick)
      }
    }
    defer { ticker.cancel() }
    var ticks = 0
    for await signal in signals {
      switch signal {
      case .ended(let process, let end): isOver = try perform(ended(process: process, end), inbox)
      case .tick:
        ticks += 1
        isOver = try perform(roomAgain(), inbox)
        if stop.isRequested, !isStopping {
          isStopping = true
          observe(.stopping)
          isOver = try perform(scheduler.handle(.stopRequested), inbox)
        }
        if ticks % 2 == 0 {
          // Whatever ended since shares a transaction: its files are the truth until then.
          try flush()
          showProgress()
          isOver = try perform(endedInTheirGroups(), inbox)
        }
        if ticks % 8 == 0 { endSilentOnes() }
      }
      if isOver { break }
    }
    try flush()
    if let cannotWrite { throw cannotWrite }
    return outcome(stopped: isStopping)
  }

  /// After a pause in which nobody could be started, one more may run.
  private func roomAgain() throws -> [Scheduler.Action] {
    let isOver = pause.isOver(after: Self.tickSeconds, atWork: running.count)
    if pause.isHopeless { throw NoRoomForWorkers(reason: pause.reason) }
    return isOver ? scheduler.handle(.roomAgain) : []
  }

  /// Ends every worker at once; nothing is lost but work since their last snapshots.
  package func kill() {
    for worker in running.values { worker.box.stop(executor, atOnce: true) }
  }

  /// Only runs count: a teacher that failed shows in the runs that it blocks.
  private func countFailure(_ key: ContentKey) { if stages[key]?.role == .result { failures += 1 } }

  private func outcome(stopped: Bool) -> RunOutcome {
    if stopped || isStoppedByGrid { return .stopped }
    return failures > 0 ? .someFailed(failures) : .allDone
  }
}

// MARK: Before the start

extension Coordinator {
  /// Stages that need not run: those with a result in the store, and those whose output or failure lies in
  /// its folder because a coordinator was killed before it could take it in. Inputs whose files are gone
  /// are put back or made again.
  private func settled() throws -> (done: Set<ContentKey>, failed: Set<ContentKey>) {
    var (done, failed) = (sweep.done, Set(sweep.failed.keys))
    for stage in sweep.plan.stages where !done.contains(stage.key) && !failed.contains(stage.key) {
      if folder.stage(stage.key).isPublished {
        if try takeIn(stage.key, closing: .finished) != nil { done.insert(stage.key) }
        try flush()
      } else if let failure = try intake.unreadFailure(of: stage.key) {
        try takeIn(stage.key, closing: .failed(failure))
        try flush()
        failed.insert(stage.key)
        reasons.add(failure, of: stage.key)
      }
    }
    let waiting = sweep.plan.stages.filter {
      $0.role == .result && !done.contains($0.key) && !failed.contains($0.key)
    }
    for key in Set(waiting.flatMap { $0.inputs + $0.helpers }).sorted() where done.contains(key) {
      let place = folder.stage(key)
      // What is made again may need what is made of nothing else; the scheduler sees to that.
      let isHelper = stages[key]?.role == .helper
      if place.isDamageNoted, isHelper { _ = try place.evict() }
      // Read through once for each call: what reads a damaged input could only fail. Helpers' outputs are
      // checked piece by piece as they are read.
      if !isHelper, place.isPublished, !intake.isIntact(key) {
        observe(
          .warning("\(title(key).text): its output is not what was published. It is put back or made again."))
        try place.setAside()
      }
      if !place.isPublished, try !intake.putBack(key) { done.remove(key) }
    }
    // A helper that is made again needs its teacher's files, which no student may have asked for.
    for helper in sweep.plan.stages where helper.role == .helper && !done.contains(helper.key) {
      for input in helper.inputs where done.contains(input) {
        if !folder.stage(input).isPublished, try !intake.putBack(input) { done.remove(input) }
      }
    }
    return (done, failed)
  }
}

// MARK: Events

extension Coordinator {
  /// - Returns: whether the run is over.
  private func perform(_ actions: [Scheduler.Action], _ inbox: AsyncStream<Signal>.Continuation) throws
    -> Bool
  {
    /// What follows from this, which comes after the rest of it.
    var next: [Scheduler.Action] = []
    for action in actions {
      switch action {
      case .start(let key, _):
        if let size = try stages[key]?.keptBytes(), try !hasRoom(for: key, bytes: size) {
          observe(
            .warning("\(title(key).text): no room within --cache-limit; each run does without"))
          if try perform(scheduler.handle(.skipped(key)), inbox) { return true }
        } else {
          try start([key], inbox)
        }
      case .startTogether(let keys): try start(keys, inbox)
      case .stopWorkers:
        for worker in running.values { worker.box.stop(executor, atOnce: false) }
      case .block(let key, let culprit):
        next += try blocked(key, by: culprit)
      case .giveUp: break
      case .end: return true
      }
    }
    return next.isEmpty ? false : try perform(next, inbox)
  }

  private func blocked(_ key: ContentKey, by culprit: ContentKey) throws -> [Scheduler.Action] {
    countFailure(key)
    try intake.register(key)
    let state = reasons.state(of: key, behind: culprit, title(culprit))
    try store.setState(state, of: key)
    guard case .failed(let failure) = state else {
      observe(.stageBlocked(title(key), by: title(culprit)))
      return []
    }
    observe(.stageFailed(title(key), failure, worker: 0))
    return try afterDivergence(of: key, failure)
  }

  private func hasRoom(for key: ContentKey, bytes: Int) throws -> Bool {
    // Room is made by what the store says of outputs.
    try flush()
    return try room.make(for: key, bytes: bytes, wanted: scheduler.wantedHelpers)
  }

  /// Starts stages in one process: one of them, or runs that share their teachers.
  private func start(_ keys: [ContentKey], _ inbox: AsyncStream<Signal>.Continuation) throws {
    processes += 1
    let (process, box, leader) = (processes, ProcessBox(), keys[0])
    let slot = (1...workers).first { slot in !running.values.contains { $0.worker == slot } } ?? workers
    for key in keys {
      guard let stage = stages[key] else { preconditionFailure("\(key) is not in the plan") }
      let place = folder.stage(key)
      try place.create(spec: stage.document)
      intake.announce(key)
      running[key] = Running(
        attempt: try place.newAttempt(), worker: slot, process: process, size: keys.count, started: Self.now,
        watched: watch.seconds, box: box)
    }
    guard let stage = stages[leader], let attempt = running[leader]?.attempt else { return }
    var arguments = [
      "worker", leader.description, "--store", folder.path, "--attempt", "\(attempt.number)",
    ]
    for key in keys.dropFirst() { arguments += ["--with", "\(key):\(running[key]!.attempt.number)"] }
    if let data = dataFolders[leader] { arguments += ["--data-folder", data] }
    arguments += options.arguments
    var environment = try NumericsProfile.environment(of: stage)
    environment[WorkerSlot.variable] = "\(slot)"
    if onDevices.contains(leader) {
      guard let taken = devices?.take(for: leader) else { preconditionFailure("\(leader) has no device") }
      environment.merge(DevicePool.environment(of: taken)) { $1 }
      running[leader]?.devices = taken
    }
    let job = Job(key: leader, arguments: arguments, environment: environment, log: attempt.log)
    for key in keys {
      observe(.stageStarted(titleAtWork(key), attempt: running[key]!.attempt.number, worker: slot))
    }
    let (executor, remains) = (executor, folder.stage(leader).path)
    Task {
      let end = await executor.run(job) { box.started($0, executor) }
      // A worker that was killed could not end what its trainer had started.
      if case .killed = end { TrainerRemains.end(of: remains, within: 10) { _ in } }
      inbox.yield(.ended(process: process, end))
    }
  }

  /// What the grid wants when a run diverges; its own result is recorded already.
  private func afterDivergence(of key: ContentKey, _ failure: FailureRecord) throws -> [Scheduler.Action] {
    guard failure.cause == .diverged, let place = sweep.plan.runKeys.firstIndex(of: key) else { return [] }
    switch sweep.grid.run.onDiverged {
    case .record: return []
    case .stopSweep:
      isStoppedByGrid = true
      observe(.warning("\(title(key).text) diverged: the sweep stops, as its grid says"))
      return scheduler.handle(.stopRequested)
    case .stopCell:
      let left = sweep.cell(of: place).filter { scheduler.isOpen($0) }
      for other in left {
        countFailure(other)
        try intake.register(other)
        try store.setState(
          .blocked(reason: PlannedSweep.divergedCell), of: other)
        observe(.stageBlocked(title(other), by: title(key)))
      }
      return scheduler.handle(.leftAlone(left))
    }
  }

  /// Runs of a group end each for itself, as their notes say; those that left none end as the process did.
  private func ended(process: Int, _ end: JobEnd) throws -> [Scheduler.Action] {
    let ended = running.filter { $0.value.process == process }.sorted { $0.key < $1.key }
    return try ended.flatMap { key, entry in
      try self.ended(key, entry.size > 1 ? JobEnd(entry.attempt.exitNote) ?? end : end)
    }
  }

  /// Runs that have ended while others of their group go on.
  private func endedInTheirGroups() throws -> [Scheduler.Action] {
    let ended = running.filter { $0.value.size > 1 }.sorted { $0.key < $1.key }
    return try ended.flatMap { key, entry in
      try JobEnd(entry.attempt.exitNote).map { try self.ended(key, $0) } ?? []
    }
  }

  private func ended(_ key: ContentKey, _ end: JobEnd) throws -> [Scheduler.Action] {
    if let attempt = running[key]?.attempt { tell(WorkerProgress(of: attempt)?.notes ?? [], of: key) }
    guard let entry = running.removeValue(forKey: key) else { preconditionFailure("\(key) was not running") }
    room.release(key)
    let had = devices?.release(by: key) ?? []
    if let reason = noRoom(end, entry.attempt) {
      // It has done nothing, so its number may be given again.
      try AtomicFile.removeFolder(entry.attempt.path)
      // Runs of one process had no room once.
      if entry.size == 1 || !pause.isOn, let sentence = pause.begin(reason, atWork: running.count) {
        observe(.warning(sentence))
      }
      return scheduler.handle(isStopping ? .stopped(key) : .postponed(key))
    }
    pause.end()
    // A worker that was asked to stop before it could listen has stopped all the same: it is no death.
    let isEarly = isStopping && end == .killed(signal: Int(SIGTERM))
    let end = isEarly ? .exited(Int(WorkerExit.stopped)) : end
    if isEarly {
      try flush()
      try store.setOutcome(.stopped, of: AttemptID(key: key, number: entry.attempt.number))
    }
    // Where the note cannot be written, the attempt counts as lost to whoever reads its folder,
    // which costs a try at most.
    try? entry.attempt.close(ExitNote(end))
    switch end {
    case .exited(Int(WorkerExit.finished)), .exited(Int(WorkerExit.contradicted)):
      if end == .exited(Int(WorkerExit.contradicted)) { observe(.warning(intake.lastWords(entry.attempt))) }
      return try finished(key, entry)
    case .exited(Int(WorkerExit.failed)):
      if let failure = try intake.failure(of: entry.attempt) { return try failed(key, entry, failure) }
    case .exited(Int(WorkerExit.stopped)): return try stopped(key, entry)
    case .exited(Int(WorkerExit.otherProfile)), .exited(Int(WorkerExit.repeated)):
      return try refused(key, entry)
    case .exited(Int(WorkerExit.inputOutput)): return try couldNotWrite(key, entry)
    default: break
    }
    if let actions = try lostDevice(key, entry, had, describe(end, entry.attempt)) { return actions }
    let how =
      entry.verdict == .hung
      ? "its worker gave no sign of life for \(Int(limits.silence)) s and was ended"
      : describe(end, entry.attempt)
    return try died(key, entry, how)
  }

  private func finished(_ key: ContentKey, _ entry: Running) throws -> [Scheduler.Action] {
    guard let metrics = try takeIn(key, closing: .finished, measurements: measurements(of: key, entry)) else {
      return try died(key, entry, "its records or its output are not whole")
    }
    // What others read is in the store before they read it. Were its files damaged in between, nobody would
    // make it again once they are done.
    if stages[key]?.role != .result { try flush() }
    observe(
      .stageFinished(
        title(key), metrics, seconds: (Self.now - entry.started) / Double(entry.size), worker: entry.worker))
    return scheduler.handle(.finished(key))
  }

  private func failed(
    _ key: ContentKey, _ entry: Running, _ failure: FailureRecord
  ) throws -> [Scheduler.Action] {
    try takeIn(key, closing: .failed(failure))
    countFailure(key)
    reasons.add(failure, of: key)
    observe(.stageFailed(title(key), failure, worker: entry.worker))
    return scheduler.handle(.failed(key)) + (try afterDivergence(of: key, failure))
  }

  private func stopped(_ key: ContentKey, _ entry: Running) throws -> [Scheduler.Action] {
    try takeIn(key, closing: nil)
    if entry.verdict == .overtime {
      failures += 1
      try flush()
      let reason =
        "it took longer than the \(limits.minutes ?? 0) minutes that a stage may; the next run goes "
        + "on where it was"
      try store.setState(.blocked(reason: reason), of: key)
      observe(.warning("\(title(key).text): \(reason)"))
      return scheduler.handle(.timedOut(key))
    }
    observe(.stageStopped(title(key), step: entry.progress?.step ?? 0, worker: entry.worker))
    return scheduler.handle(.stopped(key))
  }

  /// A worker that would not begin, or a trainer that contradicts itself.
  private func refused(_ key: ContentKey, _ entry: Running) throws -> [Scheduler.Action] {
    countFailure(key)
    let reason = intake.lastWords(entry.attempt)
    try flush()
    try store.setOutcome(.died, reason: reason, of: AttemptID(key: key, number: entry.attempt.number))
    // Not a result: the next `run` goes on, here with leave or on another machine, or once the trainer can.
    try store.setState(.blocked(reason: reason), of: key)
    observe(.workerDied(title(key), how: reason, triesLeft: 0, worker: entry.worker))
    return scheduler.handle(.timedOut(key))
  }

  /// A disk that is full for one worker is full for all: stop, and say so once.
  private func couldNotWrite(_ key: ContentKey, _ entry: Running) throws -> [Scheduler.Action] {
    let reason = intake.lastWords(entry.attempt)
    try flush()
    try store.setOutcome(.died, reason: reason, of: AttemptID(key: key, number: entry.attempt.number))
    if cannotWrite == nil { cannotWrite = WorkerCannotWrite(stage: title(key).text, reason: reason) }
    // In this order, so that nothing is started that would be stopped at once.
    return scheduler.handle(.stopRequested) + scheduler.handle(.died(key))
  }

  /// A run has died on devices of which one, as somebody says, works no more: the run goes on
  /// elsewhere, which costs no try.
  ///
  /// - Returns: nil where its devices are not to blame.
  private func lostDevice(
    _ key: ContentKey, _ entry: Running, _ had: [String], _ how: String
  ) throws -> [Scheduler.Action]? {
    guard let use = limits.devices, !had.isEmpty, entry.verdict == nil, !isStopping else { return nil }
    let lost = had.filter { !use.works($0) }
    guard !lost.isEmpty else { return nil }
    for device in lost where devices?.setAside(device) == true {
      observe(
        .warning("\(device) is set aside: `\(use.check.joined(separator: " "))` says that it does not work"))
    }
    try flush()
    try store.setOutcome(.died, reason: how, of: AttemptID(key: key, number: entry.attempt.number))
    let room = devices?.room ?? 0
    var actions = scheduler.handle(.deviceRoom(room))
    if room == 0 {
      observe(
        .warning("no device is left for runs of trainers: the sweep stops, and the same command goes on"))
      isStopping = true
      actions += scheduler.handle(.stopRequested)
    }
    return actions + scheduler.handle(.stopped(key))
  }

  /// A worker that left no result: its stage starts again, or is given up.
  private func died(_ key: ContentKey, _ entry: Running, _ how: String) throws -> [Scheduler.Action] {
    try flush()
    try store.setOutcome(.died, reason: how, of: AttemptID(key: key, number: entry.attempt.number))
    let actions = scheduler.handle(.died(key))
    observe(.workerDied(title(key), how: how, triesLeft: scheduler.triesLeft(key), worker: entry.worker))
    if actions.contains(.giveUp(key)) {
      countFailure(key)
      // Not a result: the next `run` tries again.
      try store.setState(.blocked(reason: "its worker died too often: \(how)"), of: key)
    }
    return actions
  }

  /// Why a worker could not begin, where processes, descriptors or memory had run
  /// out; nil for all other ends.
  private func noRoom(_ end: JobEnd, _ attempt: AttemptFolder) -> String? {
    switch end {
    case .noRoom(let reason): reason
    case .exited(Int(WorkerExit.noRoom)):
      AttemptLog(attempt.log).lastWords.trimmingCharacters(in: CharacterSet(charactersIn: "."))
    default: nil
    }
  }

  /// Writes what was announced and collected into the store.
  private func flush() throws {
    try intake.flush()
    for sentence in intake.newContradictions() { observe(.warning(sentence)) }
  }

  /// Takes a stage's records and checkpoints in, for the store's next transaction, and says aloud
  /// what is wrong with them.
  ///
  /// - Returns: the numbers of the whole stage; nil where it was to be called finished and cannot be,
  ///   and is to be made again.
  @discardableResult
  private func takeIn(
    _ key: ContentKey, closing: StageState?, measurements: [(topic: String, seconds: Double)] = []
  ) throws -> Metrics? {
    let taken = try intake.collect(key, closing: closing, measurements: measurements)
    if intake.waitingBytes > Self.mostWaiting { try flush() }
    for sentence in taken.complaints { observe(.warning(sentence)) }
    guard let missing = taken.missing else { return taken.metrics }
    observe(.warning("\(title(key).text): \(missing). It is made again from its beginning."))
    try folder.stage(key).setAside()
    return nil
  }

  private func title(_ key: ContentKey) -> StageTitle { titles[key]! }

  /// With the devices that the run has.
  private func titleAtWork(_ key: ContentKey) -> StageTitle {
    let (title, devices) = (title(key), running[key]?.devices ?? [])
    if devices.isEmpty { return title }
    return StageTitle(
      key: title.key, kind: title.kind, text: "\(title.text) on \(devices.joined(separator: " and "))",
      isPreparation: title.isPreparation)
  }

  /// CPU seconds of 10⁹ multiply-adds and bytes of memory, for the next forecast.
  private func measurements(of key: ContentKey, _ entry: Running) -> [(topic: String, seconds: Double)] {
    sweep.forecast.measurements(of: key, from: entry.attempt)
  }

  /// Seconds of a clock that nobody sets and that stands still while the machine sleeps.
  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// Workers that hang are ended and tried again; those that take too long write a snapshot and leave. Only
  /// time counts in which this process looked: after a sleep of the machine, workers are as late as it is.
  private func endSilentOnes() {
    watch.look(at: Self.now)
    for (key, entry) in running where entry.verdict == nil {
      // A worker that is held still before its first heartbeat is as silent as any other.
      let beat = entry.attempt.beatTime ?? 0
      if beat != entry.beat?.time { running[key]?.beat = (beat, watch.seconds) }
      if let known = entry.beat, known.time == beat, watch.seconds - known.seen > limits.silence {
        running[key]?.verdict = .hung
        entry.box.stop(executor, atOnce: true)
      } else if let minutes = limits.minutes,
        watch.seconds - entry.watched > minutes * 60 * Double(entry.size)
      {
        running[key]?.verdict = .overtime
        entry.box.stop(executor, atOnce: false)
      }
    }
  }

  private func showProgress() {
    for (key, entry) in running.sorted(by: { $0.value.worker < $1.value.worker }) {
      guard let progress = WorkerProgress(of: entry.attempt) else { continue }
      running[key]?.progress = progress
      tell(progress.notes, of: key)
      observe(
        .progress(
          StageProgress(
            title: titleAtWork(key), epoch: progress.epoch, epochs: progress.epochs, step: progress.step,
            steps: progress.steps,
            loss: progress.loss, imagesPerSecond: progress.imagesPerSecond), worker: entry.worker))
    }
  }

  /// Says aloud what a worker wants people to know, once.
  private func tell(_ notes: [String], of key: ContentKey) {
    guard let told = running[key]?.told else { return }
    for note in notes.dropFirst(told) { observe(.warning("\(title(key).text): \(note)")) }
    running[key]?.told = notes.count
  }

  private func describe(_ end: JobEnd, _ attempt: AttemptFolder) -> String {
    let how =
      switch end {
      case .exited(let code): "its worker ended with code \(code)"
      case .killed(let signal): "its worker was killed by signal \(signal)"
      case .notStarted(let reason), .noRoom(let reason): "its worker could not be started (\(reason))"
      }
    let last = intake.lastWords(attempt)
    return last.isEmpty ? how : "\(how): \(last)"
  }
}

extension JobEnd {
  /// Nil where there is no note, or none with a code.
  fileprivate init?(_ note: ExitNote?) {
    guard let code = note?.code else { return nil }
    self = .exited(code)
  }
}

extension ExitNote {
  init(_ end: JobEnd) {
    switch end {
    case .exited(let code): self.init(code: code)
    case .killed(let signal): self.init(signal: signal)
    case .notStarted(let reason): self.init(reason: reason)
    case .noRoom(let reason): self.init(code: Int(WorkerExit.stopped), reason: reason)
    }
  }
}
