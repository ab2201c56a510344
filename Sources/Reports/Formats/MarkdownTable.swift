internal import Specs

/// A table for a README or an issue.
package enum MarkdownTable: TableFormat {
  package static let name = "markdown"

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    let constants = sheet.constants.map { ": \(ForeignText.safe($0, for: .markdownLine))" } ?? ""
    let note = sheet.note.map { "\n\n\(ForeignText.safe(ForeignText.line($0), for: .markdownLine))" } ?? ""
    return render(sheet, title: "**\(escaped(sheet.title))**\(constants)\(note)")
  }

  private static func escaped(_ text: String) -> String {
    ForeignText.safe(ForeignText.bounded(text), for: .markdown)
  }

  /// - Parameter title: a line above the table; nil for none.
  static func render(_ sheet: Sheet, title: String?) -> String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
    func marked(_ entry: Sheet.Entry) -> String {
      let text = escaped(entry.text)
      return entry.emphasis == .best ? "**\(text)**" : text
    }
    var lines = (title.map { [$0, ""] } ?? []) + [line(sheet.head.map(escaped))]
    lines.append(line(sheet.head.indices.map { $0 < sheet.stubs ? "---" : "---:" }))
    lines += sheet.rows.map { line($0.map(marked)) }
    lines.append("")
    var isList = false
    for note in sheet.notes {
      let isItem = note.hasPrefix("  ")
      // What follows a list without an empty line would become part of its last item.
      if isList, !isItem { lines.append("") }
      let text = ForeignText.safe(isItem ? String(note.dropFirst(2)) : note, for: .markdownLine)
      lines.append(isItem ? "- \(text)" : "\(text)  ")
      isList = isItem
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
