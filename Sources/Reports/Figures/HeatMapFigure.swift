internal import Specs

/// Means over two settings as a field of colours with their numbers in it.
package enum HeatMapFigure: FigureKind {
  package static let name = "heatmap"
  package static let summary = "the metric over α × β, a field of colours with its numbers"
  private static let most = 4

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    guard let a = input.place("alpha"), let b = input.place("beta") else {
      throw NoFigure(kind: name, reason: "it needs a sweep over alpha and beta.")
    }
    let cells = input.table.cells.filter {
      $0.labels[a].number != nil && $0.labels[b].number != nil
    }
    // One field a combination of the other settings: those in which both axes vary.
    var fields: [[Cell]] = []
    for field in groups(cells, without: [a, b])
    where Set(field.map { $0.labels[a] }).count > 1 && Set(field.map { $0.labels[b] }).count > 1
      && field.contains(where: { $0.headline != nil })
    {
      fields.append(field)
    }
    guard !fields.isEmpty else {
      throw NoFigure(
        kind: name, reason: "in no combination of its other settings do alpha and beta both vary.")
    }
    fields = input.kept(fields, most: most) { $0 }
    let drawn = fields.flatMap(\.self).filter { $0.headline != nil }
    let means = fields.flatMap(\.self).compactMap { $0.headline?.mean }
    let (low, high) = (means.min()!, means.max()!)
    let side = 66.0
    func values(_ field: [Cell], _ place: Int) -> [DecimalNumber] {
      Set(field.compactMap { $0.labels[place].number }).sorted()
    }
    let widths = fields.enumerated().map {
      Double(values($1, a).count) * side + ($0 < fields.count - 1 ? 84 : 24)
    }
    let tallest = fields.map { values($0, b).count }.max()!
    let height = 62 + Double(tallest) * side + 84
    var svg = SVG(
      width: max(440, widths.reduce(0, +) + 68 + 72), height: height,
      title: "\(input.results.name): \(input.metricTitle) over α and β",
      description: "Fields show means over seeds, \(input.selection); brighter is higher.")
    svg.text("\(input.results.name): \(AxisFigure.noun(input)) over α and β", Point(20, 26), "title")
    var x = 68.0
    for (field, width) in zip(fields, widths) {
      let title = input.name(field[0], among: fields.flatMap(\.self), without: ["alpha", "beta"])
      svg.text(title, Point(x, 52), room: width - 12)
      draw(
        field, (values(field, a), values(field, b)), (a, b), (low, high), input, Point(x, 62), side, on: &svg)
      x += width
    }
    key(low, high, input, Point(x, 62), Double(tallest) * side, on: &svg)
    svg.note(
      "Mean ± sample std over seeds, \(input.selection). "
        + "\(input.account(drawn: drawn) { $0.labels[a] == .null || $0.labels[b] == .null ? "without α or β" : "not shown" })"
    )
    return svg
  }

  private static func groups(_ cells: [Cell], without places: [Int]) -> [[Cell]] {
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: [Cell]] = [:]
    for cell in cells {
      var key = cell.labels
      for place in places { key[place] = .null }
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(cell)
    }
    return order.map { groups[$0]! }
  }

  private static func draw(
    _ field: [Cell], _ values: (a: [DecimalNumber], b: [DecimalNumber]), _ places: (a: Int, b: Int),
    _ ends: (low: Double, high: Double), _ input: FigureInput, _ corner: Point, _ side: Double,
    on svg: inout SVG
  ) {
    let digits = input.table.digits
    for cell in field {
      guard let column = values.a.firstIndex(where: { $0 == cell.labels[places.a].number }),
        let row = values.b.firstIndex(where: { $0 == cell.labels[places.b].number })
      else { continue }
      guard let sample = cell.headline else {
        let corner = Point(
          corner.x + Double(column) * side, corner.y + Double(values.b.count - 1 - row) * side)
        svg.text(
          cell.isWithheld ? "mixed" : cell.gaps.first?.word ?? "-",
          Point(corner.x + side / 2 - 1, corner.y + side / 2 + 4), "small", anchor: "middle", room: side - 6)
        continue
      }
      let share = ends.high > ends.low ? (sample.mean - ends.low) / (ends.high - ends.low) : 0.5
      let (colour, isDark) = FigureStyle.heat(share)
      let point = Point(corner.x + Double(column) * side, corner.y + Double(values.b.count - 1 - row) * side)
      svg.rectangle(
        point, width: side - 2, height: side - 2, "fill", fill: colour,
        hint: "α = \(values.a[column]), β = \(values.b[row]): \(ReportTable.text(sample, plusMinus: "±"))")
      let ink = isDark ? "on-dark" : "on-light"
      let middle = point.x + side / 2 - 1
      let texts = ReportTable.parts(sample, digits: digits)
      svg.text(
        texts.mean, Point(middle, point.y + side / 2 - 1), "label \(ink)",
        anchor: "middle")
      if let spread = texts.spread {
        svg.text(
          "± \(spread)", Point(middle, point.y + side / 2 + 14),
          "small \(ink)",
          anchor: "middle")
      }
      if cell.shortfall != nil {
        svg.text(
          "\(cell.values.count) of \(cell.seeds.count)", Point(middle, point.y + 14), "small \(ink)",
          anchor: "middle")
      }
    }
    let bottom = corner.y + Double(values.b.count) * side
    for (column, value) in values.a.enumerated() {
      svg.text(
        value.description, Point(corner.x + (Double(column) + 0.5) * side - 1, bottom + 16), anchor: "middle")
    }
    for (row, value) in values.b.enumerated() {
      svg.text(
        value.description,
        Point(corner.x - 8, corner.y + (Double(values.b.count - 1 - row) + 0.5) * side + 4),
        anchor: "end")
    }
    svg.text(
      "α (logit term)", Point(corner.x + Double(values.a.count) * side / 2, bottom + 36), anchor: "middle")
    svg.text(
      "β (feature term)", Point(corner.x - 40, corner.y + Double(values.b.count) * side / 2),
      anchor: "middle",
      turned: true)
  }

  private static func key(
    _ low: Double, _ high: Double, _ input: FigureInput, _ corner: Point, _ height: Double, on svg: inout SVG
  ) {
    let steps = 24
    for step in 0..<steps {
      let share = 1 - (Double(step) + 0.5) / Double(steps)
      svg.rectangle(
        Point(corner.x, corner.y + Double(step) * height / Double(steps)), width: 14,
        height: height / Double(steps) + 0.5, "fill", fill: FigureStyle.heat(share).colour)
    }
    svg.text(NumberFormat.fixed(high, input.table.digits), Point(corner.x + 20, corner.y + 10))
    svg.text(NumberFormat.fixed(low, input.table.digits), Point(corner.x + 20, corner.y + height))
    svg.text(input.metricTitle, Point(corner.x + 32, corner.y + height / 2), anchor: "middle", turned: true)
  }
}
