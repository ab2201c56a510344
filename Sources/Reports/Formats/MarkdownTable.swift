/// A table for a README or an issue.
package enum MarkdownTable: TableFormat {
  package static let name = "markdown"

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    func escaped(_ text: String) -> String {
      text.replacing("|", with: "\\|").replacing("\n", with: " ")
    }
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    func marked(_ entry: Sheet.Entry) -> String {
      let text = escaped(entry.text)
      return entry.emphasis == .best ? "**\(text)**" : text
    }
    var lines = ["**\(escaped(sheet.title))**", "", line(sheet.head.map(escaped))]
    lines.append(line(sheet.head.indices.map { $0 < sheet.stubs ? "---" : "---:" }))
    lines += sheet.rows.map { line($0.map(marked)) }
    lines.append("")
    lines += sheet.notes.map { $0.hasPrefix("  ") ? "- \($0.dropFirst(2))" : "\($0)  " }
    return lines.joined(separator: "\n") + "\n"
  }
}
