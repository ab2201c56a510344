internal import Specs

/// One small chart a cell, all on one scale: every seed as a thin line, their mean as a thick one.
package enum CurveGrid {
  package static let mostCells = 24
  package struct Group: Sendable {
    let title: String
    /// Places among the results' runs.
    package var runs: [Int]
  }

  /// Cells in the order in which the results name them first.
  package static func groups(_ results: SweepResults) -> [Group] {
    let pools = ReportTable.poolNames(results)
    var order: [[JSONValue]: Int] = [:]
    var groups: [Group] = []
    for (index, run) in results.runs.enumerated() {
      if let place = order[run.labels] {
        groups[place].runs.append(index)
      } else {
        order[run.labels] = groups.count
        groups.append(Group(title: ReportTable.words(run.labels, results.columns, pools), runs: [index]))
      }
    }
    return groups
  }

  /// - Parameter series: of a run by its place, epoch by epoch; those that are no number are gaps.
  /// - Returns: empty where no run has two epochs.
  package static func markup(_ results: SweepResults, _ groups: [Group], series: (Int) -> [Double]) -> Markup
  {
    let shown = groups.prefix(mostCells).map { group in
      (title: group.title, curves: group.runs.map(series).filter { $0.count(where: \.isFinite) > 1 })
    }
    let values = shown.flatMap(\.curves)
    let ends = groups.prefix(mostCells).map { divergences(results, $0, series) }
    let epochs = (values.map(\.count) + ends.joined().map(\.epoch)).max() ?? 1
    let windows = PageChart.windows(values, epochs: epochs) { values in
      let numbers = values.flatMap { $0.filter(\.isFinite) }
      guard let low = numbers.min(), let high = numbers.max() else { return nil }
      return low...high
    }
    guard !windows.isEmpty else { return "" }
    let charts = zip(shown, ends).map { cell, ends in
      chart(cell.title, cell.curves, ends).markup(
        windows, caption: "<figcaption>\(cell.title)</figcaption>")
    }
    let rest: Markup =
      groups.count > mostCells
      ? "<p class=\"soft small\">The first \(mostCells) of \(groups.count) cells.</p>" : ""
    return """
      <p class="soft small">\(results.described.heading) over epochs, all on one scale: seeds thin, their mean thick.</p>\
      <div class=charts data-zoom=cells>\(charts)</div>\(rest)
      """
  }

  /// The runs of a cell that diverged at a known epoch.
  private static func divergences(
    _ results: SweepResults, _ group: Group, _ series: (Int) -> [Double]
  ) -> [Divergence] {
    group.runs.compactMap { run in
      results.runs[run].state.divergedIn.map {
        Divergence(epoch: $0, value: series(run).last { $0.isFinite })
      }
    }
  }

  private static func chart(_ title: String, _ curves: [[Double]], _ ends: [Divergence]) -> PageChart {
    let mean = (0..<(curves.map(\.count).max() ?? 0)).map { epoch -> Double in
      // A mean of those that got this far would jump where one ends.
      let values = curves.compactMap { epoch < $0.count && $0[epoch].isFinite ? $0[epoch] : nil }
      return values.count == curves.count ? values.reduce(0, +) / Double(values.count) : .nan
    }
    let last = mean.last { $0.isFinite }
    let label =
      "\(title): \(counted(curves.count, "seed"))\(last.map { ", mean at the end \(CurveChart.text($0))" } ?? "")"
    let seeds = curves.map { PageChart.Line(name: "", values: $0, style: "seed") }
    return PageChart(
      name: title, label: label, size: (260, 104), left: 40, top: 8,
      lines: seeds + [PageChart.Line(name: "mean", values: mean, style: "curve")], ends: ends)
  }
}
