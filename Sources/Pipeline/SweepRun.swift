internal import Foundation
public import Specs
internal import Storage
internal import Sweeps

/// A grid that a program plans and runs by itself, without the command line.
///
///     let sweep = SweepRun(gridAt: "grid.json", store: "results")
///     try await sweep.run(executor: "local", workers: 4)
///
/// The store is the one that `mtkd-sweep --store` reads, and what is done is not done again.
public struct SweepRun: Sendable {
  /// How a run ended.
  public enum Outcome: Equatable, Sendable {
    /// Every run has its numbers.
    case allDone
    /// So many runs have none.
    case someFailed(Int)
  }

  /// A stage of the plan, by what a person calls it, with its numbers once it has finished.
  public struct Stage: Hashable, Sendable {
    /// Of its result in the store.
    public let key: ContentKey
    /// Such as `dataset` or `student`.
    public let kind: String
    /// What a person calls it, such as `teacher resnet56 seed 2`.
    public let title: String
    /// By their names; empty before the stage has finished.
    public let metrics: [String: Double]
  }

  private let grid: String
  private let folder: StoreFolder
  private let dataFolders: [String]

  /// - Parameters:
  ///   - path: of the grid file.
  ///   - store: folder of the results; made by `run` where it is not there.
  ///   - dataFolders: folders of datasets, searched in order.
  public init(gridAt path: String, store: String, dataFolders: [String] = []) {
    grid = path
    folder = StoreFolder(store)
    self.dataFolders = dataFolders
  }

  /// Every stage that the grid asks for, in the order of the plan. Nothing is run, and nothing is written.
  ///
  /// - Throws: errors that say what is wrong with the grid, its files or the store.
  public func stages() throws -> [Stage] {
    let store =
      FileManager.default.fileExists(atPath: folder.database) ? try ResultStore(at: folder, .reading) : nil
    let planned = try plan(store)
    let names = planned.expansion.names
    return try planned.plan.stages.map { stage in
      let metrics = try store.map { try $0.metrics(of: stage.key).values } ?? []
      return Stage(
        key: stage.key, kind: stage.kind, title: stage.title(names),
        metrics: Dictionary(metrics.map { ($0.name, $0.value) }) { $1 })
    }
  }

  /// Runs what the store does not have yet.
  ///
  /// - Parameters:
  ///   - executor: its name; not one of a cluster, whose jobs outlive the call.
  ///   - options: of the executor, by their names.
  ///   - workers: how many stages run at a time, where the executor does not say it.
  /// - Throws: `NoWorkers` for a cluster, and errors that say what is wrong with the grid, its files or the
  ///   store.
  @discardableResult
  public func run(
    executor name: String = "local", options: [String: String] = [:], workers: Int = 1
  ) async throws -> Outcome {
    guard let program = ProgramIdentity.executable?.path else { throw NoWorkers(executor: name) }
    let folder = folder
    @Sendable func attempt(_ job: Job) -> AttemptFolder? { try? folder.stage(job.key).attempts().last }
    let request = ExecutorRequest(
      program: program, environment: ProgramIdentity.environment(of: program), options: options,
      attempts: AttemptAccess(
        askToStop: { try? attempt($0)?.askToStop() }, hasBegun: { attempt($0)?.holder != nil }))
    guard case .workers(let executor, let count) = try Catalog.executors.entry(name).make(request) else {
      throw NoWorkers(executor: name)
    }
    try folder.create()
    let lease = try Lease(of: folder, now: Int(Date.now.timeIntervalSince1970))
    let store = try ResultStore(at: folder, .writing)
    let planned = try plan(store)
    try TeacherWeights.take(in: planned, WeightsFolder(folder))
    let coordinator = try Coordinator(
      planned, folder: folder, store: store, executor: executor, workers: count ?? workers, observe: { _ in })
    let outcome = try await coordinator.run(until: StopSignal())
    withExtendedLifetime(lease) {}
    if case .someFailed(let failures) = outcome { return .someFailed(failures) }
    return .allDone
  }

  private func plan(_ store: ResultStore?) throws -> PlannedSweep {
    try SweepPlanner.plan(gridAt: grid, dataFolders: dataFolders, in: folder, store: store)
  }
}

/// An executor under which a program cannot run a sweep by itself.
public struct NoWorkers: Error, Equatable, CustomStringConvertible {
  /// As the call named it.
  public let executor: String

  public var description: String {
    "The executor \(executor) starts no workers that this call could wait for. Take `mtkd-sweep run`, or "
      + "another executor."
  }
}
