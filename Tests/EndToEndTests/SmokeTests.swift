import Foundation
import Specs
import Testing

/// From a grid to a table with the built program, on the grids that the repository ships.
@Suite struct SmokeTests {
  private static let repository = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  @Test func `the smoke grid becomes a table, and a second run has nothing to do`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let grid = Self.repository.appending(path: "sweeps/smoke.json").path
    let first = try Program.run("run", grid, in: sweep.folder)
    #expect(first.status == 0, "\(first.talk)")
    #expect(first.out.contains("baseline") && first.out.contains("mtkd-rl"), "\(first.out)")
    #expect(first.out.contains("±") && first.out.contains("n = 2"), "\(first.out)")
    #expect(
      !first.out.contains("\u{1b}") && !first.talk.contains("\u{1b}"), "no control characters in a pipe")

    let second = try Program.run("run", grid, in: sweep.folder)
    #expect(second.status == 0)
    #expect(second.out == first.out)

    for format in ["text", "markdown", "csv", "json"] {
      let report = try Program.run("report", "--format", format, "--require-complete", in: sweep.folder)
      #expect(report.status == 0, "\(report.talk)")
      #expect(report.out.contains("mtkd-rl"))
    }
  }

  @Test func `a baseline over five alphas is one run, and plan says so`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(
        of: #""axes": {"#, with: #""axes": { "alpha": { "range": [0, 1, 0.25] },"#))
    defer { sweep.remove() }
    let output = try Program.run("plan", "tiny.json", in: sweep.folder)
    #expect(output.status == 0, "\(output.talk)")
    #expect(
      output.out.contains("20") && output.out.contains("12") && output.out.contains("8"), "\(output.out)")
    #expect(output.out.contains("baseline"), "\(output.out)")
  }

  @Test
  func `plan forecasts for as many workers as the grid says, one stage after the other where that is one`()
    throws
  {
    func forecast(_ run: String, _ arguments: String...) throws -> [String: JSONValue] {
      let sweep = try TinySweep(
        grid: TinySweep.grid.replacingOccurrences(
          of: #""axes": {"#, with: "\"run\": {\(run)}, \"axes\": {"))
      defer { sweep.remove() }
      let output = try Program.start(["plan", "tiny.json", "--json"] + arguments, in: sweep.folder).finish()
      let plan = try #require(try JSONReader.read(Array(output.out.utf8)).value.object, "\(output.talk)")
      // A dataset, a teacher, four runs.
      #expect(plan["preparations"] == 2 && plan["toRun"] == 4)
      return try #require(plan["forecast"]?.object)
    }
    let one = try forecast(#""workers": 1"#)
    let (wall, cpu) = (
      try #require(one["wallSeconds"]?.number?.double), try #require(one["cpuSeconds"]?.number?.double)
    )
    #expect(one["workers"] == 1)
    // Each stage's work, and 0.2 s to start it and to hear its last words.
    #expect(abs(wall - (cpu + 6 * 0.2)) < 1e-6, "\(one)")
    let two = try forecast(#""workers": 2"#)
    #expect(
      two["workers"] == 2 && two["wallSeconds"]!.number!.double < wall
        && two["cpuSeconds"] == one["cpuSeconds"])
    #expect(try forecast(#""workers": 1"#, "--workers", "3")["workers"] == 3)
    #expect(try forecast(#""threadsPerRun": 64"#)["workers"] == 1)
  }

  @Test func `a grown grid keeps what is done`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    try sweep.write(
      TinySweep.grid.replacingOccurrences(of: #""count": 2"#, with: #""count": 3"#), to: "tiny.json")
    let plan = try Program.run("plan", "tiny.json", "--json", in: sweep.folder)
    #expect(plan.out.contains("\"done\":4") && plan.out.contains("\"toRun\":2"), "\(plan.out)")
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(run.status == 0)
    #expect(run.out.contains("n = 3"), "\(run.out)")
  }

  @Test func `a store is one file that reports anywhere`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    #expect(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    let there = try Program.run("report", in: sweep.folder)
    let elsewhere = sweep.folder.appending(path: "elsewhere")
    try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: sweep.folder.appending(path: "results/store.sqlite"), to: elsewhere.appending(path: "store.sqlite"))
    let copied = try Program.run("report", "--store", "elsewhere", in: sweep.folder)
    #expect(copied.status == 0, "\(copied.talk)")
    #expect(copied.out == there.out)
  }

  @Test func `a run that diverges is a result that the table shows`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(
        of: #""axes": {"#, with: #""axes": { "learningRate": [0.05, 1e30],"#))
    defer { sweep.remove() }
    let first = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(first.status == 1, "\(first.talk)")
    #expect(first.out.contains("diverged"), "\(first.out)")
    let again = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(again.status == 1)
    #expect(again.out == first.out)
    #expect(try Program.run("report", "--require-complete", in: sweep.folder).status == 2)
  }
}
