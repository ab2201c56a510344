package import Specs

/// One small chart a cell, all on one scale: every seed as a thin line, their mean as a thick one.
package enum CurveGrid {
  package static let mostCells = 24
  private static let (width, height) = (260, 104)
  private static let (left, right, top, bottom) = (40, 8, 8, 18)
  /// Points of a line.
  private static let points = 80

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
    let numbers = shown.flatMap { $0.curves.flatMap { $0.filter(\.isFinite) } }
    guard let low = numbers.min(), let high = numbers.max() else { return "" }
    let epochs = shown.flatMap { $0.curves.map(\.count) }.max() ?? 1
    let charts = shown.map { chart($0.title, $0.curves, low...high, epochs) }
    let rest: Markup =
      groups.count > mostCells
      ? "<p class=\"soft small\">The first \(mostCells) of \(groups.count) cells.</p>" : ""
    return """
      <p class="soft small">\(results.described.heading) over epochs, all on one scale: seeds thin, their mean thick.</p>\
      <div class=charts>\(charts)</div>\(rest)
      """
  }

  private static func chart(
    _ title: String, _ curves: [[Double]], _ range: ClosedRange<Double>, _ epochs: Int
  )
    -> Markup
  {
    let span = CurveSpan(range)
    func path(_ values: [Double]) -> String {
      let count = min(points, values.count)
      var path = ""
      var isPenDown = false
      for index in 0..<count {
        let epoch = count > 1 ? index * (values.count - 1) / (count - 1) : 0
        guard values[epoch].isFinite else {
          isPenDown = false
          continue
        }
        let x = left + epoch * (width - left - right) / max(1, epochs - 1)
        let share = span.share(values[epoch])
        let y = height - bottom - Int((share * Double(height - top - bottom)).rounded())
        path += "\(isPenDown ? "L" : "M")\(x) \(y)"
        isPenDown = true
      }
      return path
    }
    let seeds = curves.map { curve -> Markup in "<path class=seed d=\"\(path(curve))\"/>" }
    let mean = (0..<(curves.map(\.count).max() ?? 0)).map { epoch -> Double in
      // A mean of those that got this far would jump where one ends.
      let values = curves.compactMap { epoch < $0.count && $0[epoch].isFinite ? $0[epoch] : nil }
      return values.count == curves.count ? values.reduce(0, +) / Double(values.count) : .nan
    }
    let last = mean.last { $0.isFinite }
    let label =
      "\(title): \(counted(curves.count, "seed"))\(last.map { ", mean at the end \(CurveChart.text($0))" } ?? "")"
    return """
      <figure class=chart><figcaption>\(title)</figcaption><svg viewBox="0 0 \(width) \(height)" role=img aria-label="\(label)"><title>\(label)</title>\
      <line class=axis x1=\(left) x2=\(width - right) y1=\(height - bottom) y2=\(height - bottom) />\
      <text x=\(left - 5) y=\(top + 4) text-anchor=end>\(CurveChart.text(range.upperBound))</text>\
      <text x=\(left - 5) y=\(height - bottom + 4) text-anchor=end>\(CurveChart.text(range.lowerBound))</text>\
      <text x=\(left) y=\(height - 4)>1</text><text x=\(width - right) y=\(height - 4) text-anchor=end>epoch \(epochs)</text>\
      \(seeds)<path class=curve d="\(path(mean))"/></svg></figure>
      """
  }
}
