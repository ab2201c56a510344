internal import Specs

/// What is wrong with the names in the `report` block of a grid.
enum ReportCheck {
  /// Names that nothing has.
  static func names(_ grid: GridSpec, _ vocabulary: GridVocabulary) -> [GridProblem] {
    var problems: [GridProblem] = []
    let settings = vocabulary.settings
    for (member, names) in [
      ("rows", grid.report.rows), ("columns", grid.report.columns), ("average", grid.report.average),
    ] {
      for (index, name) in names.enumerated() where settings[name] == nil {
        let hint = settings.nearest(to: name).map { "; did you mean \"\($0)\"?" } ?? ""
        problems += spot(member, index, grid).map { $0.problem("unknown setting \"\(name)\"\(hint)") }
      }
    }
    let methods = vocabulary.methods.map(\.name)
    for (index, entry) in grid.report.compareTo.enumerated() {
      for name in ReportPreferences.methods(inFamily: entry) where !methods.contains(name) {
        let alias = vocabulary.methods.first { $0.aliases.contains(name) }?.name
        let hint = (alias ?? NearestName.of(name, among: methods)).map { "; did you mean \"\($0)\"?" } ?? ""
        problems += spot("compareTo", index, grid).map {
          $0.problem("unknown method \"\(name)\"\(hint) (`mtkd-sweep methods` lists them)")
        }
      }
    }
    return problems
  }

  /// An element of a list; one that a grid names has a place, none else.
  private static func spot(_ member: String, _ index: Int, _ grid: GridSpec) -> [GridSpot] {
    guard let spots = grid.reportSpots[member], spots.indices.contains(index + 1) else { return [] }
    return [spots[index + 1]]
  }

  /// What stands in the way of choosing epochs by held-out images.
  static func needsValidation(_ runs: [PlannedRun]) -> String {
    let isTransfer = runs.contains { $0.cell.transfer != nil && $0.cell.validationImages == 0 }
    let setting = isTransfer ? "transfer.validationImages" : "validationImages"
    return "\"bestOnValidation\" needs \"\(setting)\" in \"base\", for every run"
  }

  /// What it says about runs that the grid does not have.
  ///
  /// - Parameters:
  ///   - columns: the labels of the expanded grid.
  ///   - methods: names of those that its runs use.
  static func problems(
    _ grid: GridSpec, columns: [String], runs: [PlannedRun], methods used: Set<String>
  ) -> [GridProblem] {
    let report = grid.report
    var problems: [GridProblem] = []
    func say(
      _ member: String, _ index: Int?, _ message: String, _ severity: GridProblem.Severity = .error
    ) {
      let spots = index.map { spot(member, $0, grid) } ?? []
      if let spot = spots.first ?? grid.reportSpots[member]?.first {
        problems.append(spot.problem(message, severity))
      }
    }
    if report.select == .bestOnValidation,
      runs.contains(where: { $0.cell.validationImages == 0 })
    {
      say("select", nil, Self.needsValidation(runs))
    }
    if let metric = report.metric, let request = ClassificationMetrics.request(for: metric),
      runs.allSatisfy({ !$0.cell.lesson.agreement && $0.cell.lesson.trainer == nil })
    {
      say("metric", nil, "\(metric) is measured on demand; write \(request) in \"base\"")
    }
    for (member, names) in [("rows", report.rows), ("columns", report.columns)] {
      for (index, name) in names.enumerated() where report.average.contains(name) {
        say(member, index, "\"\(name)\" is averaged over, and tells no cells of the table apart")
      }
      for (index, name) in names.enumerated() where !columns.contains(name) {
        let hint = NearestName.of(name, among: columns).map { "; did you mean \"\($0)\"?" } ?? "."
        say(
          member, index,
          "\"\(name)\" does not vary in this grid\(hint) What varies: \(columns.joined(separator: ", "))")
      }
      for (index, name) in names.enumerated() where names[..<index].contains(name) {
        say(member, index, "\"\(name)\" appears twice")
      }
    }
    for (index, name) in report.columns.enumerated() where report.rows.contains(name) {
      say("columns", index, "\"\(name)\" is in the rows already")
    }
    for (index, name) in report.average.enumerated() {
      if let problem = average(name, columns) { say("average", index, problem) }
    }
    for (index, entry) in report.compareTo.enumerated() {
      for name in ReportPreferences.averages(inFamily: entry) {
        if let problem = average(name, columns) { say("compareTo", index, problem) }
      }
      for name in ReportPreferences.methods(inFamily: entry) where !used.contains(name) {
        say("compareTo", index, "no run of this grid uses \(name)", .warning)
      }
    }
    return problems
  }

  /// Why no mean can be taken over a setting; nil where one can.
  static func average(_ name: String, _ columns: [String]) -> String? {
    if name == "method" { return "methods are compared with each other; no mean is taken over them" }
    if columns.contains(name) { return nil }
    let known = columns.filter { $0 != "method" }
    let hint = NearestName.of(name, among: known).map { "; did you mean \"\($0)\"?" } ?? "."
    return "no mean can be taken over \"\(name)\", which does not vary in this grid\(hint) "
      + "What varies: \(known.joined(separator: ", "))"
  }
}
