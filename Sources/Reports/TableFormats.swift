public import Specs

/// How a table is written down. A new format is one file that conforms to this protocol, and one line in
/// `Catalog.tableFormats` or a call of `Extensions.add`:
///
///     enum DashedTable: TableFormat {
///       static let name = "dashed"
///       static func render(_ sheet: Sheet, style: TextStyle) -> String {
///         ([sheet.head] + sheet.rows.map { $0.map(\.text) }).map { $0.joined(separator: " - ") + "\n" }.joined()
///       }
///     }
public protocol TableFormat: Sendable {
  /// As `report --format` names it.
  static var name: String { get }
  /// A report's table. By default its sheets, one below the other. Ends with a line feed.
  static func render(_ table: ReportTable, style: TextStyle) -> String
  /// Tables of several metrics side by side. By default their sheets, one below the other; of
  /// one metric as its table.
  static func render(_ tables: MetricTables, style: TextStyle) -> String
  /// One table of texts, which may come from files of strangers: what the format reads as markup is escaped.
  /// Ends with a line feed.
  static func render(_ sheet: Sheet, style: TextStyle) -> String
}

extension TableFormat {
  /// The table's sheets, one below the other.
  public static func render(_ table: ReportTable, style: TextStyle) -> String {
    table.sheets(style).map { render($0, style: style) }.joined(separator: "\n")
  }

  /// The tables' sheets, one below the other.
  public static func render(_ tables: MetricTables, style: TextStyle) -> String {
    guard tables.isOfSeveral else { return render(tables.first, style: style) }
    return tables.sheets(style).map { render($0, style: style) }.joined(separator: "\n")
  }
}

/// What the reader's terminal can show.
public struct TextStyle: Sendable {
  /// Whether characters beyond ASCII can be shown.
  public var isUnicode: Bool
  /// Whether escape sequences for colours are understood.
  public var isColoured: Bool
  /// Places in a line; nil where lines may be of any length, as in files and pipes.
  public var width: Int?

  /// A terminal that shows Unicode and lines of any length, and no colours unless asked.
  public init(isUnicode: Bool = true, isColoured: Bool = false, width: Int? = nil) {
    self.isUnicode = isUnicode
    self.isColoured = isColoured
    self.width = width
  }

  /// The sign between a mean and its std.
  public var plusMinus: String { isUnicode ? "±" : "+/-" }
  /// The sign of negative numbers.
  public var minus: String { isUnicode ? "−" : "-" }
  /// Marks what a test cannot tell apart.
  var alike: String { isUnicode ? "≈" : "~" }
  /// Marks what cannot be tested.
  static let untestable = "?"
  /// Bold where colours are shown.
  public func bold(_ text: String) -> String { isColoured ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
  /// Dimmed where colours are shown.
  public func dim(_ text: String) -> String { isColoured ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

  /// What a colour means wherever it stands; words beside it say the same.
  public enum Meaning: Sendable { case finished, failed, stopped, running }

  /// In the colour of a meaning, where colours are shown.
  public func tinted(_ text: String, _ meaning: Meaning) -> String {
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
  package static var tableFormats: Catalog { formatsHere.extended }

  fileprivate static let formatsHere = Catalog(
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

extension Extensions {
  /// Adds a table format, which `report --format` then takes.
  ///
  /// - Throws: `ExtensionError.nameTaken` where another format has its name.
  public mutating func add(_ format: any TableFormat.Type) throws(ExtensionError) {
    try add(format, to: .formatsHere) { [$0.name] }
  }
}
