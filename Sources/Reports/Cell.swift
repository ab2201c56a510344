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
  /// Whether several seeds ended in one and the same state: whatever trained them did not read the seed.
  package let ignoresSeed: Bool

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
    var last: [Double] = []
    var best: [Double] = []
    var values: [SeedValue] = []
    var gaps: [Gap] = []
    var makers: [Maker] = []
    for run in runs {
      switch Self.choice(of: run, select) {
      case .gap(let gap): gaps.append(gap)
      case .value(let value):
        values.append(SeedValue(seed: run.seed, value: value))
        if let value = run.numbers?.last.number { last.append(value) }
        if let value = run.numbers?.best { best.append(value) }
        let program = run.programs.joined(separator: ", then ")
        if let place = makers.firstIndex(where: { $0.program == program }) {
          makers[place] = Maker(program: program, seeds: makers[place].seeds + [run.seed])
        } else {
          makers.append(Maker(program: program, seeds: [run.seed]))
        }
      }
    }
    // What stands beside the headline is of the same seeds, or of none.
    if last.count < values.count { last = [] }
    if best.count < values.count { best = [] }
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
    let states = runs.filter(\.isFinished).compactMap(\.lastState)
    ignoresSeed = states.count > 1 && Set(states).count == 1
    key = runs.first(where: \.isFinished)?.key
  }

  enum Choice { case value(Double), gap(Gap) }

  /// The number of a run that the report selects, or why there is none.
  static func choice(of run: SweepResults.Run, _ select: ReportSelection) -> Choice {
    func gap(_ word: String, _ reason: String) -> Choice {
      .gap(Gap(seed: run.seed, word: word, reason: ForeignText.line(reason)))
    }
    func read(_ reading: SweepResults.Reading) -> Choice {
      switch reading {
      case .number(let value): .value(value)
      case .notFinite: gap("not finite", "the metric is not a finite number")
      case .notRecorded(let reason): gap("not recorded", reason)
      }
    }
    switch run.state {
    case .failed(let failure): return gap(run.state.word, failure.reason)
    case .blocked(let reason): return gap(run.state.word, reason)
    case .open: return gap(Gap.open, "not run to its end yet")
    case .finished: break
    }
    guard let numbers = run.numbers else { return gap("not recorded", "the run did not report the metric") }
    switch select {
    case .last: return read(numbers.last)
    case .bestOnTest: return numbers.best.map { .value($0) } ?? read(numbers.last)
    case .bestOnValidation:
      return numbers.validated.map(read) ?? gap("without validation", "no validation metric was recorded")
    }
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
