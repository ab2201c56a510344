internal import Specs

/// One frame, or several of one size with a legend for all: beside them, or below where the width is short.
struct PanelGrid {
  let width: Double
  let height: Double
  let legend: Point
  private let single: LegendLayout?
  private let columns: Int
  private let size: (width: Double, height: Double)
  private static let (left, top, gap, heading) = (66.0, 46.0, 76.0, 24.0)
  /// Ticks and the title of the axis below a panel.
  private static let foot = 56.0

  /// - Parameter names: of the legend.
  init(_ count: Int, _ names: [String], _ options: FigureOptions) {
    guard count > 1 else {
      let layout = LegendLayout(names, options)
      (single, columns, size) = (layout, 1, (0, 0))
      (width, height, legend) = (layout.width, layout.height, layout.corner)
      return
    }
    single = nil
    let beside = Legend.width(names) + 8
    let columns = options.width.map { $0 < 600 ? 1 : 2 } ?? 2
    let gaps = Double(columns - 1) * Self.gap
    let inner = options.width.map { $0 - Self.left - 16 - gaps }
    let isBeside = inner.map { ($0 - beside) / Double(columns) >= 220 } ?? true
    let panel = inner.map { max(120, ($0 - (isBeside ? beside : 0)) / Double(columns)) } ?? 290
    size = (panel, min(300, max(140, panel * 0.65)))
    self.columns = columns
    let rows = Double((count + columns - 1) / columns)
    let bottom = Self.top + rows * (size.height + Self.heading + Self.foot)
    let right = Self.left + Double(columns) * panel + gaps + 16
    let ofLegend = Double(names.count) * Legend.rowHeight
    width = right + (isBeside ? beside : 0)
    legend = isBeside ? Point(right + 4, Self.top) : Point(16, bottom)
    height = isBeside ? max(bottom + 28, 110 + ofLegend) : bottom + ofLegend + 36
  }

  func frame(_ index: Int, _ x: Scale, _ y: Scale) -> Frame {
    if let single { return single.frame(x, y) }
    return Frame(
      x: x, y: y, left: Self.left + Double(index % columns) * (size.width + Self.gap),
      top: Self.top + Self.heading
        + Double(index / columns) * (size.height + Self.heading + Self.foot),
      width: size.width, height: size.height)
  }

  /// Whether a panel stands at the left edge.
  func isFirst(_ index: Int) -> Bool { index % columns == 0 }
}

/// Members of a figure that stand in one frame.
struct FigurePanel<Item> {
  /// What all of them share; empty for the only panel.
  let title: String
  let cells: [Cell]
  /// Each with the place of its name, which is its colour, marker and dash.
  let members: [(style: Int, item: Item)]
}

extension FigureInput {
  /// Panels of a picture at most.
  private static let mostPanels = 12

  /// Lines in one frame; where there are more than can be told apart, in a panel a student (and dataset), so
  /// that the lines of a panel are methods. What does not fit then is kept as `kept` says.
  ///
  /// - Parameters:
  ///   - hidden: settings that names leave out.
  ///   - scope: cells among which names say what varies; nil for the drawn ones.
  func panels<Item>(
    _ items: [Item], without hidden: [String] = [], among scope: [Cell]? = nil, _ cells: (Item) -> [Cell]
  ) -> (panels: [FigurePanel<Item>], names: [String]) {
    let all = items.flatMap(cells)
    let facets = ["student", "dataset"].filter { name in
      guard let place = place(name), !hidden.contains(name) else { return false }
      return Set(all.map { $0.labels[place] }).subtracting([.null]).count > 1
    }
    guard items.count > FigureStyle.count, !facets.isEmpty else {
      let kept = kept(items, most: FigureStyle.count, cells)
      let drawn = kept.flatMap(cells)
      let panel = FigurePanel(title: "", cells: drawn, members: kept.enumerated().map { ($0, $1) })
      return ([panel], kept.map { name(cells($0)[0], among: scope ?? drawn, without: hidden) })
    }
    func title(_ item: Item) -> String { name(cells(item)[0], among: all, without: hidden + facets) }
    var groups: [(name: String, items: [Item])] = []
    for item in items {
      let name = title(item)
      if let place = groups.firstIndex(where: { $0.name == name }) {
        groups[place].items.append(item)
      } else {
        groups.append((name, [item]))
      }
    }
    groups = kept(groups, most: FigureStyle.count) { $0.items.flatMap(cells) }
    var keys: [[JSONValue]] = []
    var members: [[JSONValue]: [(style: Int, item: Item)]] = [:]
    for item in items {
      guard let style = groups.firstIndex(where: { $0.name == title(item) }) else { continue }
      let key = facets.map { cells(item)[0].labels[place($0)!] }
      if members[key] == nil { keys.append(key) }
      members[key, default: []].append((style, item))
    }
    let panels = keys.map { key in
      FigurePanel(
        title: key.map(ReportTable.text).joined(separator: " "),
        cells: members[key]!.flatMap { cells($0.item) }, members: members[key]!)
    }
    return (kept(panels, most: Self.mostPanels) { $0.cells }, groups.map(\.name))
  }

  /// Whether a cell belongs beside those of a panel: it is of the same student and dataset.
  func belongs<Item>(_ cell: Cell, to panel: FigurePanel<Item>) -> Bool {
    panel.title.isEmpty
      || ["student", "dataset"].compactMap(place).allSatisfy { cell.labels[$0] == panel.cells[0].labels[$0] }
  }
}
