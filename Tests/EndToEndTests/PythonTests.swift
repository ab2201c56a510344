import Foundation
import Specs
import TestSupport
import Testing

/// The Python side, `Python/`: its own suites, and a loop that uses it under the built program.
@Suite struct PythonTests {
  private static let folder = RepositoryFile.root.appending(path: "Python")

  /// Runs suites of the Python side with the first interpreter that has what they need.
  private func suites(_ names: String..., with modules: String...) throws {
    let python = try #require(Python.interpreter(with: modules))
    let (status, out) = try Python.run(
      python, ["-m", "unittest"] + names, in: Self.folder.appending(path: "tests"))
    #expect(status == 0, "\(out)")
    let count = try #require(out.firstMatch(of: /Ran (\d+) tests?/), "\(out)")
    #expect(Int(count.1).map { $0 > 0 } == true, "\(out)")
  }

  @Test(.enabled(if: Available.python("unittest", "sqlite3"), "a whole Python runs the suites of Python/"))
  func `checkpoints, generators and records of a loop are what the package promises`() throws {
    try suites(
      "test_package", "test_outputs", "test_results", "test_photographs", "test_torch_record", "test_walk",
      with: "unittest", "sqlite3")
  }

  @Test(.enabled(if: Available.python("unittest", "numpy", "torch"), "PyTorch is there"))
  func `three loops of PyTorch, each killed fifty times, end as if nobody had disturbed them`() throws {
    try suites("test_torch_loops", with: "unittest", "numpy", "torch")
  }

  @Test(.enabled(if: Available.python("unittest", "numpy", "torch"), "PyTorch is there"))
  func `runs of mtkd_torch that are killed end as if nobody had disturbed them`() throws {
    try suites("test_torch_trainer", with: "unittest", "numpy", "torch")
  }

  @Test(.enabled(if: Available.python("unittest", "numpy", "torch", "PIL"), "PyTorch and Pillow are there"))
  func `mtkd_torch trains on photographs, which it shows as this engine does`() throws {
    try suites(
      "test_photographs", "test_torch_photographs", with: "unittest", "numpy", "torch", "PIL")
  }

  @Test(.enabled(if: Available.python("random"), "there is a Python"))
  func `a loop with the library, killed with its sweep in the middle of epochs, ends with equal bits`()
    throws
  {
    let python = try #require(Python.interpreter(with: ["random"])).path
    let sweep = try TinySweep(
      grid: """
        { "version": 1, "name": "walks",
          "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 60, "testImages": 30, "epochs": 12,
                    "student": "mini-resnet8-w8", "method": "baseline",
                    "trainer": { "command": ["\(python)", "walk.py"],
                                 "metrics": { "test.distance": { "direction": "lower", "headline": true } } } },
          "seeds": { "count": 2 } }
        """)
    defer { sweep.remove() }
    try FileManager.default.copyItem(
      at: Self.folder.appending(path: "loops/walk.py"), to: sweep.folder.appending(path: "walk.py"))
    let environment = ["PYTHONPATH": Self.folder.path]
    func run(_ store: String) throws -> Program.Running {
      try Program.start(["run", "tiny.json", "--store", store], in: sweep.folder, environment: environment)
    }
    let calm = try run("calm").finish()
    #expect(calm.status == 0, "\(calm.talk)")
    for kill in 0..<4 {
      let running = try run("results")
      let deadline = Date.now + 120
      let wanted = "'[ $(cat results/stages/*/attempts/*/records.jsonl | grep -c epoch) -gt \(3 * kill) ]'"
      while running.process.isRunning, Date.now < deadline,
        try Program.shell("sh -c \(wanted) 2>/dev/null", in: sweep.folder).status != 0
      { usleep(5_000) }
      running.signal(kill % 2 == 0 ? SIGKILL : SIGTERM)
      _ = try running.finish()
    }
    let end = try run("results").finish()
    #expect(end.status == 0 && !end.talk.contains("another state"), "\(end.talk)")
    func digests(_ store: String) throws -> String {
      let list = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
      let report = try Program.run("report", "--format", "json", "--store", store, in: sweep.folder)
      #expect(list.status == 0 && report.status == 0, "\(list.talk) \(report.talk)")
      return list.out + report.out
    }
    #expect(try digests("results") == digests("calm"))
    let log = try Program.shell("cat results/stages/*/attempts/*/log", in: sweep.folder).out
    #expect(log.contains("going on from epoch"), "\(log)")
  }

  @Test(.enabled(if: Available.python("numpy", "random"), "numpy is there"))
  func
    `the example that trains teachers comes to the same with their outputs, without, and where they are damaged`()
    throws
  {
    let python = try #require(Python.interpreter(with: ["numpy", "random"])).path
    func grid(_ seeds: Int) -> String {
      """
      { "version": 1, "name": "taught",
        "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 60, "testImages": 30, "epochs": 4, "teacherEpochs": 3,
                  "views": 2, "student": "their-small", "teachers": ["their-big"], "learningRate": 0.5,
                  "trainer": { "command": ["\(python)", "teachers.py"], "protocol": 2 } },
        "axes": { "method": ["soft", "baseline"] }, "seeds": { "count": \(seeds) } }
      """
    }
    let sweep = try TinySweep(grid: grid(2))
    defer { sweep.remove() }
    try FileManager.default.copyItem(
      at: RepositoryFile.root.appending(path: "docs/examples/teachers.py"),
      to: sweep.folder.appending(path: "teachers.py"))
    func run(_ store: String, _ options: String...) throws -> Program.Output {
      try Program.start(
        ["run", "tiny.json", "--store", store] + options, in: sweep.folder,
        environment: ["PYTHONPATH": Self.folder.path]
      ).finish()
    }
    func digests(_ store: String) throws -> String {
      try Program.run("list", "--digests", "--store", store, in: sweep.folder).out
    }
    let first = try run("results")
    try #require(first.status == 0, "\(first.talk)")
    let parts = try Program.shell("ls results/stages/*/output/part-00000.bin", in: sweep.folder).out
    let part = parts.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(part.split(separator: "\n").count == 1, "\(parts)")
    // Record 7, which every student of two views reads.
    _ = try Program.shell(
      "chmod u+w \(part); printf x | dd of=\(part) bs=1 seek=$((48 + 32 * 120 + 12 * 7)) conv=notrunc",
      in: sweep.folder)
    try sweep.write(grid(3), to: "tiny.json")
    let damaged = try run("results")
    #expect(damaged.status == 0, "\(damaged.talk)")
    let logs = try Program.shell("cat results/stages/*/attempts/*/log", in: sweep.folder).out
    #expect(logs.contains("chunk 7 of part 0 has another digest"), "\(damaged.talk) \(logs)")
    let asking = try run("asking", "--no-cache")
    #expect(asking.status == 0, "\(asking.talk)")
    #expect(try digests("results") == digests("asking"))
  }

  /// Two students, failures, a validation set that chooses, and a sweep that nobody began.
  private static let analysed = """
    { "version": 1, "name": "analysed",
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 60, "validationImages": 30, "testImages": 48,
                "batchSize": 16, "epochs": 3, "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] } },
      "axes": { "method": ["baseline"], "learningRate": [0.1, 0.2, 1e9] }, "seeds": { "count": 3 },
      "report": { "select": "SELECT" } }
    """

  @Test(.enabled(if: Available.python("sqlite3", "ctypes"), "Python reads SQLite"))
  func `cells and epochs as Python reads them are those of report and export to the bit`() throws {
    let python = try #require(Python.interpreter(with: ["sqlite3", "ctypes"]))
    for select in ["last", "bestOnTest", "bestOnValidation"] {
      let sweep = try TinySweep(grid: Self.analysed.replacing("SELECT", with: select))
      defer { sweep.remove() }
      let run = try Program.run("run", "tiny.json", in: sweep.folder)
      #expect(run.status == 1, "three of its nine runs diverge: \(run.talk)")
      let store = sweep.folder.appending(path: "results").path
      let (status, out) = try Python.run(
        python,
        [Self.folder.appending(path: "tests/compare_report.py").path, Program.path.path, store, "analysed"])
      #expect(status == 0 && out.contains("are equal to the bit"), "\(select): \(out)")
      // The example tells the same.
      let example = RepositoryFile.root.appending(path: "docs/examples/analyse.py")
      let environment = ["PYTHONPATH": Self.folder.path]
      let told = try Python.run(python, [example.path, store], environment: environment)
      #expect(told.status == 0 && told.out.contains("best of baseline: seed "), "\(told.out)")
      #expect(told.out.contains("seed 1 is diverged: The loss was not finite"), "\(told.out)")
      // A number that was changed afterwards is not shown.
      let changed = try Program.shell(
        "\(python.path) -c \"import sqlite3; c = sqlite3.connect('results/store.sqlite'); "
          + "c.execute('UPDATE metric SET value = value + 1 WHERE epoch = 2'); c.commit()\"", in: sweep.folder
      )
      #expect(changed.status == 0, "\(changed.talk)")
      let refused = try Python.run(python, [example.path, store], environment: environment)
      #expect(refused.status == 1 && refused.out.contains("epochs were changed after"), "\(refused.out)")
    }
  }

  /// Two methods by this program's own trainer and by PyTorch.
  private static func both(
    _ images: String =
      #""dataset": "synthetic-1x16x16-4", "trainImages": 96, "validationImages": 20, "testImages": 60, "#
      + #""views": 2"#
  ) -> String {
    """
    { "version": 1, "name": "both",
      "base": { \(images), "epochs": 2, "batchSize": 16, "learningRate": 0.01,
                "student": "mini-resnet8-w8", "teachers": ["mini-wrn-10-1", "mini-resnet14-w8"] },
      "blocks": [ { "name": "ours", "axes": { "method": ["baseline", "eb-kd"] } },
                  { "name": "theirs", "base": { "trainer": "torch" }, "axes": { "method": ["baseline", "eb-kd"] } } ],
      "seeds": { "count": 1 } }
    """
  }

  @Test(.enabled(if: Available.python("unittest", "numpy", "torch"), "PyTorch is there"))
  func `equal seeds begin with equal weights, images and views under both trainers`() throws {
    let sweep = try TinySweep(grid: Self.both())
    defer { sweep.remove() }
    try agree(sweep, python: ["unittest", "numpy", "torch"])
  }

  @Test(.enabled(if: Available.python("unittest", "numpy", "torch", "PIL"), "PyTorch and Pillow are there"))
  func `so do they on photographs`() throws {
    let sweep = try TinySweep(
      grid: Self.both(#""dataset": "imagefolder-16:pictures", "validationImages": 4, "colourJitter": 0.4"#))
    defer { sweep.remove() }
    for (split, count) in [("train", 20), ("val", 6)] {
      for (label, name) in ["dark", "light"].enumerated() {
        let folder = sweep.folder.appending(path: "pictures/\(split)/\(name)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for index in 0..<count {
          let (width, height) = (20 + index, 41 - index)
          let pixels = (0..<width * height * 3).map { UInt8(($0 * 37 + index * 11) % 90 + 160 * label) }
          try Data(JPEG.encoded(pixels, width: width, height: height)).write(
            to: folder.appending(path: "\(index).jpg"))
        }
      }
    }
    try agree(sweep, python: ["unittest", "numpy", "torch", "PIL"])
  }

  /// Runs the grid of `both`, and compares the losses of its two trainers.
  private func agree(_ sweep: TinySweep, python modules: [String]) throws {
    let python = try #require(Python.interpreter(with: modules)).path
    let folder = URL(filePath: python).deletingLastPathComponent().path
    let path = "\(folder):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
    let run = try Program.start(
      ["run", "tiny.json"], in: sweep.folder, environment: ["PATH": path, "OMP_NUM_THREADS": "1"]
    ).finish()
    #expect(run.status == 0, "\(run.talk)")
    let export = try Program.run("export", "--format", "jsonl", in: sweep.folder)
    var losses: [String: [[Double]]] = [:]
    for line in export.out.split(separator: "\n") {
      let record = try JSONReader.read(Array(line.utf8)).value
      let epochs = try #require(record.object?["epochs"]?.array).map { epoch in
        ["train.loss", "validation.loss", "test.loss"].map {
          epoch.object?["metrics"]?.object?[$0]?.number?.double ?? .nan
        }
      }
      let method = record.object?["labels"]?.object?["method"]?.string ?? ""
      losses[method, default: []].append(epochs.flatMap(\.self))
    }
    #expect(losses.count == 2 && losses.values.allSatisfy { $0.count == 2 && $0[0].count == 6 })
    for (method, pair) in losses {
      // Rounding in single precision, far below what another weight or another image would change.
      for (own, other) in zip(pair[0], pair[1]) { #expect(abs(own - other) < 1e-4, "\(method): \(pair)") }
    }
  }

  @Test func `the first ten steps that mtkd_torch is compared with are those of the program of today`() throws
  {
    let fixtures = RepositoryFile.root.appending(path: "Tests/Fixtures/steps")
    let sweep = try TinySweep(
      grid: try String(contentsOf: fixtures.appending(path: "grid.json"), encoding: .utf8))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    let recorded = try JSONReader.read(Array(Data(contentsOf: fixtures.appending(path: "steps.json")))).value
    var known: [String: [[String: Double]]] = [:]
    for entry in recorded.array ?? [] {
      let settings = try #require(entry.object?["run"]?.object)
      let name =
        (settings["student"]?.object?["family"]?.string ?? "") + " "
        + (settings["method"]?.object?["name"]?.string ?? "")
      known[name] = entry.object?["steps"]?.array?.map { step in
        (step.object ?? [:]).compactMapValues { $0.number?.double }
      }
    }
    let export = try Program.run("export", "--format", "jsonl", in: sweep.folder)
    for line in export.out.split(separator: "\n") {
      let record = try #require(JSONReader.read(Array(line.utf8)).value.object)
      let labels = record["labels"]?.object ?? [:]
      let family = labels["student"]?.string == "mini-shufflev2-01" ? "cifar_shufflenetv2" : "cifar_resnet"
      let name = "\(family) \(labels["method"]?.string ?? "")"
      let want = try #require(known[name], "\(name) is not recorded")
      known[name] = nil
      let epochs = try #require(record["epochs"]?.array)
      #expect(epochs.count == 10 && want.count == 10, "\(name)")
      for (epoch, step) in zip(epochs, want) {
        let metrics = epoch.object?["metrics"]?.object ?? [:]
        // Another kernel may round otherwise.
        for (metric, value) in step
        where !(abs((metrics[metric]?.number?.double ?? .nan) - value) <= 1e-6 * max(1, abs(value))) {
          Issue.record("\(name) \(metric): Python/tests/record_steps.py records anew")
        }
      }
    }
    #expect(known.isEmpty, "\(known.keys.sorted())")
  }

  @Test(.enabled(if: Available.python("random"), "there is a Python"))
  func `a Python without torch, and no Python at all, are told before anything runs`() throws {
    let python = try #require(Python.interpreter(with: ["random"])).path
    let sweep = try TinySweep(grid: Self.both())
    defer { sweep.remove() }
    let bare = sweep.folder.appending(path: "bare")
    try FileManager.default.createDirectory(at: bare, withIntermediateDirectories: true)
    func answer(_ word: String, _ path: String) throws -> Program.Output {
      try Program.start([word, "tiny.json"], in: sweep.folder, environment: ["PATH": path]).finish()
    }
    let nothing = try answer("check", bare.path)
    #expect(nothing.status == 65 && nothing.talk.contains("python3 -m mtkd_torch"), "\(nothing.talk)")
    // -S leaves installed packages out.
    try Data("#!/bin/sh\nexec \(python) -S \"$@\"\n".utf8).write(to: bare.appending(path: "python3"))
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: bare.appending(path: "python3").path)
    let empty = try answer("run", "\(bare.path):/usr/bin:/bin")
    #expect(empty.status == 65, "\(empty.talk)")
    #expect(empty.talk.contains("did not say what it can do"), "\(empty.talk)")
    #expect(empty.talk.contains("-m pip install torch"), "\(empty.talk)")
    let misspelt = try TinySweep(grid: Self.both().replacing("\"torch\"", with: "\"torhc\""))
    defer { misspelt.remove() }
    let unknown = try Program.run("check", "tiny.json", in: misspelt.folder)
    #expect(unknown.status == 65 && unknown.talk.contains("Did you mean 'torch'?"), "\(unknown.talk)")
    let doctor = try Program.start(
      ["doctor"], in: sweep.folder, environment: ["PATH": "\(bare.path):/usr/bin:/bin"]
    ).finish()
    #expect(doctor.out.contains("has no torch or no numpy"), "\(doctor.out)")
  }
}
