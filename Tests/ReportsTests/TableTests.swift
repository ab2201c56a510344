import Foundation
import Specs
import TestSupport
import Testing

@testable import Reports

@Suite struct TableTests {
  private func text(_ results: SweepResults, _ layout: ReportLayout = ReportLayout()) -> String {
    TextTable.render(ReportTable(results, layout), style: TextStyle())
  }

  @Test func `columns of a text table line up where characters take two places`() {
    let sheet = Sheet(
      title: "wide", head: ["", "acc"], rows: [["学生モデル", "71"], ["resnet8", "72"]])
    let lines = TextTable.render(sheet, style: TextStyle()).split(separator: "\n")
    #expect(lines.dropFirst(3).prefix(2) == ["学生モデル  71", "resnet8     72"])
    #expect(lines[2].count == 15)
  }

  @Test func `a std that is not 0 never reads as 0, and a difference of 0 has no sign`() {
    func text(_ values: [Double], _ digits: Int) -> String {
      ReportTable.text(SampleStatistics(values), plusMinus: "±", digits: digits)
    }
    // Stds of two values are their distance over √2: 0.1909, 0.0141, 0.0014.
    #expect(text([41, 41.27], 0) == "41.1 ± 0.2")
    #expect(text([41, 41.02], 0) == "41.0 ± < 0.1")
    #expect(text([41, 41.002], 2) == "41.001 ± 0.001")
    #expect(text([41, 41], 1) == "41.0 ± 0.0" && text([41], 0) == "41")
    #expect(text([41, 43], 0) == "42 ± 1")
    for value in [0.4, -0.4, 0, -0.0] { #expect(NumberFormat.signed(value, 0) == "0") }
    #expect(NumberFormat.signed(0.6, 0) == "+1" && NumberFormat.signed(-0.6, 0) == "-1")
  }

  @Test func `the best cell of the page is one that the sentences name, with every seed`() throws {
    // resnet56's mtkd-rl has the highest mean but lacks a seed: neither sentence nor tile may name it.
    let results = MadeUp.results { run in
      let isGap = run.labels[0] == "resnet56" && run.labels[1] == "mtkd-rl" && run.seed == 3
      return isGap ? MadeUp.run(run, .open) : run
    }
    let table = ReportTable(results)
    let top = try #require(Narration.top(table))
    #expect(top.cell.gaps.isEmpty && top.cell.labels[1] == "ca-mkd", "\(top.name)")
    #expect(table.rankings.contains { $0.first.labels == top.cell.labels })
  }

  @Test func `cells hold mean, sample std and the best epoch beside it`() throws {
    let table = ReportTable(MadeUp.results())
    let cell = try #require(table.cells.first)
    #expect(cell.last?.mean == 70 && abs(cell.last!.std! - 0.4) < 1e-12 && cell.last?.median == 70)
    #expect(cell.best?.mean == 70.125)
    #expect(text(table.results).contains("70.0 ± 0.4 [70.1 ± 0.4]"), "\(text(table.results))")
  }

  @Test func `a seed that diverged is counted and named, and no mean hides it`() {
    let results = MadeUp.results { run in
      run.seed == 2 && run.labels[1] == "baseline"
        ? MadeUp.run(
          run, .failed(FailureRecord(cause: .diverged, reason: "the loss was not finite in epoch 3"))) : run
    }
    let text = text(results)
    #expect(text.contains("70.0 ± 0.6 [70.1 ± 0.6] (2 of 3, 1 diverged)"), "\(text)")
    #expect(text.contains("baseline, resnet56, seed 2: the loss was not finite in epoch 3"), "\(text)")
  }

  @Test func `what is still to run is named cell by cell where it is little, and counted where it is much`() {
    let two = MadeUp.results { run in
      run.seed > 1 && run.labels[1] == "baseline" && run.labels[0] == "resnet56"
        ? MadeUp.run(run, .open) : run
    }
    #expect(text(two).contains("baseline, resnet56, seeds 2, 3: not run to its end yet"), "\(text(two))")
    let many = MadeUp.results { run in
      if run.seed == 1 { return run }
      return MadeUp.run(
        run, run.labels[1] == "baseline" ? .failed(FailureRecord(cause: .other, reason: "lost")) : .open)
    }
    let lines = text(many).split(separator: "\n")
    #expect(lines.count { $0.contains("not run to their end") } == 1, "\(text(many))")
    // Eight of the ten cells have two seeds to run; the reasons of the other two are all there.
    #expect(lines.contains("  16 in 8 cells: not run to their end yet"))
    #expect(lines.contains("  baseline, resnet56, seeds 2, 3: lost"))
    #expect(lines.contains("  baseline, mobilenetv2, seeds 2, 3: lost"))
  }

  @Test func `the short name of a pool of teachers is explained below the table`() {
    let results = SweepResults(
      name: "x", columns: ["student", "method", "teachers"],
      runs: [[], ["a", "b"], ["a", "b", "c"]].map { pool in
        SweepResults.Run(
          labels: ["s", "m", pool.isEmpty ? .null : JSONValue.array(pool.map { .string($0) })], seed: 1,
          state: .finished, numbers: MadeUp.numbers(last: 1, best: 1))
      }, metric: MadeUp.metric())
    let lines = text(results).split(separator: "\n")
    #expect(lines.contains("M=2: a, b.") && lines.contains("M=3: a, b, c."), "\(text(results))")
    #expect(
      ReportTable.words(results.runs[1].labels, results.columns, ReportTable.poolNames(results)) == "s m M=2")
  }

  @Test func `a report in Markdown says what was run, by what and where, and ends with the grid`() {
    var layout = ReportLayout()
    layout.compareTo = ["baseline"]
    let results = MadeUp.results { run in
      run.seed == 2 && run.labels[1] == "baseline"
        ? MadeUp.run(run, .failed(FailureRecord(cause: .diverged, reason: "a | b"))) : run
    }
    let table = ReportTable(results, layout)
    let made = Provenance(
      version: "0.1.0", commit: "abcdef123456", program: nil, blas: "b", cpu: "Test CPU", host: "laboratory",
      profile: "single, 1 thread", threads: 4)
    let runs = results.runs.map { run in
      SweepStory.Run(
        key: ContentKey(hashing: []), title: "t",
        attempts: [
          RunAccount.Attempt(number: 1, firstStep: 0, outcome: "finished", reason: nil, provenance: made)
        ], series: [], lastState: nil, final: nil)
    }
    let story = SweepStory(table, grid: "{ // ``` in a comment\n}", asked: 40, runs: runs)
    let text = MarkdownReport.render(story, style: TextStyle())
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "# made-up" && text.contains("`mtkd-sweep run made-up.json`"))
    #expect(text.contains("40 runs asked for, 30 distinct, 28 of them with a result so far"), "\(text)")
    #expect(
      text.contains(
        "- mtkd-sweep 0.1.0, commit abcdef123456 on Test CPU (laboratory), single, 1 thread, 4 threads a run: 30 runs"
      ))
    #expect(text.contains("\n## Differences, paired t\n\n|"))
    #expect(text.hasSuffix("\n## The grid\n\n````jsonc\n{ // ``` in a comment\n}\n````\n"), "\(text)")
    // What follows the items of a list is not taken for the rest of the last one.
    for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("- ") {
      #expect(next.isEmpty || next.hasPrefix("- "), "\(next)")
    }
  }

  @Test func `any settings make rows and columns, and none is mixed away`() {
    var layout = ReportLayout()
    (layout.rows, layout.columns) = (["student", "method"], ["alpha"])
    let table = ReportTable(MadeUp.results(), layout)
    #expect(table.rowNames == ["student", "method"])
    #expect(Set(table.columns) == ["no alpha", "alpha=0.5", "alpha=1"])
    #expect(table.rowHeads[0] == ["resnet56", "baseline"])
    #expect(table.grid.count == 6 && table.grid.flatMap(\.self).compactMap(\.self).count == 10)

    // The student is in neither: it joins the rows instead of being averaged over.
    (layout.rows, layout.columns) = (["method"], ["alpha"])
    let other = ReportTable(MadeUp.results(), layout)
    #expect(other.rowNames == ["method", "student"])
    #expect(other.grid.flatMap(\.self).compactMap(\.self).count == 10)

    layout.rows = ["studnet"]
    #expect(throws: UnknownName.self) { try layout.check(MadeUp.results()) }
  }

  @Test func `numbers of an axis ascend as columns, whatever the order of the plan`() {
    let results = SweepResults(
      name: "x", columns: ["student", "method", "alpha"],
      runs: [4, 1, 0.5, 10].map { alpha in
        SweepResults.Run(
          labels: ["a", "b", .number(DecimalNumber(alpha)!)], seed: 1, state: .finished,
          numbers: MadeUp.numbers(last: 1, best: 1))
      }, metric: MadeUp.metric())
    var layout = ReportLayout()
    layout.columns = ["alpha"]
    #expect(ReportTable(results, layout).columns == ["alpha=0.5", "alpha=1", "alpha=4", "alpha=10"])
  }

  @Test func `rows sort by mean and by a setting, either way`() {
    var layout = ReportLayout()
    layout.sort = "-mean"
    let rows = ReportTable(MadeUp.results(), layout).rows
    #expect(
      rows == ["mtkd-rl alpha=1", "mtkd-rl alpha=0.5", "ca-mkd alpha=1", "ca-mkd alpha=0.5", "baseline"])
    layout.sort = "mean"
    #expect(ReportTable(MadeUp.results(), layout).rows == rows.reversed())
    layout.sort = "-method"
    #expect(ReportTable(MadeUp.results(), layout).rows.first == "mtkd-rl alpha=0.5")
  }

  @Test(arguments: [
    ("alpha>=1", 12), ("alpha<1", 12), ("method=mtkd-rl|baseline", 18), ("method!=mtkd-rl", 18),
    ("seed<=2", 20),
    ("student = resnet56", 15), ("alpha==0.50", 12), ("alpha>1e3", 0),
  ])
  func `conditions let runs through`(_ condition: String, _ count: Int) throws {
    #expect(MadeUp.results().filtered(by: [try LabelFilter(condition)]).runs.count == count)
  }

  @Test(arguments: ["alpha", "=3", "alpha>=", "alpha>one", "alpha<1|2", ""])
  func `what is no condition is refused with a sentence`(_ text: String) {
    #expect(throws: InvalidFilter.self) { try LabelFilter(text) }
  }

  @Test func `pools of teachers compare by their size`() throws {
    let results = SweepResults(
      name: "x", columns: ["student", "method", "teachers"],
      runs: [["a"], ["a", "b"], ["a", "c"]].enumerated().map { index, pool in
        SweepResults.Run(
          labels: ["s", "m", .array(pool.map { .string($0) })], seed: 1, state: .finished,
          numbers: MadeUp.numbers(last: 1, best: 1))
      }, metric: MadeUp.metric())
    #expect(results.filtered(by: [try LabelFilter("teachers>=2")]).runs.count == 2)
    #expect(ReportTable(results).rows == ["m M=1", "m M=2(a+b)", "m M=2(a+c)"])
  }

  @Test func `digits follow the spread`() {
    // The rule of the Particle Data Group: 0.354 has two digits, 0.355 one.
    for (spread, places) in [
      (0.14, 2), (0.354, 2), (0.355, 1), (0.4, 1), (0.96, 1), (1.2, 1), (4, 0), (12, 0), (0.0041, 3),
    ] {
      #expect(NumberFormat.places(forSpread: spread) == places, "\(spread)")
    }
    #expect(NumberFormat.places(forSpread: 0) == nil)
    #expect(
      NumberFormat.fixed(-0.004, 2) == "0.00" && NumberFormat.fixed(72.125, 2) == "72.13"
        && NumberFormat.fixed(5, 0) == "5")
    #expect(
      NumberFormat.fixed(0.05, 3) == "0.050" && NumberFormat.signed(-1.5, 1) == "-1.5"
        && NumberFormat.signed(0, 1) == "0.0" && NumberFormat.signed(-0.04, 1) == "0.0")
    #expect(
      NumberFormat.p(0.0003) == "<0.001" && NumberFormat.p(0.0257) == "0.026"
        && NumberFormat.p(0.25) == "0.25"
        && NumberFormat.p(nil) == "-")
  }

  @Test func `the best is marked together with whether it is distinguishable`() throws {
    // Six seeds, differences of one sign and little spread: every test finds that.
    let clear = MadeUp.results([
      ("baseline", [70, 70.5, 70.25, 70.75, 70.125, 70.5]),
      ("mtkd-rl", [71, 71.625, 71.25, 71.75, 71.25, 71.5]),
    ])
    #expect(
      text(clear).contains("#1") && text(clear).contains("#2") && !text(clear).contains("#1≈"),
      "\(text(clear))")
    let ranking = try #require(ReportTable(clear).rankings.first)
    #expect(ranking.isDistinguishable && ranking.comparison.nameB == "mtkd-rl")

    let close = MadeUp.results([("baseline", [70, 71, 72]), ("mtkd-rl", [70.5, 70.75, 72.5])])
    #expect(text(close).contains("#1≈") && text(close).contains("#2≈"), "\(text(close))")
    #expect(text(close).contains("sign flip and Wilcoxon cannot give less than 0.25"), "\(text(close))")

    // A cell with a gap, or with one seed, is not ranked.
    let single = MadeUp.results([("baseline", [70]), ("mtkd-rl", [80])])
    #expect(ReportTable(single).rankings.isEmpty && !text(single).contains("#1"))
  }

  @Test func `losses are better when lower`() throws {
    let results = MadeUp.results([("a", [1, 1.25, 1.125]), ("b", [2, 2.25, 2.125])])
    let losses = results.of(MadeUp.metric("test.loss"))
    #expect(ReportTable(losses).rankings.first?.comparison.nameB == "a")
    #expect(ReportTable(results).rankings.first?.comparison.nameB == "b")
    // Nobody said which way this one is good: nothing is the best of it.
    let unknown = ReportTable(results.of(MadeUp.metric("val.nll")))
    #expect(unknown.rankings.isEmpty && Narration.top(unknown) == nil)
  }

  @Test func `a cell never mixes programs unless that is asked for`() throws {
    let results = MadeUp.results { run in
      SweepResults.Run(
        labels: run.labels, seed: run.seed, state: run.state, numbers: run.numbers,
        programs: [run.seed == 3 ? "two" : "one"])
    }
    let withheld = ReportTable(results)
    #expect(
      withheld.cells.allSatisfy {
        $0.isWithheld && $0.last == nil && $0.best == nil && $0.headline == nil && $0.values.isEmpty
      })
    #expect(withheld.rankings.isEmpty)
    let shown = text(results)
    #expect(
      !shown.contains("70.0") && shown.contains("mixed programs") && shown.contains("--allow-mixed"),
      "\(shown)")
    #expect(
      shown.contains("baseline, resnet56, seed 1, 2: one")
        && shown.contains("baseline, resnet56, seed 3: two"))
    for format in ["csv", "json", "markdown", "latex"] {
      let text = try Catalog.tableFormats.entry(format).render(withheld, style: TextStyle())
      #expect(
        !text.contains("70.0") && !text.contains("70,") && text.lowercased().contains("withheld"), "\(text)")
    }

    var layout = ReportLayout()
    layout.allowMixed = true
    #expect(text(results, layout).contains("70.0 ± 0.4 [70.1 ± 0.4] (mixed programs)"))
    // One run that two programs trained is a mixture too.
    let resumed = MadeUp.results { run in
      SweepResults.Run(
        labels: run.labels, seed: run.seed, state: run.state, numbers: run.numbers, programs: ["one", "two"])
    }
    #expect(ReportTable(resumed).cells.allSatisfy { $0.isWithheld })
  }

  @Test func `selection by test accuracy is called that, and by validation needs one`() {
    let byTest = text(MadeUp.results(select: .bestOnTest))
    #expect(byTest.contains("WARNING") && byTest.contains("70.1 ± 0.4 [70.0 ± 0.4]"), "\(byTest)")
    let without = text(MadeUp.results(select: .bestOnValidation))
    #expect(without.contains("0 of 3, 3 without validation"), "\(without)")
    let validated = MadeUp.results(select: .bestOnValidation) { run in
      SweepResults.Run(
        labels: run.labels, seed: run.seed, state: run.state,
        numbers: SweepResults.Numbers(
          last: run.numbers!.last, best: run.numbers!.best, validated: .number(69)), programs: ["one"])
    }
    #expect(text(validated).contains("69.00 ± 0.00 ["), "\(text(validated))")
  }

  @Test func `the declared family is tested and corrected as one`() throws {
    var layout = ReportLayout()
    layout.compareTo = ["ca-mkd", "mtkd-rl - baseline"]
    let table = ReportTable(MadeUp.results(), layout)
    // Against ca-mkd: the baseline at both alphas and mtkd-rl, on two students; then
    // mtkd-rl against the baseline.
    #expect(table.comparisons.count == 8 + 4)
    let pair = try #require(
      table.comparisons.first {
        $0.nameB == "mtkd-rl" && $0.nameA == "ca-mkd" && $0.context == "resnet56 alpha=1"
      })
    #expect(pair.difference == 0.5 && pair.paired?.count == 3)
    // All differences are equal: no spread, no t test, and no part of the family.
    #expect(pair.p == nil && pair.adjusted == nil && pair.paired?.signFlip == 0.25)

    layout.test = .welch
    let welch = ReportTable(MadeUp.results(), layout).comparisons
    let ps = welch.compactMap(\.p)
    #expect(ps.count == 12)
    #expect(
      zip(welch.compactMap(\.adjusted), ReportCorrection.holm.adjusted(ps).map { $0! }).allSatisfy {
        $0 == $1
      })

    layout.compareTo = ["ca-mdk"]
    #expect(throws: UnknownName.self) { try layout.checkMethods(MadeUp.results()) }
  }

  @Test(arguments: Catalog.tableFormats.names)
  func `every format names the student and the method of each cell, and ends with a line feed`(_ name: String)
    throws
  {
    let format = try Catalog.tableFormats.entry(name)
    let text = format.render(ReportTable(MadeUp.results()), style: TextStyle())
    #expect(text.contains("resnet56") && text.contains("mtkd-rl") && text.contains("baseline"))
    #expect(text.hasSuffix("\n"))
    let empty = SweepResults(name: "none", columns: ["student", "method"], runs: [], metric: MadeUp.metric())
    #expect(!format.render(ReportTable(empty), style: TextStyle()).isEmpty)
    let plain = format.render(ReportTable(MadeUp.results()), style: TextStyle(isUnicode: false))
    if name != "latex" { #expect(plain.utf8.allSatisfy { $0 < 128 }, "\(plain)") }
  }

  @Test func `the JSON table reads back with every statistic`() throws {
    let text = JSONTable.render(ReportTable(MadeUp.results()), style: TextStyle())
    let value = try JSONReader.read(Array(text.utf8)).value
    let cell = try #require(value.object?["cells"]?.array?.first?.object)
    let headline = try #require(cell["headline"]?.object)
    #expect(headline.number("mean") == 70 && headline.number("median") == 70)
    let interval = headline.numbers("ci95")
    // 4.302653 is the 97.5 percent quantile of t with two degrees of freedom.
    #expect(interval[0].isNear(70 - 4.302652729911275 * 0.4 / 3.0.squareRoot(), absolute: 1e-9))
    #expect(cell["values"]?.array?.count == 3)
  }

  @Test func `a long table has a row a cell with both intervals and the median`() {
    var layout = ReportLayout()
    (layout.isLong, layout.digits) = (true, 3)
    let lines = text(MadeUp.results(), layout).split(separator: "\n")
    // 70 ± 4.302653 · 0.4 / √3, and the 2.5 and 97.5 percent quantiles of the 27 resamples of 69.6, 70 and
    // 70.4: place 0.65 of 26, between the one mean of 69.6 and the three of 69.733.
    #expect(
      lines.contains {
        $0.hasPrefix("baseline") && $0.contains("3 of 3  70.000  0.400  69.006 to 70.994  69.687 to 70.313")
      },
      "\(lines[3])")
    #expect(lines.filter { $0.contains("3 of 3") }.count == 10)
  }

  @Test func `LaTeX escapes what means something to it`() throws {
    let sheet = Sheet(
      title: ##"50 % of {a_b} & $c #1 \d ~ ^ <x> "é" 中"##, head: ["", "x_y"],
      rows: [
        [Sheet.Entry("r&d"), Sheet.Entry("1 ± 2", .best)], [Sheet.Entry("[x]"), Sheet.Entry("−3", .second)],
      ])
    let text = LaTeXTable.render(sheet, style: TextStyle())
    #expect(text.contains(##"50 \% of \{a\_b\} \& \$c \#1 \textbackslash{}d"##), "\(text)")
    #expect(text.contains(#"r\&d & \textbf{1 $\pm$ 2} \\"#) && text.contains(#"\underline{$-$3}"#), "\(text)")
  }

  @Test func `an HTML fragment lets no text become markup`() {
    let sheet = Sheet(
      title: "<b>", head: ["", "a&b"], rows: [["\"x\"", Sheet.Entry("<script>", .best)]], notes: ["\u{1}'"])
    let html = HTMLSheet.table(sheet)
    #expect(html.contains("&lt;script&gt;") && html.contains("a&amp;b") && html.contains("&quot;x&quot;"))
    #expect(!html.contains("<script>") && !html.contains("\u{1}") && html.contains("&#39;"))
  }

  @Test func `rounding and ranking do not depend on the order of seeds`() {
    let one = MadeUp.results()
    let other = SweepResults(
      name: one.name, columns: one.columns, runs: one.runs.sorted { $0.seed > $1.seed }, metric: one.described
    )
    #expect(ReportTable(one).cells.map(\.last) == ReportTable(other).cells.map(\.last))
  }
}
