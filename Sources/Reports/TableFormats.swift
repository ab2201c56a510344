package import Specs

/// How a table is written down.
package protocol TableFormat: Sendable {
  static var name: String { get }
  /// Ends with a line feed.
  static func render(_ table: ReportTable, style: TextStyle) -> String
  /// Ends with a line feed.
  static func render(_ sheet: Sheet, style: TextStyle) -> String
}

extension TableFormat {
  /// The table's sheets, one below the other.
  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    table.sheets(style).map { render($0, style: style) }.joined(separator: "\n")
  }
}

/// What the reader's terminal can show.
package struct TextStyle: Sendable {
  package var isUnicode: Bool
  package var isColoured: Bool

  package init(isUnicode: Bool = true, isColoured: Bool = false) {
    self.isUnicode = isUnicode
    self.isColoured = isColoured
  }

  package var plusMinus: String { isUnicode ? "±" : "+/-" }
  package var minus: String { isUnicode ? "−" : "-" }
  /// Marks what a test cannot tell apart.
  var alike: String { isUnicode ? "≈" : "~" }
  /// Marks what cannot be tested.
  static let untestable = "?"
  package func bold(_ text: String) -> String { isColoured ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
  package func dim(_ text: String) -> String { isColoured ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

  /// What a colour means wherever it stands; words beside it say the same.
  package enum Meaning: Sendable { case finished, failed, stopped, running }

  package func tinted(_ text: String, _ meaning: Meaning) -> String {
    guard isColoured, !text.isEmpty else { return text }
    let colour =
      switch meaning {
      case .finished: 32
      case .failed: 31
      case .stopped: 33
      case .running: 36
      }
    return "\u{1b}[0;\(colour)m\(text)\u{1b}[0m"
  }
}

extension Catalog where Entry == any TableFormat.Type {
  package static let tableFormats = Catalog(
    "table format",
    [
      TextTable.self,
      MarkdownTable.self,
      CSVTable.self,
      JSONTable.self,
      LaTeXTable.self,
    ]
  ) { $0.name }
}
