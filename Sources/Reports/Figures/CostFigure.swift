internal import Specs

/// What accuracy costs: a mark a cell, joined along the cells that nothing beats in both.
package enum CostFigure: FigureKind {
  package static let name = "cost"
  package static let summary =
    "the metric against seconds an epoch, and the cells that nothing beats in both (Pareto)"
  /// Metrics of an epoch's cost, the first that a sweep has counts.
  ///
  /// Processor seconds before those of the clock, which depend on what else the machine did.
  static let costs = [
    "measured.cpuSeconds", "cpu.seconds", "measured.seconds", "epoch.seconds", "time.seconds", "seconds",
  ]

  package static func series(among names: [String]) -> [String] {
    let exact = costs.filter(names.contains)
    return Array((exact + names.filter { $0.hasSuffix("seconds") }).prefix(1))
  }

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    guard let metric = series(among: input.series.keys.sorted()).first else {
      throw NoFigure(kind: name, reason: "no run of it recorded the seconds that an epoch took.")
    }
    let points = input.table.cells.filter { $0.headline != nil }.compactMap { costed($0, metric, input) }
    guard points.count > 1 else {
      throw NoFigure(kind: name, reason: "fewer than two cells have both numbers.")
    }
    // Without a direction nothing is better than anything.
    let front =
      input.results.described.isHigherBetter.map { isHigherBetter in
        self.front(points.map { ($0.cost.mean, $0.cell.headline!.mean) }, isHigherBetter)
      } ?? []
    let all = points.map(\.cell)
    // Beyond the number of marks, only the front keeps names.
    let named = points.indices.filter { points.count <= 24 || front.contains($0) }
    let names = named.map { "\($0 + 1)  \(input.name(points[$0].cell, among: all))" }
    let width = 560 + Legend.width(names)
    let height = max(430, 70 + Double(names.count) * Legend.rowHeight)
    var svg = SVG(
      width: width, height: height, title: "\(input.results.name): \(input.metricTitle) against cost",
      description:
        "Marks are cells, lines one sample std either way; the dashed line joins what nothing beats in both."
    )
    svg.text("\(input.results.name): \(AxisFigure.noun(input)) against cost", Point(66, 26), "title")
    let heights = points.flatMap { point -> [Double] in
      let sample = point.cell.headline!
      return [sample.mean - (sample.std ?? 0), sample.mean + (sample.std ?? 0)]
    }
    let widths = points.flatMap { [reach($0.cost).low, reach($0.cost).high] }
    let frame = Frame(
      x: Scale(covering: widths, from: true), y: Scale(covering: heights), left: 66, top: 46, width: 470,
      height: 300)
    frame.draw(on: &svg, x: "\(metric), mean of an epoch (s)", y: input.metricTitle, vertical: true)
    let joined = front.map { frame.at(points[$0].cost.mean, points[$0].cell.headline!.mean) }
    svg.path(joined, "reference", dash: "5 4")
    var numbers: [Point] = []
    for (index, point) in points.enumerated() {
      draw(point, isFront: front.contains(index), frame, input.name(point.cell, among: all), on: &svg)
      guard named.contains(index) else { continue }
      let at = frame.at(point.cost.mean, point.cell.headline!.mean)
      numbers.append(place(of: index + 1, at: at, beside: numbers))
      svg.text("\(index + 1)", numbers.last!, "small")
    }
    Legend.draw(
      zip(named, names).map { place, name in
        (name, front.contains(place) ? Legend.Mark.marker(3, colour: 1) : .marker(0, colour: 0))
      }, on: &svg, at: Point(556, 46))
    svg.note(
      "Diamonds: no other cell is both cheaper and better. Mean and one sample std over seeds; seconds are "
        + "those of the machines that ran them. \(input.account(drawn: all) { _ in "without seconds" })"
    )
    return svg
  }

  /// A cell with what its epochs took; nil where no seed recorded it.
  private static func costed(_ cell: Cell, _ metric: String, _ input: FigureInput) -> Costed? {
    let means = input.courses(of: cell, metric).compactMap { SampleStatistics($0.filter(\.isFinite))?.mean }
    return SampleStatistics(means).map { (cell, $0) }
  }

  private typealias Costed = (cell: Cell, cost: SampleStatistics)

  /// One std either way. No cost is below nothing, however much it spreads.
  private static func reach(_ cost: SampleStatistics) -> (low: Double, high: Double) {
    let std = cost.std ?? 0
    return (max(min(0, cost.mean), cost.mean - std), cost.mean + std)
  }

  /// A cell's mark with its spread in both directions.
  private static func draw(
    _ point: Costed, isFront: Bool, _ frame: Frame, _ name: String, on svg: inout SVG
  ) {
    let sample = point.cell.headline!
    let style = "thin c\(isFront ? 1 : 0)"
    if let std = sample.std {
      svg.line(
        frame.at(point.cost.mean, sample.mean - std), frame.at(point.cost.mean, sample.mean + std), style)
    }
    if point.cost.std != nil {
      let (low, high) = reach(point.cost)
      svg.line(frame.at(low, sample.mean), frame.at(high, sample.mean), style)
    }
    svg.marker(
      isFront ? 3 : 0, frame.at(point.cost.mean, sample.mean), radius: isFront ? 5.5 : 4.5,
      FigureStyle.fill(isFront ? 1 : 0),
      hint:
        "\(name): \(NumberFormat.fixed(point.cost.mean, 3)) s, \(ReportTable.text(sample, plusMinus: "±"))")
  }

  /// Marks may be close to each other: the first of four places that no other number takes.
  private static func place(of number: Int, at mark: Point, beside others: [Point]) -> Point {
    let wide = TextFit.width("\(number)", "small")
    let places = [(8.0, -6.0), (8, 13), (-8 - wide, -6), (-8 - wide, 13)].map {
      Point(mark.x + $0.0, mark.y + $0.1)
    }
    let free = places.first { place in
      !others.contains { abs($0.x - place.x) < 16 && abs($0.y - place.y) < 11 }
    }
    return free ?? places[0]
  }

  /// Positions that no other beats in both, by rising cost.
  static func front(_ points: [(cost: Double, value: Double)], _ isHigherBetter: Bool) -> [Int] {
    let sign = isHigherBetter ? 1.0 : -1.0
    var best = -Double.infinity
    var front: [Int] = []
    let order = points.indices.sorted {
      (points[$0].cost, -sign * points[$0].value, $0) < (points[$1].cost, -sign * points[$1].value, $1)
    }
    for index in order where sign * points[index].value > best {
      best = sign * points[index].value
      front.append(index)
    }
    return front
  }
}
