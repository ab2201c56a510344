import Foundation
import Specs
import Testing

/// Runs of a seed that one worker trains side by side: their teachers are asked once, and
/// nothing else is different.
@Suite struct RunGroupTests {
  private static let grid = """
    {
      "version": 1, "name": "tiny",
      "base": {
        "dataset": "synthetic-1x8x8-3", "trainImages": 80, "testImages": 24, "batchSize": 16, "epochs": 2,
        "teacherEpochs": 1,
        "student": { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8] },
        "teachers": [
          { "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 8, 8] }, { "family": "cifar_wrn", "depth": 10, "widen": 1 }
        ]
      },
      "axes": AXES,
      "seeds": { "count": 2 }
    }
    """

  static func grid(_ axes: String) -> String {
    grid.replacingOccurrences(of: "AXES", with: axes)
  }

  /// All methods that this program knows, with students of two widths.
  private static func everything(in folder: URL) throws -> String {
    let output = try Program.run("methods", "--json", in: folder)
    let methods = try #require(JSONReader.read(Array(output.out.utf8)).value.object?["methods"]?.array)
    let names = methods.compactMap { $0.object?["name"]?.string }
    try #require(names.contains("mmkd") && names.contains("mtkd-rl") && names.count > 10)
    return grid("{ \"method\": [\(names.map { "\"\($0)\"" }.joined(separator: ", "))] }")
  }

  /// Digests of all epochs and checkpoints, and the table.
  private func evidence(_ store: String, _ sweep: TinySweep) throws -> String {
    let digests = try Program.run("list", "--digests", "--store", store, in: sweep.folder)
    let report = try Program.run("report", "--format", "json", "--store", store, in: sweep.folder)
    #expect(digests.status == 0 && report.status == 0, "\(digests.talk) \(report.talk)")
    return digests.out + report.out
  }

  private func logs(_ store: String, _ sweep: TinySweep) throws -> [String] {
    let stages = sweep.folder.appending(path: "\(store)/stages")
    return try FileManager.default.contentsOfDirectory(at: stages, includingPropertiesForKeys: nil).map {
      (try? String(contentsOf: $0.appending(path: "attempts/1/log"), encoding: .utf8)) ?? ""
    }
  }

  private func together(_ store: String, _ sweep: TinySweep) throws -> Int {
    try logs(store, sweep).count { $0.contains("side by side") }
  }

  private func run(_ arguments: String..., in sweep: TinySweep, status: Int32 = 0) throws {
    let output = try Program.start(["run", "tiny.json"] + arguments, in: sweep.folder).finish()
    #expect(output.status == status, "\(output.talk)")
  }

  @Test func `runs of all methods end side by side with the bits that they have alone`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    try sweep.write(Self.everything(in: sweep.folder), to: "tiny.json")
    try run("--store", "alone", "--no-cache", in: sweep)
    #expect(try together("alone", sweep) == 0)
    let expected = try evidence("alone", sweep)
    for workers in ["1", "3"] {
      try run("--store", workers, "--workers", workers, in: sweep)
      #expect(try evidence(workers, sweep) == expected)
    }
    let runs = expected.components(separatedBy: "final").count - 1
    // All but the first of each process, the students alone and the teachers.
    #expect(try together("1", sweep) == runs - 2 - 2 - 2, "\(runs)")
    #expect(try (1..<together("1", sweep)).contains(together("3", sweep)))
  }

  @Test func `a group killed again and again, its coordinator with it, ends with the same bits`() throws {
    let sweep = try TinySweep(
      grid: Self.grid(#"{ "method": ["aver-kd", "aver-kd-fitnet", "mmkd", "mtkd-rl"] }"#)
        .replacingOccurrences(of: "\"epochs\": 2", with: "\"epochs\": 12"))
    defer { sweep.remove() }
    try run("--store", "alone", "--no-cache", in: sweep)
    let expected = try evidence("alone", sweep)
    var kills = (worker: 0, coordinator: 0, interrupts: 0)
    var ended = false
    while !ended {
      try #require(kills.worker + kills.coordinator + kills.interrupts < 100)
      let run = try Program.start(
        ["run", "tiny.json", "--store", "storm", "--workers", "1"], in: sweep.folder)
      // The first attempts hardly begin, later ones get further.
      let turn = kills.worker + kills.coordinator + kills.interrupts
      let deadline = Date.now + 0.3 + 0.15 * Double(turn)
      while run.process.isRunning, Date.now < deadline { usleep(2000) }
      if run.process.isRunning {
        switch turn % 3 {
        case 0:
          for worker in try sweep.workersAlive() { kill(worker, SIGKILL) }
          kills.worker += 1
          usleep(300_000)
          run.signal(SIGINT)
        case 1:
          run.signal(SIGKILL)
          kills.coordinator += 1
        default:
          run.signal(SIGINT)
          kills.interrupts += 1
        }
        _ = try run.finish()
      } else {
        let output = try run.finish()
        #expect(output.status == 0, "\(output.talk)")
        ended = true
      }
    }
    #expect(kills.worker > 0 && kills.coordinator > 0 && kills.interrupts > 0)
    #expect(try evidence("storm", sweep) == expected)
  }

  @Test func `a run that diverges ends alone, and the others of its group go on`() throws {
    let sweep = try TinySweep(
      grid: Self.grid(#"{ "method": ["aver-kd", "mtkd-rl"], "learningRate": [0.05, 1e30] }"#))
    defer { sweep.remove() }
    try run("--store", "alone", "--no-cache", in: sweep, status: 1)
    try run("--store", "side", "--workers", "1", in: sweep, status: 1)
    #expect(try together("side", sweep) == 6)
    #expect(try evidence("side", sweep) == evidence("alone", sweep))
    let list = try Program.run("list", "tiny", "--store", "side", in: sweep.folder)
    #expect(list.out.components(separatedBy: " diverged ").count == 1 + 4, "\(list.out)")
  }

  @Test func `plan says how often teachers are asked, and what each for itself would take`() throws {
    let sweep = try TinySweep(grid: Self.grid(#"{ "method": ["baseline", "aver-kd", "aekd", "mtkd-rl"] }"#))
    defer { sweep.remove() }
    func forecast(_ workers: String) throws -> [String: JSONValue] {
      let output = try Program.run("plan", "tiny.json", "--json", "--workers", workers, in: sweep.folder)
      return try #require(
        JSONReader.read(Array(output.out.utf8)).value.object?["forecast"]?.object, "\(output.talk)")
    }
    let (one, eight) = (try forecast("1"), try forecast("8"))
    #expect(one["timesAsked"] == 2 && eight["timesAsked"] == 6)
    func number(_ name: String) throws -> Double { try #require(one[name]?.number?.double) }
    #expect(try number("sharedSeconds") > 0 && eight["sharedSeconds"] == 0)
    #expect(
      try abs(number("cpuSeconds") + number("sharedSeconds") - #require(eight["cpuSeconds"]?.number?.double))
        < 1e-6)
    let text = try Program.run("plan", "tiny.json", "--workers", "1", in: sweep.folder).out
    #expect(text.contains("runs of a seed ask their teachers together, 2 times in all"), "\(text)")
  }
}
