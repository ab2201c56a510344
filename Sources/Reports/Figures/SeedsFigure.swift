internal import Specs

/// Every seed of every cell on one scale, with the mean and its interval.
package enum SeedsFigure: FigureKind {
  package static let name = "seeds"
  package static let summary = "every seed of every cell as a mark, with the mean and its 95 % t interval"
  private static let most = 30

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let all = input.table.cells.filter { $0.headline != nil }
    guard !all.isEmpty else { throw NoFigure(kind: name, reason: "no cell has a finished run yet.") }
    let cells = input.kept(all, most: most) { [$0] }
    let names = cells.map { input.name($0, among: all) }
    let longest = min(320, names.map { TextFit.width($0) }.max() ?? 0)
    let left = 16 + longest + 8
    let rowHeight = 24.0
    var seeds: [Int] = []
    for seed in cells.flatMap({ $0.values.map(\.seed) }) where !seeds.contains(seed) { seeds.append(seed) }
    seeds.sort()
    // Intervals of two or three seeds are far wider than the seeds: they are cut at the frame.
    let values = cells.flatMap { $0.values.map(\.value) }
    let spread = (values.max()! - values.min()!) * 0.35
    let x = Scale(covering: values + [values.min()! - spread, values.max()! + spread], count: 7)
    let legend = seeds.prefix(6).map { "seed \($0)" }
    let width = left + 440 + 24 + Legend.width(legend)
    let height = 56 + Double(cells.count) * rowHeight + 74
    var svg = SVG(
      width: width, height: height, title: "\(input.results.name): every seed",
      description:
        "Marks are seeds; the upright line is their mean, the level one its 95 percent t interval, "
        + "\(input.selection)."
    )
    svg.text("\(input.results.name): every seed", Point(16, 26), "title")
    let frame = Frame(
      x: x, y: Scale(low: 0, high: Double(cells.count), ticks: []), left: left, top: 46, width: 440,
      height: Double(cells.count) * rowHeight)
    frame.draw(on: &svg, x: input.metricTitle, y: "", vertical: true)
    for (row, cell) in cells.enumerated() {
      let y = frame.top + (Double(row) + 0.5) * rowHeight
      svg.text(names[row], Point(left - 8, y + 4), anchor: "end", room: longest)
      let sample = cell.headline!
      if let interval = sample.moments.interval() { draw(interval, at: y, frame, on: &svg) }
      let mean = frame.at(sample.mean, 0).x
      svg.line(Point(mean, y - 8), Point(mean, y + 8), "edge")
      for (place, value) in cell.values.enumerated() {
        let index = seeds.firstIndex(of: value.seed)!
        // Equal values stand above each other.
        let equals = cell.values.indices.filter { cell.values[$0].value == value.value }
        let lift =
          (Double(equals.firstIndex(of: place)!) - Double(equals.count - 1) / 2)
          * min(7, 16 / Double(equals.count))
        svg.marker(
          index, Point(frame.at(value.value, 0).x, y + lift), radius: 4, "dot f\(index % FigureStyle.count)",
          hint: "seed \(value.seed): \(NumberFormat.fixed(value.value, 2))")
      }
    }
    Legend.draw(
      legend.indices.map { (legend[$0], Legend.Mark.marker($0, colour: $0)) }, on: &svg,
      at: Point(left + 456, 46))
    svg.note(
      "Upright: mean; level: its 95 % t interval, open where it leaves the frame; \(input.selection). "
        + "\(input.account(drawn: cells) { _ in "not shown" })"
    )
    return svg
  }

  /// A level line with ends, which are left out where it leaves the frame.
  private static func draw(
    _ interval: Interval, at y: Double, _ frame: Frame, on svg: inout SVG
  ) {
    let x = frame.x
    let (from, to) = (frame.at(max(x.low, interval.low), 0).x, frame.at(min(x.high, interval.high), 0).x)
    svg.line(Point(from, y), Point(to, y), "reference")
    for (end, isCut) in [(from, interval.low < x.low), (to, interval.high > x.high)] where !isCut {
      svg.line(Point(end, y - 4), Point(end, y + 4), "reference")
    }
  }
}
