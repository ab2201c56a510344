internal import Foundation
package import Storage
package import Sweeps
internal import Specs

/// A task of a cluster's array: claims stages of its batch, one after the other or as many at a time as it
/// has processors, and lets a process each do the work, or one that of several runs that share their
/// teachers. It knows no coordinator and no database; whoever comes later reads the folders.
package struct BatchWorker {
  private let store: StoreFolder
  private let batch: BatchFolder
  private let manifest: BatchManifest
  private let place: BatchPlace
  private let scheduler: any BatchScheduler
  private let executor: any Executor
  /// Seconds between looks at other workers' files.
  private static let watchSeconds = 1.0
  /// Less than this before the end, nothing new is begun.
  private static let leastSeconds = 5.0

  /// - Parameter environment: of this process, in which the scheduler has left what it knows of the task.
  package init(
    _ token: String, task: Int, environment: [String: String], in store: StoreFolder, executor: any Executor
  ) throws {
    batch = store.batch(token)
    manifest = try BatchManifest(JSONReader.read(batch.manifest()).value, at: batch.path)
    guard manifest.tasks.indices.contains(task) else { throw NoSuchTask(batch: batch, task: task) }
    scheduler = try manifest.madeScheduler()
    place = scheduler.place(task: task, environment: environment)
    self.store = store
    self.executor = executor
  }

  /// Puts the task back into the queue, where there is work that another life of it could go on with.
  ///
  /// - Returns: whether the scheduler did so; nil where nothing is left to go on with,
  ///   or there is no scheduler.
  package func goBack() async throws -> Bool? {
    guard let identifier = place.identifier, try wantsAnotherLife() else { return nil }
    return await scheduler.requeue(identifier)
  }

  /// What claims call this life of the task, and what they called its earlier ones.
  private func job(_ life: Int) -> String {
    "\(manifest.token)/\(place.job ?? "0")_\(place.task)/\(life)"
  }

  /// Works until nothing of the batch is left to take, or until a stop is asked for.
  ///
  /// - Returns: the exit code: 75 where work was left for another life of the task.
  package func run(until stop: StopSignal) async throws -> Int32 {
    let began = DispatchTime.now().uptimeNanoseconds
    try batch.setStarted(place.task, job: job(place.life), now: Int(Date.now.timeIntervalSince1970))
    // A little before the scheduler's own signal is late.
    let limit = manifest.wallSeconds.map { Double($0) - Double(manifest.leadSeconds) * 0.75 }
    func left() -> Double {
      limit.map { $0 - Double(DispatchTime.now().uptimeNanoseconds - began) * 1e-9 } ?? .infinity
    }
    let (ends, inbox) = AsyncStream.makeStream(of: Event.self)
    let ticker = Task {
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(Self.watchSeconds))
        inbox.yield(.tick)
      }
    }
    defer { ticker.cancel() }
    var running: [ContentKey: Child] = [:]
    var isStopping = false
    var events = ends.makeAsyncIterator()
    var pause = StartPause()
    while true {
      if !isStopping, stop.isRequested || left() <= 0 || batch.voidReason != nil {
        isStopping = true
        for child in running.values { child.process.stop(executor, atOnce: false) }
      }
      while !isStopping, !pause.isOn, running.count < manifest.slots, left() > Self.leastSeconds,
        let work = try next(beside: running.values)
      {
        let slot = (1...manifest.slots).first { slot in !running.values.contains { $0.slot == slot } } ?? 1
        running[work[0].stage.key] = try start(work, slot: slot, inbox)
      }
      if running.isEmpty, !pause.isOn { break }
      switch await events.next() {
      case .ended(let key, let end):
        guard let child = running.removeValue(forKey: key) else { continue }
        child.close(end)
        if case .noRoom(let reason) = end {
          if let sentence = pause.begin(reason, atWork: running.count) { WorkerLog.say(sentence) }
        } else {
          pause.end()
        }
      case .tick:
        _ = pause.isOver(after: Self.watchSeconds, atWork: running.count)
        if pause.isHopeless { throw NoRoomForWorkers(reason: pause.reason) }
      case nil: break
      }
    }
    let isLeft = isStopping || left() <= Self.leastSeconds
    return isLeft ? WorkerExit.stopped : WorkerExit.finished
  }

  /// Whether the scheduler should start the task again, because there is work that it could go on with.
  package func wantsAnotherLife() throws -> Bool {
    guard batch.voidReason == nil else { return false }
    let clock = try store.clock()
    return try manifest.order(for: place.task).contains { try isFree($0, clock) }
  }

  /// Whether a stage has no result, and nobody at work at it.
  private func isFree(_ entry: BatchManifest.Entry, _ clock: Double) throws -> Bool {
    let stage = store.stage(entry.key)
    guard !stage.isPublished, !stage.isLeftAlone else { return false }
    guard let last = try stage.attempts().last, last.number > entry.after else { return true }
    switch last.activity(clock: clock) {
    case .working: return false
    case .lost: return true
    case .ended(let note): return note.code.map(ExitNote.unfinished.contains) ?? true
    }
  }

  private enum Event: Sendable {
    case ended(ContentKey, JobEnd)
    case tick
  }

  /// A process at work.
  private struct Child {
    /// More than one for runs side by side.
    let attempts: [AttemptFolder]
    /// Which of the processes of this task it is, from 1.
    let slot: Int
    let process = ProcessBox()

    /// Runs side by side leave notes of their own. Those that left none end as the process did, whose code
    /// may be that of another run.
    func close(_ end: JobEnd) {
      var note = ExitNote(end)
      if attempts.count > 1, let code = note.code, !ExitNote.unfinished.contains(code) {
        note = ExitNote(reason: "the process of its group ended with code \(code)")
      }
      for attempt in attempts where attempts.count == 1 || attempt.exitNote == nil {
        try? attempt.close(note)
      }
    }
  }

  /// A stage that was claimed.
  private typealias Claimed = (stage: StageRequest, attempt: AttemptFolder)

  /// The first stage of the batch that is free and whose inputs are there, claimed, and with a run those that
  /// are trained side by side with it.
  private func next(beside running: some Collection<Child>) throws -> [Claimed]? {
    let clock = try store.clock()
    for entry in manifest.order(for: place.task) {
      guard let first = try claim(entry, clock) else { continue }
      return [first] + (try company(of: entry, first.attempt, beside: running, clock))
    }
    return nil
  }

  private func claim(_ entry: BatchManifest.Entry, _ clock: Double) throws -> Claimed? {
    let stage = store.stage(entry.key)
    if stage.isPublished || stage.isLeftAlone { return nil }
    let request = try StageRequest(document: AtomicFile.read(stage.spec))
    guard request.inputs.allSatisfy({ store.stage($0).isPublished }) else { return nil }
    let formerLives = Set((0..<max(0, place.life)).map(job))
    guard
      case .granted(let attempt) = try stage.claim(
        after: entry.after, formerLives: formerLives, clock: clock)
    else { return nil }
    return (request, attempt)
  }

  /// Runs of the same group on the same list, claimed: as many as a scheduler of this task's processes would
  /// start together.
  private func company(
    of entry: BatchManifest.Entry, _ attempt: AttemptFolder, beside running: some Collection<Child>,
    _ clock: Double
  ) throws -> [Claimed] {
    guard let group = entry.group, try !store.stage(entry.key).hasDied(before: attempt.number) else {
      return []
    }
    let open = try manifest.list(of: entry).filter { try $0 != entry && isFree($0, clock) }
    let most = Scheduler.together(
      open: open.count + 1, atWork: running.reduce(0) { $0 + $1.attempts.count }, slots: manifest.slots,
      free: max(1, manifest.slots - running.count))
    var company: [Claimed] = []
    for other in open where other.group == group && company.count + 1 < most {
      guard try !store.stage(other.key).hasDied(), let claimed = try claim(other, clock) else { continue }
      company.append(claimed)
    }
    return company
  }

  private func start(
    _ work: [Claimed], slot: Int, _ inbox: AsyncStream<Event>.Continuation
  ) throws -> Child {
    let (child, key) = (Child(attempts: work.map(\.attempt), slot: slot), work[0].stage.key)
    let arguments =
      [
        "worker", key.description, "--store", store.path, "--attempt", "\(work[0].attempt.number)", "--job",
        job(place.life),
      ] + work.dropFirst().flatMap { ["--with", "\($0.stage.key):\($0.attempt.number)"] }
      + manifest.options.arguments
    var environment = try NumericsProfile.environment(of: work[0].stage)
    environment[WorkerSlot.variable] = "\(slot)"
    let job = Job(key: key, arguments: arguments, environment: environment, log: work[0].attempt.log)
    let (executor, process) = (executor, child.process)
    Task {
      let end = await executor.run(job) { process.started($0, executor) }
      inbox.yield(.ended(key, end))
    }
    return child
  }
}

/// A task that its batch does not have.
struct NoSuchTask: Error, CustomStringConvertible {
  let batch: BatchFolder
  let task: Int
  var description: String { "\(batch.path) has no task \(task). Batches are made by `mtkd-sweep run`." }
}
