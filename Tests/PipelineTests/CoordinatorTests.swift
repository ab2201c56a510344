import Foundation
@testable import Pipeline
import Specs
import Storage
import Sweeps
import Synchronization
import TestSupport
import Testing

@Suite struct CoordinatorTests {
  private func students(_ sweep: InProcessSweep) throws -> [(
    title: String, state: StageState, key: ContentKey
  )] {
    try ResultStore(at: sweep.place, .reading).stages().filter { $0.stage.kind == "student" }.map {
      ($0.stage.title, $0.state, $0.stage.key)
    }
  }

  @Test func `a run that diverges is a result, is not tried again, and the others go on`() async throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"axes\": {", with: "\"axes\": { \"learningRate\": [0.05, 1e30],"))
    #expect(try await sweep.run() == .someFailed(2))
    let states = try students(sweep)
    #expect(states.count { $0.state == .finished } == 2)
    for (title, state, key) in states where state != .finished {
      guard case .failed(let failure) = state else { return #expect(Bool(false), "\(title): \(state)") }
      #expect(failure.cause == .diverged && failure.epoch != nil && failure.reason.contains("not finite"))
      #expect(try ResultStore(at: sweep.place, .reading).attempts(of: key).count == 1)
    }
    let started = Mutex(0)
    #expect(
      try await sweep.run(
        InProcessExecutor { _, _ in
          started.withLock { $0 += 1 }; return nil
        }) == .someFailed(2))
    #expect(started.withLock { $0 } == 0)
  }

  @Test func `a dataset with too few images fails with its reason, and blocks what reads it`() async throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"testImages\": 6", with: "\"testImages\": 100000000"))
    #expect(try await sweep.run() == .someFailed(2))
    let store = try ResultStore(at: sweep.place, .reading)
    guard case .failed(let failure)? = try store.stages().first(where: { $0.stage.kind == "dataset" })?.state
    else {
      return #expect(Bool(false), "the dataset failed")
    }
    #expect(failure.cause == .data && failure.reason.contains("testImages"))
    for (_, state, _) in try students(sweep) {
      guard case .blocked(let reason) = state else { return #expect(Bool(false), "\(state)") }
      #expect(reason.contains("failed"))
    }
  }

  @Test func `a worker that dies is started again within its budget, and no further`() async throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"axes\"", with: "\"run\": { \"retries\": 2 }, \"axes\""))
    let deaths = Mutex(0)
    let events = Mutex<[Int]>([])
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        workspace.afterStep = {
          deaths.withLock { $0 += 1 }; throw Killed()
        }
        return nil
      },
      observe: { event in
        if case .workerDied(_, let how, let tries, _) = event {
          events.withLock { $0.append(tries) }
          #expect(how.contains("killed by signal 9"))
        }
      })
    #expect(outcome == .someFailed(2))
    // The teacher three times, the baseline three times; what needs the teacher never starts.
    #expect(events.withLock { $0 } == [2, 1, 0, 2, 1, 0])
    for (_, state, _) in try students(sweep) {
      guard case .blocked = state else { return #expect(Bool(false), "\(state) is no result") }
    }
    #expect(try await sweep.run() == .allDone, "the next run tries again")
  }

  @Test func `an error of the program is a death with its sentence`() async throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"axes\"", with: "\"run\": { \"retries\": 0 }, \"axes\""))
    struct Trouble: Error, CustomStringConvertible { var description: String { "something odd" } }
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        workspace.afterStep = { throw Trouble() }
        return nil
      })
    #expect(outcome == .someFailed(2))
    let reasons = try students(sweep).compactMap {
      if case .blocked(let reason) = $0.state { reason } else { nil }
    }
    #expect(reasons.contains { $0.contains("code 70") && $0.contains("something odd") }, "\(reasons)")
  }

  @Test func `a worker that a stop reaches before it can listen counts as stopped, not as dead`() async throws
  {
    let sweep = try InProcessSweep()
    let stop = StopSignal()
    let isStopping = DispatchSemaphore(value: 0)
    let executor = InProcessExecutor { _, _ in
      stop.request()
      isStopping.wait()
      return .killed(signal: 15)
    }
    let events = Mutex<[RunEvent]>([])
    let outcome = try await sweep.run(executor, until: stop) { event in
      events.withLock { $0.append(event) }
      if case .stopping = event { isStopping.signal() }
    }
    #expect(outcome == .stopped)
    let seen = events.withLock { $0 }
    #expect(seen.contains { if case .stageStopped = $0 { true } else { false } })
    #expect(!seen.contains { if case .workerDied = $0 { true } else { false } })
    let store = try ResultStore(at: sweep.place, .reading)
    #expect(try store.stages().flatMap { try store.attempts(of: $0.stage.key) }.map(\.outcome) == [.stopped])
    // It goes on as if nothing had been.
    #expect(try await sweep.run() == .allDone)
  }

  @Test func `a disk that is full for a worker stops the sweep, says so once and loses nothing`() async throws
  {
    let sweep = try InProcessSweep()
    let full = Mutex(true)
    await #expect {
      try await sweep.run(
        InProcessExecutor { _, workspace in
          guard full.withLock({ $0 }) else { return nil }
          try? Data("Cannot write x: No space left on device.\n".utf8).write(
            to: URL(filePath: workspace.attempt.log))
          return .exited(Int(WorkerExit.inputOutput))
        })
    } throws: { error in
      guard let error = error as? WorkerCannotWrite else { return false }
      return error.reason.contains("No space left")
    }
    full.withLock { $0 = false }
    #expect(try await sweep.run() == .allDone)
  }

  @Test func `what finished before the store could take it in is found in its folder and not run again`()
    async throws
  {
    let (sweep, undisturbed) = (try InProcessSweep(), try InProcessSweep())
    try await undisturbed.run()
    let started = Mutex<[ContentKey]>([])
    let finished = Mutex<[ContentKey]>([])
    let counting = InProcessExecutor { _, workspace in
      started.withLock { $0.append(workspace.stage.key) }
      return nil
    }
    try sweep.place.create()
    let store = try ResultStore(at: sweep.place, .writing)
    let coordinator = try Coordinator(
      sweep.plan(store), folder: sweep.place, store: store, executor: counting.bound(to: sweep.place),
      workers: 1
    ) { event in
      // From here on nothing can be written.
      guard case .stageFinished(let title, _, _, _) = event else { return }
      finished.withLock { $0.append(title.key) }
      try? store.close()
    }
    await #expect(throws: StoreError.self) { _ = try await coordinator.run(until: StopSignal()) }
    #expect(try students(sweep).isEmpty)
    #expect(try await sweep.run(counting) == .allDone)
    // What was at work when the store failed may be begun once more.
    let before = finished.withLock { $0 }
    #expect(!before.isEmpty)
    for key in before { #expect(started.withLock { $0 }.count { $0 == key } == 1) }
    #expect(try sweep.evidence() == undisturbed.evidence())
  }

  @Test func `what made a result is recorded with it`() async throws {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let store = try ResultStore(at: sweep.place, .reading)
    let here = ProgramIdentity.provenance()
    for (stage, _) in try store.stages() {
      let attempts = try store.attempts(of: stage.key)
      #expect(attempts.map(\.outcome) == [.finished])
      let made = try #require(attempts.first?.provenance)
      #expect(made == here)
      #expect(
        made.version == ProgramIdentity.version && made.program != nil && !made.blas.isEmpty
          && !made.cpu.isEmpty && !made.host.isEmpty)
      #expect(made.profile.contains(made.blas) && made.profile.contains("1 thread"))
      // The specification says the dataset's digest and every resolved option.
      #expect(stage.spec.contains("digest"))
    }
  }

  /// A sweep stopped in its first student, whose records then say that another machine made them.
  private func interruptedElsewhere() async throws -> InProcessSweep {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"axes\"", with: "\"run\": { \"retries\": 0 }, \"axes\""))
    _ = try await sweep.run(
      InProcessExecutor { _, workspace in
        let steps = Mutex(0)
        workspace.afterStep = {
          if steps.withLock({
            $0 += 1; return $0
          }) == 5 {
            throw Killed()
          }
        }
        return nil
      })
    for key in try sweep.folder.names(in: "results/stages") {
      let path = "\(sweep.place.path)/stages/\(key)/attempts/1/records.jsonl"
      var reader = RecordReader(path)
      let records = try reader.next().map(\.record)
      try FileManager.default.removeItem(atPath: path)
      let writer = try RecordWriter(path)
      for record in records {
        guard case .started(let step, var made) = record else {
          try writer.append(record, sync: false)
          continue
        }
        made.profile = made.profile.replacing("single, 1 thread", with: "single, 2 threads")
        try writer.append(.started(step: step, made), sync: false)
      }
    }
    return sweep
  }

  @Test func `a snapshot of another numerics profile is not gone on from`() async throws {
    let sweep = try await interruptedElsewhere()
    #expect(try await sweep.run() == .someFailed(2))
    for (title, state, _) in try students(sweep) {
      guard case .blocked(let reason) = state else { return #expect(Bool(false), "\(title): \(state)") }
      #expect(reason.contains("2 threads") && reason.contains("--allow-other-profile"), "\(reason)")
    }
  }

  @Test func `with leave it is, and both profiles are recorded`() async throws {
    let sweep = try await interruptedElsewhere()
    #expect(try await sweep.run(InProcessExecutor(allowsOtherProfile: true)) == .allDone)
    let store = try ResultStore(at: sweep.place, .reading)
    for (_, _, key) in try students(sweep) {
      let profiles = try store.attempts(of: key).compactMap { $0.provenance?.profile }
      #expect(profiles.count == 2 && Set(profiles).count == 2, "\(profiles)")
    }
  }

  @Test(arguments: ["record", "stopCell", "stopSweep"])
  func `what a diverged run means for the others is the grid's to say`(_ rule: String) async throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing(
        "\"axes\": { \"method\": [\"baseline\", \"mtkd-rl\"] }",
        with:
          "\"axes\": { \"method\": [\"baseline\"], \"learningRate\": [1e30, 0.05] }, \"seeds\": [1, 2, 3], \"run\": { \"onDiverged\": \"\(rule)\" }"
      ))
    let outcome = try await sweep.run()
    let states = try students(sweep).map(\.state)
    let failed = states.count { if case .failed = $0 { true } else { false } }
    let blocked = states.count { if case .blocked = $0 { true } else { false } }
    let finished = states.count { $0 == .finished }
    switch rule {
    case "record": #expect(outcome == .someFailed(3) && (failed, blocked, finished) == (3, 0, 3))
    case "stopCell": #expect(outcome == .someFailed(3) && (failed, blocked, finished) == (1, 2, 3))
    default: #expect(outcome == .stopped && failed == 1 && blocked == 0 && finished < 3)
    }
    #expect(try await sweep.run() != .allDone || rule == "none")
  }

  @Test func `a second sweep with the same teachers does no teacher's work`() async throws {
    let sweep = try InProcessSweep()
    try await sweep.run()
    try sweep.write(
      InProcessSweep.grid.replacing("\"name\": \"tiny\"", with: "\"name\": \"other\"")
        .replacing("\"axes\": {", with: "\"axes\": { \"alpha\": [0.5, 2],"))
    let kinds = Mutex<[String]>([])
    let outcome = try await sweep.run(observe: { event in
      if case .stageStarted(let title, _, _) = event { kinds.withLock { $0.append(title.kind) } }
    })
    #expect(outcome == .allDone)
    #expect(
      kinds.withLock { $0 } == ["student", "student"], "two alphas of mtkd-rl; the baseline reads none")
  }
}
