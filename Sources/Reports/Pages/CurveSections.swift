internal import Specs

/// The curves of a sweep: means of cells over each other, in a panel a student where there are many, then
/// every cell with its seeds.
package enum CurveSections {
  /// Past so many runs only cells by themselves are drawn, the first of them.
  package static let mostRuns = 1000

  /// - Parameter series: of a run by its place, epoch by epoch; those that are no number are gaps.
  package static func markup(_ results: SweepResults, series: (Int) -> [Double]) -> Markup {
    let grid = CurveGrid.markup(results, CurveGrid.groups(results), series: series)
    guard grid != "", results.runs.count <= mostRuns else { return grid }
    var courses: [ContentKey: [Double]] = [:]
    for (place, run) in results.runs.enumerated() {
      if let key = run.key { courses[key] = series(place) }
    }
    let overlay = CurvesFigure.markup(
      FigureInput(ReportTable(results), series: [results.metric: courses]))
    guard overlay != "" else { return grid }
    return "\(overlay)<h3>Cell by cell</h3>\(grid)"
  }
}
