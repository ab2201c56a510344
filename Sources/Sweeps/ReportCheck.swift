internal import Specs

/// What the `report` block of a grid says about runs that the grid does not have.
enum ReportCheck {
  /// - Parameters:
  ///   - columns: the labels of the expanded grid.
  ///   - methods: names of those that its runs use.
  static func problems(
    _ grid: GridSpec, _ vocabulary: GridVocabulary, columns: [String], runs: [PlannedRun],
    methods used: Set<String>
  ) -> [GridProblem] {
    let report = grid.report
    var problems: [GridProblem] = []
    func say(_ member: String, _ message: String, _ severity: GridProblem.Severity = .error) {
      if let spot = grid.reportSpots[member] { problems.append(spot.problem(message, severity)) }
    }
    if report.select == .bestOnValidation,
      runs.contains(where: { $0.cell.lesson.dataset.validationImages == 0 })
    {
      say("select", "\"bestOnValidation\" needs \"validationImages\" in \"base\", for every run")
    }
    for (member, names) in [("rows", report.rows), ("columns", report.columns)] {
      for name in names where !columns.contains(name) {
        let hint = NearestName.of(name, among: columns).map { "; did you mean \"\($0)\"?" } ?? ""
        say(
          member,
          "\"\(name)\" does not vary in this grid\(hint) What varies: \(columns.joined(separator: ", "))")
      }
      for name in names where names.count(where: { $0 == name }) > 1 {
        say(member, "\"\(name)\" stands twice")
      }
    }
    for name in report.rows where report.columns.contains(name) {
      say("columns", "\"\(name)\" is in the rows already")
    }
    for name in report.compareTo.flatMap(ReportPreferences.methods(inFamily:)) {
      if !vocabulary.methods.contains(where: { $0.name == name }) {
        let known = vocabulary.methods.map(\.name)
        let alias = vocabulary.methods.first { $0.aliases.contains(name) }?.name
        let hint = (alias ?? NearestName.of(name, among: known)).map { "; did you mean \"\($0)\"?" } ?? ""
        say("compareTo", "unknown method \"\(name)\"\(hint) (`mtkd-sweep methods` lists them)")
      } else if !used.contains(name) {
        say("compareTo", "no run of this grid uses \(name)", .warning)
      }
    }
    return problems
  }
}
