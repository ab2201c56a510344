import Foundation
import Testing

/// Whatever happens to the processes, the same command goes on and ends with the same bits.
@Suite struct InterruptionTests {
  /// What a finished store says: the table, and of each run the digests of every epoch's
  /// state and of its checkpoints.
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
    let deadline = Date.now + 120
    while try sweep.workersAlive().isEmpty, run.process.isRunning, Date.now < deadline { usleep(2000) }
    try #require(run.process.isRunning, "\(run.talkSoFar)")
    return run
  }

  /// Workers end with the process that started them: in two seconds, on a machine full of tests in twenty.
  private func expectNoWorker(of sweep: TinySweep) throws {
    let deadline = Date.now + 20
    while try !sweep.workersAlive().isEmpty, Date.now < deadline { usleep(10_000) }
    #expect(try sweep.workersAlive().isEmpty)
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
    #expect(Date.now.timeIntervalSince(asked) < 30)
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
    try expectNoWorker(of: sweep)
  }

  @Test func `no worker outlives its coordinator by two seconds`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    let run = try startLong(sweep)
    run.signal(SIGKILL)
    _ = try run.finish()
    try expectNoWorker(of: sweep)
  }

  /// A worker that hangs is one whose process is there and does nothing: held still, it answers no signal
  /// but the one that ends it.
  @Test func `a worker that hangs is ended after its time and its stage goes on with the same bits`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let expected = try undisturbed(sweep)
    let run = try Program.start(
      ["run", "tiny.json", "--workers", "1", "--silence", "45"], in: sweep.folder)
    let deadline = Date.now + 120
    var held: Int32?
    // One that was about to end anyway cannot be held any more; then the next one is.
    while held == nil, run.process.isRunning, Date.now < deadline {
      for worker in try sweep.workersAlive() where hasClaimed(worker, sweep) && isHeld(worker) {
        held = worker
      }
      usleep(1000)
    }
    let worker = try #require(held, "\(run.talkSoFar)")
    let output = try run.finish()
    #expect(output.status == 0, "\(output.talk)")
    #expect(output.talk.contains("no sign of life for 45 s"), "\(output.talk)")
    #expect(kill(worker, 0) != 0, "it was ended")
    #expect(try evidence(sweep) == expected)
  }

  /// Holds a process still. False where it ended meanwhile.
  private func isHeld(_ process: Int32) -> Bool {
    guard kill(process, SIGSTOP) == 0 else { return false }
    usleep(50_000)
    let line = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return line.split(separator: ")").last?.split(separator: " ").first == "T"
  }

  /// Whether a worker has said that its attempt is its own: from then on its silence is counted.
  private func hasClaimed(_ worker: Int32, _ sweep: TinySweep) -> Bool {
    let stages = sweep.folder.appending(path: "results/stages")
    let names = FileManager.default.subpaths(atPath: stages.path) ?? []
    return names.contains { name in
      name.hasSuffix("/claim")
        && (try? String(contentsOf: stages.appending(path: name), encoding: .utf8))?
          .contains("\"process\":\(worker),") == true
    }
  }

  @Test
  func `a stage that takes longer than it may leaves with a snapshot, call after call, to the same bits`()
    throws
  {
    let grid = Self.longGrid.replacingOccurrences(of: #"["baseline", "mtkd-rl"]"#, with: #"["mtkd-rl"]"#)
      .replacingOccurrences(of: "\"epochs\": 400", with: "\"epochs\": 200")
      .replacingOccurrences(of: #""count": 2"#, with: #""count": 1"#)
    let sweep = try TinySweep(grid: grid)
    defer { sweep.remove() }
    let expected = try undisturbed(sweep)
    var stopped = 0
    while stopped < 3 {
      let output = try Program.run("run", "tiny.json", "--minutes", "0.001", in: sweep.folder)
      if output.status == 0 { break }
      stopped += 1
      #expect(output.status == 1 && output.talk.contains("longer than the 0.001 minutes"), "\(output.talk)")
    }
    #expect(stopped > 0, "it was stopped at least once")
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try evidence(sweep) == expected)
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
