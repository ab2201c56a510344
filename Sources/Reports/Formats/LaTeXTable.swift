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
    lines.append("\\end{table}")
    return (lost(sheet).map { [$0] + lines } ?? lines).joined(separator: "\n") + "\n"
  }

  /// What is constant, then what the grid says of itself.
  private static func caption(_ sheet: Sheet) -> String {
    sheet.note.map { "\(sheet.caption). \(ForeignText.line($0))" } ?? sheet.caption
  }

  /// A remark on characters that LaTeX's usual fonts do not have and that stand as `?`; nil where there are none.
  private static func lost(_ sheet: Sheet) -> String? {
    let texts = [caption(sheet)] + sheet.head + sheet.rows.flatMap { $0.map(\.text) } + sheet.notes
    var scalars: Set<Unicode.Scalar> = []
    for scalar in texts.joined().unicodeScalars where !scalar.isASCII {
      if ForeignText.safe(String(scalar), for: .latex) == "?" { scalars.insert(scalar) }
    }
    guard !scalars.isEmpty else { return nil }
    let names = scalars.sorted().prefix(20).map { "U+\(String($0.value, radix: 16, uppercase: true))" }
    return "% Shown as ?, because LaTeX's usual fonts lack them: \(names.joined(separator: ", "))"
      + (scalars.count > 20 ? " and \(scalars.count - 20) more." : ".")
  }

  private static func escaped(_ text: String) -> String {
    ForeignText.safe(ForeignText.bounded(text), for: .latex)
  }
}
