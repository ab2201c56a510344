import Foundation
import Specs
import Testing

/// What trials in the field and attacks found: the smallest input of each entry, here or in the
/// suite that it belongs to.
@Suite struct FieldTrialTests {
  // MARK: Foreign text

  /// What a terminal, a page or a spreadsheet would obey.
  private static let hostile =
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gpj\r\n=HYPERLINK(1)|<img src=x onerror=alert(1)> [a](javascript:b)"

  private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
    scalar != "\n" && (scalar.properties.generalCategory == .control || scalar.properties.isBidiControl)
  }

  @Test func `what a trainer says in its reason is shown and obeyed by no output, and never a page long`()
    throws
  {
    let reason = JSONValue.string(Self.hostile + String(repeating: "x", count: 900_000)).description
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "theirs",
          "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 60, "testImages": 30, "epochs": 2,
                    "student": "mini-resnet8-w8", "method": "baseline", "trainer": { "command": ["sh", "trainer.sh"] } },
          "seeds": { "count": 1 } }
        """)
    defer { sweep.remove() }
    try sweep.write(#"{"record": "failed", "cause": "other", "reason": \#(reason)}"#, to: "said.json")
    try sweep.write(
      "read line; printf '\\033[31mred\\007\\n' >&2; cat '\(sweep.folder.path)/said.json'", to: "trainer.sh")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 1)
    var outputs = [("run", run.out + run.talk)]
    for words in [
      ["status"], ["list", "theirs"], ["report"], ["report", "--format", "markdown"],
      ["report", "--format", "csv"],
      ["report", "--format", "latex"], ["report", "--format", "html"], ["report", "--format", "json"],
      ["export", "--format", "csv"], ["export", "--format", "jsonl"],
    ] {
      let output = try Program.start(words, in: sweep.folder).finish()
      #expect(output.status == 0, "\(words): \(output.talk)")
      outputs.append((words.joined(separator: " "), output.out + output.talk))
    }
    let key = try Program.run("list", "theirs", in: sweep.folder).out.prefix(10)
    outputs.append(("show", try Program.run("show", String(key), in: sweep.folder).out))
    for (name, text) in outputs {
      #expect(!text.unicodeScalars.contains(where: Self.isActive), "\(name)")
      #expect(text.count < 200_000, "\(name): \(text.count) characters")
      if name.contains("html") || name.contains("markdown") {
        #expect(!text.replacingOccurrences(of: "\\<", with: "").contains("<img"), "\(name)")
      }
    }
    #expect(run.talk.contains("more characters") && run.talk.contains("gpj"), "\(run.talk.prefix(3000))")
    // One line stays one line: nobody writes a second message under another's name.
    #expect(
      !run.talk.split(separator: "\n").contains { $0.hasPrefix("=HYPERLINK") }, "\(run.talk.prefix(3000))")
  }

  @Test func `names of classes and files show what they hold and end no line`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let name = "cat\u{1b}[2J\u{202e}\nroot: done"
    try FileManager.default.createDirectory(
      at: sweep.folder.appending(path: "photos/train/\(name)"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      at: sweep.folder.appending(path: "photos/val/\(name)"), withIntermediateDirectories: true)
    try sweep.write(
      #"{"version": 1, "name": "n", "base": {"dataset": "imagefolder-32:photos", "student": "resnet8", "method": "baseline"}}"#,
      to: "n.json")
    for words in [["plan", "n.json"], ["check", "n.json"], ["plan", "absent\u{1b}[2J\u{7}.json"]] {
      let output = try Program.start(words, in: sweep.folder).finish()
      #expect(output.status != 0)
      let text = output.out + output.talk
      #expect(!text.unicodeScalars.contains(where: Self.isActive), "\(text)")
      #expect(text.contains("\\u001b") && !text.split(separator: "\n").contains("root: done"), "\(text)")
    }
  }

  // MARK: Clocks

  private static let faketime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

  /// A clock that is set forward or back while workers work, alone and together with the clock that nobody
  /// sets (a sleep on a system whose clocks go on).
  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: faketime), "libfaketime sets the clock of a process"),
    arguments: [("+3h", true), ("-3h", true), ("+3h", false)])
  func `a clock that is set while workers work ends none and costs no try`(_ step: String, _ onlyWall: Bool)
    throws
  {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(of: "\"epochs\": 3", with: "\"epochs\": 40"))
    defer { sweep.remove() }
    let calm = try Program.run("run", "tiny.json", "-q", "--store", "calm", in: sweep.folder)
    try sweep.write("+0", to: "clock")
    var environment = [
      "LD_PRELOAD": Self.faketime, "FAKETIME_TIMESTAMP_FILE": sweep.folder.appending(path: "clock").path,
      "FAKETIME_NO_CACHE": "1", "NO_FAKE_STAT": "1",
    ]
    if onlyWall { environment["DONT_FAKE_MONOTONIC"] = "1" }
    let run = try Program.start(
      ["run", "tiny.json", "--workers", "2", "--silence", "45", "--minutes", "3"], in: sweep.folder,
      environment: environment)
    let deadline = Date.now + 120
    while run.process.isRunning, Date.now < deadline,
      try Program.shell("grep -l '\"epoch\":2' results/stages/*/attempts/1/records.jsonl", in: sweep.folder)
        .status != 0
    { usleep(20_000) }
    #expect(run.process.isRunning, "the clock was set in the middle")
    try sweep.write(step, to: "clock")
    let output = try run.finish()
    #expect(output.status == 0 && output.out == calm.out, "\(output.status) \(output.talk)")
    #expect(!output.talk.contains("DIED") && !output.talk.contains("sign of life"), "\(output.talk)")
    let again = try Program.shell("ls -d results/stages/*/attempts/2", in: sweep.folder)
    #expect(again.out.isEmpty, "every stage took one attempt: \(again.out)")
  }

  // MARK: The list

  /// Of each entry of the two lists, the tests that hold its smallest input.
  static let entries: [(entry: String, tests: [String])] = [
    (
      "14.1",
      [
        "what an interrupted sweep still needs is no garbage",
        "imported weights that only runs which never began would read are kept",
      ]
    ),
    ("14.2", ["devices, pipes, links and modes stay, and a minus is standard output"]),
    (
      "14.3",
      [
        "a stream that cannot be written is an exit code, never a trap",
        "a run that nobody hears any more writes snapshots and stops",
      ]
    ),
    ("14.4", ["signals that were ignored stay ignored"]),
    (
      "14.5",
      [
        "a clock that is set while workers work ends none and costs no try",
        "a sleep of the machine or a clock that is set counts as one look",
      ]
    ),
    ("14.6", ["a verification that is interrupted has kept what it found, and goes on"]),
    ("14.7", ["a second run is refused while one goes on, also where somebody deleted its lease"]),
    (
      "14.8",
      [
        "a program that is replaced while it runs goes on with workers of its own kind",
        "a run that was proven under another program counts as that program's",
      ]
    ),
    ("14.9", ["another grid does not take the name of a sweep with results over, unless it is told to"]),
    (
      "14.10",
      [
        "with few open files a sweep of many workers ends with the same table",
        "with few processes fewer workers run and no try is counted",
      ]
    ),
    ("14.11", ["the tightest of affinity, quota and Slurm counts"]),
    ("14.12", ["the direction is declared, never guessed"]),
    (
      "14.13",
      [
        "an export says how images are shown, and an import goes by it",
        "weights in several files are taken by their index, and an import is shown with all that it says",
      ]
    ),
    ("14.14", ["an export tells a value once, counts the best epoch from 1, and leaves out no cost"]),
    (
      "14.15",
      [
        "what is not among the pictures is counted by its reason", "a dataset that lacks files says so",
        "pictures in both sets are counted",
      ]
    ),
    (
      "14.16",
      [
        "what looks wrong in a trainer's numbers is said once",
        "the number of finished counts before that of the last epoch",
      ]
    ),
    ("14.17", ["a sweep compared with itself has no interval of independent samples"]),
    ("14.18", ["a path with any letters is read, and is no part of the digest"]),
    (
      "14.19",
      [
        "what Pillow decodes is decoded to its bytes, and what it refuses is refused",
        "bicubic resampling gives Pillow's bytes",
      ]
    ),
    (
      "14.20",
      [
        "a strip of a picture takes no more memory than its middle",
        "a folder that is linked to forty times is read once",
      ]
    ),
    (
      "14.21",
      [
        "takes the weights out of every usual layout, and runs code of a file only when it is told to",
        "a backbone and a head that are kept apart are put together, and that is said",
        "what wrappers put before every name is taken away and said",
        "a file of another kind is named by its first bytes",
      ]
    ),
    (
      "14.22",
      [
        "CIFAR has one digest as binary files, as Python's and in either's archive",
        "IDX files are found under the names that they have in the wild",
        "a flat val is read with a list of its classes", "one class is refused with what to do",
      ]
    ),
    ("14.23", ["doctor says what is there and what to do", "is the message, not a frame of the stack"]),
    (
      "14.24",
      [
        "numbers that JSON does not have are not numbers, and an error that repeats is not tried again",
        "each worker has a slot of its own, which its trainer finds",
      ]
    ),
    (
      "14.25",
      [
        "top-level axes beside blocks are told to be a block of their own",
        "a value twice in an axis is worth a warning, written alike or by an alias",
        "a rate that falls several times at once is worth a warning",
        "a grid comes from standard input or from a pipe of the shell",
        "help on nothing that there is names topics and ends with 64",
        "commands in the program's sentences are commands with options that there are",
      ]
    ),
    (
      "14.26",
      [
        "every distinct stage is tried for one step, and nothing is written",
        "the command at the end finds exit code and counts, however the run ended",
        "a run shows when it was made, how long it took, and how good its teachers are",
        "without a terminal the lines count the runs",
        "a time of day is the next one, a length counts from now",
        "TensorBoard reads the settings of every run and how it ended",
      ]
    ),
    ("14.27", ["errors name what was tried, the place and the next step"]),
    (
      "15.1",
      [
        "every changed value is noticed, or stands in the list of those that carry no meaning",
        "a report of changed numbers is refused, with the name of what was changed",
      ]
    ),
    ("15.2", ["the last epoch did not report it: a gap that says which one did, unless that one is meant"]),
    (
      "15.3",
      [
        "a run whose value is not finite is a gap in every format",
        "numbers at the ends of what a number holds end no page and no figure",
      ]
    ),
    (
      "15.4",
      ["a rebuilt database keeps seals of runs with the same numbers, and withholds runs that lost records"]
    ),
    ("15.5", ["a fault in what one trainer hands over fails its run, and the others go on"]),
    (
      "15.6",
      [
        "without a possible test nothing is called alike",
        "the exact sign flip p stands beside the t test of few pairs, and the note says which marks",
      ]
    ),
    ("15.7", ["a trainer behind a shell ends with its worker, and two never write into one folder"]),
    ("15.8", ["the end of a trainer's process ends its run, whoever holds its output or ignores signals"]),
    ("15.9", ["a fault in what one trainer hands over fails its run, and the others go on"]),
    ("15.10", ["an endless log is cut in its middle, and a huge sparse one is no burden"]),
    (
      "15.11",
      [
        "what a trainer says in its reason is shown and obeyed by no output, and never a page long",
        "names of classes and files show what they hold and end no line",
        "no output gets a character that it would obey", "a spreadsheet computes no field",
      ]
    ),
    (
      "15.12",
      [
        "a second run is refused while one goes on, also where somebody deleted its lease",
        "whoever takes the store fences the one before: its transactions are not committed",
      ]
    ),
    (
      "15.13",
      ["after a loss of power at any moment no announced run is lost, and the sweep ends with the same bits"]
    ),
    ("15.14", ["a sweep travels in one file"]),
    (
      "15.15",
      [
        "an archive that was made to harm is refused, and nothing of it is taken",
        "a schema that this program does not make is refused",
      ]
    ),
    (
      "15.16",
      [
        "a FIFO in the place of any file is named, and never waited for",
        "a value out of its range is an error that names table and row",
      ]
    ),
    (
      "15.17",
      ["what killed processes left is found by the names that they wrote, and what lives is left alone"]
    ),
    (
      "15.18",
      [
        "a worker that is held still is lost, and its run is gone on with",
        "a heartbeat that looks old because a clock was set costs no worker its work",
        "a worker is silent for as long as somebody watched it, whatever its clock says",
        "a store's path is one word and no pattern, whatever is in it",
      ]
    ),
    ("15.19", ["values are equal where their bytes are"]),
    (
      "15.20",
      [
        "a preloaded library that moves the environment takes no arguments away",
        "a signal that comes before anybody listens is a wish to stop",
        "a token comes from a file or the environment, and one that is too short is refused",
      ]
    ),
    ("15.21", ["a look ahead is differentiated through its steps"]),
    ("15.22", ["a run agrees with the recorded one in every number, in float up to a listed kink"]),
    ("15.23", ["every method that asks teachers records a loss of each"]),
    ("15.24", ["with one teacher what only a policy reads is in no key"]),
    ("15.25", ["the page of methods names every method and every option"]),
  ]

  @Test func `every entry of both lists has a test that is there`() throws {
    let folder = URL(filePath: #filePath).appending(path: "../..").standardizedFileURL
    var names: Set<String> = []
    for file in FileManager.default.subpaths(atPath: folder.path) ?? [] where file.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
      for match in text.matches(of: /func `([^`]+)`/) { names.insert(String(match.1)) }
    }
    #expect(Self.entries.map(\.entry) == (1...27).map { "14.\($0)" } + (1...25).map { "15.\($0)" })
    for (entry, tests) in Self.entries {
      for test in tests { #expect(names.contains(test), "\(entry): \(test)") }
    }
  }
}
