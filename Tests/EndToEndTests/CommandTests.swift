import Foundation
import Specs
import Storage
import TestSupport
import Testing

/// Commands as people and scripts meet them: what goes to which stream, exit codes, and what JSON says.
@Suite struct CommandTests {
  /// A sweep that has run once, shared by tests that only read.
  private static let finished = Result { () throws -> TinySweep in
    let sweep = try TinySweep()
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    guard output.status == 0 else { throw NotFinished(talk: output.talk) }
    return sweep
  }

  private struct NotFinished: Error { let talk: String }

  private func json(_ arguments: String..., in sweep: TinySweep) throws -> [String: JSONValue] {
    let output = try Program.start(arguments, in: sweep.folder).finish()
    #expect(output.status == 0, "\(arguments): \(output.talk)")
    return try #require(
      try JSONReader.read(Array(output.out.utf8)).value.object, "\(arguments): \(output.out)")
  }

  // Reading

  @Test func `every reading command speaks JSON and names its schema`() throws {
    let sweep = try Self.finished.get()
    let list = try json("list", "tiny", "--json", in: sweep)
    let key = try #require(list["runs"]?.array?.first?.object?["key"]?.string)
    let commands: [([String], String)] = [
      (["check", "tiny.json"], "check-1"), (["plan", "tiny.json"], "plan-1"), (["status"], "status-1"),
      (["list"], "list-1"),
      (["list", "tiny"], "runs-1"), (["list", "--digests"], "digests-1"), (["show", key], "run-1"),
      (["models"], "models-1"),
      (["models", "resnet8"], "models-1"), (["methods"], "methods-1"), (["methods", "mtkd-rl"], "methods-1"),
      (["datasets"], "datasets-1"),
      (["presets"], "presets-1"), (["doctor"], "doctor-1"),
    ]
    for (command, schema) in commands {
      let output = try Program.start(command + ["--json"], in: sweep.folder).finish()
      #expect(output.status == 0, "\(command): \(output.talk)")
      let value = try JSONReader.read(Array(output.out.utf8)).value
      #expect(value.object?["schema"] == .string("mtkd-sweep-\(schema)"), "\(command): \(output.out)")
      #expect(output.out.hasSuffix("}\n") && !output.out.dropLast().contains("\n"), "\(command): one line")
    }
    let report = try json("report", "--format", "json", in: sweep)
    #expect(report["schema"]?.string?.hasPrefix("mtkd-sweep-report-") == true)
    #expect(try json("schema", in: sweep)["$schema"] != nil)
  }

  @Test func `status, list and show agree on what there is`() throws {
    let sweep = try Self.finished.get()
    let status = try json("status", "--json", in: sweep)
    #expect(status["runs"] == 4 && status["finished"] == 4 && status["open"] == 0)
    let runs = try #require(try json("list", "tiny", "--json", in: sweep)["runs"]?.array)
    #expect(runs.count == 4 && runs.allSatisfy { $0.object?["state"] == "finished" })
    for run in runs {
      let key = try #require(run.object?["key"]?.string)
      let shown = try json("show", String(key.prefix(8)), "--json", in: sweep)
      #expect(shown["key"]?.string == key && shown["state"] == "finished")
      let epochs = try #require(shown["epochs"]?.array)
      #expect(epochs.count == 3)
      #expect(epochs.last?.object?["metrics"]?.object?["test.acc1"] == run.object?["last"])
      #expect(
        shown["checkpoints"]?.array?.compactMap { $0.object?["kind"]?.string } == ["last", "best", "final"])
      let attempt = try #require(shown["attempts"]?.array?.first?.object)
      #expect(
        attempt["outcome"] == "finished" && attempt["provenance"]?.object?["blas"]?.string?.isEmpty == false)
    }
    #expect(try Program.run("status", "--check", in: sweep.folder).status == 0)
    let log = try Program.run("logs", try #require(runs[0].object?["key"]?.string), in: sweep.folder)
    #expect(log.status == 0 && log.out.hasPrefix("attempt 1"))
  }

  @Test func `a report is the same bytes each time, and has no dates`() throws {
    let sweep = try Self.finished.get()
    for format in ["text", "markdown", "csv", "json"] {
      let reports = try (0..<2).map { _ in try Program.run("report", "--format", format, in: sweep.folder).out
      }
      #expect(reports[0] == reports[1])
      #expect(!reports[0].contains(String(Calendar(identifier: .gregorian).component(.year, from: .now))))
    }
  }

  @Test func `names that are not there end with 66 and the command that lists them`() throws {
    let sweep = try Self.finished.get()
    let cases: [([String], [String])] = [
      (["models", "resnet9"], ["resnet8", "mtkd-sweep models"]),
      (["methods", "mktd-rl"], ["mtkd-rl", "mtkd-sweep methods"]),
      (["report", "tny"], ["tiny", "mtkd-sweep list"]), (["show", "zz"], ["mtkd-sweep list"]),
      (["logs", "0000000000"], ["mtkd-sweep list"]),
      (["presets", "show", "smok"], ["smoke", "mtkd-sweep presets"]),
      (["report", "--store", "none"], ["none", "mtkd-sweep run"]),
      (["status", "--store", "none"], ["mtkd-sweep run"]),
      (["run", "none.json"], ["none.json", "mtkd-sweep presets show"]),
    ]
    for (command, words) in cases {
      let output = try Program.start(command, in: sweep.folder).finish()
      #expect(output.status == 66, "\(command): \(output.status) \(output.talk)")
      #expect(output.out.isEmpty, "\(command)")
      for word in words { #expect(output.talk.contains(word), "\(command): \(output.talk)") }
    }
  }

  @Test func `wrong use ends with 64, and help with 0`() throws {
    let sweep = try Self.finished.get()
    for command in [
      ["rn", "tiny.json"], ["run"], ["run", "tiny.json", "--worker", "2"],
      ["run", "tiny.json", "--workers", "0"],
      ["run", "tiny.json", "--only", "x"], ["run", "tiny.json", "--only", "metod=baseline"],
      ["run", "tiny.json", "--only", "seed=99"],
      ["run", "tiny.json", "--until", "25:00"], ["run", "tiny.json", "--max-runs", "0"],
      ["report", "--format", "markdwn"],
    ] {
      let output = try Program.start(command, in: sweep.folder).finish()
      #expect(output.status == 64, "\(command): \(output.status) \(output.talk)")
      #expect(output.out.isEmpty && !output.talk.isEmpty, "\(command)")
    }
    for command in [["--help"], ["help"], ["run", "--help"], ["--version"], ["help", "run"]] {
      let output = try Program.start(command, in: sweep.folder).finish()
      #expect(output.status == 0 && !output.out.isEmpty && output.talk.isEmpty, "\(command)")
    }
  }

  @Test func `topics of help are there, and the table of exit codes has every code`() throws {
    let sweep = try Self.finished.get()
    for topic in ["grid", "exit-codes", "statistics", "resuming"] {
      let output = try Program.run("help", topic, in: sweep.folder)
      #expect(output.status == 0 && output.out.count > 200, "\(topic): \(output.talk)")
    }
    let codes = try Program.run("help", "exit-codes", in: sweep.folder).out
    let page = try RepositoryFile.text("docs/commands.md")
    for line in codes.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(page.contains("| \(words[0]) | \(words[1]) |"), "the manual has the line \(line)")
    }
    for code in [0, 1, 2, 3, 4, 64, 65, 66, 69, 70, 73, 74, 75, 77, 130, 143] {
      #expect(codes.contains(" \(code)  "), "\(code)")
    }
  }

  @Test func `a shell completes commands, runs, networks and sweeps`() throws {
    let sweep = try Self.finished.get()
    for shell in ["bash", "zsh", "fish"] {
      let script = try Program.run("--generate-completion-script", shell, in: sweep.folder)
      #expect(script.status == 0 && script.out.contains("mtkd"), "\(shell)")
    }
    let key = try #require(
      try json("list", "tiny", "--json", in: sweep)["runs"]?.array?.first?.object?["key"]?.string)
    /// What bash offers for the last of some words.
    func offers(_ words: String) throws -> Set<String> {
      let line = """
        "$PROGRAM" --generate-completion-script bash > c.bash; . ./c.bash; COMP_WORDS=("$PROGRAM" \(words)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
        _mtkd-sweep "$PROGRAM" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[@]}"
        """
      try sweep.write(line, to: "complete.sh")
      let output = try Program.shell("bash complete.sh", in: sweep.folder)
      return Set(output.out.split(whereSeparator: \.isWhitespace).map(String.init))
    }
    #expect(try offers("show ''").contains(String(key.prefix(12))))
    #expect(try offers("models resnet2").isSuperset(of: ["resnet20"]))
    #expect(try offers("report ''").contains("tiny"))
    #expect(try offers("help st").isSuperset(of: ["statistics", "status"]))
    #expect(try offers("help exit") == ["exit-codes"])
    #expect(try offers("report tiny --rows ''").contains("method"))
    #expect(try offers("report tiny --choose ''").contains("method"))
    #expect(try offers("report tiny --where se") == ["seed="])
    #expect(try offers("report tiny --paper table1").contains("table1"))
  }

  @Test func `colour and marks follow the terminal, the flags and the locale`() throws {
    let sweep = try Self.finished.get()
    func report(_ line: String) throws -> String { try Program.shell(line, in: sweep.folder).out }
    #expect(try !report("NO_COLOR= $PROGRAM report").contains("\u{1b}"), "a pipe has no colours")
    #expect(try report("NO_COLOR= $PROGRAM report --color always").contains("\u{1b}[1m"))
    #expect(try !report("NO_COLOR= $PROGRAM report --color never").contains("\u{1b}"))
    #expect(try report("LC_ALL=C.UTF-8 $PROGRAM report").contains("±"))
    let plain = try report("LC_ALL=C $PROGRAM report")
    #expect(plain.contains("+/-") && plain.utf8.allSatisfy { $0 < 0x80 }, "\(plain)")
    let talk = try Program.shell("LC_ALL=C $PROGRAM check none.json", in: sweep.folder).talk
    #expect(!talk.isEmpty && talk.utf8.allSatisfy { $0 < 0x80 })
  }

  @Test(.enabled(if: Available.tool("script"), "script makes a terminal"))
  func `a terminal is drawn on, within its width and without colour where that is asked for`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.shell(
      "TERM=xterm COLUMNS=60 script -qec '\"$PROGRAM\" run tiny.json' /dev/null </dev/null", in: sweep.folder)
    #expect(output.status == 0, "\(output.out)")
    #expect(output.out.contains("\u{1b}["), "frames are redrawn")
    #expect(output.out.firstMatch(of: /\u{1b}\[[0-9;]*m/) == nil, "NO_COLOR is set")
    #expect(output.out.contains("of 4 runs"), "\(output.out)")
  }

  // Running a part

  @Test func `only some runs, then the rest`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let first = try Program.run(
      "run", "tiny.json", "--only", "method=baseline", "--only", "seed=2", in: sweep.folder)
    #expect(first.status == 0, "\(first.talk)")
    #expect(
      first.talk.contains("3 runs stay for later") && first.out.contains("1 of 2"),
      "\(first.talk) \(first.out)")
    #expect(try json("status", "--json", in: sweep)["finished"] == 1)
    #expect(!first.talk.contains("done  teacher"), "what only other runs need is not made: \(first.talk)")
    let second = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(second.status == 0 && !second.out.contains("of 2"), "\(second.talk)")
  }

  @Test func `at most so many runs at a time, and 75 while some are left`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let first = try Program.run("run", "tiny.json", "--max-runs", "3", in: sweep.folder)
    #expect(first.status == 75, "\(first.status) \(first.talk)")
    #expect(try json("status", "--json", in: sweep)["finished"] == 3)
    let second = try Program.run("run", "tiny.json", "--max-runs", "3", in: sweep.folder)
    #expect(second.status == 0, "\(second.talk)")
    #expect(try json("status", "--json", in: sweep)["finished"] == 4)
  }

  @Test func `a run ends at its time with 75 and goes on later`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(of: "\"epochs\": 3", with: "\"epochs\": 400"))
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", "--until", "2s", in: sweep.folder)
    #expect(output.status == 75, "\(output.talk)")
    #expect(output.talk.contains("The time is up") && output.talk.contains("goes on"), "\(output.talk)")
    #expect(try sweep.workersAlive().isEmpty)
  }

  @Test func `a changed grid says what is kept, what is new and what is no longer asked for`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    try sweep.write(
      TinySweep.grid.replacingOccurrences(of: #"{ "count": 2 }"#, with: "[2, 3]"), to: "tiny.json")
    let words = "2 runs kept, 2 new, 2 no longer asked for (nothing is deleted)"
    #expect(try Program.run("plan", "tiny.json", in: sweep.folder).out.contains(words))
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0 && run.talk.contains(words), "\(run.talk)")
    try sweep.write(TinySweep.grid, to: "tiny.json")
    let back = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(
      back.status == 0 && !back.talk.contains("done  "),
      "what was no longer asked for is still there: \(back.talk)")
  }

  @Test func `quiet is silent but for troubles, and verbose says why`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(
        of: #""axes": {"#, with: #""axes": { "learningRate": [0.05, 1e30],"#))
    defer { sweep.remove() }
    let quiet = try Program.run("run", "tiny.json", "-q", "--only", "learningRate=0.05", in: sweep.folder)
    #expect(quiet.status == 0 && !quiet.talk.contains("done  "), "\(quiet.talk)")
    let trouble = try Program.run("run", "tiny.json", "-q", "--only", "method=baseline", in: sweep.folder)
    #expect(
      trouble.status == 1 && trouble.talk.contains("FAILED") && !trouble.talk.contains("done  "),
      "\(trouble.talk)")
    let verbose = try Program.run("run", "tiny.json", "-v", in: sweep.folder)
    #expect(verbose.talk.contains("start  ") && !verbose.talk.contains("sql  "), "\(verbose.talk)")
    let all = try Program.run("run", "tiny.json", "-vv", in: sweep.folder)
    #expect(all.talk.contains("sql  "), "\(all.talk)")
  }

  @Test func `events are JSON lines from the plan to the end, and the only thing on standard output`() throws
  {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", "--events", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    let events = try output.out.split(separator: "\n").map {
      try #require(try JSONReader.read(Array($0.utf8)).value.object)
    }
    #expect(
      events.first?["event"] == "planned"
        && events.first?["schema"]?.string?.hasPrefix("mtkd-sweep-events-") == true)
    #expect(events.first?["toRun"] == 4 && events.first?["asked"] == 4)
    let finished = events.filter { $0["event"] == "finished" }
    #expect(finished.count == 6, "a dataset, a teacher, four students")
    #expect(events.count { $0["event"] == "started" } == 6)
    #expect(
      finished.allSatisfy {
        $0["key"]?.string?.count == 64 && $0["title"] != nil && $0["seconds"]?.number != nil
      })
  }

  // Words that are meant otherwise

  @Test
  func
    `a command that does not exist is answered with the nearest one, a grid with what can be done with it`()
    throws
  {
    let sweep = try Self.finished.get()
    for (word, answer) in [
      ("rnu", "did you mean `mtkd-sweep run`?"), ("reprot", "did you mean `mtkd-sweep report`?"),
      ("frobnicate", "There is no command frobnicate."), ("tiny.json", "`mtkd-sweep run tiny.json` runs it"),
    ] {
      let refused = try Program.run(word, in: sweep.folder)
      #expect(refused.status == 64 && refused.out.isEmpty && refused.talk.contains(answer), "\(refused.talk)")
    }
    #expect(try Program.run("help", "run", in: sweep.folder).status == 0)
  }

  @Test func `status and list say which programs made finished runs, where several did`() throws {
    let made = try MadeUpStore(runs: 12, epochs: 2)
    defer { made.remove() }
    let alone = try Program.run("status", in: made.folder)
    #expect(alone.status == 0 && !alone.out.contains("programs or numerics"), "\(alone.out)")
    let store = try ResultStore(at: StoreFolder(made.folder.appending(path: "results").path), .writing)
    var other = MadeUpStore.provenance
    other.commit = "fedcba654321"
    // The open run is ended by another program.
    try store.ingest(
      [
        NumberedRecord(0, .started(step: 10, other)),
        NumberedRecord(1, .epoch(MadeUpStore.epoch(1, of: 11, made.keys[11]))),
        NumberedRecord(2, .finished(metrics: Metrics())),
      ], of: AttemptID(key: made.keys[11], number: 2), closing: .finished)
    try store.close()
    let status = try Program.run("status", in: made.folder)
    #expect(status.out.contains("2 programs or numerics made the finished runs"), "\(status.out)")
    #expect(
      status.out.contains("  11 by mtkd-sweep 0.1.0 (abcdef123456), portable, 1 thread")
        && status.out.contains("  1 by mtkd-sweep 0.1.0 (fedcba654321)"), "\(status.out)")
    let json = try Program.run("status", "--json", in: made.folder)
    #expect(json.out.contains(#""programs":[{"finished":11"#), "\(json.out)")
    #expect(try Program.run("list", in: made.folder).out.contains(", by 2 programs or numerics"))
    let line = try Program.run("list", "made-up", in: made.folder).out.split(separator: "\n").last
    #expect(line?.contains("by mtkd-sweep 0.1.0 (abcdef123456), portable, 1 thread, then mtkd-sweep") == true)
  }

  // Large grids

  @Test func `a grid of more than ten thousand runs is meant, or refused`() throws {
    let sweep = try TinySweep(
      grid:
        #"{"version": 1, "name": "g", "base": {"student": "resnet8", "method": "baseline"}, "seeds": {"count": 10001}}"#
    )
    defer { sweep.remove() }
    let refused = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(refused.status == 65 && refused.talk.contains("--yes or --max-runs"), "\(refused.talk)")
    let meant = try json("check", "tiny.json", "--yes", "--json", in: sweep)
    #expect(meant["asked"] == 10001)
    #expect(try Program.run("check", "tiny.json", "--max-runs", "5", in: sweep.folder).status == 0)
  }

  @Test func `work for longer than a life is forecast in years`() throws {
    let grid = """
      { "version": 1, "name": "long", "base": { "dataset": "cifar100", "student": "resnet110x2", "method": "baseline", "epochs": 10000 },
        "seeds": { "count": 1000 } }
      """
    let sweep = try TinySweep(grid: grid)
    defer { sweep.remove() }
    let plan = try Program.run("plan", "tiny.json", in: sweep.folder)
    #expect(plan.status == 0, "\(plan.talk)")
    #expect(plan.out.contains(" years of CPU"), "\(plan.out)")
  }

  @Test func `a grid of this version needs no migration`() throws {
    let sweep = try Self.finished.get()
    let before = try Data(contentsOf: sweep.folder.appending(path: "tiny.json"))
    let output = try Program.run("migrate", "tiny.json", in: sweep.folder)
    #expect(output.status == 0 && output.talk.contains("nothing to do"), "\(output.talk)")
    #expect(try Data(contentsOf: sweep.folder.appending(path: "tiny.json")) == before)
  }
}
