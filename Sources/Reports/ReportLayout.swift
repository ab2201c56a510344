package import Specs

/// How a table is laid out and what it tests: a grid's `report` block, with what the
/// command line says instead.
package struct ReportLayout: Sendable {
  /// Settings that make the rows and the columns. Both empty: students are columns, everything else is rows.
  package var rows: [String] = []
  package var columns: [String] = []
  /// Settings over which means are taken, seed by seed.
  package var average: [String] = []
  /// `mean` or a setting, by which rows are sorted; descending with a `-` before it. The
  /// order of the plan where nil.
  package var sort: String?
  /// Digits after the point; by the spread where nil.
  package var digits: Int?
  /// One row a cell with every statistic, instead of cells beside each other.
  package var isLong = false
  /// Whether each seed's best epoch stands in brackets, and whether the best cells are marked.
  package var showsBest = true
  package var showsMarks = true
  /// Show cells that different programs or numerics made.
  package var allowMixed = false
  package var compareTo: [String] = []
  package var test = ReportTest.pairedT
  package var correction = ReportCorrection.holm

  package init() {}

  package init(_ preferences: ReportPreferences) {
    (rows, columns) = (preferences.rows, preferences.columns)
    average = preferences.average
    (compareTo, test, correction) = (preferences.compareTo, preferences.test, preferences.correction)
  }

  /// - Throws: `UnknownName` for a setting that the sweep's cells do not tell apart.
  package func check(_ results: SweepResults) throws(UnknownName) {
    try checkAverages(results)
    let left = results.columns.filter { !average.contains($0) }
    for name in rows + columns { try Self.check(name, among: left) }
    if let sort {
      try Self.check(sort.hasPrefix("-") ? String(sort.dropFirst()) : sort, among: left + ["mean"])
    }
  }

  /// - Throws: `UnknownName` for a setting that is to be averaged and does not vary;
  ///   methods are never averaged.
  package func checkAverages(_ results: SweepResults) throws(UnknownName) {
    let known = results.columns.filter { $0 != "method" }
    for name in average + compareTo.flatMap(ReportPreferences.averages(inFamily:)) {
      try Self.check(name, among: known)
    }
  }

  /// - Throws: `UnknownName` for a method of `compareTo` that the results do not have.
  package func checkMethods(_ results: SweepResults) throws(UnknownName) {
    guard let place = results.columns.firstIndex(of: "method") else { return }
    var known: [String] = []
    for run in results.runs {
      let name = ReportTable.text(run.labels[place])
      if !known.contains(name) { known.append(name) }
    }
    for name in compareTo.flatMap(ReportPreferences.methods(inFamily:)) where !known.contains(name) {
      throw UnknownName(kind: "method in this sweep", name: name, known: known)
    }
  }

  package static func check(_ filters: [LabelFilter], _ results: SweepResults) throws(UnknownName) {
    for filter in filters { try check(filter.name, among: results.columns + ["seed"]) }
  }

  private static func check(_ name: String, among known: [String]) throws(UnknownName) {
    guard known.contains(name) else {
      throw UnknownName(kind: "setting that varies in this sweep", name: name, known: known)
    }
  }
}
