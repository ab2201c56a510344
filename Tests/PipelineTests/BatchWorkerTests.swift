@testable import Pipeline
import Specs
import Storage
import Sweeps
import Synchronization
import TestSupport
import Testing

/// What a task of a cluster's array does with the stages of its list, without a cluster and with
/// workers that are made up.
@Suite struct BatchWorkerTests {
  /// Ends workers as it is told to, the first process first.
  private final class MadeUp: Executor {
    static let name = "made-up"
    private let ends: Mutex<[@Sendable ([AttemptFolder]) -> JobEnd]>
    private let store: StoreFolder
    private let started = Mutex<[[ContentKey]]>([])

    init(_ store: StoreFolder, _ ends: [@Sendable ([AttemptFolder]) -> JobEnd]) {
      self.store = store
      self.ends = Mutex(ends)
    }

    /// Stages of each process.
    var processes: [[ContentKey]] { started.withLock { $0 } }

    func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
      let others = job.arguments.indices.filter { job.arguments[$0] == "--with" }.compactMap {
        ContentKey(String(job.arguments[$0 + 1].prefix(64)))
      }
      let keys = [job.key] + others
      self.started.withLock { $0.append(keys) }
      let attempts = keys.compactMap { try? store.stage($0).attempts().last }
      let end = ends.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      return end?(attempts) ?? .exited(70)
    }

    func stop(_ identifier: Int, atOnce: Bool) {}
  }

  private let folder: TemporaryFolder
  private let store: StoreFolder
  private let keys: [ContentKey]

  init() throws {
    folder = try TemporaryFolder()
    store = StoreFolder(folder.path("store"))
    try store.create()
    var keys: [ContentKey] = []
    for images in 1...4 {
      let dataset = DatasetSpec(
        name: "made-up", digest: ContentKey(hashing: []), trainImages: images, testImages: 1)
      let stage = StageRequest(DatasetStage(dataset))
      try store.stage(stage.key).create(spec: stage.document)
      keys.append(stage.key)
    }
    self.keys = keys
  }

  /// A batch of one task with the first three stages in a group.
  private func worker(_ executor: MadeUp, slots: Int = 1) throws -> BatchWorker {
    let entries = keys.enumerated().map { place, key in
      BatchManifest.Entry(key: key, after: 0, group: place < 3 ? 5 : nil)
    }
    let manifest = BatchManifest(
      token: "t", sweep: "s", tasks: [entries], slots: slots, wallSeconds: nil, leadSeconds: 1, bin: nil)
    try store.batch("t").create(manifest: manifest.canonicalBytes, script: "")
    return try BatchWorker("t", task: 0, environment: [:], in: store, executor: executor)
  }

  private func code(_ key: ContentKey, _ attempt: Int) throws -> Int? {
    try store.stage(key).attempts()[attempt - 1].exitNote?.code
  }

  @Test func `runs of a group go into one process, and each has an end of its own`() async throws {
    let executor = MadeUp(
      store,
      [
        { attempts in
          try? attempts[1].close(ExitNote(code: 1))
          try? attempts[2].close(ExitNote(code: 0))
          return .exited(70)
        }
      ])
    #expect(try await worker(executor).run(until: StopSignal()) == 0)
    #expect(executor.processes == [Array(keys.prefix(3)), [keys[0]], [keys[3]]])
    #expect(try code(keys[1], 1) == 1 && code(keys[2], 1) == 0 && code(keys[3], 1) == 70)
    // The process's own code may be that of another: one without a note was lost, and goes on alone.
    #expect(try store.stage(keys[0]).attempts()[0].exitNote?.reason?.contains("70") == true)
    #expect(try code(keys[0], 1) == nil && code(keys[0], 2) == 70)
  }

  @Test func `runs whose process was killed go on alone, but for those that had ended`() async throws {
    let executor = MadeUp(
      store,
      [
        { attempts in
          try? attempts[0].close(ExitNote(code: 1))
          return .killed(signal: 9)
        }
      ])
    #expect(try await worker(executor).run(until: StopSignal()) == 0)
    #expect(executor.processes.count == 4 && executor.processes[0] == Array(keys.prefix(3)))
    #expect(try code(keys[0], 1) == 1)
    for key in keys[1...2] {
      #expect(try store.stage(key).attempts()[0].exitNote?.signal == 9)
      #expect(executor.processes.contains([key]))
    }
  }

  @Test func `a stop leaves them to another life, which takes them together again`() async throws {
    let stop = StopSignal()
    let first = MadeUp(
      store,
      [
        { attempts in
          for attempt in attempts { try? attempt.close(ExitNote(code: 75)) }
          stop.request()
          return .exited(75)
        }
      ])
    let task = try worker(first)
    #expect(try await task.run(until: stop) == 75)
    #expect(try first.processes == [Array(keys.prefix(3))] && task.wantsAnotherLife())
    let second = MadeUp(store, [])
    _ = try await BatchWorker("t", task: 0, environment: [:], in: store, executor: second)
      .run(until: StopSignal())
    #expect(second.processes.first == Array(keys.prefix(3)))
  }

  @Test func `processors share the runs of a task`() async throws {
    let executor = MadeUp(store, [])
    _ = try await worker(executor, slots: 2).run(until: StopSignal())
    #expect(executor.processes.contains([keys[0], keys[1]]) && executor.processes.contains([keys[2]]))
  }
}
