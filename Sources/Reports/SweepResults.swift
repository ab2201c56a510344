package import Specs

/// What there is of a sweep's results, wherever it comes from: one entry a distinct run,
/// in the order of the plan.
package struct SweepResults: Sendable {
  package let name: String
  /// What the labels of a run are called: `student`, `method`, then whatever varies.
  package let columns: [String]
  package let runs: [Run]
  /// The metric that the numbers are of.
  package let described: MetricDescription
  /// Which epoch of a run is the headline.
  package let select: ReportSelection
  /// Which epoch counts as the last one.
  package let epoch: ReportEpoch
  /// The metric whose best value chose the epochs under `bestOnValidation`.
  package let selector: MetricDescription?
  /// What is known of the sample; nil where nothing is.
  package var sample: Sample?
  /// What of its datasets was left out, is missing or is in both sets: a sentence a dataset,
  /// empty where all is there.
  package var dataNotes: [String] = []
  /// The teachers of its runs, each once; empty where nobody knows them.
  package var teachers: [Teacher] = []

  /// What its runs have in common: `fashion-mnist, 1500 + 2000 images, 5 epochs`; nil where nobody knows.
  package var constants: String?
  /// What the grid says of itself; nil where it says nothing.
  package var note: String?
  /// Short names that stand for networks which the grid spells out; empty before `aliased`.
  package internal(set) var aliases: [NetworkAlias] = []
  /// Settings over which the numbers are means, seed by seed; empty where a number is of one run.
  package var averages: [Average] = []

  package struct Run: Sendable {
    /// Beside `columns`; null where the run's method does not read the setting.
    package let labels: [JSONValue]
    package let seed: Int
    package let state: RunState
    /// Of a finished run; of one that is still open, as far as it has come.
    package let numbers: Numbers?
    /// Of the stage that made it; nil where nobody said.
    package let key: ContentKey?
    /// The programs that trained it, each as `Provenance.numerics` says; usually one.
    package let programs: [String]
    /// Whether executing it again gave the same bits; nil where nobody has.
    package let isVerified: Bool?
    /// Digest of the state after its last epoch; nil where nobody said.
    package let lastState: ContentKey?

    package init(
      labels: [JSONValue], seed: Int, state: RunState, numbers: Numbers? = nil, key: ContentKey? = nil,
      programs: [String] = [], isVerified: Bool? = nil, lastState: ContentKey? = nil
    ) {
      self.labels = labels
      self.seed = seed
      self.state = state
      self.numbers = numbers
      self.key = key
      self.programs = programs
      self.isVerified = isVerified
      self.lastState = lastState
    }

    package var isFinished: Bool { state == .finished }
  }

  /// The metric of one run.
  package struct Numbers: Equatable, Sendable {
    /// After the last epoch.
    package let last: Reading
    /// The best finite value of any epoch; nil where there is none, and where nobody said
    /// which way the metric is good.
    package let best: Double?
    /// At the epoch with the best validation value; nil where no epoch has both.
    package let validated: Reading?
    /// Where the last value is of an epoch before the run's last one.
    package let early: EarlyEpoch?

    package init(last: Reading, best: Double?, validated: Reading? = nil, early: EarlyEpoch? = nil) {
      self.last = last
      self.best = best
      self.validated = validated
      self.early = early
    }
  }

  /// An epoch before the last one, both counted from 1.
  package struct EarlyEpoch: Hashable, Sendable {
    package let epoch: Int
    package let epochs: Int

    package init(epoch: Int, of epochs: Int) {
      self.epoch = epoch
      self.epochs = epochs
    }
  }

  /// What the seeds of a cell have in common, for the sentence that says what ± is over.
  package struct Sample: Equatable, Sendable {
    /// Images that measure a run; nil where nobody said.
    package let testImages: Int?
    /// Whether all seeds have the same teachers; nil where no run has teachers.
    package let hasFixedTeachers: Bool?

    package init(testImages: Int?, hasFixedTeachers: Bool?) {
      self.testImages = testImages
      self.hasFixedTeachers = hasFixedTeachers
    }
  }

  /// A teacher, as tables name it.
  package struct Teacher: Equatable, Sendable {
    package let title: String
    /// `test.acc1` in percent of the state that students learn from; nil before it is trained.
    package let accuracy: Double?

    package init(title: String, accuracy: Double?) {
      self.title = title
      self.accuracy = accuracy
    }
  }

  /// A number, or why there is none.
  package enum Reading: Equatable, Sendable {
    case number(Double)
    /// The run reported a value that is not a finite number.
    case notFinite
    /// The run did not report the metric where it was looked for; a sentence about where it did.
    case notRecorded(reason: String)

    /// - Parameter value: not a number, or infinite, for a value that is not finite.
    package init(_ value: Double) { self = value.isFinite ? .number(value) : .notFinite }

    package var number: Double? { if case .number(let value) = self { value } else { nil } }
  }

  package init(
    name: String, columns: [String], runs: [Run], metric: MetricDescription, select: ReportSelection = .last,
    epoch: ReportEpoch = .last, selector: MetricDescription? = nil
  ) {
    self.name = name
    self.columns = columns
    self.runs = runs
    self.described = metric
    self.select = select
    self.epoch = epoch
    self.selector = selector
  }

  /// The name of the metric.
  package var metric: String { described.name }

  /// What chose the epochs under `bestOnValidation`: `the highest validation accuracy`.
  package var selectorText: String {
    guard let selector, let isHigherBetter = selector.isHigherBetter else {
      return "the best validation value"
    }
    return "the \(isHigherBetter ? "highest" : "lowest") \(selector.title)"
  }

  /// Runs that were run to their end, whether or not they have the metric.
  package var finished: Int { runs.count { $0.isFinished } }

  /// Runs that have a number under the report's selection.
  package var answered: Int {
    runs.count { if case .value = Cell.choice(of: $0, select) { true } else { false } }
  }

  package var isComplete: Bool { answered == runs.count }

  /// The same of other runs.
  package func with(_ runs: [Run]) -> SweepResults {
    var results = SweepResults(
      name: name, columns: columns, runs: runs, metric: described, select: select, epoch: epoch,
      selector: selector)
    results.sample = sample
    results.teachers = teachers
    results.averages = averages
    results.constants = constants
    results.dataNotes = dataNotes
    results.note = note
    results.aliases = aliases
    return results
  }

  /// The runs that all filters let through.
  package func filtered(by filters: [LabelFilter]) -> SweepResults {
    filters.isEmpty ? self : with(runs.filter { run in filters.allSatisfy { $0.admits(run, columns) } })
  }
}
