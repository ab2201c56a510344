package import Specs

/// What there is of a sweep's results, wherever it comes from: one entry a distinct run, in the order of the plan.
package struct SweepResults: Sendable {
  package let name: String
  /// What the labels of a run are called: `student`, `method`, then whatever varies.
  package let columns: [String]
  package let runs: [Run]
  /// Such as `test.acc1`.
  package let metric: String
  /// Which epoch of a run is the headline.
  package let select: ReportSelection

  package struct Run: Sendable {
    /// Beside `columns`; null where the run's method does not read the setting.
    package let labels: [JSONValue]
    package let seed: Int
    package let outcome: Outcome
    /// Of the stage that made it; nil where nobody said.
    package let key: ContentKey?
    /// The metric at the epoch of the highest validation accuracy; nil where there was no validation.
    package let validated: Double?
    /// The programs that trained it, each as `Provenance.numerics` says; usually one.
    package let programs: [String]
    /// Whether executing it again gave the same bits; nil where nobody has.
    package let isVerified: Bool?

    package init(
      labels: [JSONValue], seed: Int, outcome: Outcome, key: ContentKey? = nil, validated: Double? = nil,
      programs: [String] = [], isVerified: Bool? = nil
    ) {
      self.isVerified = isVerified
      (self.labels, self.seed, self.outcome) = (labels, seed, outcome)
      (self.key, self.validated, self.programs) = (key, validated, programs)
    }
  }

  package enum Outcome: Equatable, Sendable {
    /// The metric after the last epoch, and the best of any epoch.
    case finished(last: Double, best: Double)
    case failed(FailureRecord.Cause, reason: String)
    /// It could not run; a reason.
    case blocked(reason: String)
    /// Not run yet, or not to its end.
    case missing
  }

  package init(
    name: String, columns: [String], runs: [Run], metric: String, select: ReportSelection = .last
  ) {
    (self.name, self.columns, self.runs) = (name, columns, runs)
    (self.metric, self.select) = (metric, select)
  }

  package var finished: Int {
    runs.count { if case .finished = $0.outcome { true } else { false } }
  }

  package var isComplete: Bool { finished == runs.count }

  /// The runs that all filters let through.
  package func filtered(by filters: [LabelFilter]) -> SweepResults {
    if filters.isEmpty { return self }
    let kept = runs.filter { run in filters.allSatisfy { $0.admits(run, columns) } }
    return SweepResults(name: name, columns: columns, runs: kept, metric: metric, select: select)
  }
}

/// Which of two values of a metric is the better one.
package enum MetricDirection {
  /// Losses, errors, durations and sizes are better when lower, everything else when higher.
  package static func isHigherBetter(_ metric: String) -> Bool {
    if metric.hasPrefix(Metrics.measuredPrefix) { return false }
    let words = metric.split(whereSeparator: { $0 == "." || $0 == "_" })
    let costs: Set<Substring> = [
      "loss", "error", "task", "logit", "seconds", "time", "memory", "bytes", "epoch",
    ]
    return !words.contains { costs.contains($0) }
  }

  /// `test.acc1 (%)`; the bare name where its unit is not known.
  package static func title(_ metric: String) -> String {
    switch metric.split(separator: ".").last {
    case "acc1", "acc5": "\(metric) (%)"
    case "loss", "task", "logit", "feature": "\(metric) (nats)"
    case "seconds", "secondsPerEpoch", "cpuSeconds", "cpuSecondsPerEpoch": "\(metric) (s)"
    case "peakMegabytes": "\(metric) (10⁶ bytes)"
    default: metric
    }
  }
}
