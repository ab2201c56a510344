internal import Specs

/// A line a cell across an axis a setting, ending at its mean.
package enum ParallelFigure: FigureKind {
  package static let name = "parallel"
  package static let summary =
    "a line a cell through its value of every setting to its mean, the best ones strong"
  private static let most = 200
  private static let strong = 3
  private static let height = 320.0

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    let all = input.table.cells.filter { $0.headline != nil }
    let lost = input.table.cells.filter { cell in
      cell.headline == nil && !cell.gaps.isEmpty && cell.gaps.allSatisfy { $0.word == "diverged" }
    }
    let axes = axes(input, all + lost)
    guard !all.isEmpty, axes.count > 1 else {
      throw NoFigure(
        kind: name, reason: "it needs a finished run and two settings that vary; 'forest' takes one.")
    }
    let cells = input.kept(all, most: most) { [$0] }
    let widest = axes.flatMap(\.names).map { min(150, TextFit.width($0)) }.max() ?? 0
    let left = 24 + min(120, (axes[0].names.map { TextFit.width($0) }.max() ?? 0)) + 12
    let usual = max(110, widest + 34) * Double(axes.count)
    let gap = input.options.frameWidth(beside: left + 74, usual: usual) / Double(axes.count)
    let width = left + Double(axes.count) * gap + 74
    var svg = SVG(
      width: input.options.width == nil ? max(440, width) : width, height: 84 + height + 66,
      title: "\(input.results.name): settings and \(input.metricTitle)",
      description:
        "A line a cell through its value of each setting, from the left to the right, to its mean over "
        + "seeds, \(input.selection)."
    )
    svg.text(input.results.name, Point(16, 26), "title")
    let y = Scale(covering: cells.compactMap { $0.headline?.mean }, count: 6)
    let places = Places(axes: axes, y: y, left: left, gap: gap)
    let sign = input.results.described.isHigherBetter.map { $0 ? 1.0 : -1.0 }
    let ranked = cells.sorted { (sign ?? 1) * $0.headline!.mean < (sign ?? 1) * $1.headline!.mean }
    let best = sign == nil ? 0 : min(strong, ranked.count)
    for cell in ranked.dropLast(best) { draw(cell, places, nil, input, &svg) }
    for cell in lost.prefix(most) { draw(cell, places, nil, input, &svg) }
    for (rank, cell) in ranked.suffix(best).reversed().enumerated().reversed() {
      draw(cell, places, rank, input, &svg)
    }
    frame(places, input, &svg)
    svg.note(note(input, cells, Array(lost.prefix(most)), Array(ranked.suffix(best).reversed())))
    return svg
  }

  private struct Axis {
    let place: Int
    let title: String
    /// From below; numbers ascend.
    let values: [JSONValue]
    let names: [String]
  }

  private struct Places {
    let axes: [Axis]
    let y: Scale
    let left: Double
    let gap: Double
    let top = 84.0

    func x(_ axis: Int) -> Double { left + Double(axis) * gap }
    func y(_ value: JSONValue, _ axis: Int) -> Double {
      let count = axes[axis].values.count
      let place = axes[axis].values.firstIndex(of: value) ?? 0
      return top + height * (1 - (Double(place) + 0.5) / Double(count))
    }
    func y(_ mean: Double) -> Double { top + height * (1 - y.share(mean)) }
  }

  private static func axes(_ input: FigureInput, _ cells: [Cell]) -> [Axis] {
    let pools = ReportTable.poolNames(input.results)
    return input.results.columns.indices.compactMap { place in
      var seen: Set<JSONValue> = []
      var values = cells.map { $0.labels[place] }.filter { seen.insert($0).inserted }
      guard values.count > 1 else { return nil }
      let isNumeric = values.allSatisfy { $0 == .null || $0.number != nil }
      // What a cell does not read stands below all values; of words, the first of the table stands on top.
      let known = values.filter { $0 != .null }
      values =
        (values.contains(.null) ? [.null] : [])
        + (isNumeric ? known.sorted { $0.number! < $1.number! } : known.reversed())
      return Axis(
        place: place, title: input.results.columns[place], values: values,
        names: values.map { $0 == .null ? "not read" : pools[$0] ?? ReportTable.text($0) })
    }
  }

  private static func draw(
    _ cell: Cell, _ places: Places, _ rank: Int?, _ input: FigureInput, _ svg: inout SVG
  ) {
    var points = places.axes.indices.map { axis in
      Point(places.x(axis), places.y(cell.labels[places.axes[axis].place], axis))
    }
    let end = places.x(places.axes.count)
    guard let sample = cell.headline else {
      points.append(Point(end, places.top + height))
      svg.path(points, "thin faint c6 lost", dash: "2 3")
      svg.cross(Point(end, places.top + height), radius: 4)
      return
    }
    points.append(Point(end, places.y(sample.mean)))
    guard let rank else { return svg.path(points, "thin faint c6 cell") }
    svg.path(points, "\(FigureStyle.stroke(rank)) cell", dash: FigureStyle.dash(rank))
    let text = ReportTable.text(sample, plusMinus: "±", digits: input.table.digits)
    svg.marker(rank, points[points.count - 1], radius: 5, FigureStyle.fill(rank), hint: text)
  }

  private static func frame(_ places: Places, _ input: FigureInput, _ svg: inout SVG) {
    let bottom = places.top + height
    for (index, axis) in places.axes.enumerated() {
      let x = places.x(index)
      svg.line(Point(x, places.top), Point(x, bottom), "axis")
      svg.text(axis.title, Point(x, places.top - 20), "label strong", anchor: "middle", room: places.gap - 8)
      // As many names as stand above each other.
      let step = Int((Double(axis.values.count) * 15 / height).rounded(.up))
      for (number, (value, name)) in zip(axis.values, axis.names).enumerated() {
        let y = places.y(value, index)
        svg.line(Point(x - 4, y), Point(x, y), "axis")
        guard number % step == 0 else { continue }
        svg.text(
          name, Point(x - 8, y - 5), "label halo", anchor: "end", room: index == 0 ? 120 : places.gap - 20)
      }
    }
    let x = places.x(places.axes.count)
    svg.line(Point(x, places.top), Point(x, bottom), "axis")
    svg.text(
      input.results.metric, Point(x, places.top - 20), "label strong", anchor: "middle", room: places.gap - 8)
    for tick in places.y.ticks {
      let y = places.y(tick.value)
      svg.line(Point(x, y), Point(x + 4, y), "axis")
      svg.text(tick.text, Point(x + 10, y + 4))
    }
  }

  private static func note(_ input: FigureInput, _ cells: [Cell], _ lost: [Cell], _ best: [Cell]) -> String {
    let counts = Set(cells.map(\.values.count)).sorted().map(String.init).joined(separator: " or ")
    var parts = ["A line a cell, to its mean over \(counts) seeds, \(input.selection)."]
    if !best.isEmpty {
      let names = best.map { cell in
        "\(input.name(cell, among: cells)) "
          + "\(ReportTable.text(cell.headline, plusMinus: "±", digits: input.table.digits))"
      }
      parts.append("Strong: the best by their means alone, \(names.joined(separator: "; ")).")
    }
    if !lost.isEmpty { parts.append("×: every seed diverged.") }
    let left = Set(lost.map(\.labels))
    parts.append(input.account(drawn: cells) { left.contains($0.labels) ? "diverged" : "not shown" })
    return parts.joined(separator: " ")
  }
}
