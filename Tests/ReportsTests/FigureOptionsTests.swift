import Specs
import Testing

@testable import Reports

/// Figures as a paper wants them, by their structure.
@Suite struct FigureOptionsTests {
  private static func draw(
    _ name: String, _ change: (inout FigureOptions) -> Void
  ) throws -> (svg: SVG, text: String) {
    var input = FigureTests.input
    change(&input.options)
    let svg = try Catalog.figures.entry(name).draw(input)
    return (svg, svg.text(input.options))
  }

  @Test func `lengths are read in inches, millimetres, points and pixels`() {
    #expect(FigureOptions.pixels("3.3in").map { abs($0 - 316.8) < 1e-9 } == true)
    #expect(FigureOptions.pixels("25.4mm") == 96 && FigureOptions.pixels("72pt") == 96)
    for text in ["", "3.3", "in", "0.1in", "99in", "-3in", "3 ft", "nanin"] {
      #expect(FigureOptions.pixels(text) == nil, "\(text)")
    }
    #expect(
      FigureOptions.isFont("Latin Modern Roman") && !FigureOptions.isFont("a';}") && !FigureOptions.isFont("")
    )
  }

  @Test(arguments: ["alpha", "curves", "reward", "importance"])
  func `a narrow figure is drawn narrow, with text of its usual size`(_ name: String) throws {
    let (svg, text) = try Self.draw(name) { $0.width = 420 }
    #expect(abs(svg.width - 420) < 1, "\(svg.width)")
    #expect(text.contains("width=\"420\""))
    let size = try #require(text.firstMatch(of: /viewBox="0 0 ([0-9.]+) ([0-9.]+)"/))
    #expect(abs(Double(size.1)! - 420) < 1)
  }

  @Test func `without a title the picture is lower by its line, and the metadata keep it`() throws {
    let (svg, text) = try Self.draw("forest") { $0.hasTitle = false }
    #expect(text.contains("viewBox=\"0 28 \(SVG.number(svg.width)) \(SVG.number(svg.height - 28))\""))
    #expect(!text.contains("class=\"title\"") && text.contains("<title>"))
    #expect(svg.text.contains("class=\"title\""))
  }

  @Test func `a font stands in the style sheet`() throws {
    let (_, text) = try Self.draw("seeds") { $0.font = "Latin Modern Roman" }
    #expect(text.contains(".mf{font-family:'Latin Modern Roman',sans-serif}"))
  }

  @Test(arguments: ["alpha", "curves", "forest"])
  func `ends of the metric's axis are kept to, and never cut anything off`(_ name: String) throws {
    let wide = try Self.draw(name) { $0.limits = 40...90 }.text
    #expect(wide.contains(">40<") && wide.contains(">90<"))
    let error = #expect(throws: NoFigure.self) { try Self.draw(name) { $0.limits = 71...72 } }
    #expect(error?.reason.hasPrefix("--ylim would cut it off: it needs ") == true)
  }

  @Test func `rows stand by mean, by name or as in the grid`() throws {
    let results = MadeUp.results([("b", [70, 71]), ("c", [75, 76]), ("a", [72, 73])])
    func rows(_ order: FigureOptions.CellOrder) throws -> [String] {
      var input = ForestFigureTests.input(results)
      input.options.order = order
      return ForestFigureTests.labels(try ForestFigure.draw(input).text, anchor: "end").map(\.text)
    }
    #expect(try rows(.mean) == ["c", "a", "b"])
    #expect(try rows(.name) == ["a", "b", "c"])
    #expect(try rows(.grid) == ["b", "c", "a"])
  }
}
