package import Specs

/// Runs that a reader picked, drawn over each other.
package enum OverlayChart {
  /// As many as can be told apart.
  package static let most = FigureStyle.count

  /// Before anything is picked.
  package static let hint: Markup =
    "<p class=soft>Tick up to \(most) runs in the list below: they are drawn over each other here.</p>"

  /// - Parameter runs: each with what it is called and its values, epoch by epoch from the first.
  package static func markup(
    _ results: SweepResults, _ runs: [(name: String, values: [Double])]
  ) -> Markup {
    let drawn = runs.prefix(most).compactMap { run in
      Course([run.values]).map { (name: run.name, course: $0) }
    }
    let without = min(runs.count, most) - drawn.count
    guard !drawn.isEmpty else {
      return runs.isEmpty
        ? hint
        : "<p class=soft>None of the picked runs has \(results.metric) of an epoch yet.</p>"
    }
    var words = ["One line a run."]
    if without > 0 { words.append("\(counted(without, "run")) without epochs yet.") }
    if runs.count > most { words.append("The first \(most) of \(runs.count) picked ones.") }
    let input = FigureInput(ReportTable(results))
    let panel: CoursePlot.Panel = ("", drawn.enumerated().map { ($0, $1.course) }, [])
    let svg = try? CoursePlot.draw(
      [panel], names: drawn.map(\.name), title: "\(results.name): picked runs", y: results.described.heading,
      note: words.joined(separator: " "), input, kind: "overlay")
    return svg.map { "<figure>\(Markup(trusted: $0.text))</figure>" } ?? ""
  }
}
