internal import Specs

/// Cells laid out: one row for all labels but the student's, one column a student.
package struct ReportTable: Sendable {
  package let results: SweepResults
  package let cells: [Cell]
  /// Texts of the rows: `mtkd-rl alpha=0.5`.
  package let rows: [String]
  package let columns: [String]
  /// By row, then column; nil where the sweep has no such cell.
  package let grid: [[Cell?]]

  package init(_ results: SweepResults) {
    self.results = results
    cells = Cell.cells(of: results)
    let student = results.columns.firstIndex(of: "student")
    func column(_ cell: Cell) -> String { student.map { Self.text(cell.labels[$0]) } ?? results.name }
    let pools = Self.poolNames(results)
    func row(_ cell: Cell) -> String {
      let words = zip(results.columns, cell.labels).compactMap { name, label in
        name == "student" || label == .null ? nil : Self.word(name, label, pools)
      }
      return words.joined(separator: " ")
    }
    var (rows, columns): ([String], [String]) = ([], [])
    for cell in cells {
      if !rows.contains(row(cell)) { rows.append(row(cell)) }
      if !columns.contains(column(cell)) { columns.append(column(cell)) }
    }
    var places: [String: Cell] = [:]
    for cell in cells { places[row(cell) + "\u{0}" + column(cell)] = cell }
    (self.rows, self.columns) = (rows, columns)
    grid = rows.map { row in columns.map { places[row + "\u{0}" + $0] } }
  }

  /// A label as part of a row's text: methods stand alone, a pool of teachers shows its size.
  private static func word(_ name: String, _ label: JSONValue, _ pools: [JSONValue: String]) -> String {
    if name == "method" { return text(label) }
    return pools[label] ?? "\(name)=\(text(label))"
  }

  /// `M=2` for each pool of teachers; where several have one size, their members too.
  private static func poolNames(_ results: SweepResults) -> [JSONValue: String] {
    guard let place = results.columns.firstIndex(of: "teachers") else { return [:] }
    func members(_ pool: JSONValue) -> [JSONValue] {
      pool.array ?? Array((pool.object?["pool"]?.array ?? []).prefix(pool.object?["take"]?.integer ?? 0))
    }
    let pools = Set(results.runs.map { $0.labels[place] }).subtracting([.null])
    let sizes = Dictionary(grouping: pools) { members($0).count }
    return Dictionary(
      pools.map { pool in
        let names = members(pool)
        let isAlone = sizes[names.count]?.count == 1
        return (
          pool, isAlone ? "M=\(names.count)" : "M=\(names.count)(\(names.map(text).joined(separator: "+")))"
        )
      }
    ) { $1 }
  }

  static func text(_ label: JSONValue) -> String { label.title }
}

// Texts that every format shares

extension ReportTable {
  /// A number of percent with two digits, whatever the locale.
  static func digits(_ value: Double) -> String {
    let hundredths = (abs(value) * 100).rounded()
    guard hundredths < 1e15 else { return value.description }
    let whole = Int(hundredths)
    let tail = whole % 100
    return "\(value < 0 && whole > 0 ? "-" : "")\(whole / 100).\(tail < 10 ? "0" : "")\(tail)"
  }

  /// `72.10 ± 0.40`, `72.10` for one seed, `-` for none.
  static func text(_ statistics: SampleStatistics?, plusMinus: String) -> String {
    guard let statistics else { return "-" }
    let mean = digits(statistics.mean)
    return statistics.deviation.map { "\(mean) \(plusMinus) \(digits($0))" } ?? mean
  }

  /// The headline and the best epoch beside it: `72.10 ± 0.40 [72.30 ± 0.35] (2 of 3, 1 diverged)`.
  static func text(_ cell: Cell?, plusMinus: String) -> String {
    guard let cell else { return "" }
    let last = text(cell.last, plusMinus: plusMinus)
    let best = cell.best.map { " [\(text($0, plusMinus: plusMinus))]" } ?? ""
    return last + best + (cell.shortfall.map { " (\($0))" } ?? "")
  }

  /// How the numbers came about, and why some are missing. Without dates: equal results are equal bytes.
  package func footer(plusMinus: String) -> [String] {
    let counts = Set(cells.map { $0.seeds.count }).sorted()
    let n = counts.map(String.init).joined(separator: " or ")
    let unit = results.metric.hasSuffix("acc1") ? "\(results.metric) in percent" : results.metric
    var lines = [
      "\(unit): mean \(plusMinus) sample standard deviation (ddof 1) over seeds, n = \(n.isEmpty ? "0" : n).",
      "After the last epoch; [in brackets] each seed's best epoch, selected on the test set.",
    ]
    if !results.isComplete {
      lines.append("\(results.finished) of \(results.runs.count) runs have a result:")
    }
    for (row, line) in zip(rows, grid) {
      for (column, cell) in zip(columns, line) {
        for gap in cell?.gaps ?? [] { lines.append("  \(row), \(column), seed \(gap.seed): \(gap.reason)") }
      }
    }
    return lines
  }
}
