package import Specs

/// The runs that differ in nothing but their seed.
package struct Cell: Sendable {
  package let labels: [JSONValue]
  /// In ascending order.
  package let seeds: [Int]
  /// What the headline is of: after the last epoch, unless the report selects another.
  package let headline: SampleStatistics?
  /// After the last epoch.
  package let last: SampleStatistics?
  /// Of each seed's best epoch, chosen by the metric itself.
  package let best: SampleStatistics?
  /// The headline's values by seed, ascending.
  package let values: [SeedValue]
  /// Seeds without a number, with the reason in few words: `diverged`, `not run yet`.
  package let gaps: [Gap]
  /// The programs that made the numbers, each with its seeds; more than one is a mixture.
  package let programs: [Maker]
  /// Whether the numbers are withheld because several programs made them.
  package let isWithheld: Bool
  /// One finished run, for what the settings of the cell are.
  package let key: ContentKey?

  package struct SeedValue: Equatable, Sendable {
    package let seed: Int
    package let value: Double
  }

  package struct Gap: Equatable, Sendable {
    package let seed: Int
    /// One word for the cell.
    package let word: String
    /// A sentence for the footnote.
    package let reason: String
    /// Whether it is still to run, rather than over without a number.
    package var isOpen: Bool { word == Self.open }

    fileprivate static let open = "to run"
  }

  package struct Maker: Equatable, Sendable {
    package let program: String
    package let seeds: [Int]
  }

  /// Cells in the order in which the results name them first.
  ///
  /// - Parameter allowMixed: show a cell's numbers also where different programs or numerics made them.
  package static func cells(of results: SweepResults, allowMixed: Bool = false) -> [Cell] {
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: [SweepResults.Run]] = [:]
    for run in results.runs {
      if groups[run.labels] == nil { order.append(run.labels) }
      groups[run.labels, default: []].append(run)
    }
    return order.map {
      Cell($0, groups[$0]!.sorted { $0.seed < $1.seed }, select: results.select, allowMixed: allowMixed)
    }
  }

  private init(
    _ labels: [JSONValue], _ runs: [SweepResults.Run], select: ReportSelection, allowMixed: Bool
  ) {
    var (last, best, values, gaps): ([Double], [Double], [SeedValue], [Gap]) = ([], [], [], [])
    var makers: [Maker] = []
    for run in runs {
      switch run.outcome {
      case .finished(let value, let highest):
        let chosen: Double? =
          switch select {
          case .last: value
          case .bestOnTest: highest
          case .bestOnValidation: run.validated
          }
        guard let chosen else {
          gaps.append(
            Gap(seed: run.seed, word: "without validation", reason: "no validation metric was recorded"))
          continue
        }
        last.append(value)
        best.append(highest)
        values.append(SeedValue(seed: run.seed, value: chosen))
        let program = run.programs.joined(separator: ", then ")
        if let place = makers.firstIndex(where: { $0.program == program }) {
          makers[place] = Maker(program: program, seeds: makers[place].seeds + [run.seed])
        } else {
          makers.append(Maker(program: program, seeds: [run.seed]))
        }
      case .failed(.diverged, let reason): gaps.append(Gap(seed: run.seed, word: "diverged", reason: reason))
      case .failed(_, let reason): gaps.append(Gap(seed: run.seed, word: "failed", reason: reason))
      case .blocked(let reason): gaps.append(Gap(seed: run.seed, word: "blocked", reason: reason))
      case .missing: gaps.append(Gap(seed: run.seed, word: Gap.open, reason: "not run to its end yet"))
      }
    }
    self.labels = labels
    seeds = runs.map(\.seed)
    let isMixed = makers.count > 1 || runs.contains { $0.programs.count > 1 }
    isWithheld = isMixed && !allowMixed
    programs = makers
    self.last = isWithheld ? nil : SampleStatistics(last)
    self.best = isWithheld ? nil : SampleStatistics(best)
    self.values = isWithheld ? [] : values
    headline = isWithheld ? nil : SampleStatistics(values.map(\.value))
    self.gaps = gaps
    key = runs.first { if case .finished = $0.outcome { true } else { false } }?.key
  }

  /// Whether different programs or numerics made the numbers, shown or withheld.
  package var isMixed: Bool { isWithheld || programs.count > 1 }

  /// `2 of 3, 1 diverged`; nil where every seed has a number.
  package var shortfall: String? {
    if gaps.isEmpty { return nil }
    var words: [String] = []
    for gap in gaps where !words.contains(gap.word) { words.append(gap.word) }
    let counts = words.map { word in "\(gaps.count { $0.word == word }) \(word)" }
    return "\(seeds.count - gaps.count) of \(seeds.count), \(counts.joined(separator: ", "))"
  }
}
