import Foundation
import Specs
import TestSupport
import Testing

/// Means over students through the built program: in the grid, its claims, `report` and `compare`.
@Suite(
  .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "python3 plays a trainer"))
struct AverageTests {
  private static let trainer = """
    import json, sys
    run = json.loads(sys.stdin.readline())["run"]
    width = 16 if "shuffle" in json.dumps(run["student"]) else 8
    values = json.load(open("values.json"))[run["method"]["name"]][str(width)]
    value = values[(run["seed"] - 1) % len(values)]
    print(json.dumps({"record": "epoch", "epoch": 0, "step": 1, "metrics": {"test.acc1": value}}), flush=True)
    print(json.dumps({"record": "finished", "metrics": {"test.acc1": value}}), flush=True)
    """

  /// Means over both: 45, 46.5, 45.5 and 50, 51.4, 50.6: differences 5, 4.9, 5.1.
  private static let values = """
    { "baseline": { "8": [40, 41, 39], "16": [50, 52, 52] },
      "aver-kd": { "8": [47, 44.8, 47.2], "16": [53, 58, 54] } }
    """

  private static func grid(_ report: String, _ claim: String) -> String {
    """
    { "version": 1, "name": "means",
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 12, "testImages": 6, "epochs": 1,
                "teacherEpochs": 1, "teachers": ["mini-resnet8-w8"],
                "trainer": { "command": ["python3", "trainer.py"], "files": ["values.json"] } },
      "axes": { "student": ["mini-resnet8-w8", "mini-shufflev2-01"], "method": ["baseline", "aver-kd"] },
      "seeds": { "count": 3 },
      "report": { \(report) },
      "claims": [{ "compare": "aver-kd - baseline"\(claim) }] }
    """
  }

  private func sweep(_ report: String, _ claim: String = "") throws -> TinySweep {
    let sweep = try TinySweep(grid: Self.grid(report, claim))
    try sweep.write(Self.trainer, to: "trainer.py")
    try sweep.write(Self.values, to: "values.json")
    return sweep
  }

  @Test func `means over students stand in the table, the comparison, the claim and compare`() throws {
    let sweep = try sweep(
      #""average": ["student"], "compareTo": ["aver-kd - baseline"]"#, #", "average": ["student"]"#)
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    #expect(run.out.contains("mean over 2 students (mini-resnet8-w8, mini-shufflev2-01)"), "\(run.out)")
    // 5 ± 0.1: t = 86.6 is past the 16.47 that three pairs need.
    #expect(run.out.contains("different: aver-kd is higher"), "\(run.out)")
    let json = try Program.run("report", "--format", "json", in: sweep.folder)
    let report = try JSONReader.read(Array(json.out.utf8)).value
    let cells = try #require(report.object?["cells"]?.array)
    #expect(cells.count == 2, "\(json.out)")
    let each = try Program.run("report", "--average", "", "--format", "json", in: sweep.folder)
    #expect(
      try JSONReader.read(Array(each.out.utf8)).value.object?["cells"]?.array?.count == 4, "\(each.out)")
    let compared = try Program.run(
      "compare", "baseline", "aver-kd", "--average", "student", "--format", "csv", "--digits", "3",
      in: sweep.folder)
    #expect(compared.status == 0 && compared.out.contains("mean over 2 students"), "\(compared.talk)")
    #expect(compared.out.contains("+5.000"), "\(compared.out)")
    for format in ["html", "markdown", "latex", "csv"] {
      let text = try Program.run("report", "--format", format, in: sweep.folder)
      #expect(text.status == 0, "\(format): \(text.talk)")
    }
    let wrong = try Program.start(["report", "--average", "studnt"], in: sweep.folder).finish()
    #expect(wrong.status == 66 && wrong.talk.contains("student"), "\(wrong.talk)")
  }

  @Test(arguments: [
    (#""average": ["studnt"]"#, "", "did you mean \"student\"?"),
    (#""average": ["method"]"#, "", "no mean is taken over them"),
    (#""average": ["epochs"]"#, "", "does not vary in this grid"),
    (#""average": ["student"], "columns": ["student"]"#, "", "averaged over"),
    (#""compareTo": [{ "compare": "aver-kd", "averag": ["student"] }]"#, "", "average"),
    (#""compareTo": [{ "compare": "aver-kd - baseline", "average": ["alpha"] }]"#, "", "does not vary"),
    ("", #", "average": ["studnt"]"#, "did you mean \"student\"?"),
    ("", #", "average": "student""#, "a list of names"),
  ])
  func `what is wrong with an average is said at its place`(
    _ report: String, _ claim: String, _ word: String
  ) throws {
    let sweep = try sweep(report, claim)
    defer { sweep.remove() }
    let check = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(check.status == 65 && check.talk.contains(word), "\(check.talk)")
    #expect(check.talk.contains("tiny.json:\(claim.isEmpty ? 7 : 8):"), "\(check.talk)")
  }

  @Test func `settings are chosen on validation values, and not without them`() throws {
    let trainer = """
      import json, sys
      run = json.loads(sys.stdin.readline())["run"]
      def find(part):
          if isinstance(part, dict):
              if "alpha" in part: return part["alpha"]
              found = [find(each) for each in part.values()]
              return next((each for each in found if each is not None), None)
      alpha = float(find(run) or 1)
      seed = run["seed"]
      metrics = {"test.acc1": 50 + 10 * alpha + seed, "validation.acc1": 60 - 10 * alpha + seed}
      print(json.dumps({"record": "epoch", "epoch": 0, "step": 1, "metrics": metrics}), flush=True)
      print(json.dumps({"record": "finished", "metrics": {"test.acc1": metrics["test.acc1"]}}), flush=True)
      """
    let grid = """
      { "version": 1, "name": "chosen",
        "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 12, "testImages": 6, "epochs": 1,
                  "teacherEpochs": 1, "student": "mini-resnet8-w8", "teachers": ["mini-resnet8-w8"],
                  "method": "aver-kd", "trainer": { "command": ["python3", "trainer.py"] } },
        "axes": { "alpha": [0.5, 1, 2] }, "seeds": { "count": 2 } }
      """
    let sweep = try TinySweep(grid: grid)
    defer { sweep.remove() }
    try sweep.write(trainer, to: "trainer.py")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    let chosen = try Program.run("report", "--choose", "alpha", "--format", "csv", in: sweep.folder)
    #expect(chosen.status == 0 && chosen.out.contains("alpha=0.5"), "\(chosen.out)\(chosen.talk)")
    // The lowest alpha is best on validation, 55 + 1.5, and worst on the test set, 55 + 1.5.
    #expect(chosen.out.contains("56.5"), "\(chosen.out)")
    for (arguments, status, word) in [
      (["--choose", "alhpa"], 66, "alpha"), (["--choose", "method"], 64, "for each method"),
      (["--choose", "alpha", "--select", "bestOnTest"], 64, "bestOnTest"),
      (["--choose", "alpha", "--format", "html"], 64, "html"),
      (["--style", "paper"], 64, "latex"), (["--style", "papr", "--format", "latex"], 64, "paper"),
    ] {
      let refused = try Program.start(["report"] + arguments, in: sweep.folder).finish()
      #expect(refused.status == Int32(status) && refused.talk.contains(word), "\(arguments): \(refused.talk)")
    }
    let store = try MadeUpStore(runs: 20, epochs: 2)
    defer { store.remove() }
    let refused = try Program.start(["report", "--choose", "alpha"], in: store.folder).finish()
    #expect(refused.status == 66 && refused.talk.contains("validationImages"), "\(refused.talk)")
  }

  @Test func `a table for a paper is written with its tests in a file beside it`() throws {
    let store = try MadeUpStore(runs: 20, epochs: 2)
    defer { store.remove() }
    let paper = try Program.run(
      "report", "--format", "latex", "--style", "paper", "--compare-to", "mtkd-rl - baseline", "-o", "t.tex",
      in: store.folder)
    #expect(paper.status == 0 && paper.talk.contains("t-tests.tex"), "\(paper.talk)")
    let text = try String(contentsOf: store.folder.appending(path: "t.tex"), encoding: .utf8)
    #expect(text.contains("\\label{tab:made-up}") && text.contains("_{\\pm "), "\(text)")
    let tests = try String(contentsOf: store.folder.appending(path: "t-tests.tex"), encoding: .utf8)
    #expect(tests.contains("mtkd-rl $-$ baseline"), "\(tests)")
  }
}
