import Pipeline
import Reports
import Results
import Specs

/// The table of a sweep while it fills up: what the store had at the start, and what has happened since.
struct LiveTable {
  private var results: SweepResults
  private let layout: ReportLayout
  private let places: [ContentKey: Int]
  /// Laid out again only when a number came.
  private var table: ReportTable?
  /// What the store has of the sweep now: for runs whose last message says less than their epochs did.
  private let stored: @Sendable () throws -> SweepResults
  /// Larger tables are for `report`.
  static let mostRuns = 3000

  /// Nil for a sweep whose table no terminal holds.
  init?(
    _ results: SweepResults, _ layout: ReportLayout,
    stored: @escaping @Sendable () throws -> SweepResults
  ) {
    guard results.runs.count <= Self.mostRuns, (try? layout.check(results)) != nil else { return nil }
    var layout = layout
    // Who made the numbers that come is not known here; the report at the end says what may be mixed.
    // Nothing is tested meanwhile.
    (layout.allowMixed, layout.compareTo) = (true, [])
    self.results = results
    self.layout = layout
    self.stored = stored
    places = Dictionary(
      results.runs.enumerated().compactMap { place, run in run.key.map { ($0, place) } }
    ) { first, _ in first }
  }

  mutating func take(_ event: RunEvent) {
    switch event {
    case .stageFinished(let title, let metrics, _, _):
      guard let value = metrics[results.metric] else { return takeStored(title.key) }
      let best = metrics[ClassificationMetrics.best(results.metric)] ?? value
      set(title.key, .finished, SweepResults.Numbers(last: SweepResults.Reading(value), best: best))
    case .stageFailed(let title, let failure, _): set(title.key, .failed(failure))
    case .stageBlocked(let title, let culprit): set(title.key, .blocked(reason: "\(culprit.text) failed"))
    default: break
    }
  }

  /// A trainer may tell its metrics by the epoch only: the number is then that of the last
  /// one, by the store's rule.
  private mutating func takeStored(_ key: ContentKey) {
    guard let place = places[key] else { return }
    // The table at the end reads the store again and says what is wrong with it.
    let run = try? stored().runs.first { $0.key == key }
    let isRead = run?.isFinished == true && run?.labels == results.runs[place].labels
    set(key, .finished, isRead ? run?.numbers : nil)
  }

  private mutating func set(
    _ key: ContentKey, _ state: RunState, _ numbers: SweepResults.Numbers? = nil
  ) {
    guard let place = places[key] else { return }
    var runs = results.runs
    let run = runs[place]
    runs[place] = SweepResults.Run(
      labels: run.labels, seed: run.seed, state: state, numbers: numbers, key: run.key, programs: run.programs
    )
    results = results.with(runs)
    table = nil
  }

  mutating func current() -> ReportTable {
    if let table { return table }
    let table = ReportTable(results, layout)
    self.table = table
    return table
  }
}
