internal import Specs

/// One line a cell, numbers in full, for spreadsheets and scripts.
package enum CSVTable: TableFormat {
  package static let name = "csv"

  package static func render(_ table: ReportTable, style: TextStyle) -> String {
    let head =
      table.results.columns + [
        "n", "asked", "last_mean", "last_std", "best_mean", "best_std", "metric", "ddof", "gaps",
      ]
    let body = table.cells.map { cell in
      cell.labels.map { $0 == .null ? "" : ReportTable.text($0) }
        + [
          "\(cell.last?.count ?? 0)", "\(cell.seeds.count)", number(cell.last?.mean),
          number(cell.last?.deviation),
          number(cell.best?.mean), number(cell.best?.deviation), table.results.metric, "1",
          cell.gaps.map { "seed \($0.seed): \($0.reason)" }.joined(separator: "; "),
        ]
    }
    return ([head] + body).map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func number(_ value: Double?) -> String { value.map(\.description) ?? "" }

  static func quoted(_ text: String) -> String {
    text.contains { ",\"\r\n".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
