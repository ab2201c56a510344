import Foundation
import TestSupport
import Testing

/// Trainers of version 2: what they say of themselves before anything is planned, and what
/// `verify` says of their runs.
@Suite struct DescribedTrainerTests {
  private static let answer = #"""
    {"record": "description", "networks": ["their-net", "mini-resnet8-w8"], "tasks": ["classification"],
     "methods": [{"name": "my-new-kd", "summary": "Theirs.", "options": {"heat": {"kind": "number", "minimum": 0, "default": 4},
       "mode": {"kind": "choice", "values": ["soft", "hard"], "default": "soft"}}}, "baseline"],
     "metrics": {"test.mAP": {"unit": "%", "direction": "higher", "headline": true}}, "devices": ["cpu"]}
    """#.replacing("\n", with: "")

  private static func grid(
    _ base: String = #""student": "their-net", "method": "my-new-kd""#, axes: String = "", within: Int = 60
  ) -> String {
    """
    { "version": 1, "name": "theirs", "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 15, "epochs": 2,
      \(base), "trainer": { "command": ["sh", "t.sh"], "protocol": 2, "describeWithin": \(within) } },
      "run": { "retries": 0 }\(axes) }
    """
  }

  private static func epoch(_ number: Int, _ value: String = "50") -> String {
    #"echo '{"record": "epoch", "epoch": \#(number), "step": \#(number + 1), "metrics": {"test.mAP": \#(value)}}'"#
  }

  private static let trains =
    "\(epoch(0)); \(epoch(1, "60")); echo '{\"record\": \"finished\", \"metrics\": {\"test.mAP\": 60}}'"

  /// A sweep whose trainer answers the question with a piece of shell and trains with another.
  private func sweep(
    _ grid: String = Self.grid(), answering: String = "echo '\(Self.answer)'", trains: String = Self.trains
  ) throws -> TinySweep {
    let sweep = try TinySweep(grid: grid)
    try sweep.write(
      "read request\ncase \"$request\" in *'\"ask\"'*) echo x >> \(sweep.folder.path)/asked; \(answering); exit 0;; esac\n"
        + "printf '%s\\n' \"$request\" >&2\n\(trains.replacing("FOLDER", with: sweep.folder.path))\n",
      to: "t.sh")
    return sweep
  }

  @Test func `methods, options, networks and metrics of a trainer's own are planned, run and reported`()
    throws
  {
    let sweep = try sweep(
      Self.grid(axes: #", "axes": { "heat": [2, 4], "mode": ["soft", "hard"] }, "seeds": { "count": 2 }"#))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    let table = try Program.run("report", "--format", "csv", in: sweep.folder)
    #expect(table.out.contains("their-net,my-new-kd,2,soft,2,2,last,60.0,0.0,"), "\(table.out)")
    #expect(table.out.contains(",test.mAP,"), "the declared headline: \(table.out)")
    // A default is left out of the key, and what is set is in the request.
    let asked = try Program.shell(
      "cat results/stages/*/attempts/1/log | grep -o '\"method\":{[^}]*}*'", in: sweep.folder
    )
    .out.split(separator: "\n")
    #expect(Set(asked).contains(#""method":{"name":"my-new-kd"}"#), "\(asked)")
    #expect(Set(asked).contains { $0.contains(#""options":{"heat":2,"mode":"hard"}"#) }, "\(asked)")
    let version = try Program.shell(
      "grep -l '\"protocol\":2' results/stages/*/attempts/1/log | wc -l", in: sweep.folder)
    #expect(version.out.trimmingCharacters(in: .whitespacesAndNewlines) == "8", "\(version.out)")
  }

  @Test func `a trainer is asked again only when its files have changed`() throws {
    let sweep = try sweep()
    defer { sweep.remove() }
    func asked() throws -> Int {
      try String(contentsOf: sweep.folder.appending(path: "asked"), encoding: .utf8).count / 2
    }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let first = try asked()
    #expect(try Program.run("plan", "tiny.json", in: sweep.folder).status == 0)
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    #expect(try asked() <= first + 1)
    let calm = try asked()
    #expect(try Program.run("plan", "tiny.json", in: sweep.folder).status == 0)
    #expect(try asked() == calm)
    let script = sweep.folder.appending(path: "t.sh")
    try sweep.write(try String(contentsOf: script, encoding: .utf8) + "# edited\n", to: "t.sh")
    #expect(try Program.run("plan", "tiny.json", in: sweep.folder).status == 0)
    #expect(try asked() == calm + 1)
  }

  static let mistakes: [(base: String, says: String)] = [
    (
      #""student": "their-net", "method": "my-new-kt""#,
      #"unknown method "my-new-kt"; did you mean "my-new-kd"?"#
    ),
    (
      #""student": "their-nett", "method": "my-new-kd""#,
      #"unknown network "their-nett"; did you mean "their-net"?"#
    ),
    (#""student": "their-net", "method": "my-new-kd", "heatt": 3"#, "heat"),
    (
      #""student": "their-net", "method": "my-new-kd", "heat": -1"#,
      "heat is -1 and should be a number, 0 or more"
    ),
    (#""student": "their-net", "method": "my-new-kd", "mode": "warm""#, #"should be "soft" or "hard""#),
    // Ours, and not theirs.
    (
      #""student": "their-net", "method": "aver-kd", "teachers": ["mini-resnet8-w8"]"#,
      #"does not know the method "aver-kd""#
    ),
    (
      #""student": "mini-resnet14-w8", "method": "my-new-kd""#,
      #"does not know the network "mini-resnet14-w8""#
    ),
  ]

  @Test(arguments: mistakes.indices)
  func `a name that a trainer does not know is refused at its place, with the nearest that it knows`(
    _ index: Int
  ) throws {
    let sweep = try sweep(Self.grid(Self.mistakes[index].base))
    defer { sweep.remove() }
    let output = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(output.status == 65 && output.talk.contains("tiny.json:2:"), "\(output.status) \(output.talk)")
    #expect(output.talk.contains(Self.mistakes[index].says), "\(output.talk)")
  }

  @Test func `what one trainer knows is not this program's`() throws {
    let sweep = try sweep(
      """
      { "version": 1, "name": "both", "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 30, "testImages": 15, "epochs": 2 },
        "blocks": [
          { "name": "theirs", "base": { "student": "their-net", "method": "my-new-kd", "trainer": { "command": ["sh", "t.sh"], "protocol": 2 } } },
          { "name": "ours", "base": { "student": "mini-resnet8-w8", "method": "my-new-kd" } } ] }
      """)
    defer { sweep.remove() }
    let output = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(output.status == 65 && output.talk.contains("tiny.json:4:"), "\(output.talk)")
    #expect(output.talk.contains("this program's own trainer does not know the method"), "\(output.talk)")
  }

  static let silent: [(answering: String, says: String)] = [
    (
      "echo garbage; echo more >&2; exit 3",
      "ended with code 3 and did not say what it can do; its last words: garbage"
    ),
    ("echo '{\"record\": \"description\", \"methods\": []}'", "a list of methods, at least one"),
    (
      "echo '{\"record\": \"description\", \"methods\": [{\"name\": \"a\", \"options\": {\"b\": {\"kind\": \"word\"}}}]}'",
      "number, integer, flag or choice"
    ),
    ("sleep 600", "did not say within 1 second what it can do"),
    ("while :; do echo x; done", "did not say within 1 second what it can do"),
  ]

  @Test(arguments: silent.indices)
  func `a trainer that does not answer as it should is told so before anything is planned`(_ index: Int)
    throws
  {
    let sweep = try sweep(Self.grid(within: 1), answering: Self.silent[index].answering)
    defer { sweep.remove() }
    let output = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(output.status == 65 && output.talk.contains("tiny.json:2:"), "\(output.status) \(output.talk)")
    #expect(output.talk.contains(Self.silent[index].says), "\(output.talk)")
    #expect(!FileManager.default.fileExists(atPath: sweep.folder.appending(path: "results/stages").path))
  }

  @Test func `a program that is not there is named, and a version that nobody knows too`() throws {
    for (trainer, says) in [
      (#"{ "command": ["no-such-python", "t.py"], "protocol": 2 }"#, "no-such-python t.py"),
      (#"{ "command": ["sh", "t.sh"], "protocol": 3 }"#, "1, or 2 for a trainer that describes itself"),
    ] {
      let sweep = try TinySweep(
        grid: """
          { "version": 1, "name": "theirs",
            "base": { "dataset": "synthetic-1x8x8-3", "student": "mini-resnet8-w8", "method": "baseline", "trainer": \(trainer) } }
          """)
      defer { sweep.remove() }
      let output = try Program.run("check", "tiny.json", in: sweep.folder)
      #expect(output.status == 65 && output.talk.contains(says), "\(output.status) \(output.talk)")
    }
  }

  @Test func `a run of a trainer is executed again: equal, not deterministic, or another result`() throws {
    let fixed = try sweep()
    defer { fixed.remove() }
    #expect(try Program.run("run", "tiny.json", in: fixed.folder).status == 0)
    let equal = try Program.run("verify", "--all", in: fixed.folder)
    #expect(
      equal.status == 0 && equal.out.contains("  equal  "), "\(equal.status) \(equal.out) \(equal.talk)")

    // Another number each time, from the second epoch on.
    let second = Self.epoch(1, "'$(od -An -N3 -tu4 /dev/urandom | tr -d \" \")'")
    let chance = try sweep(
      trains: "\(Self.epoch(0)); \(second); echo '{\"record\": \"finished\", \"metrics\": {}}'")
    defer { chance.remove() }
    #expect(try Program.run("run", "tiny.json", in: chance.folder).status == 0)
    let wavering = try Program.run("verify", "--all", in: chance.folder)
    #expect(wavering.status == 4, "\(wavering.status) \(wavering.out) \(wavering.talk)")
    #expect(
      (wavering.out + wavering.talk).contains(
        "not deterministic: executed twice, it differs first in epoch 2: test.mAP"),
      "\(wavering.out) \(wavering.talk)")

    // The same each time, and not what was recorded: it reads what is in no key.
    let reading = try sweep(
      trains: "\(Self.epoch(0)); \(Self.epoch(1, "'$(cat FOLDER/value)'")); "
        + "echo '{\"record\": \"finished\", \"metrics\": {}}'")
    defer { reading.remove() }
    try reading.write("50", to: "value")
    #expect(try Program.run("run", "tiny.json", in: reading.folder).status == 0)
    try reading.write("70", to: "value")
    let other = try Program.run("verify", "--all", in: reading.folder)
    #expect(other.status == 3, "\(other.status) \(other.out) \(other.talk)")
  }
}
