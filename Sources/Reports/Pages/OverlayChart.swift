internal import Specs

/// Runs that a reader picked, drawn over each other.
package enum OverlayChart {
  /// As many as can be told apart.
  package static let most = FigureStyle.count

  /// Before anything is picked.
  package static let hint: Markup =
    "<p class=soft>Tick up to \(most) runs in the list below: they are drawn over each other here.</p>"

  package struct Run: Sendable {
    let name: String
    /// Epoch by epoch from the first.
    let values: [Double]
    /// The epoch in which it diverged, from 1; nil where it did not.
    let end: Int?

    package init(name: String, values: [Double] = [], divergedIn end: Int? = nil) {
      (self.name, self.values, self.end) = (name, values, end)
    }
  }

  package static func markup(_ results: SweepResults, _ runs: [Run]) -> Markup {
    let drawn = runs.prefix(most).compactMap { run in
      Course([run.values]).map { (name: run.name, course: $0) }
    }
    let ends = runs.prefix(most).compactMap { run in
      run.end.map { Divergence(epoch: $0, value: run.values.last { $0.isFinite }) }
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
    return CoursePlot.markup(
      [("", drawn.enumerated().map { ($0, $1.course) }, ends)], names: drawn.map(\.name),
      title: "\(results.name): picked runs", y: results.described.heading, note: words.joined(separator: " "),
      input, kind: "overlay")
  }
}
