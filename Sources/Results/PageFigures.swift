package import Reports
internal import Specs
package import Storage

extension ResultStore {
  /// The figures that a sweep has something to show in, for its page; none where it has too many runs
  /// for pictures to be read.
  package func figures(of sweep: String, _ table: ReportTable) throws -> [SweepPage.Figure] {
    let results = table.source
    guard results.runs.count <= PageFigures.mostRuns else { return [] }
    var layout = table.layout
    (layout.rows, layout.columns) = ([], [])
    let averaged = ReportTable(results, layout)
    // Courses over the epochs are of runs, whatever the table averages.
    layout.average = []
    let plain = table.layout.average.isEmpty ? averaged : ReportTable(results, layout)
    let names = try metricNames()
    let keys = results.runs.compactMap(\.key)
    var series: [String: [ContentKey: [Double]]] = [:]
    var figures: [SweepPage.Figure] = []
    var room = PageFigures.mostBytes
    for kind in Catalog.figures.entries where !PageFigures.elsewhere.contains(kind.name) {
      let wanted = kind.series(among: names)
      guard wanted.count * keys.count <= PageFigures.mostCourses else { continue }
      for name in wanted where series[name] == nil { series[name] = try courses(of: keys, name) }
      guard
        let svg = try? kind.draw(
          FigureInput(wanted.isEmpty ? averaged : plain, series: series)
        ).text, svg.utf8.count <= room
      else {
        continue
      }
      room -= svg.utf8.count
      let summary = kind.summary
      figures.append(
        SweepPage.Figure(
          kind: kind.name, svg: svg, caption: summary.prefix(1).uppercased() + summary.dropFirst() + "."))
    }
    return figures
  }

  /// By epoch from 0; not a number where a run reported none.
  private func courses(of keys: [ContentKey], _ metric: String) throws -> [ContentKey: [Double]] {
    var courses: [ContentKey: [Double]] = [:]
    for (key, values) in zip(keys, try series(of: keys, metric: metric)) {
      guard let last = values.last else { continue }
      var course = Array(repeating: Double.nan, count: last.epoch + 1)
      for value in values { course[value.epoch] = value.value }
      courses[key] = course
    }
    return courses
  }
}

private enum PageFigures {
  static let mostRuns = 1000
  /// Courses of single metrics that are read for one figure.
  static let mostCourses = 2000
  static let mostBytes = 1_500_000
  /// One needs to be told its axis; the page has its own small curves, a forest with every seed, and its
  /// table for every setting of a cell.
  static let elsewhere: Set<String> = ["axis", "curves", "parallel", "seeds"]
}
