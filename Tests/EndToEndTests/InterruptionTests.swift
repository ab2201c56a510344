import Foundation
import Testing

/// Whatever happens to the processes, the same command goes on and ends with the same bits.
@Suite struct InterruptionTests {
  /// What a finished store says: the table, and of each run the digests of every epoch's state and of its checkpoints.
  private func evidence(_ sweep: TinySweep, store: String = "results") throws -> String {
    let report = try Program.run("report", "--store", store, "--format", "json", in: sweep.folder)
    #expect(report.status == 0, "\(report.talk)")
    let digests = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    #expect(digests.status == 0, "\(digests.talk)")
    #expect(digests.out.contains("final"))
    return report.out + digests.out
  }

  private func undisturbed(_ sweep: TinySweep) throws -> String {
    let output = try Program.run("run", "tiny.json", "--store", "calm", in: sweep.folder)
    try #require(output.status == 0, "\(output.talk)")
    return try evidence(sweep, store: "calm")
  }

  @Test func `a sweep killed fifty times ends with the bits of a calm one`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let expected = try undisturbed(sweep)
    var instants = SystemRandomNumberGenerator()
    var kills = 0
    var store = 0
    // A sweep may finish before its share of kills is used up; then the next one starts from nothing.
    while kills < 50 {
      store += 1
      try #require(store < 200)
      var ended = false
      while !ended {
        let run = try Program.start(["run", "tiny.json", "--store", "storm\(store)"], in: sweep.folder)
        let deadline = Date.now + .random(in: 0.02...0.6, using: &instants)
        while run.process.isRunning, Date.now < deadline { usleep(1000) }
        if run.process.isRunning, kills < 50 {
          if kills % 3 == 0, let worker = try sweep.workersAlive().first { kill(worker, SIGKILL) }
          run.signal(SIGKILL)
          kills += 1
          _ = try run.finish()
        } else {
          let output = try run.finish()
          #expect(output.status == 0, "\(output.talk)")
          ended = true
        }
      }
      #expect(try evidence(sweep, store: "storm\(store)") == expected, "after \(kills) kills")
    }
  }

  @Test func `one worker and four give the same bytes`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    for workers in ["1", "4"] {
      let output = try Program.run(
        "run", "tiny.json", "--store", workers, "--workers", workers, in: sweep.folder)
      #expect(output.status == 0, "\(output.talk)")
    }
    #expect(try evidence(sweep, store: "1") == evidence(sweep, store: "4"))
  }

  /// The tiny sweep with so many epochs that it is still going when the test interferes.
  private static let longGrid = TinySweep.grid.replacingOccurrences(
    of: "\"epochs\": 3", with: "\"epochs\": 400")

  /// Starts a long run and waits until a worker is at work.
  private func startLong(_ sweep: TinySweep) throws -> Program.Running {
    let run = try Program.start(["run", "tiny.json"], in: sweep.folder)
    let deadline = Date.now + 30
    while try sweep.workersAlive().isEmpty, run.process.isRunning, Date.now < deadline { usleep(2000) }
    try #require(run.process.isRunning, "\(run.talkSoFar)")
    return run
  }

  @Test func `an interrupt writes snapshots and leaves with 75, and the next run goes on`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    let run = try startLong(sweep)
    usleep(500_000)
    run.signal(SIGINT)
    let asked = Date.now
    let output = try run.finish()
    #expect(output.status == 75, "\(output.talk)")
    #expect(Date.now.timeIntervalSince(asked) < 5)
    #expect(output.talk.contains("run tiny.json"), "the next command is named: \(output.talk)")
    #expect(try sweep.workersAlive().isEmpty)
    let status = try Program.run("status", in: sweep.folder)
    #expect(status.status == 0, "\(status.talk)")
  }

  @Test func `a second interrupt leaves at once with 130`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    let run = try startLong(sweep)
    run.signal(SIGINT)
    run.signal(SIGINT)
    usleep(100_000)
    run.signal(SIGINT)
    let output = try run.finish()
    #expect(output.status == 130 || output.status == 75, "\(output.talk)")
    #expect(try sweep.workersAlive().isEmpty)
  }

  @Test func `no worker outlives its coordinator by two seconds`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    let run = try startLong(sweep)
    run.signal(SIGKILL)
    _ = try run.finish()
    let deadline = Date.now + 2
    while try !sweep.workersAlive().isEmpty, Date.now < deadline { usleep(10_000) }
    #expect(try sweep.workersAlive().isEmpty)
  }

  @Test func `a second run is told who holds the store`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    let first = try startLong(sweep)
    let second = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(second.status == 69, "\(second.talk)")
    #expect(second.talk.contains("\(first.process.processIdentifier)"), "\(second.talk)")
    #expect(second.talk.contains("status"), "\(second.talk)")
    first.signal(SIGKILL)
    _ = try first.finish()
  }
}
