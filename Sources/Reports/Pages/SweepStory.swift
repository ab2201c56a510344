package import Specs

/// What the page of a sweep tells, beyond its table.
package struct SweepStory: Sendable {
  package let table: ReportTable
  /// The same cells by other metrics, beside them.
  package var others: [ReportTable] = []
  /// The grid's text, comments and all.
  package let grid: String
  /// Runs as the grid spells them, shared ones counted each time.
  package let asked: Int
  /// Beside the runs of the results.
  package var runs: [Run]

  package struct Run: Sendable {
    package let key: ContentKey
    package let title: String
    package var attempts: [RunAccount.Attempt]
    /// The metric of the results after each epoch; not a number where the run reported none.
    package let series: [Double]
    /// Digest of the state after the last epoch that is there.
    package let lastState: ContentKey?
    /// Digest of the final checkpoint.
    package let final: ContentKey?
    package let seal: Seal?

    /// What a later execution of the same run found.
    package struct Seal: Equatable, Sendable {
      package let isEqual: Bool
      /// Epochs whose states were compared.
      package let epochs: Int
      /// Where that was, by what program.
      package let by: String

      package init(isEqual: Bool, epochs: Int, by: String) {
        self.isEqual = isEqual
        self.epochs = epochs
        self.by = by
      }
    }

    package init(
      key: ContentKey, title: String, attempts: [RunAccount.Attempt], series: [Double],
      lastState: ContentKey?, final: ContentKey?, seal: Seal? = nil
    ) {
      self.key = key
      self.title = title
      self.attempts = attempts
      self.series = series
      self.lastState = lastState
      self.final = final
      self.seal = seal
    }

    var provenance: Provenance? { attempts.last { $0.provenance != nil }?.provenance }
  }

  /// - Precondition: as many runs as the table's results have before settings are averaged.
  package init(_ table: ReportTable, grid: String, asked: Int, runs: [Run]) {
    precondition(
      table.source.runs.count == runs.count, "\(runs.count) stories of \(table.source.runs.count) runs")
    self.table = table
    self.grid = grid
    self.asked = asked
    self.runs = runs
  }

  /// All metrics side by side.
  package var tables: MetricTables { MetricTables([table] + others) }

  /// Run by run, whatever the table averages.
  var results: SweepResults { table.source }

  /// What made the results, each with the number of its runs: the most frequent first.
  var makers: [(made: Provenance, runs: Int)] {
    var counts: [Provenance: Int] = [:]
    for run in runs { if let made = run.provenance { counts[made, default: 0] += 1 } }
    func text(_ made: Provenance) -> String { String(decoding: made.canonicalBytes, as: UTF8.self) }
    return counts.map { (made: $0.key, runs: $0.value) }.sorted {
      ($1.runs, text($0.made)) < ($0.runs, text($1.made))
    }
  }
}
