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
  /// Processes, descriptors or memory had run out: later, with fewer workers beside it, the same attempt may succeed.
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
      "spec.json of \(expected.short) is that of \(found.short): it was changed. Remove the stage's folder and run again."
    case .noThread(let errno): "Cannot start a thread (\(String(cString: strerror(errno))))."
    }
  }
}

/// A worker's life: claim, restore, run, snapshot on request, publish.
public enum Worker {
  /// - Returns: the exit code.
  ///
  /// - Parameters:
  ///   - job: what a cluster calls the job that this process runs in.
  ///   - asksTeachers: whether teachers are asked even where their outputs were written down.
  ///   - logLimit: bytes that the attempt's log may have.
  ///   - threads: that the work of an operation is divided among; they decide no bit.
  package static func run(
    _ key: ContentKey, attempt number: Int, in store: StoreFolder, dataFolder: String?, job: String? = nil,
    asksTeachers: Bool = false, allowsOtherProfile: Bool = false, threads: Int = 1,
    logLimit: Int = WorkerOptions.standardLogLimit
  ) -> Int32 {
    WorkerSignals.install()
    let device = Device(threads: threads)
    if device.threads < threads {
      Workspace.say("\(device.threads) of \(threads) threads could be had.")
    }
    do {
      try WorkerSignals.dieWithParent()
      let stage = store.stage(key)
      let request = try StageRequest(document: AtomicFile.read(stage.spec))
      guard request.key == key else { throw WorkerError.otherKey(expected: key, found: request.key) }
      guard let attempt = try stage.attempts().first(where: { $0.number == number }) else {
        throw WorkerError.noAttempt(key, number: number)
      }
      try attempt.claim(now: Int(Date.now.timeIntervalSince1970), job: job)
      let heart = try Heart(of: attempt, in: stage, stop: WorkerSignals.stop, logLimit: logLimit)
      defer { heart.end() }
      let workspace = try Workspace(
        store: store, stage: stage, attempt: attempt, dataFolder: dataFolder, asksTeachers: asksTeachers,
        allowsOtherProfile: allowsOtherProfile, stop: WorkerSignals.stop)
      let code = try device.run { try run(request, in: workspace) }
      return code == WorkerExit.stopped && heart.isSuperseded ? WorkerExit.superseded : code
    } catch let error as OtherProfile {
      return say("\(error)", WorkerExit.otherProfile)
    } catch let error as TrainerEndedAgain {
      return say("\(error)", WorkerExit.repeated)
    } catch let error as Contradiction {
      return say("\(error)", WorkerExit.contradicted)
    } catch let error as FileError {
      return say("\(error)", error.isPassing ? WorkerExit.noRoom : WorkerExit.inputOutput)
    } catch WorkerError.noThread(let code) {
      return say("\(WorkerError.noThread(errno: code))", WorkerExit.noRoom)
    } catch let error as StartFailure where error.isPassing {
      return say("\(error)", WorkerExit.noRoom)
    } catch {
      return say("\(error)", WorkerExit.internalError)
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

  /// Failures that would happen again are results and become records; everything else is the machine's.
  static func run(_ request: StageRequest, in workspace: Workspace) throws -> Int32 {
    do {
      try request.stage.run(in: workspace)
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
    return say(failure.reason, WorkerExit.failed)
  }

  private static func say(_ text: String, _ code: Int32) -> Int32 {
    WorkerLog.say(text)
    return code
  }
}
