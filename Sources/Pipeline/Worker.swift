internal import Datasets
internal import Evaluation
internal import Foundation
internal import Networks
package import Specs
package import Storage
public import Sweeps
internal import Tensors
internal import Training
internal import Transfers

/// How a worker process ends; part of the protocol with its coordinator.
package enum WorkerExit {
  package static let finished: Int32 = 0
  /// The stage failed for a reason of its own, and its records say why.
  package static let failed: Int32 = 1
  /// It could not write.
  package static let inputOutput: Int32 = 74
  package static let stopped: Int32 = 75
  /// Whoever started it is gone.
  package static let orphaned: Int32 = 76
  /// A newer attempt works at its stage.
  package static let superseded: Int32 = 78
  /// It finished, and another attempt had come to a different result.
  package static let contradicted: Int32 = 79
  /// Its snapshot is of another numerics profile, and nobody allowed to go on from it.
  package static let otherProfile: Int32 = 80
  /// Processes, descriptors or memory had run out: later, with fewer workers beside it, the
  /// same attempt may succeed.
  package static let noRoom: Int32 = 81
  /// Its trainer ended as in the attempt before, and the next would end so too.
  package static let repeated: Int32 = 82
  package static let internalError: Int32 = 70
}

package enum WorkerError: Error, Equatable, CustomStringConvertible {
  case noAttempt(ContentKey, number: Int)
  case otherKey(expected: ContentKey, found: ContentKey)
  case noThread(errno: Int32)

  package var description: String {
    switch self {
    case .noAttempt(let key, let number):
      "The stage \(key.short) has no attempt \(number). Workers are started by `mtkd-sweep run`."
    case .otherKey(let expected, let found):
      "spec.json of \(expected.short) is that of \(found.short): it was changed. Remove the stage's folder "
        + "and run again."
    case .noThread(let errno): "Cannot start a thread (\(String(cString: strerror(errno))))."
    }
  }
}

/// A worker's life: claim, restore, run, snapshot on request, publish.
public enum Worker {
  /// One attempt at one stage.
  package struct Assignment: Hashable, Sendable {
    package let key: ContentKey
    package let attempt: Int

    package init(key: ContentKey, attempt: Int) {
      self.key = key
      self.attempt = attempt
    }
  }

  private struct Claimed {
    let request: StageRequest
    let workspace: Workspace
    let heart: Heart

    /// What the code says, unless a newer attempt was the reason to leave.
    func ending(_ code: Int32) -> Int32 {
      code == WorkerExit.stopped && heart.isSuperseded ? WorkerExit.superseded : code
    }
  }

  /// - Parameters:
  ///   - others: runs that are trained side by side with the first, so that their teachers are asked once.
  ///     Each gets an exit note of its own.
  ///   - job: what a cluster calls the job that this process runs in.
  ///   - options: whether teachers are asked even where their outputs were written down, and whatever
  ///     else every worker is told.
  /// - Returns: the exit code; of several runs that of the first.
  package static func run(
    _ task: Assignment, with others: [Assignment] = [], in store: StoreFolder, dataFolder: String?,
    job: String? = nil,
    options: WorkerOptions = WorkerOptions()
  ) -> Int32 {
    WorkerSignals.install()
    let device = Device(threads: options.threads)
    if device.threads < options.threads {
      Workspace.say("\(device.threads) of \(options.threads) threads could be had.")
    }
    func claimed(_ task: Assignment) throws -> Claimed {
      try claim(task, in: store, dataFolder: dataFolder, job: job, options)
    }
    do {
      try WorkerSignals.dieWithParent()
      if !others.isEmpty { return device.run { group([task] + others, in: store, claim: claimed) } }
      let claimed = try claimed(task)
      defer { claimed.heart.end() }
      return claimed.ending(try device.run { try run(claimed.request, in: claimed.workspace) })
    } catch {
      let (code, text) = reason(error)
      return say(text, code)
    }
  }

  /// Runs the stage of a job in this process, to its end: for executors that start no other. The stage
  /// cannot be stopped.
  ///
  /// - Returns: how a worker of its own would have ended; what it would have said is in the job's log.
  public static func run(_ job: Job) -> JobEnd {
    func value(_ name: String) -> String? {
      let place = job.arguments.firstIndex(of: name)
      return place.flatMap { job.arguments.indices.contains($0 + 1) ? job.arguments[$0 + 1] : nil }
    }
    guard let store = value("--store") else {
      return .notStarted("The job names no store. Jobs come from a sweep that is run.")
    }
    do {
      let place = StoreFolder(store)
      let stage = place.stage(job.key)
      let request = try StageRequest(document: AtomicFile.read(stage.spec))
      guard let attempt = try stage.attempts().last else { throw WorkerError.noAttempt(job.key, number: 1) }
      try attempt.claim(now: Int(Date.now.timeIntervalSince1970))
      let workspace = try Workspace(
        store: place, stage: stage, attempt: attempt, dataFolder: value("--data-folder"), stop: StopSignal())
      return .exited(Int(try run(request, in: workspace)))
    } catch {
      try? Data("\(error)\n".utf8).write(to: URL(filePath: job.log))
      return .exited(Int(WorkerExit.internalError))
    }
  }

  private static func claim(
    _ task: Assignment, in store: StoreFolder, dataFolder: String?, job: String?, _ options: WorkerOptions
  ) throws -> Claimed {
    let (key, number) = (task.key, task.attempt)
    let stage = store.stage(key)
    let request = try StageRequest(document: AtomicFile.read(stage.spec))
    guard request.key == key else { throw WorkerError.otherKey(expected: key, found: request.key) }
    guard let attempt = try stage.attempts().first(where: { $0.number == number }) else {
      throw WorkerError.noAttempt(key, number: number)
    }
    try attempt.claim(now: Int(Date.now.timeIntervalSince1970), job: job)
    let heart = try Heart(of: attempt, in: stage, stop: WorkerSignals.stop, logLimit: options.logLimit)
    let workspace = try Workspace(
      store: store, stage: stage, attempt: attempt, dataFolder: dataFolder,
      asksTeachers: options.asksTeachers, allowsOtherProfile: options.allowsOtherProfile,
      keepsWeights: options.keep, stop: WorkerSignals.stop)
    return Claimed(request: request, workspace: workspace, heart: heart)
  }

  /// Several runs side by side. What goes wrong with one of them is its own end.
  private static func group(
    _ tasks: [Assignment], in store: StoreFolder, claim: (Assignment) throws -> Claimed
  ) -> Int32 {
    /// Where the note cannot be written, the end of the process tells.
    func close(_ attempt: AttemptFolder?, _ code: Int32) { try? attempt?.close(ExitNote(code: Int(code))) }
    var (places, members): ([Claimed], [RunGroup.Member]) = ([], [])
    var codes: [ContentKey: Int32] = [:]
    for task in tasks {
      do {
        let claimed = try claim(task)
        let stage: StudentStage = try claimed.request.decoded(as: StudentStage.self)
        if task != tasks[0] {
          claimed.workspace.ownLog = claimed.workspace.attempt.log
          claimed.workspace.note("Trained side by side with \(tasks[0].key.short), whose log says the rest.")
        }
        places.append(claimed)
        members.append(
          RunGroup.Member(run: stage.run, inputs: stage.inputs, workspace: claimed.workspace))
      } catch {
        let (code, text) = reason(error)
        codes[task.key] = say("\(task.key.short): \(text)", code)
        close(try? store.stage(task.key).attempts().first { $0.number == task.attempt }, code)
      }
    }
    RunGroup.run(members) { place, code in
      let (claimed, code) = (places[place], places[place].ending(code))
      claimed.heart.end()
      codes[claimed.request.key] = code
      close(claimed.workspace.attempt, code)
    }
    return codes[tasks[0].key] ?? WorkerExit.internalError
  }

  /// The exit code of what a run does, which is `finished` where it does it to the end. Whatever else it was
  /// stands in the attempt's log.
  static func code(in workspace: Workspace, _ work: () throws -> Void) -> Int32 {
    do {
      return try outcome(in: workspace, work)
    } catch {
      let (code, text) = reason(error)
      workspace.note(text)
      return code
    }
  }

  /// What an error that is no result means to the coordinator.
  private static func reason(_ error: any Error) -> (code: Int32, text: String) {
    let code =
      switch error {
      case is OtherProfile: WorkerExit.otherProfile
      case is TrainerEndedAgain: WorkerExit.repeated
      case is Contradiction: WorkerExit.contradicted
      case let error as FileError: error.isPassing ? WorkerExit.noRoom : WorkerExit.inputOutput
      case WorkerError.noThread: WorkerExit.noRoom
      case let error as StartFailure where error.isPassing: WorkerExit.noRoom
      default: WorkerExit.internalError
      }
    return (code, "\(error)")
  }

  static func run(_ request: StageRequest, in workspace: Workspace) throws -> Int32 {
    try outcome(in: workspace) { try request.stage.run(in: workspace) }
  }

  /// Failures that would happen again are results and become records; everything else is the machine's.
  private static func outcome(in workspace: Workspace, _ work: () throws -> Void) throws -> Int32 {
    do {
      try work()
      return WorkerExit.finished
    } catch is WorkerStopped {
      return WorkerExit.stopped
    } catch let error as TrainingDiverged {
      return try fail(
        FailureRecord(cause: .diverged, reason: error.description, epoch: error.epoch, step: error.step),
        workspace)
    } catch let error as TransferDiverged {
      return try fail(
        FailureRecord(cause: .diverged, reason: error.description, epoch: error.epoch, step: error.step),
        workspace)
    } catch let error as LabelError {
      return try fail(FailureRecord(cause: .data, reason: error.description), workspace)
    } catch let error as StateError {
      return try fail(FailureRecord(cause: .other, reason: error.description), workspace)
    } catch let error as TrainerFailed {
      return try fail(error.failure, workspace)
    } catch let error as DatasetError {
      return try fail(FailureRecord(cause: .data, reason: error.description), workspace)
    } catch let error as TrainerFault {
      return try fail(FailureRecord(cause: .other, reason: error.reason), workspace)
    } catch let error as TrainerProtocolError {
      return try fail(FailureRecord(cause: .other, reason: error.description), workspace)
    } catch let error as NoMapHead {
      return try fail(FailureRecord(cause: .other, reason: error.description), workspace)
    } catch let error as OtherRevision {
      return try fail(FailureRecord(cause: .other, reason: error.description), workspace)
    } catch let error as NoWholeBatch {
      return try fail(FailureRecord(cause: .other, reason: error.description), workspace)
    }
  }

  private static func fail(_ failure: FailureRecord, _ workspace: Workspace) throws -> Int32 {
    try workspace.stage.keepSpec()
    try workspace.record(.failed(failure))
    workspace.note(failure.reason)
    return WorkerExit.failed
  }

  private static func say(_ text: String, _ code: Int32) -> Int32 {
    WorkerLog.say(text)
    return code
  }
}
