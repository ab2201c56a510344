internal import Specs

/// One line a cell, numbers in full, for spreadsheets and scripts.
package enum CSVTable: TableFormat {
  package static let name = "csv"

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    lines([head(table)] + rows(table))
  }

  /// One line a cell and metric.
  package static func render(_ tables: MetricTables, style: TextStyle) -> String {
    lines([head(tables.first)] + tables.tables.flatMap(rows))
  }

  private static func head(_ table: ReportTable) -> [String] {
    let parts = ["mean", "std", "median", "ci95_low", "ci95_high", "boot95_low", "boot95_high"]
    return table.results.columns + ["n", "asked", "select"] + parts
      + [
        "last_mean", "last_std", "best_mean", "best_std", "metric", "ddof", "rank", "rank_distinguishable",
        "gaps",
      ]
      + ["programs"]
  }

  private static func rows(_ table: ReportTable) -> [[String]] {
    table.cells.map { cell -> [String] in
      let (headline, place) = (cell.headline, table.place(of: cell))
      let interval = headline?.moments.interval()
      let boot = headline.flatMap { Bootstrap.interval(of: $0.values) }
      let numbers: [Double?] = [
        headline?.mean, headline?.std, headline?.median, interval?.low, interval?.high, boot?.low,
        boot?.high,
        cell.last?.mean, cell.last?.std, cell.best?.mean, cell.best?.std,
      ]
      var line = cell.labels.map { $0 == .null ? "" : ReportTable.text(table.results.original($0)) }
      line += ["\(headline?.count ?? 0)", "\(cell.seeds.count)", table.results.select.rawValue]
      line += numbers.map { $0.map(\.description) ?? "" }
      line += [table.results.metric, "1", place.map { $0.place == .first ? "1" : "2" } ?? ""]
      line.append(place?.isDistinguishable.map { "\($0)" } ?? "")
      line.append(cell.gaps.map { "seed \($0.seed): \($0.reason)" }.joined(separator: "; "))
      line.append(
        cell.isMixed
          ? (cell.isWithheld ? "withheld: " : "mixed: ")
            + cell.programs.map(\.program).joined(separator: "; ")
          : cell.programs.first?.program ?? "")
      return line
    }
  }

  package static func render(_ sheet: Sheet, style: TextStyle) -> String {
    lines([sheet.head] + sheet.rows.map { $0.map(\.text) })
  }

  static func lines(_ lines: [[String]]) -> String {
    lines.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  static func quoted(_ text: String) -> String { ForeignText.safe(text, for: .csv) }
}
