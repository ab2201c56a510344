/// Aligned columns for a terminal.
package enum TextTable: TableFormat {
  package static let name = "text"

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    let head = [""] + table.columns
    let body = zip(table.rows, table.grid).map { row, cells in
      [row] + cells.map { ReportTable.text($0, plusMinus: style.plusMinus) }
    }
    let widths = head.indices.map { column in ([head] + body).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
    let rule = String(
      repeating: style.isUnicode ? "─" : "-", count: widths.reduce(0, +) + 2 * (widths.count - 1))
    var lines = [style.bold(table.results.name), style.bold(line(head)), rule] + body.map(line) + [rule]
    lines += table.footer(plusMinus: style.plusMinus).map(style.dim)
    return lines.joined(separator: "\n") + "\n"
  }
}
