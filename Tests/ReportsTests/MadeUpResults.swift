import Reports
import Specs

/// Results of sweeps that nobody ran.
enum MadeUp {
  /// Three seeds of three methods on two students; the numbers are chosen so that means
  /// and stds are easy to check.
  static func results(
    select: ReportSelection = .last, metric: String = "test.acc1",
    change: (SweepResults.Run) -> SweepResults.Run = { $0 }
  ) -> SweepResults {
    var runs: [SweepResults.Run] = []
    let means = ["baseline": 70.0, "ca-mkd": 72, "mtkd-rl": 72.5]
    for seed in 1...3 {
      for (place, student) in ["resnet56", "mobilenetv2"].enumerated() {
        for method in ["baseline", "ca-mkd", "mtkd-rl"] {
          for alpha in method == "baseline" ? [nil] : ["0.5", "1"] {
            let spread = [-0.4, 0, 0.4][seed - 1]
            let last = means[method]! - Double(place) + spread + (alpha == "1" ? 0.25 : 0)
            runs.append(
              change(
                SweepResults.Run(
                  labels: [
                    .string(student), .string(method), alpha.map { .number(DecimalNumber($0)!) } ?? .null,
                  ], seed: seed, state: .finished, numbers: MadeUp.numbers(last: last, best: last + 0.125),
                  programs: ["one"])))
          }
        }
      }
    }
    return SweepResults(
      name: "made-up", columns: ["student", "method", "alpha"], runs: runs, metric: self.metric(metric),
      select: select)
  }

  /// The same run in another state.
  static func run(_ run: SweepResults.Run, _ state: RunState) -> SweepResults.Run {
    SweepResults.Run(labels: run.labels, seed: run.seed, state: state, programs: run.programs)
  }

  /// The same run with other numbers.
  static func run(_ run: SweepResults.Run, _ numbers: SweepResults.Numbers) -> SweepResults.Run {
    SweepResults.Run(
      labels: run.labels, seed: run.seed, state: .finished, numbers: numbers, programs: run.programs)
  }

  static func numbers(last: Double, best: Double?) -> SweepResults.Numbers {
    SweepResults.Numbers(last: SweepResults.Reading(last), best: best)
  }

  /// As the classification task declares it; a bare name otherwise.
  static func metric(_ name: String = "test.acc1") -> MetricDescription {
    MetricDescriptions(ClassificationMetrics.descriptions(teachers: 3))[name]
  }

  /// One student, one cell a method, values in the order of seeds from 1.
  static func results(_ values: [(method: String, values: [Double])], name: String = "made-up")
    -> SweepResults
  {
    SweepResults(
      name: name, columns: ["student", "method"],
      runs: values.flatMap { method, values in
        values.enumerated().map { index, value in
          SweepResults.Run(
            labels: ["resnet8", .string(method)], seed: index + 1,
            state: .finished, numbers: MadeUp.numbers(last: value, best: value + 1),
            programs: ["one"])
        }
      }, metric: MadeUp.metric())
  }
}

extension SweepResults {
  /// The same numbers as values of another metric.
  func of(_ metric: MetricDescription) -> SweepResults {
    SweepResults(name: name, columns: columns, runs: runs, metric: metric, select: select)
  }
}
