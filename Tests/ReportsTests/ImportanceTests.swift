import Foundation
import Specs
import TestSupport
import Testing

@testable import Reports

/// Sums of squares against NumPy's projections, and the figures over all settings by their structure.
@Suite struct ImportanceTests {
  @Test func `sums of squares agree with projections onto orthonormal contrasts`() throws {
    let path = Fixtures.committed.appending(path: "sums-of-squares/sums-of-squares.json")
    let cases = try #require(try JSONReader.read(Array(Data(contentsOf: path))).value.object?["cases"]?.array)
    #expect(cases.count == 5)
    for item in cases {
      let members = try #require(item.object)
      func numbers(_ name: String) -> [Double] { members[name]!.array!.compactMap { $0.number?.double } }
      let found = SumsOfSquares(levels: numbers("levels").map { Int($0) }, values: numbers("values"))
      // Sums of 36 squares at most, in 64 bits, of deviations from a mean of 70.
      for (ours, theirs) in zip(found.effects, numbers("effects")) {
        #expect(ours.isNear(theirs, relative: 1e-9, absolute: 1e-9), "\(item)")
      }
      #expect(found.effects.count == numbers("effects").count)
      #expect(found.effects.reduce(0, +).isNear(found.total, relative: 1e-12, absolute: 0))
      #expect(found.total.isNear(members.number("total"), relative: 1e-10, absolute: 0))
    }
  }

  /// Means add up, so that there are no interactions: of 24 runs, students are ± 0.5 apart from the middle
  /// (24 · 0.25),
  /// methods ± 0.25 (24 · 0.0625), alphas ± 0.125 (24 / 64), seeds at -0.4, 0 and 0.4 (8 · 0.32).
  @Test func `shares of made-up results are those of the closed form`() throws {
    let input = ForestFigureTests.input(MadeUp.results())
    let part = try #require(BalancedPart(of: input.table.cells))
    #expect(part.runs == 24 && part.seeds == [1, 2, 3] && part.settings.map(\.values.count) == [2, 2, 2])
    let shares = try #require(ImportanceFigure.shares(input, part))
    let total = 6 + 1.5 + 0.375 + 2.56
    let expected: [(String, Double)] = [
      ("student (2)", 6 / total), ("method (2)", 1.5 / total), ("alpha (2)", 0.375 / total),
      ("student × method", 0), ("student × alpha", 0), ("method × alpha", 0), ("student × method × alpha", 0),
      ("seeds (3)", 2.56 / total), ("seeds × settings", 0),
    ]
    #expect(shares.map(\.name) == expected.map(\.0))
    for (share, value) in zip(shares, expected) {
      #expect(share.share.isNear(value.1, relative: 1e-9, absolute: 1e-12), "\(share)")
    }
    #expect(shares.reduce(0) { $0 + $1.share }.isNear(1, relative: 1e-12, absolute: 0))
  }

  @Test func `bars are as long as their shares, and what is left out is counted`() throws {
    let svg = try ImportanceFigure.draw(ForestFigureTests.input(MadeUp.results())).text
    let widths = ForestFigureTests.elements(svg, "share").compactMap { $0["width"].flatMap(Double.init) }
    #expect(widths.count == 9)
    #expect(abs(widths[1] / widths[0] - 0.25) < 1e-3 && abs(widths[7] / widths[0] - 2.56 / 6) < 1e-3)
    #expect(svg.contains("57.5 %") && svg.contains("24.5 %"))
    let words = svg.matches(of: />([^<]+)<\/text>/).map { String($0.1) }.joined(separator: " ")
    #expect(
      words.contains("Together 100.0 % of the sum of squares over 24 runs, the complete crossing"))
    #expect(
      words.contains(
        "6 of 30 runs are not in it. 10 cells: 8 drawn, 2 outside of the balanced part."))
  }

  @Test func `an option that one method alone reads is no setting beside the method`() throws {
    let plain = MadeUp.results()
    let runs = plain.runs.map { run in
      SweepResults.Run(
        labels: run.labels + [run.labels[1] == "mtkd-rl" ? "uniform" : .null], seed: run.seed,
        state: .finished,
        numbers: run.numbers, programs: run.programs)
    }
    let results = SweepResults(
      name: "made-up", columns: plain.columns + ["warmupWeight"], runs: runs, metric: MadeUp.metric(),
      select: .last)
    let part = try #require(BalancedPart(of: ReportTable(results).cells))
    #expect(part.runs == 24 && part.settings.map(\.place) == [0, 1, 2])
  }

  @Test func `a diverged cell takes the value with it that has least besides`() throws {
    let results = MadeUp.results { run in
      guard run.labels[1] == "ca-mkd", run.labels[0] == "resnet56",
        run.labels[2] == .number(DecimalNumber("1")!)
      else { return run }
      return MadeUp.run(run, .failed(FailureRecord(cause: .diverged, reason: "the loss is nan")))
    }
    let part = try #require(BalancedPart(of: ReportTable(results).cells))
    // 8 cells of which one has no number: without one value of one setting 4 are left, crossed completely.
    #expect(part.cells.count == 4 && part.runs == 12)
    #expect(part.cells.allSatisfy { $0.gaps.isEmpty })
  }

  @Test func `equal values have no shares`() {
    let flat = MadeUp.results([("baseline", [70, 70]), ("mtkd-rl", [70, 70])])
    let error = #expect(throws: NoFigure.self) { try ImportanceFigure.draw(ForestFigureTests.input(flat)) }
    #expect(error?.reason == "all 4 runs of its balanced part have the same value.")
  }

  @Test func `a line a cell ends at its mean, and what is not read stands below all values`() throws {
    let svg = try ParallelFigure.draw(ForestFigureTests.input(MadeUp.results())).text
    let lines = ForestFigureTests.elements(svg, "cell")
    #expect(lines.count == 10)
    // Three settings and the metric.
    #expect(lines.allSatisfy { $0["d"]!.split(whereSeparator: { "ML".contains($0) }).count == 4 })
    let names = ForestFigureTests.labels(svg, anchor: "end")
    let lowest = try #require(names.first { $0.text == "not read" }?.y)
    #expect(names.filter { ["0.5", "1"].contains($0.text) }.allSatisfy { $0.y < lowest })
    #expect(svg.contains("10 cells: 10 drawn."))
  }
}
