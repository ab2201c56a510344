import Specs
import Testing

@testable import Reports

/// Several metrics of the same cells side by side.
@Suite struct MetricTablesTests {
  private static func table(_ metric: String, _ change: (SweepResults.Run) -> SweepResults.Run = { $0 })
    -> ReportTable
  {
    ReportTable(MadeUp.results(metric: metric, change: change))
  }

  @Test func `of one metric nothing is different`() {
    let table = Self.table("test.acc1")
    for name in Catalog.tableFormats.names {
      guard let format = try? Catalog.tableFormats.entry(name) else { continue }
      #expect(
        format.render(MetricTables([table]), style: TextStyle()) == format.render(table, style: TextStyle()))
    }
  }

  @Test func `each column of settings has a column a metric, in the order and digits of its own table`() {
    let tables = MetricTables([Self.table("test.acc1"), Self.table("train.loss")])
    #expect(
      tables.columns.map(\.title) == [
        "resnet56 test.acc1", "resnet56 train.loss", "mobilenetv2 test.acc1", "mobilenetv2 train.loss",
      ])
    let sheet = tables.sheets(TextStyle())[0]
    let row = sheet.rows.first { $0[0].text == "baseline" }
    #expect(row?.count == 5 && row?[1].text.hasPrefix("70.0 ± 0.4") == true, "\(sheet.rows)")
    // Higher is better of one, lower of the other: the marks are each metric's own.
    let best = sheet.rows.map { $0.map(\.emphasis) }
    #expect(best.contains { $0[1] == .best && $0[2] != .best } && best.contains { $0[2] == .best })
    #expect(sheet.notes.count { $0.hasPrefix("test.acc1: #1 and #2") } == 1, "\(sheet.notes)")
    #expect(sheet.notes.count { $0.contains("sample standard deviation") } == 2)
  }

  @Test func `a cell that is of the other metric alone lacks nothing`() {
    let silent = SweepResults.Numbers(last: .notRecorded(reason: "no epoch recorded it"), best: nil)
    func without(_ student: JSONValue) -> (SweepResults.Run) -> SweepResults.Run {
      { run in run.labels[0] == student ? MadeUp.run(run, silent) : run }
    }
    let tables = MetricTables([
      Self.table("test.acc1", without("resnet56")), Self.table("train.loss", without("mobilenetv2")),
    ])
    let sheet = tables.sheets(TextStyle())[0]
    #expect(sheet.rows.allSatisfy { $0[1].text == "-" && $0[2].text != "-" && $0[4].text == "-" })
    #expect(
      !sheet.notes.contains { $0.contains("have a result") || $0.contains("no epoch") }, "\(sheet.notes)")
    #expect(tables.missing == 0)
  }
}
