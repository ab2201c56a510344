import Reports
import Specs
import Storage

extension ResultStore {
  /// A sweep's results as tables read them.
  func results(
    of sweep: String, metric: String, select: ReportSelection = .last
  ) throws -> SweepResults {
    let record = try self.sweep(sweep)
    let isHigherBetter = MetricDirection.isHigherBetter(metric)
    let seals = try seals()
    let runs = try outcomes(of: sweep, metric: metric, isHigherBetter: isHigherBetter).map { outcome in
      SweepResults.Run(
        labels: outcome.point.labels, seed: outcome.point.seed, outcome: SweepResults.Outcome(outcome),
        key: outcome.point.key, validated: outcome.validated?.value, programs: outcome.programs,
        isVerified: seals[outcome.point.key]?.isEqual)
    }
    return SweepResults(
      name: record.name, columns: record.columns, runs: runs, metric: metric, select: select)
  }
}

extension SweepRecord {
  /// The `report` block of the grid that was last run; the defaults where it had none.
  var report: ReportPreferences {
    get throws {
      guard let saved = try JSONReader.read(Array(canonical.utf8)).value.object?["report"] else {
        return ReportPreferences()
      }
      return try ReportPreferences(saved, at: "report")
    }
  }
}

extension SweepResults.Outcome {
  init(_ outcome: PointOutcome) {
    switch outcome.state {
    case .finished:
      if let last = outcome.last, let best = outcome.best {
        self = .finished(last: last.value, best: best.value)
      } else {
        self = .failed(.other, reason: "the run has no such metric")
      }
    case .failed(let failure): self = .failed(failure.cause, reason: failure.reason)
    case .blocked(let reason): self = .blocked(reason: reason)
    case .open, nil: self = .missing
    }
  }
}
