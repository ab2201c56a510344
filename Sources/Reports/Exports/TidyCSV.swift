internal import Specs

/// One line a number, which is the form that data frames want.
package struct TidyCSV: ExportFormat {
  package static let name = "csv"
  package static let summary = """
    One tidy table: a line for each number of each epoch of each run, with the run's labels beside it. Epochs count from 1; the field is \
    empty where a number belongs to the whole run. Numbers in full; empty where not finite. For pandas, R and spreadsheets.
    """
  package static let isFolder = false
  private let sweep: ExportedSweep

  package init(_ sweep: ExportedSweep) { self.sweep = sweep }

  package func head() -> [ExportedFile] {
    [line(["sweep", "run"] + sweep.columns + ["seed", "state", "epoch", "metric", "value"])]
  }

  package func pieces(of run: RunAccount) -> [ExportedFile] {
    let fields =
      [sweep.name, run.key.description] + run.labels.map { $0 == .null ? "" : ReportTable.text($0) }
      + ["\(run.seed)", run.state.word]
    let start = fields.map(CSVTable.quoted).joined(separator: ",")
    var text = ""
    func add(_ epoch: String, _ metrics: Metrics) {
      for metric in metrics.values {
        let value = metric.value.isFinite ? metric.value.description : ""
        text += "\(start),\(epoch),\(CSVTable.quoted(metric.name)),\(value)\n"
      }
    }
    for epoch in run.epochs { add("\(epoch.epoch + 1)", RunAccount.numbers(of: epoch)) }
    add("", run.exportedTotals)
    // A run without any number is in the table too: what is missing is seen.
    return [text.isEmpty ? line(fields + ["", "", ""]) : ExportedFile(path: "", text)]
  }

  private func line(_ fields: [String]) -> ExportedFile {
    ExportedFile(path: "", fields.map(CSVTable.quoted).joined(separator: ",") + "\n")
  }
}
