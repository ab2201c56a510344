import Specs
import Testing

@testable import Reports

/// Tables say no more than their numbers know.
@Suite struct HonestStatisticsTests {
  private func text(_ results: SweepResults, _ layout: ReportLayout = ReportLayout()) -> String {
    TextTable.render(ReportTable(results, layout), style: TextStyle())
  }

  @Test func `every cell that the test does not tell from the best is marked, not the second only`() {
    let table = ReportTable(
      MadeUp.results([
        ("a", [72, 71, 73]), ("b", [71.9, 71.2, 72.8]), ("c", [71.5, 71.4, 72.7]), ("d", [10, 10.1, 9.9]),
      ]))
    let marks = table.cells.map { table.mark(of: $0, TextStyle()) }
    #expect(marks == ["#1≈", "#2≈", "≈", nil], "\(marks)")
  }

  @Test func `without a possible test nothing is called alike`() {
    // All differences are 1: no spread, no t test.
    let table = ReportTable(MadeUp.results([("a", [72, 71, 73]), ("b", [71, 70, 72])]))
    #expect(table.cells.map { table.mark(of: $0, TextStyle()) } == ["#1?", "#2?"])
    #expect(text(table.results).contains("not testable"), "\(text(table.results))")
    let one = CellComparison(
      ReportTable(MadeUp.results([("a", [1])])).cells[0], ReportTable(MadeUp.results([("a", [2])])).cells[0],
      names: ("a", "b"), context: "", test: .signFlip)
    #expect(one.p == nil, "one pair says nothing")
  }

  @Test func `the exact sign flip p stands beside the t test of few pairs, and the note says which marks`() {
    // Three differences of one sign: 2 of 8 flips are as extreme.
    let results = MadeUp.results([("a", [72, 72.1, 73]), ("b", [70, 70.3, 70.5])])
    #expect(text(results).contains("sign flip 0.25; the paired t marks"), "\(text(results))")
  }

  @Test func `an interval beside an adjusted p says that it stands alone`() {
    let results = MadeUp.results([("a", [72, 71, 73]), ("b", [71.9, 71.2, 72.8]), ("c", [71, 70.4, 72.7])])
    #expect(text(results).contains("] alone, p = "), "\(text(results))")
    var layout = ReportLayout()
    layout.compareTo = ["a"]
    #expect(text(results, layout).contains("95 % (unadjusted)"))
    layout.correction = .none
    #expect(!text(results, layout).contains("unadjusted)"))
  }

  @Test func `a sweep compared with itself has no interval of independent samples`() throws {
    let side = SweepComparison.Side(name: "x", results: MadeUp.results([("a", [60, 72, 80])]), specs: [:])
    let sheet = SweepComparison(side, side, test: .pairedT, correction: .holm).sheet(digits: 2, TextStyle())
    #expect(sheet.rows[0].map(\.text).suffix(4) == ["0.00", "-", "-", "equal"], "\(sheet.rows)")
  }

  @Test func `the direction is printed, and without one there are neither marks nor best epochs`() {
    let values = MadeUp.results([("a", [1, 1.25, 1.125]), ("b", [2, 2.25, 2.125])])
    #expect(text(values.of(MadeUp.metric("test.loss"))).contains("test.loss: lower is better."))
    let unknown = text(values.of(MadeUp.metric("val.rmse")))
    #expect(unknown.contains("Nobody declared which way val.rmse is good"), "\(unknown)")
    #expect(!unknown.contains("#1") && unknown.contains("After the last epoch."), "\(unknown)")
  }

  @Test func `the footer says what ± is over, with the binomial standard error of the test set`() {
    var results = MadeUp.results([("a", [72, 71, 73])])
    results.sample = SweepResults.Sample(testImages: 1000, hasFixedTeachers: true)
    // √(0.72 · 0.28 / 1000) = 1.42 points.
    #expect(
      text(results).contains(
        "over seeds of the student, with the same teachers for all seeds, on one fixed test set of 1000 images, whose binomial standard error is 1.4 points at 72.0 %."
      ), "\(text(results))")
  }

  @Test func `cells of different n say which`() {
    let results = MadeUp.results([("a", [72, 71, 73]), ("b", [70, 71])])
    #expect(text(results).contains("(n = 3)") && text(results).contains("(n = 2)"), "\(text(results))")
  }

  @Test func `fractions where percent are declared, and seeds that nobody reads, are said`() {
    #expect(text(MadeUp.results([("a", [0.93, 0.91])])).contains("counts in fractions"))
    let same = ContentKey(hashing: [1])
    let runs = MadeUp.results([("a", [93, 93])]).runs.map { run in
      SweepResults.Run(
        labels: run.labels, seed: run.seed, state: run.state, numbers: run.numbers, programs: run.programs,
        lastState: same)
    }
    let text = text(MadeUp.results([("a", [93, 93])]).with(runs))
    #expect(text.contains("All seeds ended in the same state"), "\(text)")
  }

  @Test func `numbers at the ends of what a number holds end no page and no figure`() throws {
    let results = MadeUp.results([
      ("a", [1.7e308, -1.6e308, .leastNonzeroMagnitude]), ("b", [1.7e308, 1.6e308, 1.5e308]),
    ])
    let table = ReportTable(results)
    for format in Catalog.tableFormats.entries {
      #expect(!format.render(table, style: TextStyle()).isEmpty)
    }
    #expect(try !SeedsFigure.draw(FigureInput(table)).text.isEmpty)
    let runs = results.runs.map { run in
      SweepStory.Run(
        key: ContentKey(hashing: [UInt8(run.seed)]), title: "t", attempts: [],
        series: [1.7e308, .nan, -1.6e308, .leastNonzeroMagnitude], lastState: nil, final: nil)
    }
    #expect(
      SweepPage.render(SweepStory(table, grid: "{}", asked: runs.count, runs: runs)).contains("</html>"))
    #expect(CurveChart.markup("m", [1.7e308, -1.6e308, .leastNonzeroMagnitude]) != "")
  }

  @Test func `a run whose value is not finite is a gap in every format`() throws {
    let results = MadeUp.results([("a", [1, 2])])
    let runs = results.runs.map { run in
      run.seed == 1 ? MadeUp.run(run, SweepResults.Numbers(last: .notFinite, best: nil)) : run
    }
    let table = ReportTable(results.with(runs))
    #expect(table.cells[0].gaps.map(\.word) == ["not finite"] && table.results.answered == 1)
    for format in Catalog.tableFormats.entries where format.name != CSVTable.name {
      #expect(format.render(table, style: TextStyle()).contains("not finite"), "\(format.name)")
    }
    #expect(CSVTable.render(table, style: TextStyle()).contains("the metric is not a finite number"))
    #expect(try !SeedsFigure.draw(FigureInput(table)).text.isEmpty)
  }

  @Test func `an export tells a value once, counts the best epoch from 1, and leaves out no cost`() {
    let epoch = EpochRecord(
      epoch: 4, step: 50, metrics: Metrics(["test.acc1": 70, "test.loss": 1]),
      state: ContentKey(hashing: [1]),
      measured: Metrics(["measured.seconds": 2]))
    let run = RunAccount(
      key: ContentKey(hashing: [2]), title: "t", labels: [], seed: 1, state: .finished, spec: .null,
      epochs: [epoch], totals: Metrics(["test.acc1": 70, "test.loss": 2, "best.epoch": 4]), attempts: [],
      checkpoints: [])
    #expect(run.exportedTotals == Metrics(["test.loss": 2, "best.epoch": 5]))
    #expect(RunAccount.numbers(of: epoch)["measured.seconds"] == 2)
  }
}
