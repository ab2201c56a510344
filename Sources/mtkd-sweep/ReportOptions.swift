import ArgumentParser
import Reports
import Specs
import Storage

/// Which numbers are meant and how they are tested: what is said here goes before the grid's `report` block.
struct TestOptions: ParsableArguments {
  @Option(help: "Which metric of the epochs; the grid's, or test.acc1.")
  var metric: String?

  @Option(
    help: "Which epoch is the headline: \(ReportSelection.allCases.map(\.rawValue).joined(separator: ", ")).")
  var select: ReportSelection?

  @Option(
    help: ArgumentHelp(
      "Only runs that meet a condition, such as 'alpha>=1' or 'method=mtkd-rl|ca-mkd'; may be given several times.",
      valueName: "condition"))
  var `where`: [String] = []

  @Option(help: "Digits after the point; by the spread where nothing is said.")
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

  /// The grid's preferences with what is said here.
  func preferences(_ record: SweepRecord) throws -> ReportPreferences {
    var preferences = try record.report
    if let metric { preferences.metric = metric }
    if let select { preferences.select = select }
    if let test { preferences.test = test }
    if let correction { preferences.correction = correction }
    return preferences
  }

  /// The results that are meant.
  ///
  /// - Throws: `UnknownName` for a setting that does not vary, `NothingThere` for conditions that no run meets.
  func results(
    _ record: SweepRecord, _ preferences: ReportPreferences, in store: ResultStore
  ) throws -> SweepResults {
    let all = try store.results(of: record.name, metric: preferences.metric, select: preferences.select)
    let filters = try `where`.map { text throws(InvalidFilter) in try LabelFilter(text) }
    try ReportLayout.check(filters, all)
    let results = all.filtered(by: filters)
    guard !results.runs.isEmpty || all.runs.isEmpty else {
      throw NothingThere(
        description: "No run of \(record.name) meets \(`where`.joined(separator: " and ")).")
    }
    let isFinished = results.runs.contains { if case .finished = $0.outcome { true } else { false } }
    guard
      preferences.select != .bestOnValidation || !isFinished
        || results.runs.contains(where: { $0.validated != nil })
    else {
      throw NothingThere(
        description:
          "No run of \(record.name) recorded a validation accuracy. 'bestOnValidation' needs \"validationImages\" in the grid's \"base\"."
      )
    }
    return results
  }
}

/// How a table is laid out: what is said here goes before the grid's `report` block.
struct ReportOptions: ParsableArguments {
  @OptionGroup var tests: TestOptions

  @Option(help: ArgumentHelp("Settings that make the rows, such as student,method.", valueName: "settings"))
  var rows: String?

  @Option(help: ArgumentHelp("Settings that make the columns, such as alpha.", valueName: "settings"))
  var columns: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort rows by mean or a setting; -mean is the best first.", valueName: "key"))
  var sort: String?

  @Flag(
    help:
      "One row a cell: n, mean, deviation, both 95 % intervals, median. For csv and json that is so anyway.")
  var long = false

  @Option(
    help: ArgumentHelp(
      "Compare every method with this one, or one pair, 'mtkd-rl - ca-mkd'; may be given several times.",
      valueName: "method"))
  var compareTo: [String] = []

  @Option(
    help: ArgumentHelp(
      "Set a table of the paper beside the cells: \(Catalog.paperTables.names.joined(separator: ", ")).",
      valueName: "table"))
  var paper: String?

  func validate() throws {
    guard let paper else { return }
    do { _ = try Catalog.paperTables.entry(paper) } catch { throw ValidationError("\(error)") }
  }

  /// The table that is meant, and its results.
  ///
  /// - Throws: `UnknownName` for a setting that does not vary, `NothingThere` for conditions that no run meets.
  func table(_ record: SweepRecord, in store: ResultStore) throws -> ReportTable {
    var preferences = try tests.preferences(record)
    if rows != nil || columns != nil {
      (preferences.rows, preferences.columns) = (Self.names(rows), Self.names(columns))
    }
    if !compareTo.isEmpty { preferences.compareTo = compareTo }
    if let paper { preferences.paperValues = GridKeys.paperPrefix + paper }
    let results = try tests.results(record, preferences, in: store)
    var layout = ReportLayout(preferences)
    (layout.sort, layout.digits, layout.allowMixed) = (sort, tests.digits, tests.allowMixed)
    layout.isLong = long
    try layout.check(results)
    // A family of the grid may name methods that --where leaves out; what is typed here has to be there.
    if !compareTo.isEmpty { try layout.checkMethods(results) }
    return try ReportTable(results, layout).beside(preferences.paperValues, in: store)
  }

  private static func names(_ list: String?) -> [String] {
    (list ?? "").split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
  }
}

extension ReportTable {
  /// With the paper's numbers of a table such as `preset:paper/table1` beside it; as it is where none is named.
  func beside(_ paper: String?, in store: ResultStore) throws -> ReportTable {
    guard let paper else { return self }
    let table = try Catalog.paperTables.entry(String(paper.dropFirst(GridKeys.paperPrefix.count)))
    let specs = try store.specs(of: cells.compactMap(\.key)).compactMapValues { try? RunSpec($0) }
    var copy = self
    copy.paper = PaperComparison(self, table, specs: specs)
    return copy
  }
}

extension ReportSelection: ExpressibleByArgument {}
extension ReportTest: ExpressibleByArgument {}
extension ReportCorrection: ExpressibleByArgument {}
