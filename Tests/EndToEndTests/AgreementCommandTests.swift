import Foundation
import Specs
import TestSupport
import Testing

/// How often student and teacher name the same class, from the grid to the table.
@Suite struct AgreementCommandTests {
  private static func grid(_ base: String, report: String) -> String {
    TinySweep.grid
      .replacingOccurrences(of: #""batchSize": 16,"#, with: #""batchSize": 16, \#(base)"#)
      .replacingOccurrences(
        of: #""seeds": { "count": 2 }"#, with: #""seeds": { "count": 1 }, "report": { \#(report) }"#)
  }

  @Test func `a grid that asks for it has it in its records, in lists, in show and in tables`() throws {
    let sweep = try TinySweep(
      grid: Self.grid(
        #""agreement": true, "validationImages": 24,"#, report: #""metric": "test.agreement.0""#))
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    // The baseline has no teacher, and so no number.
    try #require(run.status == 1, "\(run.talk)")
    #expect(
      run.out.contains("test.agreement.0 in percent") && run.out.contains("1 not recorded"), "\(run.out)")

    let list = try Program.run("list", "tiny", in: sweep.folder).out.split(separator: "\n")
    let line = try #require(list.first { $0.contains("mtkd-rl") })
    let key = String(line.prefix(10))
    let shown = try JSONReader.read(
      Array(Program.run("show", key, "--json", in: sweep.folder).out.utf8)
    ).value
    let last = try #require(shown.object?["epochs"]?.array?.last?.object?["metrics"]?.object)
    let value = try #require(last["test.agreement.0"]?.number?.double)
    #expect(last["validation.agreement.0"] != nil && last["test.agreement.1"] == nil)
    let text = String(format: "%.2f %%", value)
    #expect(line.contains("  \(text)  "), "\(line)")
    #expect(shown.object?["teachers"]?.array?[0].object?["test.agreement"]?.number?.double == value)
    let facts = try Program.run("show", key, in: sweep.folder).out
    #expect(facts.contains("\"agreement\": true"), "\(facts)")
    #expect(facts.contains("agrees with the student on \(text) of the test images"), "\(facts)")
    let accuracy = try Program.run("list", "tiny", "--metric", "test.acc1", in: sweep.folder).out
    let right = try #require(last["test.acc1"]?.number?.double)
    #expect(accuracy.contains(String(format: "  %.2f %%  ", right)), "\(accuracy)")
  }

  @Test func `a sweep that has not measured it says what a grid writes for it`() throws {
    let sweep = try TinySweep(grid: Self.grid("", report: #""metric": "test.acc1""#))
    defer { sweep.remove() }
    try #require(try Program.run("run", "tiny.json", in: sweep.folder).status == 0)
    for words in [["report"], ["list", "tiny"]] {
      let refused = try Program.start(
        words + ["--metric", "test.agreement.0"], in: sweep.folder
      ).finish()
      #expect(refused.status == 66 && refused.talk.contains(#""agreement": true"#), "\(refused.talk)")
    }
    try sweep.write(Self.grid("", report: #""metric": "test.agreement.0""#), to: "asks.json")
    let asks = try Program.start(["check", "asks.json"], in: sweep.folder).finish()
    #expect(asks.status == 65 && asks.talk.contains("asks.json:"), "\(asks.talk)")
    #expect(asks.talk.contains(#"test.agreement.0 is measured on demand; write "agreement": true"#))
  }
}
