internal import Foundation
internal import Specs

/// A metric over one setting: a line a combination of the others, a band or bars of
/// one std, every seed a mark.
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
    let lines = Self.lines(cells, besides: place)
    guard lines.contains(where: { $0.count > 1 }) else {
      throw NoFigure(kind: kind, reason: "no two finished cells differ in nothing but \(axis).")
    }
    let content = Content(input, place, lines, title, axis)
    let (panels, titles, levels) = (content.panels, content.titles, content.levels)
    let grid = PanelGrid(panels.count, titles + levels, input.options)
    let sizes = panels.map(\.members.count)
    let hasBars = SpreadMarks.areBars(sizes)
    var svg = SVG(
      width: grid.width, height: grid.height,
      title: "\(input.results.name): \(input.metricTitle) over \(symbol)",
      description:
        "Lines are means over seeds, \(hasBars ? "bars" : "bands") one sample std, marks single seeds, "
        + "\(input.selection)."
    )
    svg.text("\(input.results.name): \(Self.noun(input)) over \(symbol)", Point(66, 26), "title")
    for (index, panel) in panels.enumerated() {
      let heights = content.heights(of: panel)
      let scale = Scale(covering: heights, count: panels.count > 1 ? 5 : 6)
      let frame = grid.frame(
        index, content.axis.scale, try input.limited(scale, heights, kind: kind))
      if !panel.title.isEmpty {
        svg.text(panel.title, Point(frame.left, frame.top - 9), "label strong", room: frame.width)
      }
      frame.draw(on: &svg, x: content.axis.title, y: grid.isFirst(index) ? input.metricTitle : "")
      draw(panel, content, frame, hasBars: hasBars, on: &svg)
    }
    Legend.draw(
      titles.enumerated().map { ($1, Legend.Mark.line($0)) }
        + levels.enumerated().map { ($1, Legend.Mark.reference($0)) }, on: &svg, at: grid.legend)
    let n = Set(content.drawn.map(\.values.count)).sorted().map(String.init).joined(separator: " or ")
    let scales = panels.count > 1 && input.options.limits == nil ? " Each panel has its own scale." : ""
    let account = account(
      input, place, panels.flatMap { $0.members.map(\.item) }, content.references, content.diverged)
    svg.note(
      "Mean of n = \(n) seeds, \(SpreadMarks.word(sizes)) of one sample std, each seed a mark; "
        + "\(input.selection).\(scales) \(account)"
    )
    return svg
  }

  /// What such a figure shows.
  private struct Content {
    let input: FigureInput
    let panels: [FigurePanel<[Cell]>]
    /// Of the lines.
    let titles: [String]
    let drawn: [Cell]
    /// Cells whose method does not read the axis.
    let references: [Cell]
    let diverged: [Cell]
    let axis: AxisOfX
    /// Names of the references, equal ones once.
    private(set) var levels: [String] = []
    private let hidden: [String]

    init(_ input: FigureInput, _ place: Int, _ lines: [[Cell]], _ title: String, _ axis: String) {
      self.input = input
      // Groups of one cell are marks without a line.
      let (panels, titles) = input.panels(lines, without: [axis]) { $0 }
      self.panels = panels
      self.titles = titles
      drawn = panels.flatMap(\.cells)
      references = AxisFigure.references(input, place, for: drawn)
      diverged = input.table.cells.filter { cell in
        cell.labels[place] != .null && !cell.gaps.isEmpty && cell.gaps.allSatisfy { $0.word == "diverged" }
          && cell.headline == nil && panels.contains { input.belongs(cell, to: $0) }
      }
      self.axis = AxisOfX(input, place, drawn + diverged, title)
      hidden = [axis] + (panels.count > 1 ? ["student", "dataset"] : [])
      for cell in references where !levels.contains(level(cell)) { levels.append(level(cell)) }
    }

    func level(_ cell: Cell) -> String { input.name(cell, among: input.table.cells, without: hidden) }

    func references(of panel: FigurePanel<[Cell]>) -> [Cell] {
      references.filter { input.belongs($0, to: panel) }
    }

    /// All values that a panel has room for.
    func heights(of panel: FigurePanel<[Cell]>) -> [Double] {
      panel.cells.flatMap { cell in cell.values.map(\.value) + AxisFigure.band(cell) }
        + references(of: panel).compactMap { $0.headline?.mean }
    }
  }

  /// The level lines, crosses and lines of a panel.
  private static func draw(
    _ panel: FigurePanel<[Cell]>, _ content: Content, _ frame: Frame, hasBars: Bool, on svg: inout SVG
  ) {
    for cell in content.references(of: panel) {
      let y = frame.at(frame.x.low, cell.headline!.mean).y
      svg.line(
        Point(frame.left, y), Point(frame.right, y), "reference",
        dash: FigureStyle.referenceDash(content.levels.firstIndex(of: content.level(cell))!))
    }
    for cell in content.diverged where content.input.belongs(cell, to: panel) {
      svg.cross(frame.at(content.axis.position(cell), frame.y.low))
    }
    for (style, line) in panel.members {
      let points = line.map { (content.axis.position($0), $0) }.sorted { $0.0 < $1.0 }
      draw(points, style, content.titles.count, frame, hasBars: hasBars, on: &svg)
    }
  }

  /// The horizontal axis: numbers, their logarithms, or names.
  private struct AxisOfX {
    let scale: Scale
    let title: String
    let position: (Cell) -> Double

    init(_ input: FigureInput, _ place: Int, _ cells: [Cell], _ title: String) {
      let numbers = cells.compactMap { AxisFigure.number($0.labels[place]) }
      let isNumeric = numbers.count == cells.count
      let isLogarithmic = isNumeric && AxisFigure.isLogarithmic(numbers)
      let pools = ReportTable.poolNames(input.results)
      func text(_ cell: Cell) -> String { pools[cell.labels[place]] ?? ReportTable.text(cell.labels[place]) }
      var names: [String] = []
      for cell in cells where !names.contains(text(cell)) { names.append(text(cell)) }
      scale =
        isLogarithmic
        ? AxisFigure.decades(numbers) : isNumeric ? AxisFigure.scale(numbers) : Scale(names: names)
      self.title = isLogarithmic ? "\(title), log scale" : title
      position = { cell in
        guard isNumeric, let number = AxisFigure.number(cell.labels[place]) else {
          return Double(names.firstIndex(of: text(cell))!)
        }
        return isLogarithmic ? log10(number) : number
      }
    }
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
    _ points: [(x: Double, cell: Cell)], _ index: Int, _ count: Int, _ frame: Frame, hasBars: Bool,
    on svg: inout SVG
  ) {
    // Lines stand a little beside each other, so that equal values do not hide.
    let shift = (Double(index) - Double(count - 1) / 2) * min(3, 14 / Double(count))
    func at(_ x: Double, _ y: Double) -> Point {
      let point = frame.at(x, y)
      return Point(point.x + shift, point.y)
    }
    let bands = points.filter { $0.cell.headline?.std != nil }
    if hasBars || bands.count == 1 {
      for (x, cell) in bands {
        let (mean, std) = (cell.headline!.mean, cell.headline!.std!)
        svg.bar(at(x, mean).x, from: at(x, mean - std).y, to: at(x, mean + std).y, FigureStyle.bar(index))
      }
    } else if bands.count > 1 {
      let upper = bands.map { at($0.x, $0.cell.headline!.mean + $0.cell.headline!.std!) }
      let lower = bands.map { at($0.x, $0.cell.headline!.mean - $0.cell.headline!.std!) }
      svg.band(index, upper: upper, lower: lower)
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
  static func decades(_ numbers: [Double]) -> Scale {
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
