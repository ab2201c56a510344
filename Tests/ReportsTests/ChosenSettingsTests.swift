import Specs
import Testing

@testable import Reports

/// Settings chosen on validation images: the test set never chooses.
@Suite struct ChosenSettingsTests {
  /// By method and alpha: validation and test values of two seeds. Best on validation is
  /// not best on the test set.
  private static let values: [(method: String, alpha: JSONValue, validation: [Double], test: [Double])] = [
    ("baseline", .null, [60, 62], [58, 60]),
    ("ca-mkd", 1, [70, 72], [74, 76]),
    ("ca-mkd", 2, [73, 75], [70, 72]),
    ("ca-mkd", 4, [80, 82], [90, 91]),
  ]

  private static func results(_ metric: String, broken: Bool = true) -> SweepResults {
    var runs: [SweepResults.Run] = []
    for entry in values {
      let numbers = metric == "test.acc1" ? entry.test : entry.validation
      for (place, value) in numbers.enumerated() {
        let isLost = broken && entry.alpha == 4 && place == 1
        runs.append(
          SweepResults.Run(
            labels: ["resnet8", .string(entry.method), entry.alpha], seed: place + 1,
            state: isLost ? .open : .finished,
            numbers: isLost ? nil : MadeUp.numbers(last: value, best: value), programs: ["one"]))
      }
    }
    return SweepResults(
      name: "made-up", columns: ["student", "method", "alpha"], runs: runs, metric: MadeUp.metric(metric))
  }

  @Test func `each method gets the value that is best on validation, and its test mean is told`() throws {
    let chosen = ChosenSettings(
      ["alpha"], Self.results("test.acc1"), by: Self.results("validation.acc1"))
    #expect(chosen.rows.map(\.name) == ["resnet8 baseline", "resnet8 ca-mkd"])
    #expect(chosen.rows.map(\.chosen) == ["", "alpha=2"])
    #expect(chosen.rows[1].cell?.headline?.mean == 71 && chosen.rows[1].validation == 74)
    // The cell without every seed is not tried, however good it looks.
    #expect(chosen.rows.map(\.tried) == [1, 2] && chosen.rows.map(\.all) == [1, 3])
    let text = TextTable.render(chosen.sheet(digits: 1, TextStyle()), style: TextStyle())
    #expect(text.contains("2 of 3") && text.contains("71.0 ± 1.4") && text.contains("74.0"), "\(text)")
    #expect(
      text.contains("the highest mean of validation.acc1") && text.contains("1 cell without"), "\(text)")
  }

  @Test func `with every seed there, the best on validation is chosen from all`() {
    let chosen = ChosenSettings(
      ["alpha"], Self.results("test.acc1", broken: false), by: Self.results("validation.acc1", broken: false))
    #expect(chosen.rows[1].chosen == "alpha=4" && chosen.rows[1].tried == 3)
  }

  @Test func `where lower is better the lowest validation value chooses`() {
    let chosen = ChosenSettings(
      ["alpha"], Self.results("test.acc1"), by: Self.results("validation.loss"))
    #expect(chosen.rows[1].chosen == "alpha=1")
  }

  @Test(arguments: Catalog.tableFormats.names)
  func `every format has what was chosen`(_ name: String) throws {
    let chosen = ChosenSettings(
      ["alpha"], Self.results("test.acc1"), by: Self.results("validation.acc1"))
    let text = try Catalog.tableFormats.entry(name).render(
      chosen.sheet(digits: 1, TextStyle()), style: TextStyle())
    #expect(text.contains("alpha=2") && text.contains("71.0"), "\(text)")
  }
}
