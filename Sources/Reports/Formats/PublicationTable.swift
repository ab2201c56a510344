internal import Specs

/// A table to paste into a paper: a column a setting, `$41.3_{\pm 0.8}$`, bold for all that tie with the
/// best, notes in a `threeparttable`, and the tests in a file of their own.
package enum PublicationTable {
  /// What `report --style` calls it.
  package static let name = "paper"

  /// - Parameter table: with every setting of its rows in a column of its own (`layout`).
  package static func render(_ table: ReportTable) -> String { render(MetricTables([table])) }

  /// The same of several metrics side by side.
  package static func render(_ tables: MetricTables) -> String {
    let style = TextStyle()
    let (table, columns) = (tables.first, tables.columns)
    let body = spanned(table.rowHeads).enumerated().map { row, heads in
      let entries = columns.map { column -> String in
        guard let cell = tables.cell(row, column) else { return "" }
        return tables.isOfOtherMetric(cell) ? "--" : entry(cell, tables.tables[column.table])
      }
      return "      \((heads + entries).joined(separator: " & ")) \\\\"
    }
    let width = width(tables)
    let environment = LaTeXText.environment(width)
    var lines = [
      "% Needs \\usepackage{booktabs,multirow,threeparttable}.", LaTeXText.fit(width),
      "\\begin{\(environment)}[t]",
      "  \\centering\\small", "  \\begin{threeparttable}",
      "    \\caption{\(escaped(caption(tables, style)))}", "    \\label{tab:\(label(table.results.name))}",
      "    \\begin{tabular}{\(String(repeating: "l", count: table.rowNames.count))"
        + "\(String(repeating: "c", count: columns.count))}",
      "      \\toprule",
    ]
    lines += head(tables) + ["      \\midrule"] + body
    lines += ["      \\bottomrule", "    \\end{tabular}", "    \\begin{tablenotes}\\footnotesize"]
    lines += notes(tables, style).map { "      \\item \($0)" }
    lines += ["    \\end{tablenotes}", "  \\end{threeparttable}", "\\end{\(environment)}"]
    return (LaTeXText.lost(texts(tables, style)).map { [$0] + lines } ?? lines).joined(separator: "\n") + "\n"
  }

  /// The names of the columns; where each has several metrics, these stand below it.
  private static func head(_ tables: MetricTables) -> [String] {
    let (stubs, columns) = (tables.first.rowNames.map { escaped($0) }, tables.columns)
    let titles = columns.map { escaped($0.group.isEmpty ? $0.title : tables.tables[$0.table].results.metric) }
    let last = "      \((stubs + titles).joined(separator: " & ")) \\\\"
    guard columns.contains(where: { !$0.group.isEmpty }) else { return [last] }
    let count = tables.tables.count
    let groups = tables.first.columns.map { "\\multicolumn{\(count)}{c}{\(escaped($0))}" }
    let rules = tables.first.columns.indices.map { place in
      let first = stubs.count + place * count + 1
      return "\\cmidrule(lr){\(first)-\(first + count - 1)}"
    }
    let above = stubs.map { _ in "" } + groups
    return ["      \(above.joined(separator: " & ")) \\\\ \(rules.joined())", last]
  }

  /// Whatever somebody else may have written.
  private static func texts(_ tables: MetricTables, _ style: TextStyle) -> [String] {
    let table = tables.first
    return [caption(tables, style)] + table.rowNames + tables.columns.map(\.title)
      + table.rowHeads.flatMap { $0 } + table.poolNotes() + table.results.aliases.map(\.note)
  }

  /// The declared comparisons, claims and the paper's numbers; nil where there are none.
  package static func tests(_ tables: MetricTables) -> String? {
    let sheets = tables.sheets(TextStyle()).dropFirst()
    return sheets.isEmpty ? nil : sheets.map(TestsTable.render).joined(separator: "\n")
  }

  package static func tests(_ table: ReportTable) -> String? { tests(MetricTables([table])) }

  /// Every setting that a row names in a column of its own.
  package static func layout(_ layout: ReportLayout, _ results: SweepResults) -> ReportLayout {
    var layout = layout
    guard layout.rows.isEmpty else { return layout }
    if layout.columns.isEmpty { layout.columns = results.columns.contains("student") ? ["student"] : [] }
    let rest = results.columns.filter { !layout.columns.contains($0) && !layout.average.contains($0) }
    layout.columns.removeAll { layout.average.contains($0) }
    let varying = rest.filter { name in
      let place = results.columns.firstIndex(of: name)!
      return name == "method" || Set(results.runs.map { $0.labels[place] }).count > 1
    }
    layout.rows = varying.isEmpty ? rest : varying
    return layout
  }

  private static func caption(_ tables: MetricTables, _ style: TextStyle) -> String {
    let table = tables.first
    let heading = tables.tables.map(\.results.described.heading).joined(separator: ", ")
    let note = table.results.note.map { " \(ForeignText.line($0))" } ?? ""
    return "\(heading), mean and std over seeds. \(table.constants(style).map { "\($0)." } ?? "")\(note)"
  }

  /// Heads of rows; equal ones below each other are one cell over several rows.
  private static func spanned(_ rows: [[String]]) -> [[String]] {
    rows.indices.map { row in
      rows[row].indices.map { column in
        func isSame(_ other: Int) -> Bool { rows[other][...column] == rows[row][...column] }
        // The last column names each row.
        if column == rows[row].count - 1 { return text(rows[row][column]) }
        if row > 0, isSame(row - 1) { return "" }
        var count = 1
        while row + count < rows.count, isSame(row + count) { count += 1 }
        let text = text(rows[row][column])
        return count > 1 ? "\\multirow{\(count)}{*}{\(text)}" : text
      }
    }
  }

  private static func text(_ head: String) -> String { head.isEmpty ? "--" : escaped(plain(head)) }

  /// A list without its quotes and brackets: `policy, confidence`.
  private static func plain(_ head: String) -> String {
    guard head.hasPrefix("[\""), let list = try? JSONReader.read(Array(head.utf8)).value.array else {
      return head
    }
    return list.map(\.title).joined(separator: ", ")
  }

  private static func entry(_ cell: Cell?, _ table: ReportTable) -> String {
    guard let cell else { return "" }
    guard let sample = cell.headline else { return escaped(missing(cell)) }
    let (mean, spread) = ReportTable.parts(sample, digits: table.digits)
    let std = spread.map { "_{\\pm \($0.replacing("< ", with: "{<}"))}" } ?? ""
    let number = table.tiesWithBest(cell) ? "$\\mathbf{\(mean)}\(std)$" : "$\(mean)\(std)$"
    return cell.gaps.isEmpty ? number : "\(number)\\tnote{*}"
  }

  /// What stands for a number that is not there.
  private static func missing(_ cell: Cell?) -> String {
    guard let cell else { return "" }
    let words = Set(cell.gaps.map(\.word)).sorted().joined(separator: ", ")
    return cell.isWithheld ? "mixed programs" : words.isEmpty ? "--" : words
  }

  private static func notes(_ tables: MetricTables, _ style: TextStyle) -> [String] {
    let table = tables.first
    let metrics = tables.tables.map { escaped($0.results.metric) }.joined(separator: ", ")
    let counts = Set(table.cells.map(\.seeds.count)).sorted().map(String.init).joined(separator: " or ")
    var notes = [
      "\(metrics): mean$_{\\pm\\mathrm{std}}$ (sample std) over \(counts) seeds, "
        + (table.results.select == .last ? "after the last epoch." : "\(selected(table.results)).")
    ]
    if !table.rankings.isEmpty {
      let test = table.rankings[0].comparison.test.title
      let correction =
        table.layout.correction == .none ? "uncorrected" : table.layout.correction.title
      notes.append(
        "Bold: best of a student among complete cells, and all that are not distinguishable from it "
          + "(\(escaped(test)), \(escaped(correction)), $p \\geq 0.05$).")
    }
    notes += (table.poolNotes() + table.results.aliases.map(\.note)).map(escaped)
    if !table.results.averages.isEmpty {
      notes.append("Each seed's value is its \(escaped(table.results.averageText)).")
    }
    if tables.tables.contains(where: { $0.cells.contains { !$0.gaps.isEmpty && $0.headline != nil } }) {
      notes.append("[*] Without every seed; never bold.")
    }
    return notes
  }

  private static func selected(_ results: SweepResults) -> String {
    results.select == .bestOnTest
      ? "at each seed's best epoch, \\textbf{chosen on the test set}"
      : escaped("at each seed's epoch of \(results.selectorText)")
  }

  /// Inches, by the longest text of each column.
  static func width(_ table: ReportTable) -> Double { width(MetricTables([table])) }

  static func width(_ tables: MetricTables) -> Double {
    let table = tables.first
    let heads = table.rowNames.indices.map { column in
      ([table.rowNames[column]] + table.rowHeads.map { plain($0[column]) }).map { LaTeXText.width($0) }.max()
        ?? 0
    }
    let cells = tables.columns.map { column in
      let own = tables.tables[column.table]
      let entries = table.rows.indices.map { row -> Double in
        let cell = tables.cell(row, column)
        guard let cell, let sample = cell.headline else { return LaTeXText.width(missing(cell)) }
        let (mean, spread) = ReportTable.parts(sample, digits: own.digits)
        return LaTeXText.width(mean: mean, spread: spread, isBold: own.tiesWithBest(cell))
      }
      let title = column.group.isEmpty ? column.title : own.results.metric
      return max(LaTeXText.width(title), entries.max() ?? 0)
    }
    return LaTeXText.inches(heads + cells)
  }

  /// Letters, digits and hyphens, as labels are.
  private static func label(_ name: String) -> String {
    String(
      name.unicodeScalars.map { scalar -> Character in
        let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        return isPlain ? Character(scalar) : "-"
      })
  }

  private static func escaped(_ text: String) -> String { LaTeXText.escaped(text) }
}

extension ReportTable {
  /// Whether a cell is the best of its student, or one that the test does not tell from it.
  func tiesWithBest(_ cell: Cell) -> Bool {
    if place(of: cell)?.place == .first { return true }
    return verdict(of: cell) == false
  }
}
