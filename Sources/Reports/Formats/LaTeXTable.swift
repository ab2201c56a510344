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
    var lines = [
      "% Needs \\usepackage{booktabs}.", "\\begin{table}", "  \\centering",
      "  \\caption{\(escaped(sheet.title))}",
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
    return (lines + ["\\end{table}"]).joined(separator: "\n") + "\n"
  }

  private static func escaped(_ text: String) -> String {
    ForeignText.safe(ForeignText.bounded(text), for: .latex)
  }
}
