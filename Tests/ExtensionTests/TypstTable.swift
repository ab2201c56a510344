import Reports

/// A table for the typesetter Typst.
enum TypstTable: TableFormat {
  static let name = "typst"

  static func render(_ sheet: Sheet, style: TextStyle) -> String {
    var lines = ["#table(", "  columns: \(sheet.head.count),"]
    lines.append("  table.header(\(sheet.head.map { cell(escaped($0)) }.joined(separator: ", "))),")
    for row in sheet.rows {
      lines.append("  \(row.map(text).joined(separator: ", ")),")
    }
    return (lines + [")"]).joined(separator: "\n") + "\n"
  }

  private static func text(_ entry: Sheet.Entry) -> String {
    let text = escaped(entry.text)
    return cell(entry.emphasis == .best ? "*\(text)*" : text)
  }

  private static func cell(_ text: String) -> String { "[\(text)]" }

  /// Every character that Typst reads as markup, behind a backslash.
  private static func escaped(_ text: String) -> String {
    text.map { "\\#[]*_`$<>@=-+/~\"'".contains($0) ? "\\\($0)" : "\($0)" }.joined()
  }
}
