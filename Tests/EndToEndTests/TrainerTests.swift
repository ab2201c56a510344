import Foundation
import Testing

/// Somebody else's code under the same plan, resume, store and report.
@Suite struct TrainerTests {
  private static let example = URL(filePath: #filePath).appending(path: "../../../docs/examples/trainer.py")
    .standardizedFileURL

  private static func grid(_ trainer: String, epochs: Int = 4) -> String {
    """
    { "version": 1, "name": "theirs",
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 60, "testImages": 30, "epochs": \(epochs), "learningRate": 0.5,
                "student": "mini-resnet8-w8", "method": "baseline", "trainer": \(trainer) },
      "axes": { "learningRate": [0.25, 0.5] }, "seeds": { "count": 2 } }
    """
  }

  private func sweep(_ trainer: String, epochs: Int = 4) throws -> TinySweep {
    let sweep = try TinySweep(grid: Self.grid(trainer, epochs: epochs))
    try FileManager.default.copyItem(at: Self.example, to: sweep.folder.appending(path: "trainer.py"))
    return sweep
  }

  private static let command = #"{ "command": ["python3", "trainer.py"], "name": "softmax regression" }"#

  private func digests(_ sweep: TinySweep, store: String = "results") throws -> String {
    let report = try Program.run("report", "--store", store, "--format", "json", in: sweep.folder)
    let list = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    #expect(report.status == 0 && list.status == 0, "\(report.talk) \(list.talk)")
    return report.out + list.out
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
  func `the example trains, its numbers are in the table, and its file is published`() throws {
    let sweep = try sweep(Self.command)
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    #expect(output.out.contains("n = 2"), "\(output.out)")
    let files = try Program.shell("ls results/stages/*/output/state.json | wc -l", in: sweep.folder)
    #expect(files.out.trimmingCharacters(in: .whitespacesAndNewlines) == "4")
    // The published state says what the record says.
    let check = try Program.shell(
      #"for d in results/stages/*/output; do [ -e $d/state.json ] && python3 -c "import json; assert json.load(open('$d/state.json'))['history'][-1] == json.load(open('$d/metrics.json'))"; done; true"#,
      in: sweep.folder)
    #expect(check.status == 0 && check.talk.isEmpty, "\(check.talk)")
    // Nothing is run again.
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).out == output.out)
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")))
  func `killed with its trainer, a sweep goes on from the trainer's own checkpoint`() throws {
    let sweep = try sweep(Self.command, epochs: 60)
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", "--store", "calm", in: sweep.folder).status == 0)
    var interrupted = false
    for _ in 0..<4 {
      let run = try Program.start(["run", "tiny.json"], in: sweep.folder)
      let deadline = Date.now + 120
      while run.process.isRunning, Date.now < deadline,
        try Program.shell("grep -l epoch results/stages/*/attempts/*/records.jsonl", in: sweep.folder).status
          != 0
      { usleep(20_000) }
      if run.process.isRunning { interrupted = true }
      run.signal(SIGKILL)
      _ = try run.finish()
    }
    #expect(interrupted)
    let gone = Date.now + 60
    func trainers() throws -> String {
      try Program.shell(
        "pgrep -f '^python3 trainer.py$' | xargs -r -I{} readlink /proc/{}/cwd", in: sweep.folder
      )
      .out
    }
    while try trainers().contains(sweep.folder.path), Date.now < gone { usleep(20_000) }
    #expect(try !trainers().contains(sweep.folder.path), "no trainer outlives its worker")
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    #expect(!output.talk.contains("another state"), "\(output.talk)")
    #expect(try digests(sweep) == digests(sweep, store: "calm"))
    let logs = try Program.shell("cat results/stages/*/attempts/*/log", in: sweep.folder)
    #expect(logs.out.contains("going on from epoch"), "\(logs.out)")
  }

  @Test func `an edited script makes new runs, another name for it does not`() throws {
    let sweep = try sweep(Self.command)
    defer { sweep.remove() }
    func keys(_ options: String...) throws -> String {
      let run = try Program.start(["run", "tiny.json"] + options, in: sweep.folder).finish()
      #expect(run.status == 0, "\(run.talk)")
      return try Program.run("list", "theirs", in: sweep.folder).out.split(separator: "\n").map {
        $0.prefix(8)
      }
      .joined(separator: " ")
    }
    let first = try keys()
    try sweep.write(
      Self.grid(Self.command.replacingOccurrences(of: "softmax", with: "logistic")), to: "tiny.json")
    #expect(try keys() == first)
    let script = sweep.folder.appending(path: "trainer.py")
    let text = try String(contentsOf: script, encoding: .utf8)
    try sweep.write(text + "# edited\n", to: "trainer.py")
    // No run of before is asked for any more, so the sweep is not taken over without a word.
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 73)
    #expect(try keys("--replace") != first)
  }

  static let mistakes: [(script: String, status: Int32, says: String)] = [
    (
      #"echo '{"record": "failed", "cause": "diverged", "reason": "loss is not finite", "epoch": 1}'"#, 1,
      "loss is not finite"
    ),
    ("echo so it ends; exit 0", 1, "without having said"),
    ("exit 3", 1, "without having said"),
    (#"echo '{"record": "epoch"}'"#, 1, "epoch"),
    (#"echo '{"record": "finished", "files": ["../../secret"]}'"#, 1, "names of files"),
    (#"echo '{"record": "finished", "files": ["last.safetensors"]}'"#, 1, "which this program writes itself"),
    (#"echo '{"record": "finished", "files": ["manifest.json"]}'"#, 1, "which this program writes itself"),
    (#"echo '{"record": not json'"#, 1, "docs/trainers.md"),
    // No record says so of itself: these are lines for the log.
    (#"echo '{not json'; exit 3"#, 1, "{not json"),
    (#"echo '{"loss": 0.5}'; exit 3"#, 1, "ended with code 3"),
    (
      "echo 'Traceback (most recent call last):' >&2; echo '  File \"a.py\", line 1' >&2; echo 'ValueError: no such card' >&2; exit 1",
      1, "ValueError: no such card"
    ),
    (
      "echo 'x.swift:1: Fatal error: Index out of range' >&2; echo; echo '*** Signal 4: Backtracing' >&2; echo '0 0x12 main' >&2; exit 1",
      1, "Fatal error: Index out of range"
    ),
    (
      #"echo '{"record": "epoch", "epoch": 0, "step": 1, "metrics": {}}'; echo '{"record": "epoch", "epoch": 0, "step": 1, "metrics": {}}'"#,
      1, "ascending"
    ),
    // A trainer that was killed behind its checkpoint and goes on as if its record had been heard.
    (
      #"echo '{"record": "epoch", "epoch": 1, "step": 2, "metrics": {}}'; echo '{"record": "finished", "metrics": {}}'"#,
      1, "epoch 0 first"
    ),
    (
      #"echo '{"record": "epoch", "epoch": 0, "step": 1, "metrics": {}}'; echo '{"record": "finished", "metrics": {}}'"#,
      1, "after 1 of 2 epochs"
    ),
  ]

  @Test(arguments: mistakes.indices)
  func `a trainer that does not keep to the lines is told so`(_ index: Int) throws {
    let (script, status, says) = Self.mistakes[index]
    let sweep = try TinySweep(
      grid: #"""
        { "version": 1, "name": "theirs", "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 15, "epochs": 2,
          "student": "mini-resnet8-w8", "method": "baseline", "trainer": { "command": ["sh", "t.sh"] } }, "run": { "retries": 0 } }
        """#)
    defer { sweep.remove() }
    try sweep.write("cat > /dev/null &\nread line\n\(script)\n", to: "t.sh")
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(
      output.status == status && output.talk.contains(says), "\(script): \(output.status) \(output.talk)")
  }

  /// A sweep of one run with a trainer that is a script, and a trainer that does all that it
  /// should in `epochs` epochs.
  private func scripted(
    _ script: String, epochs: Int = 2, retries: Int = 2, axes: String = ""
  ) throws -> TinySweep {
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "theirs", "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 15, "epochs": \(epochs),
          "student": "mini-resnet8-w8", "method": "baseline", "trainer": { "command": ["sh", "t.sh"] } }, "run": { "retries": \(retries) }\(axes) }
        """)
    try sweep.write("read request\n\(script)\n", to: "t.sh")
    return sweep
  }

  private static func epoch(_ number: Int, _ metrics: String = #"{"test.acc1": 50}"#) -> String {
    #"echo '{"record": "epoch", "epoch": \#(number), "step": \#(number + 1), "metrics": \#(metrics)}'"#
  }

  private static let whole = "\(epoch(0)); \(epoch(1))"

  private static func finished(_ files: String = "[]", _ metrics: String = #"{"test.acc1": 50}"#) -> String {
    #"echo '{"record": "finished", "metrics": \#(metrics), "files": \#(files)}'"#
  }

  @Test func `a fault in what one trainer hands over fails its run, and the others go on`() throws {
    let folder = "$(printf %s \"$request\" | sed 's/.*\"folder\":\"//; s/\".*//')"
    let faults = [
      ("absent", "true", "is not in"), ("a", "mkdir \(folder)/a", "something other than a file"),
      ("f", "mkfifo \(folder)/f", "something other than a file"),
      ("l", "ln -s /dev/zero \(folder)/l", "something other than a file"),
    ]
    for (name, making, says) in faults {
      let seed = #"case "$request" in *'"seed":1'*) bad=1;; esac"#
      let sweep = try scripted(
        "\(seed); \(Self.whole); if [ $bad ]; then \(making); \(Self.finished("[\"\(name)\"]")); else \(Self.finished()); fi",
        axes: #", "seeds": { "count": 3 }"#)
      defer { sweep.remove() }
      let output = try Program.run("run", "tiny.json", in: sweep.folder)
      #expect(output.status == 1 && output.talk.contains(says), "\(name): \(output.status) \(output.talk)")
      let status = try Program.run("status", in: sweep.folder)
      #expect(status.out.contains("2 finished, 1 failed"), "\(name): \(status.out)")
    }
  }

  /// Processes whose environment carries the mark of a trainer of this sweep.
  private func marked(_ sweep: TinySweep) throws -> String {
    try Program.shell(
      "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ 2>/dev/null | grep -q ^MTKD_SWEEP_TRAINER= && "
        + "case $(readlink $p/cwd) in \(sweep.folder.path)*) basename $p;; esac; done; true", in: sweep.folder
    ).out
  }

  private func expectNoTrainer(_ sweep: TinySweep, within seconds: Double = 60) throws {
    let deadline = Date.now + seconds
    while try !marked(sweep).isEmpty, Date.now < deadline { usleep(20_000) }
    #expect(try marked(sweep).isEmpty)
  }

  @Test func `the end of a trainer's process ends its run, whoever holds its output or ignores signals`()
    throws
  {
    for child in [
      "sleep 600 &", "(trap '' TERM; sleep 600) &", "(trap '' TERM; while :; do echo x; sleep 0.01; done) &",
    ] {
      let sweep = try scripted("\(child)\n\(Self.whole); \(Self.finished())")
      defer { sweep.remove() }
      let begin = Date.now
      let output = try Program.run("run", "tiny.json", in: sweep.folder)
      #expect(output.status == 0, "\(child): \(output.talk)")
      #expect(Date.now.timeIntervalSince(begin) < 300, "\(child)")
      try expectNoTrainer(sweep, within: 20)
    }
  }

  @Test func `a trainer behind a shell ends with its worker, and two never write into one folder`() throws {
    for victim in ["coordinator", "worker", "both"] {
      // What the shell starts is not its only child, so the shell does not become it.
      let sweep = try scripted(
        "\(Self.epoch(0)); if [ -e ../../../go ]; then \(Self.epoch(1)); \(Self.finished()); exit 0; fi\n"
          + "(trap '' HUP; while :; do sleep 0.05; done); true", retries: 0)
      defer { sweep.remove() }
      let run = try Program.start(["run", "tiny.json"], in: sweep.folder)
      let deadline = Date.now + 120
      while run.process.isRunning, Date.now < deadline,
        try Program.shell("grep -l '\"epoch\"' results/stages/*/attempts/*/records.jsonl", in: sweep.folder)
          .status != 0
      { usleep(20_000) }
      let workers = try sweep.workersAlive()
      #expect(workers.count == 1)
      // Held still, the coordinator ends nothing that its worker leaves.
      if victim == "both" { run.signal(SIGSTOP) }
      if victim == "coordinator" { run.signal(SIGKILL) }
      if victim != "coordinator" { for worker in workers { kill(worker, SIGKILL) } }
      if victim == "both" { run.signal(SIGKILL) }
      _ = try run.finish()
      if victim == "both" {
        // Nobody was left to end it; whoever comes next does so before another begins.
        #expect(try !marked(sweep).isEmpty)
        try sweep.write("", to: "go")
        #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
      }
      try expectNoTrainer(sweep)
    }
  }

  @Test func `a stop reaches a trainer behind a shell, and one that ignores it is ended`() throws {
    let sweep = try scripted(
      "(trap 'exit 0' TERM; \(Self.epoch(0)); while :; do sleep 0.05; done); true", retries: 0)
    defer { sweep.remove() }
    let run = try Program.start(["run", "tiny.json"], in: sweep.folder)
    let deadline = Date.now + 120
    while run.process.isRunning, Date.now < deadline,
      try Program.shell("grep -l '\"epoch\"' results/stages/*/attempts/*/records.jsonl", in: sweep.folder)
        .status != 0
    { usleep(20_000) }
    run.signal(SIGINT)
    let asked = Date.now
    let output = try run.finish()
    #expect(output.status == 75, "\(output.talk)")
    #expect(Date.now.timeIntervalSince(asked) < 60)
    try expectNoTrainer(sweep, within: 20)
  }

  @Test func `numbers that JSON does not have are not numbers, and an error that repeats is not tried again`()
    throws
  {
    let diverging = #"{"test.acc1": 50, "train.loss": NaN, "a": -Infinity, "b": Infinity}"#
    let sweep = try scripted("\(Self.epoch(0, diverging)); \(Self.epoch(1, diverging)); \(Self.finished())")
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    let failing = try scripted(
      "echo x >> count; echo 'ImportError: no module named torch' >&2; exit 1", retries: 5)
    defer { failing.remove() }
    let failed = try Program.run("run", "tiny.json", in: failing.folder)
    #expect(
      failed.status == 1 && failed.talk.contains("ImportError: no module named torch"), "\(failed.talk)")
    let count = try Program.shell(
      "cat results/stages/*/trainer/count results/trainers/*/count | wc -l", in: failing.folder)
    #expect(count.out.trimmingCharacters(in: .whitespacesAndNewlines) == "2", "\(count.out)")
  }

  @Test func `an epoch that is reported again with other numbers is said, and the later ones count`() throws {
    let first = "if [ ! -e FOLDER/died ]; then touch FOLDER/died; \(Self.epoch(0)); exit 3; fi"
    let again = #"{"test.acc1": 60}"#
    let sweep = try scripted("")
    defer { sweep.remove() }
    try sweep.write(
      "read request\n\(first.replacing("FOLDER", with: sweep.folder.path))\n"
        + "\(Self.epoch(0, again)); \(Self.epoch(1, again)); \(Self.finished("[]", again))\n", to: "t.sh")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(
      run.talk.contains("attempt 2 came to another state in epoch 1 than an earlier one"), "\(run.talk)")
    let export = try Program.run("export", "--format", "jsonl", in: sweep.folder).out
    #expect(export.contains(#""test.acc1":60"#) && !export.contains(#""test.acc1":50"#), "\(export)")
  }

  @Test func `what looks wrong in a trainer's numbers is said once`() throws {
    let sweep = try scripted(
      "\(Self.epoch(0, #"{"test.acc1": 0.5}"#)); \(Self.epoch(1, #"{"test.acc1": 0.6}"#)); \(Self.finished("[]", #"{"test.acc1": 60}"#))"
    )
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(output.talk.contains("in percent"), "\(output.talk)")
    let log = try Program.shell("cat results/stages/*/attempts/1/log", in: sweep.folder).out
    #expect(log.contains("had 0.6"), "\(log)")
  }

  @Test func `an endless log is cut in its middle, and a huge sparse one is no burden`() throws {
    let noise = "yes abcdefghijklmnopqrstuvwxyz | head -c 3000000 >&2; sleep 2.5; echo >&2"
    let sweep = try scripted("echo begins >&2; \(noise); echo ends >&2; \(Self.whole); \(Self.finished())")
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", "--log-limit", "1MB", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    let log = try Program.shell(
      "cat results/stages/*/attempts/1/log | sed -n '1p;/cut out/p;$p'; cat results/stages/*/attempts/1/log | wc -c",
      in: sweep.folder
    ).out
      .split(separator: "\n").map(String.init)
    #expect(
      log.contains("begins") && log.contains("ends") && log.contains { $0.contains("bytes cut out") },
      "\(log)")
    #expect(Int(log.last ?? "").map { $0 < 1_100_000 } == true, "\(log)")
    let sparse = try scripted(
      "truncate -s 20G ../../attempts/1/log 2>/dev/null || truncate -s 20G $(readlink /proc/self/fd/2); echo 'Error: it is over' >&2; exit 1",
      retries: 0)
    defer { sparse.remove() }
    let died = try Program.shell("ulimit -v 4000000; \"$PROGRAM\" run tiny.json", in: sparse.folder)
    #expect(died.status == 1 && died.talk.contains("Error: it is over"), "\(died.status) \(died.talk)")
  }

  @Test func `each worker has a slot of its own, which its trainer finds`() throws {
    let sweep = try scripted(
      #"echo "slot $MTKD_SWEEP_SLOT" >&2; printf %s "$request" | grep -o '"slot":[0-9]*' >&2; sleep 0.3; "#
        + Self.whole + "; " + Self.finished(),
      axes: #", "seeds": { "count": 4 }"#)
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", "--workers", "2", in: sweep.folder).status == 0)
    let log = try Program.shell("cat results/stages/*/attempts/*/log | grep slot | sort -u", in: sweep.folder)
      .out
    #expect(log == "\"slot\":1\n\"slot\":2\nslot 1\nslot 2\n", "\(log)")
  }

  @Test func `a trainer that a grid gets wrong is refused at its place`() throws {
    for (trainer, says) in [
      ("[]", "trainer"), (#"{ "comand": ["a"] }"#, "comand"), (#"{ "command": [] }"#, "command"),
      (#"{ "command": ["sh"], "files": ["nowhere.py"] }"#, "nowhere.py"),
      (#"{ "command": ["sh"], "files": ["../x"] }"#, "beside the grid"),
    ] {
      let sweep = try TinySweep(grid: Self.grid(trainer))
      defer { sweep.remove() }
      let output = try Program.run("check", "tiny.json", in: sweep.folder)
      #expect(output.status == 65 && output.talk.contains("tiny.json:3:"), "\(trainer): \(output.talk)")
      #expect(output.talk.contains(says), "\(trainer): \(output.talk)")
    }
  }
}
