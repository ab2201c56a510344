package import Specs

/// The runs that differ in nothing but their seed.
package struct Cell: Sendable {
  package let labels: [JSONValue]
  /// In ascending order.
  package let seeds: [Int]
  package let last: SampleStatistics?
  package let best: SampleStatistics?
  /// Seeds without a number, with the reason in few words: `diverged`, `not run yet`.
  package let gaps: [Gap]

  package struct Gap: Equatable, Sendable {
    package let seed: Int
    /// One word for the cell.
    package let word: String
    /// A sentence for the footnote.
    package let reason: String
  }

  /// Cells in the order in which the results name them first.
  package static func cells(of results: SweepResults) -> [Cell] {
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: [SweepResults.Run]] = [:]
    for run in results.runs {
      if groups[run.labels] == nil { order.append(run.labels) }
      groups[run.labels, default: []].append(run)
    }
    return order.map { Cell($0, groups[$0]!.sorted { $0.seed < $1.seed }) }
  }

  private init(_ labels: [JSONValue], _ runs: [SweepResults.Run]) {
    var (last, best, gaps): ([Double], [Double], [Gap]) = ([], [], [])
    for run in runs {
      switch run.outcome {
      case .finished(let value, let highest):
        last.append(value)
        best.append(highest)
      case .failed(.diverged, let reason): gaps.append(Gap(seed: run.seed, word: "diverged", reason: reason))
      case .failed(_, let reason): gaps.append(Gap(seed: run.seed, word: "failed", reason: reason))
      case .blocked(let reason): gaps.append(Gap(seed: run.seed, word: "blocked", reason: reason))
      case .missing: gaps.append(Gap(seed: run.seed, word: "to run", reason: "not run to its end yet"))
      }
    }
    self.labels = labels
    seeds = runs.map(\.seed)
    (self.last, self.best) = (SampleStatistics(last), SampleStatistics(best))
    self.gaps = gaps
  }

  /// `2 of 3, 1 diverged`; nil where every seed has a number.
  package var shortfall: String? {
    if gaps.isEmpty { return nil }
    var words: [String] = []
    for gap in gaps where !words.contains(gap.word) { words.append(gap.word) }
    let counts = words.map { word in "\(gaps.count { $0.word == word }) \(word)" }
    return "\(seeds.count - gaps.count) of \(seeds.count), \(counts.joined(separator: ", "))"
  }
}
