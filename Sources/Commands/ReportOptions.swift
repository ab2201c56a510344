import ArgumentParser
import Reports
import Results
import Specs
import Storage

/// Which numbers are meant and how they are tested: what is said here goes before the grid's `report` block.
struct TestOptions: ParsableArguments {
  @Option(
    help:
      ArgumentHelp(
        "Metric to show (default: the grid's, else the headline that the task or the trainer "
          + "declares); report shows several, such as test.box.AP,test.box.AP50, side by side.")
  )
  var metric: String?

  @Option(
    help:
      ArgumentHelp(
        "Which values of the metric are better: "
          + "\(MetricDirection.allCases.map(\.rawValue).joined(separator: ", ")) (default: as declared).")
  )
  var direction: MetricDirection?

  @Option(
    help: "Which epoch is the headline: \(ReportSelection.allCases.map(\.rawValue).joined(separator: ", ")).")
  var select: ReportSelection?

  @Option(
    help: ArgumentHelp(
      "Only runs that meet a condition, such as 'alpha>=1' or 'method=mtkd-rl|ca-mkd'; may be given "
        + "several times.",
      valueName: "condition"), completion: Completions.conditions)
  var `where`: [String] = []

  @Option(
    help: ArgumentHelp(
      "Means over settings, such as student: within each seed first, then mean and std over "
        + "seeds; '' for none.",
      valueName: "settings"), completion: Completions.varying)
  var average: String?

  @Option(help: "Digits after the point (default: by the spread).")
  var digits: Int?

  @Option(help: "Test of differences: \(ReportTest.allCases.map(\.rawValue).joined(separator: ", ")).")
  var test: ReportTest?

  @Option(
    help: "Correction over the tests: \(ReportCorrection.allCases.map(\.rawValue).joined(separator: ", ")).")
  var correction: ReportCorrection?

  @Flag(help: "Show cells whose runs different programs or numerics made.")
  var allowMixed = false

  func validate() throws {
    if let digits, !(0...9).contains(digits) { throw ValidationError("--digits is from 0 to 9.") }
    for text in `where` {
      do { _ = try LabelFilter(text) } catch { throw ValidationError("\(error)") }
    }
  }

  /// The metrics that are named; none where the grid's counts.
  var metrics: [String] { Self.names(metric) }

  /// - Throws: `ValidationError` where several metrics are named.
  func checkOneMetric(_ option: String) throws {
    guard metrics.count < 2 else {
      throw ValidationError("\(option) is of one metric; --metric names \(metrics.count).")
    }
  }

  /// The grid's preferences with what is said here.
  func preferences(_ record: SweepRecord) throws -> ReportPreferences {
    try preferences(record, metric: metric)
  }

  func preferences(_ record: SweepRecord, metric: String?) throws -> ReportPreferences {
    var preferences = try record.report
    if let metric {
      // What the grid says of the direction is said of its own metric.
      if preferences.metric != metric { preferences.direction = nil }
      preferences.metric = metric
    }
    if let direction { preferences.direction = direction }
    if let select { preferences.select = select }
    if let average { preferences.average = Self.names(average) }
    if let test { preferences.test = test }
    if let correction { preferences.correction = correction }
    return preferences
  }

  /// Settings of a list, between commas or spaces.
  static func names(_ list: String?) -> [String] {
    (list ?? "").split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
  }

  /// The results that are meant.
  ///
  /// - Throws: `UnknownName` for a setting that does not vary, `NothingThere` for
  ///   conditions that no run meets.
  func results(
    _ record: SweepRecord, _ preferences: ReportPreferences, in store: ResultStore
  ) throws -> SweepResults {
    let all = try store.results(of: record, preferences)
    let filters = try `where`.map { text throws(InvalidFilter) in try LabelFilter(text) }
    try ReportLayout.check(filters, all)
    let results = all.filtered(by: filters)
    guard !results.runs.isEmpty || all.runs.isEmpty else {
      throw NothingThere(
        description: "No run of \(record.name) meets \(`where`.joined(separator: " and ")).")
    }
    guard
      preferences.select != .bestOnValidation || results.finished == 0
        || results.runs.contains(where: { $0.numbers?.validated != nil })
    else {
      throw NothingThere(
        description:
          "No run of \(record.name) recorded a \(results.selector?.title ?? "validation metric"). "
          + "'bestOnValidation' needs \"validationImages\" in the grid's \"base\", or a trainer "
          + "that reports it."
      )
    }
    return results
  }
}

/// How a table is laid out: what is said here goes before the grid's `report` block.
struct ReportOptions: ParsableArguments {
  @OptionGroup var tests: TestOptions

  @Option(
    help: ArgumentHelp("Settings that make the rows, such as student,method.", valueName: "settings"),
    completion: Completions.varying)
  var rows: String?

  @Option(
    help: ArgumentHelp("Settings that make the columns, such as alpha.", valueName: "settings"),
    completion: Completions.varying)
  var columns: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort rows by mean or a setting; -mean is the best first.", valueName: "key"))
  var sort: String?

  @Flag(help: "Leave out each seed's best epoch, which stands in brackets.")
  var noBrackets = false

  @Flag(help: "Leave out the marks of the best cells.")
  var noMarks = false

  @Flag(
    help:
      "One row a cell: n, mean, std, both 95 % intervals, median. For csv and json that is so anyway.")
  var long = false

  @Option(
    help: ArgumentHelp(
      "Compare every method with this one, or one pair, 'mtkd-rl - ca-mkd'; may be given several times.",
      valueName: "method"))
  var compareTo: [String] = []

  @Option(
    help: ArgumentHelp(
      "Set a table of the paper beside the cells: \(Catalog.paperTables.names.joined(separator: ", ")).",
      valueName: "table"), completion: Completions.paperTables)
  var paper: String?

  func validate() throws {
    if tests.direction != nil { try tests.checkOneMetric("--direction") }
    guard let paper else { return }
    do { _ = try Catalog.paperTables.entry(paper) } catch { throw ValidationError("\(error)") }
  }

  /// The tables that are meant, one a metric.
  ///
  /// - Throws: `UnknownName` for a setting that does not vary, `NothingThere` for
  ///   conditions that no run meets.
  ///
  /// - Parameter isPaper: whether every setting of a row gets a column of its own.
  func tables(_ record: SweepRecord, in store: ResultStore, isPaper: Bool = false) throws -> [ReportTable] {
    let metrics = tests.metrics.map { Optional($0) }
    return try (metrics.isEmpty ? [nil] : metrics).map { metric in
      try table(record, metric, in: store, isPaper: isPaper)
    }
  }

  private func table(
    _ record: SweepRecord, _ metric: String?, in store: ResultStore, isPaper: Bool
  ) throws -> ReportTable {
    var preferences = try tests.preferences(record, metric: metric)
    if rows != nil || columns != nil {
      (preferences.rows, preferences.columns) = (TestOptions.names(rows), TestOptions.names(columns))
    }
    if !compareTo.isEmpty { preferences.compareTo = compareTo }
    if let paper { preferences.paperValues = GridKeys.paperPrefix + paper }
    let results = try tests.results(record, preferences, in: store)
    var layout = ReportLayout(preferences)
    (layout.sort, layout.digits, layout.allowMixed) = (sort, tests.digits, tests.allowMixed)
    layout.isLong = long
    (layout.showsBest, layout.showsMarks) = (!noBrackets, !noMarks)
    try layout.check(results)
    if isPaper { layout = PublicationTable.layout(layout, results) }
    // A family of the grid may name methods that --where leaves out; what is typed here has to be there.
    if !compareTo.isEmpty { try layout.checkMethods(results) }
    var table = try ReportTable(results, layout).beside(preferences.paperValues, in: store)
    table.claims = try store.claims(of: record)
    return table
  }

  /// Settings that validation images choose.
  ///
  /// - Throws: `UnknownName` for a setting that does not vary, `NothingThere` where no run
  ///   recorded a validation metric.
  func chosen(_ names: [String], _ record: SweepRecord, in store: ResultStore) throws -> ChosenSettings {
    let preferences = try tests.preferences(record)
    guard preferences.select != .bestOnTest else {
      throw ValidationError("--choose is for numbers that the test set did not choose, not for bestOnTest.")
    }
    let results = try tests.results(record, preferences, in: store)
    var layout = ReportLayout(preferences)
    (layout.rows, layout.columns) = (names, [])
    layout.compareTo = []
    try layout.check(results)
    if names.isEmpty || names.contains("method") {
      throw ValidationError("--choose names settings, such as alpha,beta; they are chosen for each method.")
    }
    guard let selector = results.selector else { throw Self.noValidation(record, "validation metric") }
    var other = preferences
    (other.metric, other.direction) = (selector.name, nil)
    // The best epoch on validation images is the one whose test value is told.
    other.select = preferences.select == .bestOnValidation ? .bestOnTest : .last
    let validation = try store.results(of: record, other, mustExist: false)
    let filters = try tests.where.map { text throws(InvalidFilter) in try LabelFilter(text) }
    let kept = validation.filtered(by: filters)
    guard kept.answered > 0 || results.finished == 0 else { throw Self.noValidation(record, selector.title) }
    return ChosenSettings(
      names, results.averaged(over: layout.average), by: kept.averaged(over: layout.average),
      allowMixed: tests.allowMixed)
  }

  private static func noValidation(_ record: SweepRecord, _ metric: String) -> NothingThere {
    NothingThere(
      description:
        "No run of \(record.name) recorded a \(metric), and values chosen on the test set would look too "
        + "good. Take \"validationImages\" out of the training images in the grid's \"base\" and run it.")
  }
}

extension MetricDirection: ExpressibleByArgument {}
extension ReportSelection: ExpressibleByArgument {}
extension ReportTest: ExpressibleByArgument {}
extension ReportCorrection: ExpressibleByArgument {}
