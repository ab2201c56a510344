import Foundation
import Testing

/// Standard streams that are closed, full, or gone, and signals that were ignored before the program began.
@Suite struct StandardStreamTests {
  /// The tiny sweep with so many epochs that it is still going when a stream is lost.
  private static let longGrid = TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 400")

  private static let shortGrid = TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1")

  private func code(_ line: String, _ sweep: TinySweep) throws -> Program.Output {
    try Program.shell("\(line); echo \"code $?\"", in: sweep.folder)
  }

  @Test func `a stream that cannot be written is an exit code, never a trap`() throws {
    let sweep = try TinySweep(grid: Self.shortGrid)
    defer { sweep.remove() }
    // Errors of the grid, of the parser and of the store, with nowhere to go.
    for arguments in [
      "check absent.json", "report", "nonsense", "run --workers 0 tiny.json", "plan tiny.json",
    ] {
      for stream in ["2>/dev/full", "2>&-", "2>&- >&-", "<&- 2>&-"] {
        let output = try code("\"$PROGRAM\" \(arguments) \(stream)", sweep)
        let number = Int(output.out.split(separator: " ").last?.trimmingCharacters(in: .newlines) ?? "") ?? -1
        #expect((0...78).contains(number), "\(arguments) \(stream): \(output.out) \(output.talk)")
      }
    }
    #expect(try Program.run("run", "tiny.json", "-q", in: sweep.folder).status == 0)
    for arguments in [
      "report", "list", "plan tiny.json", "--help", "help statistics", "export", "models", "doctor",
    ] {
      let full = try code("\"$PROGRAM\" \(arguments) > /dev/full", sweep)
      #expect(full.out.isEmpty || full.out == "code 74\n", "\(arguments): \(full.out)")
      #expect(full.talk.contains("standard output"), "\(arguments): \(full.talk)")
      let closed = try Program.shell(
        "(\"$PROGRAM\" \(arguments); echo \"code $?\" >&2) | true", in: sweep.folder)
      // A plan may warn about its grid; it says nothing about the pipe.
      let isQuiet = !closed.talk.contains("rror") && !closed.talk.contains("standard output")
      #expect(closed.talk.hasSuffix("code 0\n") && isQuiet, "\(arguments): \(closed.talk)")
    }
  }

  @Test func `a run whose table cannot be printed exits with 74 and keeps its results`() throws {
    let sweep = try TinySweep(grid: Self.shortGrid)
    defer { sweep.remove() }
    let full = try code("\"$PROGRAM\" run tiny.json > /dev/full", sweep)
    #expect(full.talk.contains("standard output"), "\(full.talk)")
    #expect(full.out == "code 74\n", "\(full.out)")
    let report = try Program.run("report", "--require-complete", in: sweep.folder)
    #expect(report.status == 0, "\(report.talk)")
  }

  /// Starts a line of shell and waits until a worker is at work.
  private func start(_ line: String, _ sweep: TinySweep) throws -> Program.Running {
    let run = try Program.start(
      executable: URL(filePath: "/bin/sh"), ["-c", line], in: sweep.folder, environment: [:])
    let deadline = Date.now + 120
    while try sweep.workersAlive().isEmpty, run.process.isRunning, Date.now < deadline { usleep(2000) }
    return run
  }

  @Test func `a run that nobody hears any more writes snapshots and stops`() throws {
    for reader in ["head -n 1 > /dev/null", "sh -c 'read line; kill -9 $$'"] {
      let sweep = try TinySweep(grid: Self.longGrid)
      defer { sweep.remove() }
      let run = try start("(\"$PROGRAM\" run tiny.json -v 2>&1; echo $? > code) | \(reader)", sweep)
      _ = try run.finish()
      #expect(try Program.shell("cat code", in: sweep.folder).out == "75\n", "\(reader)")
      #expect(try sweep.workersAlive().isEmpty)
      #expect(try Program.run("status", in: sweep.folder).status == 0)
    }
  }

  @Test func `with SIGHUP ignored, a run without its streams goes on and says so in the store`() throws {
    let sweep = try TinySweep(grid: Self.shortGrid)
    defer { sweep.remove() }
    let run = try Program.shell(
      "trap '' HUP; \"$PROGRAM\" run tiny.json > /dev/full 2> /dev/full; echo \"code $?\"", in: sweep.folder)
    #expect(run.out == "code 0\n", "\(run.out)")
    let diary = try Program.shell("cat results/sweeps/tiny.log", in: sweep.folder).out
    #expect(diary.contains("SIGHUP is ignored") && diary.contains("runs asked for"), "\(diary)")
    #expect(diary.contains("mtkd-rl"), "the table is there too: \(diary)")
    let status = try Program.run("status", in: sweep.folder)
    #expect(status.out.contains("tiny.log"), "\(status.out)")
  }

  @Test func `signals that were ignored stay ignored`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    let run = try start("trap '' HUP INT; exec \"$PROGRAM\" run tiny.json", sweep)
    try #require(run.process.isRunning, "\(run.talkSoFar)")
    run.signal(SIGHUP)
    run.signal(SIGINT)
    run.signal(SIGHUP)
    usleep(600_000)
    #expect(run.process.isRunning && !run.talkSoFar.contains("Stopping"), "\(run.talkSoFar)")
    run.signal(SIGTERM)
    #expect(try run.finish().status == 75)
  }

  /// Whether a process does something of its own at SIGTERM, as the kernel knows.
  private func isKept(_ process: Int32) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
    let caught = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
    return caught >> (SIGTERM - 1) & 1 == 1
  }

  @Test func `a signal that comes before anybody listens is a wish to stop`() throws {
    let sweep = try TinySweep(grid: Self.longGrid)
    defer { sweep.remove() }
    for pause in stride(from: 0, through: 30_000, by: 3000) {
      let run = try Program.start(["run", "tiny.json"], in: sweep.folder)
      // Before that the program's own code has not begun: the kernel and the dynamic linker are at work.
      while run.process.isRunning, !isKept(run.process.processIdentifier) {}
      usleep(UInt32(pause))
      run.signal(SIGTERM)
      let output = try run.finish()
      #expect(output.status == 75, "\(pause): \(output.status) \(output.talk)")
    }
  }

  @Test func `a preloaded library that moves the environment takes no arguments away`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
    try #require(FileManager.default.fileExists(atPath: library))
    let output = try Program.shell("LD_PRELOAD=\(library) \"$PROGRAM\" plan tiny.json", in: sweep.folder)
    #expect(output.status == 0 && output.out.contains("4 runs"), "\(output.out) \(output.talk)")
  }
}
