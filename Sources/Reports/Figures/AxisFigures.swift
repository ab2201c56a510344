internal import Foundation
internal import Specs

/// A metric over one setting: a line a combination of the others, a band of one std, every seed a mark.
package enum AxisFigure: FigureKind {
  package static let name = "axis"
  package static let summary = "the metric over any setting of numbers or words: --x SETTING"
  package static let takesLimits = true

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    guard let axis = input.x else {
      throw NoFigure(
        kind: name,
        reason: "name a setting with --x; what varies is \(input.results.columns.joined(separator: ", ")).")
    }
    return try draw(input, over: axis, kind: name, title: axis, symbol: axis)
  }

  /// - Parameters:
  ///   - title: of the horizontal axis.
  ///   - symbol: what the figure's title calls the axis.
  static func draw(
    _ input: FigureInput, over axis: String, kind: String, title: String, symbol: String
  ) throws(NoFigure) -> SVG {
    guard let place = input.place(axis) else {
      throw NoFigure(
        kind: kind,
        reason:
          "\(axis) does not vary in it; what varies is \(input.results.columns.joined(separator: ", ")).")
    }
    let cells = input.table.cells.filter { $0.labels[place] != .null && $0.headline != nil }
    var lines = Self.lines(cells, besides: place)
    guard lines.contains(where: { $0.count > 1 }) else {
      throw NoFigure(kind: kind, reason: "no two finished cells differ in nothing but \(axis).")
    }
    // Groups of one cell are marks without a line.
    lines = input.kept(lines, most: FigureStyle.count) { $0 }
    let drawn = lines.flatMap(\.self)
    let references = Self.references(input, place, for: drawn)
    let diverged = input.table.cells.filter { cell in
      cell.labels[place] != .null && !cell.gaps.isEmpty && cell.gaps.allSatisfy { $0.word == "diverged" }
        && cell.headline == nil
    }

    let placed = drawn + diverged
    let numbers = placed.compactMap { Self.number($0.labels[place]) }
    let isNumeric = numbers.count == placed.count
    var names: [String] = []
    let pools = ReportTable.poolNames(input.results)
    func text(_ cell: Cell) -> String { pools[cell.labels[place]] ?? ReportTable.text(cell.labels[place]) }
    for cell in placed where !names.contains(text(cell)) { names.append(text(cell)) }
    let isLogarithmic = isNumeric && Self.isLogarithmic(numbers)
    let x =
      isLogarithmic ? Self.decades(numbers) : isNumeric ? Self.scale(numbers) : Scale(names: names)
    func position(_ cell: Cell) -> Double {
      Self.number(cell.labels[place]).flatMap { isLogarithmic ? log10($0) : isNumeric ? $0 : nil }
        ?? Double(names.firstIndex(of: text(cell))!)
    }

    var heights = drawn.flatMap { cell in cell.values.map(\.value) + Self.band(cell) }
    heights += references.compactMap { $0.headline?.mean }
    let titles = lines.map { input.name($0[0], among: drawn, without: [axis]) }
    let legend = titles + references.map { "\(input.name($0, among: input.table.cells, without: [axis]))" }
    let layout = LegendLayout(legend, input.options)
    var svg = SVG(
      width: layout.width, height: layout.height,
      title: "\(input.results.name): \(input.metricTitle) over \(symbol)",
      description:
        "Lines are means over seeds, bands one sample std, marks single seeds, \(input.selection).")
    let y = try input.limited(Scale(covering: heights), heights, kind: kind)
    let frame = layout.frame(x, y)
    svg.text(
      "\(input.results.name): accuracy over \(symbol)".replacing("accuracy", with: Self.noun(input)),
      Point(66, 26), "title")
    frame.draw(on: &svg, x: isLogarithmic ? "\(title), log scale" : title, y: input.metricTitle)
    for (index, reference) in references.enumerated() {
      let y = frame.at(x.low, reference.headline!.mean).y
      svg.line(
        Point(frame.left, y), Point(frame.right, y), "reference", dash: FigureStyle.referenceDash(index))
    }
    for cell in diverged { svg.cross(frame.at(position(cell), frame.y.low)) }
    for (index, line) in lines.enumerated() {
      let sorted = line.sorted { position($0) < position($1) }
      draw(sorted.map { (position($0), $0) }, index, lines.count, frame, on: &svg, isJoined: true)
    }
    let marks = titles.indices.map { (titles[$0], Legend.Mark.line($0)) }
    Legend.draw(
      marks
        + legend.dropFirst(titles.count).enumerated().map { ($0.element, Legend.Mark.reference($0.offset)) },
      on: &svg, at: layout.corner
    )
    let n = Set(drawn.map(\.values.count)).sorted().map(String.init).joined(separator: " or ")
    svg.note(
      "Mean of n = \(n) seeds, band of one sample std, each seed a mark; \(input.selection). \(account(input, place, lines, references, diverged))"
    )
    return svg
  }

  /// What the figure says of every cell.
  private static func account(
    _ input: FigureInput, _ place: Int, _ lines: [[Cell]], _ references: [Cell], _ diverged: [Cell]
  ) -> String {
    let alone = lines.count { $0.count == 1 }
    let remark = alone > 0 ? ", \(alone) of them with no partner on this axis" : ""
    let axis = input.results.columns[place]
    let account = input.account(drawn: lines.flatMap(\.self) + references, remark: remark) { cell in
      cell.labels[place] == .null ? "without \(axis)" : "not shown"
    }
    return diverged.isEmpty ? account : "\(account) × on the axis: diverged."
  }

  private static func draw(
    _ points: [(x: Double, cell: Cell)], _ index: Int, _ count: Int, _ frame: Frame, on svg: inout SVG,
    isJoined: Bool
  ) {
    // Lines stand a little beside each other, so that equal values do not hide.
    let shift = (Double(index) - Double(count - 1) / 2) * min(3, 14 / Double(count))
    func at(_ x: Double, _ y: Double) -> Point {
      let point = frame.at(x, y)
      return Point(point.x + shift, point.y)
    }
    let bands = points.filter { $0.cell.headline?.std != nil }
    if bands.count > 1 {
      let upper = bands.map { at($0.x, $0.cell.headline!.mean + $0.cell.headline!.std!) }
      let lower = bands.map { at($0.x, $0.cell.headline!.mean - $0.cell.headline!.std!) }
      svg.path(upper + lower.reversed(), "band f\(index % FigureStyle.count)", isClosed: true)
    }
    for (x, cell) in points {
      // Seeds of one value stand beside each other.
      let spread = min(3.2, 12 / Double(max(1, cell.values.count)))
      for (place, value) in cell.values.enumerated() {
        let point = at(x, value.value)
        let aside = (Double(place) - Double(cell.values.count - 1) / 2) * spread
        svg.marker(
          index, Point(point.x + aside, point.y), radius: 2.6, "dot f\(index % FigureStyle.count)",
          hint: "seed \(value.seed): \(NumberFormat.fixed(value.value, 2))")
      }
    }
    svg.path(
      points.map { at($0.x, $0.cell.headline!.mean) }, FigureStyle.stroke(index),
      dash: FigureStyle.dash(index))
    for (x, cell) in points {
      svg.marker(
        index, at(x, cell.headline!.mean), radius: 4.4, FigureStyle.fill(index),
        hint: ReportTable.text(cell.headline, plusMinus: "±") + (cell.shortfall.map { " (\($0))" } ?? ""))
    }
  }

  /// Cells that differ in nothing but the axis, in the order of the table.
  static func lines(_ cells: [Cell], besides place: Int) -> [[Cell]] {
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: [Cell]] = [:]
    for cell in cells {
      var key = cell.labels
      key[place] = .null
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(cell)
    }
    return order.map { groups[$0]! }
  }

  /// Cells whose method does not read the axis and that could stand beside the lines: horizontal lines.
  private static func references(_ input: FigureInput, _ place: Int, for lines: [Cell]) -> [Cell] {
    input.table.cells.filter { cell in
      cell.labels[place] == .null && cell.headline != nil
        && lines.contains { line in
          line.labels.indices.allSatisfy { index in
            index == place || input.results.columns[index] == "method" || cell.labels[index] == .null
              || cell.labels[index] == line.labels[index]
          }
        }
    }
  }

  /// The value of a label on an axis of numbers: for a pool of teachers its size.
  static func number(_ label: JSONValue) -> Double? {
    label.number?.double ?? Teachers.members(label).map { Double($0.count) }
  }

  /// Whether values differ so much that equal steps would crowd most of them at one end.
  static func isLogarithmic(_ numbers: [Double]) -> Bool {
    guard let low = numbers.min(), let high = numbers.max() else { return false }
    return low > 0 && high / low >= 50
  }

  /// Powers of ten around some numbers above 0, at most about seven of them; places are logarithms.
  private static func decades(_ numbers: [Double]) -> Scale {
    let (low, high) = (log10(numbers.min()!), log10(numbers.max()!))
    let pad = 0.05 * (high - low)
    let (first, last) = (Int((low - pad).rounded(.up)), Int((high + pad).rounded(.down)))
    let step = max(1, (last - first + 6) / 7)
    let ticks = stride(from: first, through: last, by: step).map { power in
      let text = (-4...4).contains(power) ? powerText(power) : "1e\(power)"
      return (value: Double(power), text: text)
    }
    return Scale(low: low - pad, high: high + pad, ticks: ticks)
  }

  /// `0.001` for -3, `100` for 2.
  private static func powerText(_ power: Int) -> String {
    power < 0
      ? NumberFormat.unit(-power) : "1" + String(repeating: "0", count: power)
  }

  /// Ticks at the values themselves where they are few.
  static func scale(_ numbers: [Double]) -> Scale {
    let values = Set(numbers).sorted()
    guard values.count <= 9, let first = values.first, let last = values.last, last > first else {
      return Scale(covering: numbers)
    }
    let gaps = zip(values, values.dropFirst()).map { $1 - $0 }
    let pad = 0.05 * (last - first)
    guard gaps.min()! >= 0.06 * (last - first) else { return Scale(covering: numbers) }
    return Scale(
      low: first - pad, high: last + pad,
      ticks: values.map { ($0, DecimalNumber($0)?.description ?? "\($0)") })
  }

  private static func band(_ cell: Cell) -> [Double] {
    guard let sample = cell.headline, let std = sample.std else { return [] }
    return [sample.mean - std, sample.mean + std]
  }

  /// What the metric is called in a title, such as `accuracy`.
  static func noun(_ input: FigureInput) -> String {
    input.results.described.title
  }
}

/// The paper's Figure 2: accuracy over the weight of the logit term.
package enum AlphaFigure: FigureKind {
  package static let name = "alpha"
  package static let summary = "the metric over α, the weight of the logit term (the paper's Figure 2)"
  package static let takesLimits = true

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    try AxisFigure.draw(input, over: "alpha", kind: name, title: "α (weight of the logit term)", symbol: "α")
  }
}

/// The paper's Figure 2: accuracy over the weight of the feature term.
package enum BetaFigure: FigureKind {
  package static let name = "beta"
  package static let summary = "the metric over β, the weight of the feature term (the paper's Figure 2)"
  package static let takesLimits = true

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    try AxisFigure.draw(input, over: "beta", kind: name, title: "β (weight of the feature term)", symbol: "β")
  }
}

/// The paper's Figure 2: accuracy over the number of teachers.
package enum TeachersFigure: FigureKind {
  package static let name = "teachers"
  package static let summary = "the metric over M, the number of teachers (the paper's Figure 2)"
  package static let takesLimits = true

  package static func draw(_ input: FigureInput) throws(NoFigure) -> SVG {
    try AxisFigure.draw(input, over: "teachers", kind: name, title: "M (number of teachers)", symbol: "M")
  }
}
