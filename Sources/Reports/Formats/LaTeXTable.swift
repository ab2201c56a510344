internal import Specs

/// A table for a paper: `booktabs` rules, the notes below. Needs `\usepackage{booktabs}` and nothing else.
package enum LaTeXTable: TableFormat {
  package static let name = "latex"

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    let columns = sheet.head.indices.map { $0 < sheet.stubs ? "l" : "r" }.joined()
    func row(_ cells: [String]) -> String { "    \(cells.joined(separator: " & ")) \\\\" }
    func marked(_ entry: Sheet.Entry) -> String {
      switch entry.emphasis {
      case .none: escaped(entry.text)
      case .best: "\\textbf{\(escaped(entry.text))}"
      case .second: "\\underline{\(escaped(entry.text))}"
      }
    }
    let width = width(sheet)
    let environment = LaTeXText.environment(width)
    var lines = [
      "% Needs \\usepackage{booktabs}.", LaTeXText.fit(width), "\\begin{\(environment)}",
      "  \\centering\\small",
      "  \\caption{\(escaped(caption(sheet)))}",
      "  \\begin{tabular}{\(columns)}",
      "    \\toprule", row(sheet.head.map(escaped)), "    \\midrule",
    ]
    lines += sheet.rows.map { row($0.map(marked)) }
    lines += ["    \\bottomrule", "  \\end{tabular}"]
    if !sheet.notes.isEmpty {
      lines += ["", "  \\medskip", "  \\begin{minipage}{\\linewidth}\\footnotesize"]
      lines += sheet.notes.map { note in
        note.hasPrefix("  ")
          ? "    \\quad \(escaped(String(note.dropFirst(2))))\\par" : "    \(escaped(note))\\par"
      }
      lines.append("  \\end{minipage}")
    }
    lines.append("\\end{\(environment)}")
    let texts = [caption(sheet)] + sheet.head + sheet.rows.flatMap { $0.map(\.text) } + sheet.notes
    return (LaTeXText.lost(texts).map { [$0] + lines } ?? lines).joined(separator: "\n") + "\n"
  }

  /// What is constant, then what the grid says of itself.
  private static func caption(_ sheet: Sheet) -> String {
    sheet.note.map { "\(sheet.caption). \(ForeignText.line($0))" } ?? sheet.caption
  }

  /// Inches, by the longest text of each column.
  static func width(_ sheet: Sheet) -> Double {
    LaTeXText.inches(
      sheet.head.indices.map { column in
        let cells = sheet.rows.map { LaTeXText.width($0[column].text, isBold: $0[column].emphasis == .best) }
        return max(LaTeXText.width(sheet.head[column]), cells.max() ?? 0)
      })
  }

  private static func escaped(_ text: String) -> String { LaTeXText.escaped(text) }
}
