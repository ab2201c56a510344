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
    let sweep = try sweep(Self.command, epochs: 12)
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", "--store", "calm", in: sweep.folder).status == 0)
    var interrupted = false
    for _ in 0..<4 {
      let run = try Program.start(["run", "tiny.json"], in: sweep.folder)
      let deadline = Date.now + 60
      while run.process.isRunning, Date.now < deadline,
        try Program.shell("grep -l epoch results/stages/*/attempts/*/records.jsonl", in: sweep.folder).status
          != 0
      { usleep(20_000) }
      if run.process.isRunning { interrupted = true }
      run.signal(SIGKILL)
      _ = try run.finish()
    }
    #expect(interrupted)
    let gone = Date.now + 10
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
    func keys() throws -> String {
      #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
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
    #expect(try keys() != first)
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
    (#"echo '{"record": "finished", "files": ["absent"]}'"#, 74, "absent"),
    (#"echo '{not json'"#, 1, "docs/trainers.md"),
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
      1, "2 epochs, of which 1"
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
