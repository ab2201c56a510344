/// A table for a README or an issue.
package enum MarkdownTable: TableFormat {
  package static let name = "markdown"

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|").replacing("\n", with: " ") }.joined(separator: " | ")
        + " |"
    }
    var lines = ["**\(table.results.name)**", "", line([""] + table.columns)]
    lines.append(line(["---"] + table.columns.map { _ in "---:" }))
    for (row, cells) in zip(table.rows, table.grid) {
      lines.append(line([row] + cells.map { ReportTable.text($0, plusMinus: style.plusMinus) }))
    }
    lines.append("")
    lines += table.footer(plusMinus: style.plusMinus).map {
      $0.hasPrefix("  ") ? "- \($0.dropFirst(2))" : "\($0)  "
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
