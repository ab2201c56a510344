import Specs
import Testing

@testable import Reports

/// What becomes of lines beyond those that can be told apart.
@Suite struct PanelTests {
  /// Students × methods × three values of alpha, two seeds.
  private static func wide(students: Int, methods: Int) -> FigureInput {
    var runs: [SweepResults.Run] = []
    for student in 0..<students {
      for method in 0..<methods {
        for alpha in 1...3 {
          for seed in 1...2 {
            runs.append(
              SweepResults.Run(
                labels: [.string("s\(student)"), .string("m\(method)"), .number(DecimalNumber(alpha))],
                seed: seed, state: .finished,
                numbers: MadeUp.numbers(
                  last: Double(50 + 5 * student + method + alpha) + Double(seed) / 4, best: nil),
                programs: ["one"]))
          }
        }
      }
    }
    return FigureInput(
      ReportTable(
        SweepResults(
          name: "wide", columns: ["student", "method", "alpha"], runs: runs, metric: MadeUp.metric())),
      x: "alpha")
  }

  @Test func `lines that cannot be told apart stand in a panel a student, a line a method`() throws {
    let svg = try AxisFigure.draw(Self.wide(students: 4, methods: 3)).text
    #expect(ForestFigureTests.elements(svg, "strong").count == 4)
    for name in ["s0", "s1", "s2", "s3", "m0", "m1", "m2"] {
      #expect(svg.contains(">\(name)</text>"), "\(name)")
    }
    #expect(ForestFigureTests.note(svg).contains("36 cells: 36 drawn."), "\(ForestFigureTests.note(svg))")
    // Three colours: one method is one colour in all panels.
    let lines = ForestFigureTests.elements(svg, "line").compactMap { $0["class"] }
    #expect(Set(lines) == ["line c0", "line c1", "line c2"])
  }

  @Test func `methods beyond the limit of a panel keep the best, and the account counts the others`() throws {
    let svg = try AxisFigure.draw(Self.wide(students: 2, methods: 11)).text
    #expect(svg.contains(">m10</text>") && svg.contains(">m9</text>") && !svg.contains(">m0</text>"))
    #expect(
      ForestFigureTests.note(svg).contains("66 cells: 48 drawn, 18 not shown."),
      "\(ForestFigureTests.note(svg))")
  }

  @Test func `one student with many lines keeps the best, the second and the compared, in one frame`() throws
  {
    let svg = try AxisFigure.draw(Self.wide(students: 1, methods: 11)).text
    #expect(ForestFigureTests.elements(svg, "strong").isEmpty)
    #expect(
      ForestFigureTests.note(svg).contains("33 cells: 24 drawn, 9 not shown"),
      "\(ForestFigureTests.note(svg))")
  }
}
