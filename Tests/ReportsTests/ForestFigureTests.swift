import Foundation
import Specs
import Testing

@testable import Reports

/// The forest plot by its structure: order, places, marks and words.
@Suite struct ForestFigureTests {
  static func input(
    _ results: SweepResults, change: (inout ReportLayout) -> Void = { _ in }
  ) -> FigureInput {
    var layout = ReportLayout()
    change(&layout)
    return FigureInput(ReportTable(results, layout))
  }

  /// Elements of a class, as their attributes.
  static func elements(_ svg: String, _ style: String) -> [[String: String]] {
    svg.split(separator: "\n").compactMap { line in
      guard line.firstMatch(of: /class="([^"]*)"/)?.1.split(separator: " ").contains(Substring(style)) == true
      else { return nil }
      var attributes: [String: String] = [:]
      for match in line.matches(of: /([a-z0-9-]+)="([^"]*)"/) {
        attributes[String(match.1)] = String(match.2)
      }
      return attributes
    }
  }

  /// The sentences at the foot, whose lines are texts of their own.
  static func note(_ svg: String) -> String {
    svg.matches(of: /<text class="note"[^>]*>([^<]*)</).map { String($0.1) }.joined(separator: " ")
  }

  static func labels(_ svg: String, anchor: String) -> [(text: String, y: Double)] {
    svg.matches(of: /<text class="label[^"]*" x="[^"]*" y="([^"]*)" text-anchor="([a-z]+)"[^>]*>([^<]*)</)
      .compactMap {
        $0.2 == anchor ? (String($0.3), Double($0.1)!) : nil
      }
  }

  private static let three: [(method: String, values: [Double])] = [
    ("baseline", [70, 71, 72]), ("ca-mkd", [74, 75, 76]), ("mtkd-rl", [72, 73, 74]),
  ]

  @Test func `rows are cells, the best mean first, with a dot for each seed and a line at the baseline`()
    throws
  {
    let svg = try ForestFigure.draw(Self.input(MadeUp.results(Self.three))).text
    let rows = Self.labels(svg, anchor: "end")
    #expect(rows.map(\.text) == ["ca-mkd", "mtkd-rl", "baseline"])
    #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.y < $1.y })
    #expect(Self.elements(svg, "seed").count == 9)
    #expect(Self.elements(svg, "mean").count == 3)
    let reference = Self.elements(svg, "reference")
    #expect(reference.count == 1 && reference[0]["x1"] == reference[0]["x2"])
    #expect(svg.contains("Dashed: baseline.") && svg.contains("3 cells: 3 drawn."))
    // Seeds of baseline at 70, 71, 72; the line goes through the middle one, linear in the metric.
    let dots = Self.elements(svg, "seed").compactMap { $0["cx"].flatMap(Double.init) }.sorted()
    let line = try #require(Double(reference[0]["x1"]!))
    #expect(abs(line - (dots[0] + dots[8]) / 2 + (dots[8] - dots[0]) / 3) < 0.02)
    #expect(Self.labels(svg, anchor: "start").contains { $0.text == "75.0 ± 1.0" })
  }

  @Test func `where lower is better the lowest mean is the first row`() throws {
    let results = MadeUp.results(Self.three).of(MadeUp.metric("test.loss"))
    let svg = try ForestFigure.draw(Self.input(results)).text
    #expect(Self.labels(svg, anchor: "end").map(\.text) == ["baseline", "mtkd-rl", "ca-mkd"])
  }

  @Test func `the line stands at the method that the grid compares with`() throws {
    let svg = try ForestFigure.draw(
      Self.input(MadeUp.results(Self.three)) { $0.compareTo = ["mtkd-rl - ca-mkd"] }
    ).text
    #expect(svg.contains("Dashed: ca-mkd."))
  }

  @Test func `students are panels with their own rows and reference`() throws {
    let svg = try ForestFigure.draw(Self.input(MadeUp.results())).text
    let heads = Self.elements(svg, "strong").count
    #expect(heads == 2 && Self.elements(svg, "reference").count == 2)
    #expect(svg.contains(">resnet56<") && svg.contains(">mobilenetv2<"))
    let rows = Self.labels(svg, anchor: "end").map(\.text)
    #expect(rows.count == 10 && !rows.contains { $0.contains("resnet56") })
    #expect(rows.first?.contains("mtkd-rl") == true && rows[4] == "baseline")
  }

  @Test func `diverged cells are crosses in rows of their own, and the account counts every cell`() throws {
    let failure = FailureRecord(cause: .diverged, reason: "the loss is not finite")
    let results = MadeUp.results { run in
      run.labels == ["resnet56", "ca-mkd", 1]
        ? MadeUp.run(run, .failed(failure))
        : run.labels == ["mobilenetv2", "baseline", .null] ? MadeUp.run(run, .open) : run
    }
    let svg = try ForestFigure.draw(Self.input(results)).text
    #expect(Self.elements(svg, "diverged").count == 2, "one cross of two lines")
    #expect(svg.contains("diverged 3/3") && svg.contains("×: every seed diverged."))
    let words = svg.matches(of: />([^<]*)</).map { String($0.1) }.joined(separator: " ")
    #expect(words.contains("10 cells: 8 drawn, 1 diverged"), "\(words)")
  }

  @Test func `more cells than there is room for leave the best, the second and the compared ones`() throws {
    let values = (0..<60).map { (method: "m\($0)", values: [Double($0), Double($0) + 1]) }
    let svg = try ForestFigure.draw(
      Self.input(MadeUp.results(values)) { $0.compareTo = ["m3 - m2"] }
    ).text
    let rows = Self.labels(svg, anchor: "end").map(\.text)
    #expect(rows.count == 40 && rows[0] == "m59" && rows[1] == "m58")
    #expect(rows.contains("m3") && rows.contains("m2") && !rows.contains("m4"))
    #expect(svg.contains("20 not shown"))
  }

  @Test func `a sweep without a finished run has none`() {
    let results = MadeUp.results { MadeUp.run($0, .open) }
    #expect(throws: NoFigure.self) { try ForestFigure.draw(Self.input(results)) }
  }

  @Test func `an average is drawn as the mean that it is`() throws {
    let svg = try ForestFigure.draw(
      FigureInput(AveragedResultsTests.table(AveragedResultsTests.results()))
    ).text
    #expect(Self.labels(svg, anchor: "end").map(\.text) == ["b", "a"])
    #expect(Self.labels(svg, anchor: "start").contains { $0.text == "66.5 ± 1.5" })
  }

  @Test func `names leave out what only some blocks of a grid set, where the rest tells cells apart`() throws
  {
    let rows: [(method: String, epochs: JSONValue, weight: JSONValue)] = [
      ("baseline", 5, .null), ("mtkd-rl", 5, 1), ("mtkd-rl", 5, .null), ("random", .null, .null),
    ]
    let runs = rows.enumerated().flatMap { index, row in
      (1...3).map { seed in
        SweepResults.Run(
          labels: ["resnet18", .string(row.method), row.epochs, row.weight], seed: seed, state: .finished,
          numbers: MadeUp.numbers(last: 60 + Double(index), best: 70), programs: ["one"])
      }
    }
    let results = SweepResults(
      name: "blocks", columns: ["student", "method", "epochs", "warmupEpochs"], runs: runs,
      metric: MadeUp.metric())
    let input = Self.input(results)
    let names = input.table.cells.map { input.name($0, among: input.table.cells) }
    #expect(names == ["baseline", "mtkd-rl warmupEpochs=1", "mtkd-rl", "random"], "\(names)")
  }
}
