internal import Specs

/// Aligned columns for a terminal.
///
/// A table that is wider than the terminal first loses what stands in brackets, then its columns stand in
/// blocks below each other, each with the names of the rows: nothing is hidden.
package enum TextTable: TableFormat {
  package static let name = "text"
  private static let gap = 2

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    render(MetricTables([table]), style: style)
  }

  package static func render(_ tables: MetricTables, style: TextStyle) -> String {
    var tables = tables
    var sheets = tables.sheets(style)
    if let width = style.width, tables.first.layout.showsBest, let first = sheets.first,
      Self.width(first) > width
    {
      tables.hideBest()
      let others = sheets.dropFirst()
      sheets = [tables.sheets(style)[0]] + others
      sheets[0].notes.append("Without the best epochs in brackets, for which this terminal is too narrow.")
    }
    return sheets.map { render($0, style: style) }.joined(separator: "\n")
  }

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    let body = sheet.rows.map { $0.map { ForeignText.line($0.text) } }
    let head = sheet.head.map { ForeignText.line($0) }
    let widths = widths(head, body)
    let blocks = blocks(widths, stubs: sheet.stubs, width: style.width)
    var lines = [style.bold(ForeignText.line(sheet.caption))]
    lines += sheet.note.map { [ForeignText.line($0)] } ?? []
    for columns in blocks {
      func line(_ cells: [String]) -> String {
        let padded = columns.map { cells[$0] + String(repeating: " ", count: widths[$0] - cells[$0].cells) }
        let text = padded.joined(separator: String(repeating: " ", count: gap))
        return String(text.reversed().drop { $0 == " " }.reversed())
      }
      let rule = String(
        repeating: style.isUnicode ? "─" : "-",
        count: max(0, columns.reduce(0) { $0 + widths[$1] } + gap * (columns.count - 1)))
      if columns != blocks[0] { lines.append("") }
      lines += [style.bold(line(head)), rule] + body.map(line) + [rule]
    }
    lines += sheet.notes.map { style.dim(ForeignText.safe($0, for: .line)) }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func widths(_ head: [String], _ body: [[String]]) -> [Int] {
    head.indices.map { column in ([head] + body).map { $0[column].cells }.max() ?? 0 }
  }

  /// Places that the longest line of a table takes.
  private static func width(_ sheet: Sheet) -> Int {
    let body = sheet.rows.map { $0.map { ForeignText.line($0.text) } }
    let widths = widths(sheet.head.map { ForeignText.line($0) }, body)
    return widths.reduce(0, +) + gap * (widths.count - 1)
  }

  /// Places of columns that stand beside each other: all of them, or as many as fit behind the names
  /// of the rows, one at least.
  private static func blocks(_ widths: [Int], stubs: Int, width: Int?) -> [[Int]] {
    let all = Array(widths.indices)
    guard let width, widths.reduce(0, +) + gap * (widths.count - 1) > width, all.count > stubs + 1 else {
      return [all]
    }
    let names = Array(all.prefix(stubs))
    let taken = names.reduce(0) { $0 + widths[$1] + gap }
    var blocks: [[Int]] = []
    var (columns, used): ([Int], Int) = ([], taken)
    for column in all.dropFirst(stubs) {
      if !columns.isEmpty, used + widths[column] > width {
        blocks.append(names + columns)
        (columns, used) = ([], taken)
      }
      columns.append(column)
      used += widths[column] + gap
    }
    return blocks + [names + columns]
  }
}
