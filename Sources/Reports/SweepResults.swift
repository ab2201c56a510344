package import Specs

/// What there is of a sweep's results, wherever it comes from: one entry a distinct run, in the order of the plan.
package struct SweepResults: Sendable {
  package let name: String
  /// What the labels of a run are called: `student`, `method`, then whatever varies.
  package let columns: [String]
  package let runs: [Run]
  /// Such as `test.acc1`.
  package let metric: String

  package struct Run: Sendable {
    /// Beside `columns`; null where the run's method does not read the setting.
    package let labels: [JSONValue]
    package let seed: Int
    package let outcome: Outcome

    package init(labels: [JSONValue], seed: Int, outcome: Outcome) {
      (self.labels, self.seed, self.outcome) = (labels, seed, outcome)
    }
  }

  package enum Outcome: Equatable, Sendable {
    /// The metric after the last epoch, and the highest of any epoch.
    case finished(last: Double, best: Double)
    case failed(FailureRecord.Cause, reason: String)
    /// It could not run; a reason.
    case blocked(reason: String)
    /// Not run yet, or not to its end.
    case missing
  }

  package init(name: String, columns: [String], runs: [Run], metric: String) {
    (self.name, self.columns, self.runs, self.metric) = (name, columns, runs, metric)
  }

  package var finished: Int {
    runs.count { if case .finished = $0.outcome { true } else { false } }
  }

  package var isComplete: Bool { finished == runs.count }
}
