import Reports
import Specs
import Storage

extension ResultStore {
  /// A sweep's results as tables read them.
  func results(of sweep: String, metric: String) throws -> SweepResults {
    let record = try self.sweep(sweep)
    let runs = try outcomes(of: sweep, metric: metric).map { outcome in
      SweepResults.Run(
        labels: outcome.point.labels, seed: outcome.point.seed, outcome: SweepResults.Outcome(outcome))
    }
    return SweepResults(name: record.name, columns: record.columns, runs: runs, metric: metric)
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
