import Foundation
@testable import Pipeline
import Specs
import Storage
import Sweeps
import Synchronization
import TestSupport
import Testing

/// A sweep that runs in this process: the planner, the coordinator, the bodies and the store of the
/// program, without its processes.
final class InProcessSweep: Sendable {
  let folder: TemporaryFolder
  let place: StoreFolder

  /// Six steps in two epochs, one teacher; every kind of stage in a fraction of a second.
  static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": {
        "dataset": "synthetic-1x8x8-2", "trainImages": 12, "testImages": 6, "batchSize": 4, "epochs": 2, "teacherEpochs": 1,
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 2] },
        "teachers": [{ "family": "cifar_resnet", "depth": 8, "widths": [2, 2, 2, 4] }]
      },
      "axes": { "method": ["baseline", "mtkd-rl"] }
    }
    """

  init(_ grid: String = InProcessSweep.grid) throws {
    folder = try TemporaryFolder()
    place = StoreFolder(folder.path("results"))
    try write(grid)
  }

  func write(_ grid: String) throws { try folder.write(Array(grid.utf8), to: "tiny.json") }

  /// - Parameter sharing: whether what runs share is made once for all of them.
  func plan(_ store: ResultStore? = nil, sharing: Bool = true) throws -> PlannedSweep {
    try SweepPlanner.plan(
      gridAt: folder.path("tiny.json"), dataFolders: [], store: store, recordsTeachers: sharing)
  }

  /// Plans, subtracts what is done, and goes on, as `run` does.
  @discardableResult
  func run(
    _ executor: InProcessExecutor = InProcessExecutor(), until stop: StopSignal = StopSignal(),
    sharing: Bool = true, observe: @escaping (RunEvent) -> Void = { _ in },
    changing: (inout PlannedSweep) -> Void = { _ in }
  ) async throws -> RunOutcome {
    try place.create()
    let lease = try Lease(of: place, now: 0)
    let store = try ResultStore(at: place, .writing)
    defer { _ = lease }
    var planned = try plan(store, sharing: sharing)
    changing(&planned)
    let coordinator = try Coordinator(
      planned, folder: place, store: store, executor: executor.bound(to: place), workers: 1, observe: observe)
    return try await coordinator.run(until: stop)
  }

  /// All that may depend on nothing but the grid: states and metrics of every epoch, digests of every
  /// checkpoint, metrics of every run.
  func evidence() throws -> [String] {
    let store = try ResultStore(at: place, .reading)
    return try store.stages().flatMap { stage, state in
      try ["\(stage.key.short) \(stage.kind) \(state)"]
        + store.curve(of: stage.key).map { "\($0.epoch) \($0.step) \($0.state) \($0.metrics.values)" }
        + store.checkpoints(of: stage.key).map { "\($0.kind) \($0.epoch) \($0.step) \($0.digest)" }
        + store.metrics(of: stage.key).values.map { "\($0.name) \($0.value)" }
    }
  }
}

/// Runs stages on the thread that asks, and interferes where a test wants it.
final class InProcessExecutor: Executor {
  static let name = "in-process"

  /// What happens to an attempt: called before its stage runs; may return an end of its own.
  typealias Meddling = @Sendable (_ attempt: Int, _ workspace: Workspace) -> JobEnd?

  private let place: StoreFolder?
  private let meddling: Meddling

  private let allowsOtherProfile: Bool

  init(allowsOtherProfile: Bool = false, _ meddling: @escaping Meddling = { _, _ in nil }) {
    place = nil
    self.allowsOtherProfile = allowsOtherProfile
    self.meddling = meddling
  }

  private init(_ other: InProcessExecutor, _ place: StoreFolder) {
    self.place = place
    allowsOtherProfile = other.allowsOtherProfile
    meddling = other.meddling
  }

  func bound(to place: StoreFolder) -> InProcessExecutor { InProcessExecutor(self, place) }

  func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    started(1)
    do {
      let place = try #require(place ?? Self.store(job))
      let stage = place.stage(job.key)
      let request = try StageRequest(document: AtomicFile.read(stage.spec))
      let attempt = try stage.attempts().last!
      try attempt.claim(now: 0)
      let workspace = try Workspace(
        store: place, stage: stage, attempt: attempt, dataFolder: Self.dataFolder(job),
        allowsOtherProfile: allowsOtherProfile, stop: StopSignal())
      if let end = meddling(attempt.number, workspace) { return end }
      return .exited(Int(try Worker.run(request, in: workspace)))
    } catch is Killed {
      return .killed(signal: 9)
    } catch let error as OtherProfile {
      try? Data("\(error)\n".utf8).write(to: URL(filePath: job.log))
      return .exited(Int(WorkerExit.otherProfile))
    } catch {
      try? Data("\(error)\n".utf8).write(to: URL(filePath: job.log))
      return .exited(Int(WorkerExit.internalError))
    }
  }

  /// Where the job itself says that its stage is.
  private static func store(_ job: Job) -> StoreFolder? {
    job.arguments.firstIndex(of: "--store").map { StoreFolder(job.arguments[$0 + 1]) }
  }

  private static func dataFolder(_ job: Job) -> String? {
    job.arguments.firstIndex(of: "--data-folder").map { job.arguments[$0 + 1] }
  }

  func stop(_ identifier: Int, atOnce: Bool) {}
}

/// Ends an attempt as SIGKILL does: between two steps, with nothing more written.
struct Killed: Error {}
