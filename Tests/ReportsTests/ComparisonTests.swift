import Reports
import Specs
import Testing

/// What moved between two sweeps.
@Suite struct ComparisonTests {
  private func side(_ name: String, _ values: [(method: String, values: [Double])]) -> SweepComparison.Side {
    SweepComparison.Side(name: name, results: MadeUp.results(values, name: name), specs: [:])
  }

  @Test func `cells that moved beyond their interval are told from those that did not`() throws {
    let a = side(
      "a",
      [
        ("baseline", [70, 70.5, 71]), ("ca-mkd", [72, 73, 72.5]), ("mtkd-rl", [74, 75, 73]),
        ("aekd", [1, 2, 3]),
      ])
    let b = side(
      "b",
      [
        ("baseline", [71, 71.625, 71.875]), ("ca-mkd", [72, 73, 72.5]), ("mtkd-rl", [75, 73, 74.5]),
        ("mmkd", [1, 2, 3]),
      ])
    let found = SweepComparison(a, b, test: .pairedT, correction: .none)
    #expect(found.rows.map(\.verdict) == [.moved, .equal, .within])
    #expect(found.onlyA == ["resnet8 aekd"] && found.onlyB == ["resnet8 mmkd"])
    let first = try #require(found.rows.first)
    #expect(first.comparison.difference?.isNear(1, absolute: 1e-9) == true)
    let text = TextTable.render(found.sheet(digits: nil, TextStyle()), style: TextStyle())
    #expect(text.contains("3 cells on both sides: 1 moved, 1 within its interval, 1 equal"), "\(text)")
    #expect(text.contains("Only in a (1):") && text.contains("Only in b (1):"), "\(text)")
  }

  @Test func `one seed has no interval, and without shared seeds the samples are independent`() {
    let single = SweepComparison(
      side("a", [("x", [70])]), side("b", [("x", [71])]), test: .pairedT, correction: .holm)
    #expect(single.rows.map(\.verdict) == [.unknown])
    let a = side("a", [("x", [70, 70.5, 70.25])])
    let shifted = SweepResults(
      name: "b", columns: ["student", "method"],
      runs: [80, 80.5, 80.25].enumerated().map {
        SweepResults.Run(
          labels: ["resnet8", "x"], seed: $0 + 10, state: .finished,
          numbers: MadeUp.numbers(last: $1, best: $1))
      }, metric: MadeUp.metric())
    let found = SweepComparison(
      a, SweepComparison.Side(name: "b", results: shifted, specs: [:]), test: .pairedT, correction: .holm)
    #expect(found.rows.map(\.verdict) == [.moved] && found.rows[0].comparison.paired == nil)
  }

  @Test func `settings that differ are named by their paths, seeds apart`() throws {
    func json(_ text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8)).value }
    let a = try json(
      #"{"recipe":{"epochs":6,"milestones":[3,4]},"seed":1,"method":{"name":"x"},"teachers":[{"seed":0,"n":"a"}]}"#
    )
    let b = try json(
      #"{"recipe":{"epochs":12,"milestones":[3,4]},"seed":2,"method":{"name":"x","options":{"beta":2}},"teachers":[{"seed":5,"n":"a"},{"n":"b"}]}"#
    )
    #expect(
      SettingDifferences.between(a, b) == [
        ["method.options.beta", "-", "2"], ["recipe.epochs", "6", "12"], ["teachers[1].n", "-", "b"],
      ])
    #expect(SettingDifferences.between(a, a).isEmpty)
  }

  @Test func `programs are never mixed in a compared cell`() {
    let mixed = SweepResults(
      name: "b", columns: ["student", "method"],
      runs: [70, 71].enumerated().map {
        SweepResults.Run(
          labels: ["resnet8", "x"], seed: $0 + 1, state: .finished,
          numbers: MadeUp.numbers(last: $1, best: $1), programs: ["\($0)"])
      }, metric: MadeUp.metric())
    let b = SweepComparison.Side(name: "b", results: mixed, specs: [:])
    let a = side("a", [("x", [70, 71])])
    #expect(SweepComparison(a, b, test: .pairedT, correction: .none).withheld == ["resnet8 x"])
    #expect(SweepComparison(a, b, test: .pairedT, correction: .none, allowMixed: true).withheld.isEmpty)
    let one = SweepResults(
      name: "b", columns: mixed.columns,
      runs: mixed.runs.map {
        SweepResults.Run(
          labels: $0.labels, seed: $0.seed, state: $0.state, numbers: $0.numbers, programs: ["two"])
      },
      metric: MadeUp.metric())
    let other = SweepComparison(
      a, SweepComparison.Side(name: "b", results: one, specs: [:]), test: .pairedT, correction: .none)
    #expect(other.programs == ["a was made by one", "b was made by two"])
  }

  @Test func `the spread and the correlation of a sweep say how many seeds it takes`() throws {
    // Stds 1 and 3 with two degrees of freedom each: pooled √5. Differences 2, 0, -2
    // have variance 4 of 1 + 9.
    let cells = Cell.cells(of: MadeUp.results([("a", [70, 71, 72]), ("b", [67, 70, 73])]))
    let sheet = PowerSheet(differences: [1], std: nil, correlation: nil, chance: 0.8, cells: cells)
    #expect(sheet.std.isNear(5.0.squareRoot(), absolute: 1e-9))
    #expect(sheet.correlation?.isNear(0.6, absolute: 1e-9) == true)
    #expect(sheet.basis.contains("2 cells") && sheet.basis.contains("4 degrees of freedom"))
    let known = PowerSheet(differences: [0.3], std: 0.3, correlation: 0.5, chance: 0.8)
    #expect(known.seeds(difference: 0.3).unpaired == 17 && known.seeds(difference: 0.3).paired == [18, 10])
    let text = TextTable.render(known.sheet(TextStyle()), style: TextStyle())
    #expect(text.contains("17") && text.contains("10") && text.contains("0.16"), "\(text)")
    #expect(
      PowerSheet(differences: [], std: nil, correlation: nil, chance: 0.8).basis.contains("assumed"))
  }
}
