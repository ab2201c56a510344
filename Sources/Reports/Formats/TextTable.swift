/// Aligned columns for a terminal.
package enum TextTable: TableFormat {
  package static let name = "text"

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    let body = sheet.rows.map { $0.map(\.text) }
    let widths = sheet.head.indices.map { column in
      ([sheet.head] + body).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    let rule = String(
      repeating: style.isUnicode ? "─" : "-", count: widths.reduce(0, +) + 2 * (widths.count - 1))
    var lines = [style.bold(sheet.title), style.bold(line(sheet.head)), rule] + body.map(line) + [rule]
    lines += sheet.notes.map(style.dim)
    return lines.joined(separator: "\n") + "\n"
  }
}
