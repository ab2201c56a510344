import Reports
import Specs
import Testing

/// Means over settings, checked against sums that stand here.
@Suite struct AveragedResultsTests {
  /// Two students; methods and seeds beside each other. Differences of one student
  /// are not those of the other.
  static let values: [String: [String: [Double]]] = [
    "small": ["a": [60, 62, 61], "b": [63, 64, 65]],
    "large": ["a": [70, 71, 75], "b": [72, 75, 76]],
  ]

  static func results(
    without student: String? = nil, of method: String? = nil,
    change: (SweepResults.Run) -> SweepResults.Run = { $0 }
  ) -> SweepResults {
    var runs: [SweepResults.Run] = []
    for (name, methods) in values.sorted(by: { $0.key < $1.key }) {
      for (word, values) in methods.sorted(by: { $0.key < $1.key }) where name != student || word != method {
        for (place, value) in values.enumerated() {
          runs.append(
            change(
              SweepResults.Run(
                labels: [.string(name), .string(word)], seed: place + 1, state: .finished,
                numbers: MadeUp.numbers(last: value, best: value + 1), programs: ["one"])))
        }
      }
    }
    return SweepResults(name: "made-up", columns: ["student", "method"], runs: runs, metric: MadeUp.metric())
  }

  static func table(_ results: SweepResults, compare: [String] = [], average: [String] = ["student"])
    -> ReportTable
  {
    var layout = ReportLayout()
    layout.average = average
    layout.compareTo = compare
    return ReportTable(results, layout)
  }

  @Test func `the mean over students is taken within each seed, then mean and std over the seeds`() throws {
    let table = Self.table(Self.results())
    #expect(table.results.columns == ["method"] && table.cells.count == 2)
    // a: (60 + 70) / 2 = 65, 66.5, 68; b: 67.5, 69.5, 70.5.
    #expect(table.cells[0].values.map(\.value) == [65, 66.5, 68])
    #expect(table.cells[1].values.map(\.value) == [67.5, 69.5, 70.5])
    let sample = try #require(table.cells[0].headline)
    #expect(sample.mean == 66.5 && abs(sample.std! - 1.5) < 1e-12)
    #expect(table.cells[0].best?.mean == 67.5)
    let text = table.footer(plusMinus: "±").joined(separator: "\n")
    #expect(text.contains("mean over 2 students (large, small)"), "\(text)")
  }

  @Test func `comparisons of means are paired by seed`() throws {
    for (compare, average) in [("b - a", ["student"]), ("b - a over student", [])] {
      let table = Self.table(Self.results(), compare: [compare], average: average)
      let comparison = try #require(table.comparisons.first)
      #expect(table.comparisons.count == 1)
      #expect(comparison.paired?.count == 3 && comparison.difference == (2.5 + 3 + 2.5) / 3)
      #expect(comparison.context == "mean over 2 students", "\(comparison.context)")
      #expect(table.cells.count == (average.isEmpty ? 4 : 2))
    }
  }

  @Test func `a pair is compared by student and over students in one family`() {
    let table = Self.table(Self.results(), compare: ["b - a", "b - a over student"], average: [])
    #expect(table.comparisons.map(\.context) == ["large", "small", "mean over 2 students"])
  }

  @Test func `a seed counts only where every student has a number, and the gap says which one has none`() {
    let broken = Self.results { run in
      run.labels == ["small", "a"] && run.seed == 2
        ? MadeUp.run(run, .failed(FailureRecord(cause: .diverged, reason: "the loss is nan"))) : run
    }
    let table = Self.table(broken)
    #expect(table.cells[0].values.map(\.seed) == [1, 3])
    #expect(table.cells[0].gaps.map(\.word) == ["diverged"])
    #expect(table.cells[0].gaps[0].reason == "small: the loss is nan")
    // It is not complete, so it is never the best one.
    #expect(table.rankings.isEmpty)
  }

  @Test func `a method that lacks a student has no mean beside those that have it`() {
    let table = Self.table(Self.results(without: "large", of: "a"))
    #expect(table.cells[0].headline == nil || table.cells[1].headline == nil)
    let cell = table.cells.first { $0.labels == ["a"] }
    #expect(cell?.headline == nil && cell?.gaps.count == 3)
    #expect(cell?.gaps.first?.reason == "there is no cell of large")
  }

  @Test func `a setting that a method does not read is no gap in its mean`() throws {
    let table = Self.table(MadeUp.results(), average: ["alpha"])
    let baseline = try #require(table.cells.first { $0.labels == ["resnet56", "baseline"] })
    #expect(baseline.gaps.isEmpty && baseline.headline?.mean == 70)
    let method = try #require(table.cells.first { $0.labels == ["resnet56", "mtkd-rl"] })
    #expect(method.values.count == 3 && abs(method.headline!.mean - 72.625) < 1e-12)
    #expect(table.results.averageText == "mean over 2 values of alpha")
  }

  @Test func `what cannot be averaged is refused with the nearest name, and methods never are`() {
    for (average, word) in [(["studnt"], "student"), (["method"], "alpha")] {
      var layout = ReportLayout()
      layout.average = average
      #expect {
        try layout.check(MadeUp.results())
      } throws: {
        "\($0)".contains(word)
      }
    }
    var layout = ReportLayout()
    layout.average = ["student"]
    layout.columns = ["student"]
    #expect(throws: UnknownName.self) { try layout.check(MadeUp.results()) }
  }

  @Test(arguments: Catalog.tableFormats.names)
  func `every format shows the mean and says what it is over`(_ name: String) throws {
    let text = try Catalog.tableFormats.entry(name).render(Self.table(Self.results()), style: TextStyle())
    #expect(text.contains("66.5"), "\(text)")
    if ["text", "markdown", "latex"].contains(name) {
      #expect(text.contains("mean over 2 students"), "\(text)")
    }
  }

  @Test func `a claim over students is one comparison, looked at when all of its runs have ended`() throws {
    var claim = ClaimSpec(first: "b", second: "a")
    claim.average = ["student"]
    let set = ClaimSet(claims: [claim], seeds: Array(1...6), count: 3)
    let cells = [["large", "a"], ["large", "b"], ["small", "a"], ["small", "b"]].map {
      $0.map(JSONValue.string)
    }
    let columns = ["student", "method"]
    let book = ClaimBook(set, columns: columns, cells: cells) { _ in Self.results() }
    #expect(book.entries.count == 1 && book.entries[0].context == "mean over 2 students")
    #expect(book.looks == 1)
    let entry = book.entries[0].state
    #expect(entry.pairs == 3 && abs(entry.mean! - 8.0 / 3) < 1e-12)
    // t = 8/3 √3 / 0.2887 = 16, just below the 16.47 that three pairs need: all four cells get one more seed.
    #expect(entry.answer.isOpen && book.isWaiting)
    #expect(cells.allSatisfy { book.count(of: $0) == 4 && book.mostCount(of: $0) == 6 })

    let half = ClaimBook(set, columns: columns, cells: cells) { _ in
      Self.results { $0.seed == 3 && $0.labels[0] == "small" ? MadeUp.run($0, .open) : $0 }
    }
    #expect(half.looks == 0 && half.isWaiting)
    let failed = ClaimBook(set, columns: columns, cells: cells) { _ in
      Self.results {
        $0.seed == 3 && $0.labels == ["small", "a"]
          ? MadeUp.run($0, .failed(FailureRecord(cause: .other, reason: "no"))) : $0
      }
    }
    #expect(failed.entries[0].state.pairs == 2 && failed.entries[0].state.missing == 1)
  }

  @Test func `a claim compares means over the same values only, and its conditions choose them`() {
    var claim = ClaimSpec(first: "b", second: "a")
    claim.average = ["student"]
    let columns = ["student", "method"]
    let cells: [[JSONValue]] = [["large", "a"], ["large", "b"], ["small", "b"]]
    func pairs(_ claim: ClaimSpec) -> [ClaimPair] {
      ClaimSet(claims: [claim], seeds: [1, 2], count: 2).pairs(columns: columns, cells: cells)
    }
    #expect(pairs(claim).isEmpty)
    claim.conditions = [("student", .oneOf(["large"]))]
    #expect(pairs(claim).map(\.first) == [[1]] && pairs(claim).map(\.second) == [[0]])
  }
}
