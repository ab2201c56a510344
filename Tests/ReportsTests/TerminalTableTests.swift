import Specs
import Testing

@testable import Reports

/// Tables on a terminal: whatever its width, every number is there.
@Suite struct TerminalTableTests {
  private static let table = ReportTable(MadeUp.results())

  private static func lines(_ width: Int?) -> [String] {
    TextTable.render(table, style: TextStyle(width: width)).split(separator: "\n").map(String.init)
  }

  /// Lines of the table: those between the rules and above them.
  private static func body(_ lines: [String]) -> [String] {
    let last = lines.lastIndex { $0.hasPrefix("──") } ?? 0
    return Array(lines[1...last])
  }

  @Test func `a wide terminal and a file show everything in one block`() {
    #expect(Self.lines(nil) == Self.lines(400))
    #expect(Self.lines(400).count { $0.hasPrefix("──") } == 2)
    #expect(Self.lines(400).contains { $0.contains("[70.1 ± 0.4]") })
  }

  @Test func `brackets go first, and a line says so`() throws {
    let whole = try #require(Self.body(Self.lines(nil)).map(\.count).max())
    let narrow = Self.lines(whole - 1)
    #expect(Self.body(narrow).allSatisfy { $0.count < whole && !$0.contains("[") }, "\(narrow)")
    #expect(narrow.count { $0.hasPrefix("──") } == 2, "one block still")
    #expect(narrow.contains { $0.contains("Without the best epochs in brackets") })
  }

  @Test func `then columns stand in blocks, each with the names of its rows`() {
    let narrow = Self.lines(40)
    #expect(Self.body(narrow).allSatisfy { $0.count <= 40 }, "\(narrow)")
    #expect(narrow.count { $0.hasPrefix("──") } == 4, "two blocks: \(narrow)")
    for name in ["baseline", "mtkd-rl alpha=0.5"] { #expect(narrow.count { $0.hasPrefix(name) } == 2) }
    // Every mean of the wide table is in one of the blocks.
    for mean in ["70.0 ± 0.4", "69.0 ± 0.4", "72.5 ± 0.4", "71.5 ± 0.4"] {
      #expect(narrow.contains { $0.contains(mean) }, "\(mean)")
    }
  }

  @Test func `names wider than the terminal keep a column beside them`() {
    let narrow = Self.lines(10)
    #expect(narrow.count { $0.hasPrefix("──") } == 4)
    #expect(narrow.contains { $0.contains("mtkd-rl alpha=0.5  72.5 ± 0.4") }, "\(narrow)")
  }
}
