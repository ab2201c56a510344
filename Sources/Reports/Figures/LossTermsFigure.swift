internal import Specs

/// What each term of the loss is worth: task alone, with the logit term, with the feature term, with both.
package enum LossTermsFigure: FigureKind {
  package static let name = "loss-terms"
  package static let summary =
    "task, logit, feature and both terms of the loss, a mark each (the paper's Figure 2)"
  private static let words = ["task only", "+ logit term", "+ feature term", "+ both"]

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    guard let a = input.place("alpha"), let b = input.place("beta") else {
      throw NoFigure(
        kind: name, reason: "it needs cells with alpha = 0 and with beta = 0 beside the full loss.")
    }
    let cells = input.table.cells.filter { $0.headline != nil }
    var groups = cells.compactMap { group($0, among: cells, alpha: a, beta: b, input) }
    guard !groups.isEmpty else {
      throw NoFigure(
        kind: name,
        reason: "no cell with alpha and beta above 0 has partners with alpha = 0 and with beta = 0.")
    }
    groups = input.kept(groups, most: 4) { $0.bars.compactMap(\.self) }
    let drawn = groups.flatMap(\.bars).compactMap(\.self)
    let values = drawn.flatMap { cell in
      cell.values.map(\.value)
        + (cell.headline?.std.map { [cell.headline!.mean - $0, cell.headline!.mean + $0] } ?? [])
    }
    let fulls = groups.map(\.full)
    let names = fulls.map { groups.count > 1 ? input.name($0, among: fulls) : input.name($0, among: cells) }
    let width = max(520, 190 * Double(groups.count) + 110) + Legend.width(words)
    var svg = SVG(
      width: width, height: 430, title: "\(input.results.name): \(input.metricTitle) by loss terms",
      description:
        "Large marks are means over seeds, bars one sample std, dots single seeds, \(input.selection).")
    svg.text("\(input.results.name): \(AxisFigure.noun(input)) by loss terms", Point(66, 26), "title")
    let inner = width - 66 - Legend.width(words) - 24
    let frame = Frame(
      x: Scale(names: names), y: Scale(covering: values),
      left: 66, top: 46, width: inner, height: 300)
    frame.draw(on: &svg, x: "", y: input.metricTitle)
    let thick = min(34, inner / Double(groups.count) / 5)
    for (group, entry) in groups.enumerated() {
      for (bar, cell) in entry.bars.enumerated() {
        guard let cell, let sample = cell.headline else { continue }
        let middle = frame.at(Double(group), sample.mean).x + (Double(bar) - 1.5) * (thick + 6)
        draw(cell, sample, bar, at: middle, frame, digits: input.table.digits, on: &svg)
      }
    }
    Legend.draw(
      words.indices.map { (words[$0], Legend.Mark.marker($0, colour: $0)) }, on: &svg,
      at: Point(width - Legend.width(words), 46))
    svg.note(
      "Mean over seeds with a bar of one sample std, seeds as dots beside it; \(input.selection). "
        + "\(input.account(drawn: drawn) { _ in "not shown" })"
    )
    return svg
  }

  private typealias Group = (full: Cell, bars: [Cell?])

  /// A cell with both terms and its partners without one or both of them; nil where it has none.
  private static func group(
    _ full: Cell, among cells: [Cell], alpha a: Int, beta b: Int, _ input: FigureInput
  ) -> Group? {
    guard let alpha = full.labels[a].number, let beta = full.labels[b].number, alpha.double > 0,
      beta.double > 0
    else { return nil }
    func sibling(_ x: DecimalNumber, _ y: DecimalNumber) -> Cell? {
      var labels = full.labels
      (labels[a], labels[b]) = (.number(x), .number(y))
      return cells.first { $0.labels == labels }
    }
    let zero = DecimalNumber(0)
    guard let logit = sibling(alpha, zero), let feature = sibling(zero, beta) else { return nil }
    let plain = sibling(zero, zero) ?? baseline(full, cells, input)
    return (full, [plain, logit, feature, full])
  }

  /// A cell's mean with its std, its seeds beside it and its number above.
  private static func draw(
    _ cell: Cell, _ sample: SampleStatistics, _ bar: Int, at middle: Double, _ frame: Frame, digits: Int,
    on svg: inout SVG
  ) {
    if let std = sample.std {
      let (low, high) = (frame.at(0, sample.mean - std).y, frame.at(0, sample.mean + std).y)
      svg.bar(middle, from: low, to: high, FigureStyle.bar(bar))
    }
    for value in cell.values {
      svg.marker(
        bar, Point(middle + 9, frame.at(0, value.value).y), radius: 2.4, "dot f\(bar)",
        hint: "seed \(value.seed): \(NumberFormat.fixed(value.value, 2))")
    }
    svg.marker(
      bar, Point(middle, frame.at(0, sample.mean).y), radius: 5, FigureStyle.fill(bar),
      hint: "\(words[bar]): \(ReportTable.text(sample, plusMinus: "±"))")
    svg.text(
      NumberFormat.fixed(sample.mean, digits),
      Point(middle, frame.at(0, sample.mean + (sample.std ?? 0)).y - 7), "small halo", anchor: "middle")
  }

  /// The cell of the method without teachers that shares the other labels.
  private static func baseline(_ full: Cell, _ cells: [Cell], _ input: FigureInput) -> Cell? {
    cells.first { cell in
      input.label(cell, "method")?.string == "baseline"
        && cell.labels.indices.allSatisfy { index in
          input.results.columns[index] == "method" || cell.labels[index] == .null
            || cell.labels[index] == full.labels[index]
        }
    }
  }
}
