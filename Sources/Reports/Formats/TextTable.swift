internal import Specs

/// Aligned columns for a terminal.
package enum TextTable: TableFormat {
  package static let name = "text"

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    let body = sheet.rows.map { $0.map { ForeignText.line($0.text) } }
    let head = sheet.head.map { ForeignText.line($0) }
    let widths = head.indices.map { column in
      ([head] + body).map { $0[column].cells }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.cells) }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    let rule = String(
      repeating: style.isUnicode ? "─" : "-", count: widths.reduce(0, +) + 2 * (widths.count - 1))
    var lines = [style.bold(ForeignText.line(sheet.caption))]
    lines += sheet.note.map { [ForeignText.line($0)] } ?? []
    lines += [style.bold(line(head)), rule] + body.map(line) + [rule]
    lines += sheet.notes.map { style.dim(ForeignText.safe($0, for: .line)) }
    return lines.joined(separator: "\n") + "\n"
  }
}
