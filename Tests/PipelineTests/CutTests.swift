import Foundation
@testable import Pipeline
import Specs
@testable import Storage
import Sweeps
import Synchronization
import TestSupport
import Testing

/// Whatever cuts a run, and wherever: the same command goes on and ends with the same bits.
@Suite struct CutTests {
  private static let calm = Task {
    let sweep = try InProcessSweep()
    let outcome = try await sweep.run()
    guard outcome == .allDone else { throw Killed() }
    return try sweep.evidence()
  }

  /// Kills every attempt whose number is in `cuts` after so many of its steps.
  private func killing(_ cuts: [Int: Int]) -> InProcessExecutor {
    InProcessExecutor { attempt, workspace in
      guard let cut = cuts[attempt] else { return nil }
      let steps = Mutex(0)
      workspace.afterStep = {
        let step = steps.withLock {
          $0 += 1; return $0
        }
        if step == cut { throw Killed() }
      }
      return nil
    }
  }

  @Test(arguments: 1...6)
  func `a run killed after any step ends with the bits of a calm one`(_ cut: Int) async throws {
    let sweep = try InProcessSweep()
    #expect(try await sweep.run(killing([1: cut])) == .allDone)
    #expect(try sweep.evidence() == (try await Self.calm.value))
  }

  @Test func `a run killed again and again ends with the bits of a calm one`() async throws {
    let sweep = try InProcessSweep(
      InProcessSweep.grid.replacing("\"axes\"", with: "\"run\": { \"retries\": 10 }, \"axes\""))
    // Each attempt gets one epoch further at most, and several none.
    #expect(try await sweep.run(killing([1: 1, 2: 2, 3: 5, 4: 1, 5: 2])) == .allDone)
    #expect(try sweep.evidence() == (try await Self.calm.value))
  }

  @Test(arguments: 1...5)
  func `a run asked to leave after any step writes a snapshot there and goes on from it`(_ cut: Int)
    async throws
  {
    let sweep = try InProcessSweep()
    let outcome = try await sweep.run(
      InProcessExecutor { attempt, workspace in
        guard attempt == 1 else { return nil }
        let steps = Mutex(0)
        workspace.afterStep = {
          if steps.withLock({
            $0 += 1; return $0
          }) == cut {
            workspace.requestStop()
          }
        }
        return nil
      })
    #expect(outcome == .allDone)
    #expect(try sweep.evidence() == (try await Self.calm.value))
    // A stage that was stopped in the middle went on where it was: no step was taken twice.
    let store = try ResultStore(at: sweep.place, .reading)
    let students = try store.stages().filter { $0.stage.kind == "student" }
    for (stage, _) in students {
      let attempts = try store.attempts(of: stage.key)
      if cut < 6 - 1 { #expect(attempts.map(\.firstStep) == [0, cut + 1], "\(stage.title)") }
    }
  }

  @Test func `damaged snapshots cost steps and no bits`() async throws {
    let sweep = try InProcessSweep()
    let outcome = try await sweep.run(
      InProcessExecutor { attempt, workspace in
        if attempt == 1 {
          let steps = Mutex(0)
          workspace.afterStep = {
            if steps.withLock({
              $0 += 1; return $0
            }) == 5 {
              throw Killed()
            }
          }
        } else {
          for name in (try? sweep.folder.names(in: "results/stages/\(workspace.stage.key)/attempts/1")) ?? []
          where name.hasSuffix(".zst") {
            try? sweep.folder.write(
              [1, 2, 3], to: "results/stages/\(workspace.stage.key)/attempts/1/\(name)")
          }
        }
        return nil
      })
    #expect(outcome == .allDone)
    #expect(try sweep.evidence() == (try await Self.calm.value))
  }

  @Test func `a snapshot of a run's end is no place to go on from: the run starts again`() async throws {
    let (ended, sweep) = (try InProcessSweep(), try InProcessSweep())
    try await ended.run()
    let planted = Mutex(0)
    let outcome = try await sweep.run(
      InProcessExecutor { attempt, workspace in
        if attempt == 1 {
          workspace.afterStep = { throw Killed() }
        } else if let output = try? ended.place.stage(workspace.stage.key).published(),
          let last = try? output.read(TrainingBody.lastFile)
        {
          try? workspace.attempt.snapshots.write(Storage.Snapshot(step: 6, bytes: last))
          planted.withLock { $0 += 1 }
        }
        return nil
      })
    #expect(outcome == .allDone)
    #expect(planted.withLock { $0 } == 3)
    #expect(try sweep.evidence() == (try await Self.calm.value))
  }

  @Test func `a coordinator that was killed before it took a result in finds it in its folder`() async throws
  {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let expected = try sweep.evidence()
    // The store is gone and the folders are there, as after a kill at the worst instant.
    for name in ["store.sqlite", "store.sqlite-journal"] {
      try? FileManager.default.removeItem(atPath: sweep.folder.path("results/\(name)"))
    }
    let started = Mutex(0)
    let outcome = try await sweep.run(
      InProcessExecutor { _, _ in
        started.withLock { $0 += 1 }; return nil
      })
    #expect(outcome == .allDone)
    #expect(started.withLock { $0 } == 0, "nothing runs again")
    #expect(try sweep.evidence() == expected)
  }

  @Test func `a finished sweep starts nothing`() async throws {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let events = Mutex<[RunEvent]>([])
    #expect(try await sweep.run(observe: { event in events.withLock { $0.append(event) } }) == .allDone)
    #expect(events.withLock { $0.count } == 1, "the plan, and nothing else")
  }

  @Test func `teachers whose files are gone are put back from the store`() async throws {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let store = try ResultStore(at: sweep.place, .reading)
    let teacher = try #require(try store.stages().first { $0.stage.kind == "teacher" }).stage.key
    let before = try #require(try sweep.place.stage(teacher).published()).names.map {
      try sweep.place.stage(teacher).published()!.read($0)
    }
    try AtomicFile.removeFolder(sweep.place.stage(teacher).path)
    try sweep.write(InProcessSweep.grid.replacing("\"axes\"", with: "\"seeds\": [1, 2], \"axes\""))
    let kinds = Mutex<[String]>([])
    let outcome = try await sweep.run(observe: { event in
      if case .stageStarted(let title, _, _) = event { kinds.withLock { $0.append(title.kind) } }
    })
    #expect(outcome == .allDone)
    #expect(kinds.withLock { $0 } == ["student", "student"])
    let after = try #require(try sweep.place.stage(teacher).published())
    #expect(try after.names.map { try after.read($0) } == before)
  }
}
