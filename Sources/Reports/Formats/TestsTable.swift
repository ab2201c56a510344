internal import Specs

/// The tests of a paper's table. Comparisons have long names, so each stands on a line of its own above its
/// numbers, and what is left fits a page, or a column of one.
enum TestsTable {
  /// Comparisons of one table at most: a float that is taller than a page is never set.
  private static let most = 12
  /// Points between columns, where ordinary tables have 12.
  private static let gap = 8.0

  static func render(_ sheet: Sheet) -> String {
    let parts = stride(from: 0, to: max(1, sheet.rows.count), by: most).map { start in
      Array(sheet.rows.dropFirst(start).prefix(most))
    }
    let tables = parts.enumerated().map { index, rows in
      table(sheet, rows, isFirst: index == 0, isLast: index == parts.count - 1)
    }
    return tables.joined(separator: "\n")
  }

  /// Inches of the numbers, by the longest text of each column; names take the lines that they need.
  static func width(_ sheet: Sheet) -> Double {
    let columns = sheet.head.indices.dropFirst(sheet.stubs).map { column in
      ([sheet.head[column]] + sheet.rows.map { $0[column].text }).map { LaTeXText.width($0) }.max() ?? 0
    }
    return columns.reduce(0) { $0 + $1 + gap } / 72.27
  }

  private static func table(
    _ sheet: Sheet, _ rows: [[Sheet.Entry]], isFirst: Bool, isLast: Bool
  ) -> String {
    let width = width(sheet)
    let environment = LaTeXText.environment(width)
    let count = max(1, sheet.head.count - sheet.stubs)
    let caption = isFirst ? sheet.caption : "\(sheet.caption), continued"
    var lines = [
      "% Needs \\usepackage{booktabs}.", remark(width), "\\begin{\(environment)}[t]",
      "  \\centering\\small\\setlength{\\tabcolsep}{\(Int(gap / 2))pt}",
      "  \\caption{\(LaTeXText.escaped(caption))}",
      "  \\begin{tabular*}{\\linewidth}{@{\\extracolsep{\\fill}}\(String(repeating: "r", count: count))@{}}",
      "    \\toprule", "    \(numbers(sheet.head, sheet.stubs)) \\\\", "    \\midrule",
    ]
    for (index, row) in rows.enumerated() {
      if index > 0 { lines.append("    \\addlinespace") }
      let name = row.prefix(sheet.stubs).map(\.text).filter { !$0.isEmpty }.joined(separator: ", ")
      // A box without a width of its own: names must not push the columns apart.
      lines.append(
        "    \\multicolumn{\(count)}{@{}l@{}}{\\rlap{\\parbox[t]{\\linewidth}{\\raggedright "
          + "\(LaTeXText.escaped(name))}}} \\\\")
      lines.append("    \(numbers(row.map(\.text), sheet.stubs)) \\\\")
    }
    lines += ["    \\bottomrule", "  \\end{tabular*}"]
    if isLast { lines += notes(sheet) }
    lines.append("\\end{\(environment)}")
    let texts = [caption] + sheet.head + rows.flatMap { $0.map(\.text) } + (isLast ? sheet.notes : [])
    return (LaTeXText.lost(texts).map { [$0] + lines } ?? lines).joined(separator: "\n") + "\n"
  }

  private static func numbers(_ texts: [String], _ stubs: Int) -> String {
    texts.dropFirst(stubs).map(LaTeXText.escaped).joined(separator: " & ")
  }

  private static func remark(_ width: Double) -> String {
    guard width <= LaTeXText.page else { return LaTeXText.fit(width) }
    let place = width > LaTeXText.column ? "both columns of a page" : "a column"
    return
      "% Numbers about \(NumberFormat.fixed(width, 2)) in wide at \\small, names above them: fits \(place)."
  }

  private static func notes(_ sheet: Sheet) -> [String] {
    guard !sheet.notes.isEmpty else { return [] }
    let items = sheet.notes.map { note in
      note.hasPrefix("  ")
        ? "    \\quad \(LaTeXText.escaped(String(note.dropFirst(2))))\\par"
        : "    \(LaTeXText.escaped(note))\\par"
    }
    return ["", "  \\medskip", "  \\begin{minipage}{\\linewidth}\\footnotesize"] + items + [
      "  \\end{minipage}"
    ]
  }
}
