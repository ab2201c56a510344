package import Specs

/// How a table is written down.
package protocol TableFormat: Sendable {
  static var name: String { get }
  /// Ends with a line feed.
  static func render(_ table: ReportTable, style: TextStyle) -> String
}

/// What the reader's terminal can show.
package struct TextStyle: Sendable {
  package var isUnicode: Bool
  package var isColoured: Bool

  package init(isUnicode: Bool = true, isColoured: Bool = false) {
    (self.isUnicode, self.isColoured) = (isUnicode, isColoured)
  }

  var plusMinus: String { isUnicode ? "±" : "+/-" }
  func bold(_ text: String) -> String { isColoured ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
  func dim(_ text: String) -> String { isColoured ? "\u{1b}[2m\(text)\u{1b}[0m" : text }
}

extension Catalog where Entry == any TableFormat.Type {
  package static let tableFormats = Catalog(
    "table format",
    [
      TextTable.self,
      MarkdownTable.self,
      CSVTable.self,
      JSONTable.self,
    ]
  ) { $0.name }
}
