package import Specs

/// A kind of figure.
package protocol FigureKind: Sendable {
  static var name: String { get }
  /// One sentence for the list of kinds.
  static var summary: String { get }
  /// The metrics whose course over the epochs it draws, of those that a sweep has.
  static func series(among names: [String]) -> [String]
  /// Whether it has an axis of the metric that can be given ends (default: no).
  static var takesLimits: Bool { get }
  /// Whether it lists cells in an order that can be chosen (default: no).
  static var takesOrder: Bool { get }
  /// - Throws: `NoFigure` where the sweep has nothing of that kind to show.
  static func draw(_ input: FigureInput) throws(NoFigure) -> SVG
}

extension FigureKind {
  package static func series(among names: [String]) -> [String] { [] }
  package static var takesLimits: Bool { false }
  package static var takesOrder: Bool { false }
}

/// What a figure is made of.
package struct FigureInput: Sendable {
  package let table: ReportTable
  /// Metric, then run, then epoch from 0; not a number where a run reported none.
  package let series: [String: [ContentKey: [Double]]]
  /// Setting on the horizontal axis, where the kind lets one choose.
  package var x: String?
  package var options = FigureOptions()
  /// Of the runs of each cell, by its labels.
  private let keys: [[JSONValue]: [ContentKey]]

  package init(_ table: ReportTable, series: [String: [ContentKey: [Double]]] = [:], x: String? = nil) {
    self.table = table
    self.series = series
    self.x = x
    keys = Dictionary(grouping: table.results.runs, by: \.labels).mapValues { $0.compactMap(\.key) }
  }

  var results: SweepResults { table.results }

  /// The name of the metric with its unit.
  var metricTitle: String { results.described.heading }

  func place(_ column: String) -> Int? { results.columns.firstIndex(of: column) }

  func label(_ cell: Cell, _ column: String) -> JSONValue? {
    place(column).map { cell.labels[$0] }.flatMap { $0 == .null ? nil : $0 }
  }

  /// The words of a cell for what varies among some cells, apart from some settings: `mtkd-rl beta=5`;
  /// `all` where nothing does.
  func name(_ cell: Cell, among cells: [Cell], without hidden: [String] = []) -> String {
    let pools = ReportTable.poolNames(results)
    let words = telling(cells, without: hidden).compactMap { index -> String? in
      let (column, label) = (results.columns[index], cell.labels[index])
      guard label != .null, cells.contains(where: { $0.labels[index] != label }) else { return nil }
      let word = column == "student" ? ReportTable.text(label) : ReportTable.word(column, label, pools)
      // One setting is one word to whoever has to shorten the name.
      return word.replacing(" ", with: "\u{a0}")
    }
    return words.isEmpty ? label(cell, "method").map(ReportTable.text) ?? "all" : words.joined(separator: " ")
  }

  /// The columns that tell cells apart. A setting of one value that some cells do not have, as blocks of a
  /// grid leave it, is dropped where the others tell as much.
  private func telling(_ cells: [Cell], without hidden: [String]) -> [Int] {
    func told(_ columns: [Int]) -> Int { Set(cells.map { cell in columns.map { cell.labels[$0] } }).count }
    var columns = results.columns.indices.filter { !hidden.contains(results.columns[$0]) }
    let all = told(columns)
    for index in columns.reversed() where Set(cells.map { $0.labels[index] }).subtracting([.null]).count == 1
    {
      let fewer = columns.filter { $0 != index }
      if told(fewer) == all { columns = fewer }
    }
    return columns
  }

  /// The runs of a cell that have a course of a metric.
  func courses(of cell: Cell, _ metric: String) -> [[Double]] {
    guard let courses = series[metric] else { return [] }
    // A mixture of programs has no course either.
    if cell.isWithheld { return [] }
    return (keys[cell.labels] ?? []).compactMap { courses[$0] }.filter { !$0.isEmpty }
  }

  /// How the numbers came about, for the line below a figure.
  var selection: String {
    switch results.select {
    case .last: "after the last epoch"
    case .bestOnValidation: "at the best validation epoch"
    case .bestOnTest: "WARNING: at each seed's best epoch, selected by the metric itself"
    }
  }
}

/// A sweep that has nothing for a kind of figure.
package struct NoFigure: UserError, Equatable {
  package var exitStatus: ExitStatus { .missingInput }
  package let kind: String
  package let reason: String

  package init(kind: String, reason: String) {
    self.kind = kind
    self.reason = reason
  }

  package var description: String { "There is no figure '\(kind)' of this sweep: \(reason)" }
}

extension Catalog where Entry == any FigureKind.Type {
  package static let figures = Catalog(
    "kind of figure",
    [
      ForestFigure.self,
      AlphaFigure.self,
      BetaFigure.self,
      TeachersFigure.self,
      AxisFigure.self,
      HeatMapFigure.self,
      LossTermsFigure.self,
      CurvesFigure.self,
      WeightsFigure.self,
      ClassWeightsFigure.self,
      RewardFigure.self,
      CostFigure.self,
      SeedsFigure.self,
      ImportanceFigure.self,
      ParallelFigure.self,
      ClaimsFigure.self,
    ]
  ) { $0.name }
}

/// Names beside marks, in a column.
struct Legend {
  static let rowHeight = 19.0
  /// Pixels of a name at most.
  private static let longest = 260.0

  /// A line, a marker of a shape and a colour, or a piece of a ribbon before each name.
  enum Mark { case line(Int), marker(Int, colour: Int), ribbon(Int), reference(Int) }

  static func draw(_ entries: [(name: String, mark: Mark)], on svg: inout SVG, at corner: Point) {
    for (row, entry) in entries.enumerated() {
      let y = corner.y + Double(row) * rowHeight + 9
      switch entry.mark {
      case .line(let index):
        svg.line(
          Point(corner.x, y), Point(corner.x + 26, y), FigureStyle.stroke(index),
          dash: FigureStyle.dash(index))
        svg.marker(index, Point(corner.x + 13, y), radius: 4, FigureStyle.fill(index))
      case .marker(let shape, let colour):
        svg.marker(shape, Point(corner.x + 13, y), radius: 5, FigureStyle.fill(colour))
      case .ribbon(let index):
        svg.rectangle(Point(corner.x + 5, y - 6), width: 16, height: 12, FigureStyle.ribbon(index))
        svg.hatch(index, over: Point(corner.x + 5, y - 6), width: 16, height: 12)
      case .reference(let index):
        svg.line(
          Point(corner.x, y), Point(corner.x + 26, y), "reference", dash: FigureStyle.referenceDash(index))
      }
      svg.text(entry.name, Point(corner.x + 32, y + 4), room: longest)
    }
  }

  /// Pixels that the longest of some names takes, with its mark.
  static func width(_ names: [String]) -> Double {
    32 + min(longest, names.map { TextFit.width($0) }.max() ?? 0) + 2 * SVG.margin
  }
}
