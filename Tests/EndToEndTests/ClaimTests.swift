import Foundation
import TestSupport
import Testing

/// Claims through the built program: a trainer plays chosen numbers, so that it is known which
/// seeds must be asked for.
@Suite(
  .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "python3 plays a trainer"))
struct ClaimTests {
  /// Says what `values.json` has for its method and seed; without a number there, it fails.
  static let trainer = """
    import json, sys, time
    run = json.loads(sys.stdin.readline())["run"]
    values = json.load(open("values.json"))[run["method"]["name"]]
    value = values[(run["seed"] - 1) % len(values)]
    if value is None:
        print(json.dumps({"record": "failed", "reason": "no number", "cause": "other"}), flush=True)
        sys.exit(0)
    print(json.dumps({"record": "epoch", "epoch": 0, "step": 1, "metrics": {"test.acc1": value}}), flush=True)
    print(json.dumps({"record": "finished", "metrics": {"test.acc1": value}}), flush=True)
    """

  static func grid(_ claims: String, _ seeds: String = #"{ "count": 3, "upTo": 8 }"#) -> String {
    """
    { "version": 1, "name": "claims",
      "base": { "dataset": "synthetic-1x8x8-3", "trainImages": 12, "testImages": 6, "epochs": 1, "teacherEpochs": 1,
                "student": "mini-resnet8-w8", "teachers": ["mini-resnet8-w8"],
                "trainer": { "command": ["python3", "trainer.py"], "files": ["values.json"] } },
      "axes": { "method": ["baseline", "aver-kd", "ca-mkd"] },
      "seeds": \(seeds), "claims": [\(claims)] }
    """
  }

  private static let two =
    #"{ "compare": "aver-kd - baseline" }, { "compare": "ca-mkd - aver-kd" }"#

  /// Ten points above the baseline with hardly any spread, and a third method that is
  /// nothing but noise about it.
  static let values = """
    { "baseline": [40, 40.7, 40.4, 40.1, 40.8, 40.5, 40.2, 40.9],
      "aver-kd": [50, 50.8, 50.3, 50.2, 50.7, 50.6, 50.1, 50.8],
      "ca-mkd": [49, 54, 52, 50, 48, 53, 51, 49] }
    """

  private func sweep(_ grid: String, _ values: String = Self.values) throws -> TinySweep {
    let sweep = try TinySweep(grid: grid)
    try sweep.write(Self.trainer, to: "trainer.py")
    try sweep.write(values, to: "values.json")
    return sweep
  }

  /// `METHOD N`: how many seeds each method was given.
  private func seeds(_ sweep: TinySweep, store: String = "results") throws -> [String: Int] {
    let list = try Program.run("list", "claims", "--json", "--store", store, in: sweep.folder)
    #expect(list.status == 0, "\(list.talk)")
    var counts: [String: Int] = [:]
    for match in list.out.matches(of: /"method":"([a-z-]+)"/) { counts[String(match.1), default: 0] += 1 }
    return counts
  }

  private func claims(_ sweep: TinySweep, store: String = "results") throws -> String {
    let report = try Program.run("report", "--claims", "--store", store, in: sweep.folder)
    #expect(report.status == 0, "\(report.talk)")
    return report.out
  }

  @Test func `a claim gets the seeds that it needs, and no more`() throws {
    let sweep = try sweep(Self.grid(Self.two))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0, "\(run.talk)")
    #expect(
      run.out.contains("different: aver-kd is higher") && run.out.contains("open at 8 seeds"), "\(run.out)")
    #expect(try seeds(sweep) == ["baseline": 3, "aver-kd": 8, "ca-mkd": 8])
    let again = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(again.status == 0 && again.out == run.out && !again.talk.contains("done  "), "\(again.talk)")
    // Every format has them, and the exit code says that one is open.
    for format in ["text", "markdown", "latex", "json", "html"] {
      let report = try Program.run("report", "--format", format, in: sweep.folder)
      #expect(report.status == 0 && report.out.contains("open at 8 seeds"), "\(format): \(report.talk)")
    }
    #expect(try Program.run("report", "--require-decided", in: sweep.folder).status == 2)
    let status = try Program.run("status", in: sweep.folder)
    #expect(
      status.out.contains("claims: ") && status.out.contains("different: aver-kd is higher"), "\(status.out)")
    let figure = try Program.run("plot", "claims", "-o", "-", in: sweep.folder)
    #expect(figure.status == 0 && figure.out.contains("ca-mkd - aver-kd"), "\(figure.talk)")
  }

  @Test func `killed at every look and with any number of workers, the same runs are asked for`() throws {
    let sweep = try sweep(Self.grid(Self.two))
    defer { sweep.remove() }
    #expect(
      try Program.run("run", "tiny.json", "--workers", "4", "--store", "calm", in: sweep.folder).status == 0)
    let calm = try Program.run("report", "--store", "calm", in: sweep.folder)
    #expect(calm.status == 0, "\(calm.talk)")
    for kill in 0..<7 {
      let run = try Program.start(["run", "tiny.json", "--workers", "1"], in: sweep.folder)
      let deadline = Date.now + 120
      // The first sign of life of each look is a good moment, and the third, fourth …
      // run of the sweep another.
      while run.process.isRunning, Date.now < deadline,
        try finished(sweep) < 3 * kill
      { usleep(10_000) }
      run.signal(SIGKILL)
      _ = try run.finish()
    }
    let last = try Program.run("run", "tiny.json", "--workers", "1", in: sweep.folder)
    #expect(last.status == 0, "\(last.talk)")
    #expect(try Program.run("report", in: sweep.folder).out == calm.out)
    #expect(try seeds(sweep) == seeds(sweep, store: "calm"))
  }

  private func finished(_ sweep: TinySweep) throws -> Int {
    let count = try Program.shell("ls -d results/stages/*/output 2>/dev/null | wc -l", in: sweep.folder)
    return Int(count.out.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
  }

  @Test func `equal differences and failures end a claim as impossible, and no seed is added for it`() throws
  {
    let equal = try sweep(
      Self.grid(#"{ "compare": "aver-kd - baseline" }"#),
      #"{ "baseline": [40, 41, 42], "aver-kd": [50, 51, 52], "ca-mkd": [1, 2, 3] }"#)
    defer { equal.remove() }
    #expect(try Program.run("run", "tiny.json", in: equal.folder).status == 0)
    #expect(try claims(equal).contains("impossible: all 3 differences are equal"))
    #expect(try seeds(equal) == ["baseline": 3, "aver-kd": 3, "ca-mkd": 3])
    let failing = try sweep(
      Self.grid(#"{ "compare": "aver-kd - baseline" }"#),
      #"{ "baseline": [40, 41.5, 42], "aver-kd": [null, null, 50], "ca-mkd": [1, 2, 3] }"#)
    defer { failing.remove() }
    #expect(try Program.run("run", "tiny.json", in: failing.folder).status == 1, "two runs failed")
    #expect(try claims(failing).contains("impossible: 2 of 3 pairs are missing"))
    #expect(try seeds(failing) == ["baseline": 3, "aver-kd": 3, "ca-mkd": 3])
  }

  @Test func `a difference too small to matter is told, and a claim that comes later goes by the same rule`()
    throws
  {
    let sweep = try sweep(
      Self.grid(#"{ "compare": "aver-kd - baseline", "smallest": 20 }"#),
      #"{ "baseline": [40, 44, 41, 43, 40, 44, 42, 41], "aver-kd": [42, 40, 44, 41, 43, 42, 40, 44], "ca-mkd": [60, 64, 62.1, 61, 60, 64, 62, 61] }"#
    )
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    #expect(try claims(sweep).contains("no difference of 20"))
    let before = try seeds(sweep)
    #expect(before["ca-mkd"] == 3 && before["aver-kd"]! > 3, "\(before)")
    // Nobody claims anything of the third method yet; what it has stays.
    try sweep.write(
      Self.grid(
        #"{ "compare": "aver-kd - baseline", "smallest": 20 }, { "compare": "ca-mkd - baseline" }"#),
      to: "tiny.json")
    let grown = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(grown.status == 0, "\(grown.talk)")
    #expect(try claims(sweep).contains("different: ca-mkd is higher"))
  }

  @Test func `a plan says the least, the expected and the most, and steps are taken whole`() throws {
    let sweep = try sweep(Self.grid(Self.two, #"{ "count": 3, "upTo": 8, "step": 4 }"#))
    defer { sweep.remove() }
    let check = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(check.out.contains("from 9 to 24 runs"), "\(check.out)")
    let plan = try Program.run("plan", "tiny.json", in: sweep.folder)
    #expect(plan.status == 0 && plan.out.contains("9 runs at least"), "\(plan.out)")
    #expect(plan.out.contains("24 at most") && plan.out.contains("2 of 2 claims open"), "\(plan.out)")
    let part = try Program.run("run", "tiny.json", "--budget", "0.001s", in: sweep.folder)
    #expect(part.status == 0 && part.talk.contains("the budget is spent"), "\(part.talk)")
    #expect(try seeds(sweep) == ["baseline": 3, "aver-kd": 3, "ca-mkd": 3])
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let json = try Program.run("report", "--claims", "--format", "json", in: sweep.folder)
    // 3, then 7, then what is left to 8.
    #expect(json.out.contains(#""looks":3"#) && json.out.contains(#""step":4"#), "\(json.out)")
  }

  @Test(arguments: [
    (#"{ "compare": "aver-kd - basline" }"#, #"{ "count": 3 }"#, "did you mean \"baseline\"?"),
    (#"{ "compare": "aver-kd - aver-kd" }"#, #"{ "count": 3 }"#, "cannot differ from itself"),
    (#"{ "compare": "aver-kd" }"#, #"{ "count": 3 }"#, "expected a pair of methods"),
    (#"{ "compare": "aver-kd - at" }"#, #"{ "count": 3 }"#, "no two cells of this grid differ"),
    (#"{ "compare": "aver-kd - baseline", "smallest": 0 }"#, #"{ "count": 3 }"#, "above 0"),
    (#"{ "compare": "aver-kd - baseline", "level": 0.6 }"#, #"{ "count": 3 }"#, "at most 0.5"),
    (
      #"{ "compare": "aver-kd - baseline", "select": "bestOnTest" }"#, #"{ "count": 3 }"#,
      "what it is judged by"
    ),
    (#"{ "compare": "aver-kd - baseline", "smalest": 1 }"#, #"{ "count": 3 }"#, "smallest"),
    (
      #"{ "compare": "aver-kd - baseline", "where": { "stduent": "x" } }"#, #"{ "count": 3 }"#, "\"student\"?"
    ),
    (#"{ "compare": "aver-kd - baseline" }"#, #"{ "count": 3, "upTo": 2 }"#, "2 is below 3"),
    (
      #"{ "compare": "aver-kd - baseline" }"#, #"{ "count": [1, 2], "upTo": 9 }"#,
      "a list of seeds cannot grow"
    ),
  ])
  func `what is wrong with a claim is said with its place`(_ claim: String, _ seeds: String, _ word: String)
    throws
  {
    let sweep = try sweep(Self.grid(claim, seeds))
    defer { sweep.remove() }
    let check = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(check.status == 65 && check.talk.contains(word), "\(check.talk)")
    #expect(check.talk.contains("tiny.json:6:"), "\(check.talk)")
  }

  @Test func `seeds that grow without a claim are refused`() throws {
    let sweep = try sweep(Self.grid(Self.two).replacing(#", "claims": [\#(Self.two)]"#, with: ""))
    defer { sweep.remove() }
    let check = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(check.status == 65 && check.talk.contains("has no \"claims\""), "\(check.talk)")
  }
}

/// What tables say after seeds were added by hand.
@Suite struct LookTests {
  @Test func `seeds that are added after a look are told beside the p values, and anytime gives others`()
    throws
  {
    let sweep = try TinySweep(grid: TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1"))
    defer { sweep.remove() }
    let first = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(first.status == 0 && !first.out.contains("Seeds were added"), "\(first.talk)")
    try sweep.write(
      TinySweep.grid.replacing("\"epochs\": 3", with: "\"epochs\": 1")
        .replacing("\"count\": 2", with: "\"count\": 4"), to: "tiny.json")
    let second = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(second.out.contains("Seeds were added after a look at n = 2"), "\(second.out)")
    let anytime = try Program.run("compare", "baseline", "mtkd-rl", "--anytime", in: sweep.folder)
    #expect(anytime.status == 0 && anytime.out.contains("p = 1/e"), "\(anytime.talk)")
    // A store that cannot take the note is reported all the same.
    let blocked = try Program.shell(
      "rm -r results/looks && : > results/looks && \"$PROGRAM\" report > /dev/null", in: sweep.folder)
    #expect(blocked.status == 0 && blocked.talk.contains("not recorded"), "\(blocked.talk)")
  }
}
