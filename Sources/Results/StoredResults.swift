package import Reports
package import Specs
package import Storage

extension SweepRecord {
  /// The `report` block of the grid that was last run; the defaults where it had none.
  package var report: ReportPreferences {
    get throws {
      guard let saved = try members["report"] else { return ReportPreferences() }
      return try ReportPreferences(saved, at: "report")
    }
  }

  /// The metrics that the runs declare. Sweeps that were stored before metrics were declared are of
  /// the classification task.
  package var metrics: MetricDescriptions {
    get throws {
      guard let saved = try members["metrics"]?.array else {
        return MetricDescriptions(ClassificationMetrics.descriptions(teachers: Self.usualTeachers))
      }
      return MetricDescriptions(
        try saved.enumerated().map { try MetricDescription($1, at: "metrics[\($0)]") })
    }
  }

  /// What the grid says of itself; nil where it says nothing.
  package var note: String? {
    get throws { try members["note"]?.string }
  }

  /// What of the datasets was left out, is missing or is in both sets, a sentence a dataset,
  /// as the last `run` saw it.
  package var dataNotes: [String] {
    get throws { try members["data"]?.array?.compactMap(\.string) ?? [] }
  }

  /// More teachers than any grid of that time had.
  private static let usualTeachers = 16

  private var members: [String: JSONValue] {
    get throws { try JSONReader.read(Array(canonical.utf8)).value.object ?? [:] }
  }

  /// The metric that a report is of, with the direction that it says.
  package func metric(_ preferences: ReportPreferences) throws -> MetricDescription {
    let metrics = try metrics
    var metric = preferences.metric.map { metrics[$0] } ?? metrics.headline ?? ClassificationMetrics.headline
    if let direction = preferences.direction { metric.isHigherBetter = direction.isHigherBetter }
    return metric
  }
}

extension ResultStore {
  /// A sweep's results as its grid's report block asks for them.
  package func results(of sweep: String) throws -> SweepResults {
    let record = try self.sweep(sweep)
    return try results(of: record, record.report)
  }

  /// A sweep's results as tables read them.
  ///
  /// - Throws: `UnknownName` for a metric that nobody declared and no run recorded, once there are numbers.
  ///
  /// - Parameter mustExist: whether a metric that no run recorded is an error, rather
  ///   than a gap in every run.
  package func results(
    of record: SweepRecord, _ preferences: ReportPreferences, mustExist: Bool = true
  ) throws -> SweepResults {
    let metrics = try record.metrics
    let metric = try record.metric(preferences)
    let selectors = metrics.selectors(of: metric)
    let outcomes = try outcomes(of: record.name, metric: metric, selectors: selectors)
    if mustExist { try check(metric, metrics, outcomes) }
    let seals = try seals()
    let runs = outcomes.map { outcome in
      SweepResults.Run(
        labels: outcome.point.labels, seed: outcome.point.seed, state: outcome.state ?? .open,
        numbers: SweepResults.Numbers(outcome, metric, preferences.epoch), key: outcome.point.key,
        programs: outcome.programs, isVerified: seals[outcome.point.key]?.isEqual,
        lastState: outcome.end?.state)
    }
    let recorded = Set(try metricNames())
    var results = SweepResults(
      name: record.name, columns: record.columns, runs: runs, metric: metric, select: preferences.select,
      epoch: preferences.epoch, selector: selectors.first { recorded.contains($0.name) } ?? selectors.first)
    let specs = try sampled(results)
    results.sample = try sample(of: results, specs)
    results.dataNotes = try record.dataNotes
    results.note = try record.note
    results.teachers = try teachers(of: results, record.names)
    results.constants = specs.first.map { Self.constants($0, results) }
    return results
  }

  /// What no column of the results tells, as one of its runs has it.
  private static func constants(_ spec: RunSpec, _ results: SweepResults) -> String {
    func isConstant(_ name: String) -> Bool { !results.columns.contains(name) }
    var words: [String] = []
    if isConstant("dataset") { words.append(spec.dataset.name) }
    let train = isConstant("trainImages") ? spec.dataset.trainImages : nil
    let test = isConstant("testImages") ? spec.dataset.testImages ?? results.sample?.testImages : nil
    switch (train, test) {
    case (let train?, let test?): words.append("\(train) + \(test) images")
    case (let train?, nil): words.append(counted(train, "training image"))
    case (nil, let test?): words.append(counted(test, "test image"))
    case (nil, nil): break
    }
    if isConstant("epochs") { words.append(counted(spec.recipe.epochs, "epoch")) }
    let teachers = results.teachers.map { teacher in
      teacher.title.hasPrefix("teacher ") ? String(teacher.title.dropFirst(8)) : teacher.title
    }
    let line = words.joined(separator: ", ")
    guard isConstant("teachers"), (1...6).contains(teachers.count) else { return line }
    return "\(line); \(teachers.count == 1 ? "teacher" : "teachers") \(teachers.joined(separator: ", "))"
  }

  /// Two finished runs of one cell at most, of one with teachers where there is one;
  /// none before there are any.
  private func sampled(_ results: SweepResults) throws -> [RunSpec] {
    let cells = Dictionary(grouping: results.runs.filter(\.isFinished), by: \.labels)
    let runs = results.runs.lazy.filter { cells[$0.labels] != nil }.compactMap { cells[$0.labels] }
    var specs: [RunSpec] = []
    for runs in runs.prefix(Self.mostSampledRuns) {
      let keys = runs.prefix(2).compactMap(\.key)
      let found = try self.specs(of: keys)
      specs = keys.compactMap { key in found[key].flatMap { try? RunSpec($0) } }
      if specs.first.map({ !$0.teachers.isEmpty }) == true { break }
    }
    return specs
  }

  /// What the seeds have in common, as two finished runs of one cell say it; nil before there are any.
  private func sample(of results: SweepResults, _ specs: [RunSpec]) throws -> SweepResults.Sample? {
    guard let first = specs.first, let key = results.runs.first(where: \.isFinished)?.key else { return nil }
    let images = try metrics(of: key)[ClassificationMetrics.images(.test)].flatMap { Int(exactly: $0) }
    let hasTeachers = !first.teachers.isEmpty
    return SweepResults.Sample(
      testImages: images ?? first.dataset.testImages,
      hasFixedTeachers: hasTeachers ? specs.allSatisfy { $0.teachers == first.teachers } : nil)
  }

  /// Runs that are looked at until one has teachers.
  private static var mostSampledRuns: Int { 50 }

  /// Complains about a metric that nobody declared, or that is measured on demand, once there are
  /// numbers and none is of it.
  package func check(
    _ metric: MetricDescription, _ metrics: MetricDescriptions, _ outcomes: [PointOutcome]
  ) throws {
    guard outcomes.contains(where: { $0.state == .finished }),
      outcomes.allSatisfy({ $0.last == nil && $0.total == nil })
    else { return }
    if let request = ClassificationMetrics.request(for: metric.name) {
      throw NotMeasured(metric: metric.name, request: request)
    }
    guard !metrics.values.contains(where: { $0.name == metric.name }) else { return }
    // A weight for each teacher and class of a hundred is a list that nobody reads.
    let known = try metricNames().filter { !$0.contains(".class.") }
    throw UnknownName(kind: "metric of this sweep", name: metric.name, known: known)
  }
}

/// A metric that is measured on demand, and that no run of a sweep was asked for.
package struct NotMeasured: UserError, Equatable {
  package let metric: String
  /// What a grid says for it.
  package let request: String

  package init(metric: String, request: String) {
    self.metric = metric
    self.request = request
  }

  package var exitStatus: ExitStatus { .missingInput }
  package var description: String {
    "No run of this sweep has measured \(metric). Write \(request) in the grid's \"base\" and run it: "
      + "runs that measure it are runs of their own."
  }
}

extension SweepResults.Numbers {
  /// The numbers of a run that has ended; of one that has not, as far as it has come.
  init(_ outcome: PointOutcome, _ metric: MetricDescription, _ epoch: ReportEpoch) {
    self.init(
      last: SweepResults.Reading(outcome, epoch),
      best: outcome.best?.value
        ?? (metric.isHigherBetter == nil ? nil : outcome.total.flatMap { $0.isFinite ? $0 : nil }),
      validated: outcome.validated.map { SweepResults.Reading($0.value) }, early: Self.early(outcome, epoch))
  }
}

extension SweepResults.Numbers {
  private static func early(_ outcome: PointOutcome, _ epoch: ReportEpoch) -> SweepResults.EarlyEpoch? {
    guard epoch == .lastReported, outcome.final == nil, let last = outcome.last, let end = outcome.end else {
      return nil
    }
    return SweepResults.EarlyEpoch(epoch: last.epoch + 1, of: end.epoch + 1)
  }
}

extension SweepResults.Reading {
  /// The one rule for a value that several records give: the number of the whole run, else that of
  /// the last epoch, else none.
  fileprivate init(_ outcome: PointOutcome, _ epoch: ReportEpoch) {
    if let final = outcome.final {
      self.init(final)
    } else if let last = outcome.last, let end = outcome.end {
      if epoch == .lastReported {
        self.init(last.value)
      } else {
        self = .notRecorded(
          reason:
            "epoch \(end.epoch + 1), the last, did not report it; epoch \(last.epoch + 1) was "
            + "the last that did"
        )
      }
    } else {
      self = .notRecorded(reason: "no epoch recorded it")
    }
  }
}

extension ResultStore {
  /// The metrics that stand for a stage after an epoch: its training loss, then that of the first
  /// sweep which asks for it.
  package func shownMetrics(of key: ContentKey) throws -> [MetricDescription] {
    let loss = ClassificationMetrics.loss(.train)
    guard let sweep = try sweep(askingFor: key) else {
      return [MetricDescription(loss), ClassificationMetrics.headline]
    }
    return [MetricDescription(loss), try sweep.metric(sweep.report)]
  }

  /// What is said of the datasets of the sweep that asks for a run.
  package func dataNotes(of key: ContentKey) throws -> [String] {
    try sweep(askingFor: key)?.dataNotes ?? []
  }
}

extension SweepRecord {
  /// What the grid that was last run claims; nil where it claims nothing.
  package var claims: ClaimSet? {
    get throws { try members["claims"].map { try ClaimSet($0) } }
  }
}

extension ResultStore {
  /// What a sweep's results say of its claims; nil where it claims nothing.
  package func claims(of record: SweepRecord) throws -> ClaimBook? {
    guard let set = try record.claims else { return nil }
    var seen: Set<[JSONValue]> = []
    let cells = try results(of: record, record.report, mustExist: false).runs.map(\.labels).filter {
      seen.insert($0).inserted
    }
    return try claims(set, columns: record.columns, cells: cells, of: record, record.report)
  }

  /// What results say of claims of a grid that may ask for more than the store knows.
  ///
  /// - Parameters:
  ///   - cells: the labels of each cell that the grid asks for, once.
  ///   - report: the grid's, for what claims leave open.
  package func claims(
    _ set: ClaimSet, columns: [String], cells: [[JSONValue]], of record: SweepRecord,
    _ report: ReportPreferences
  ) throws -> ClaimBook {
    var known: [ClaimMetric: SweepResults] = [:]
    return try ClaimBook(set, columns: columns, cells: cells) { claim in
      var preferences = report
      if let metric = claim.metric, metric != report.metric {
        preferences.metric = metric
        preferences.direction = nil
      }
      preferences.select = claim.select ?? report.select
      let metric = ClaimMetric(name: preferences.metric, select: preferences.select)
      if let results = known[metric] { return results }
      let results = try results(of: record, preferences, mustExist: false)
      known[metric] = results
      return results
    }
  }
}

private struct ClaimMetric: Hashable {
  let name: String?
  let select: ReportSelection
}
