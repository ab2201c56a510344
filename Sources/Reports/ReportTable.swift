package import Specs

/// Cells laid out in rows and columns, with what is best and what was compared.
public struct ReportTable: Sendable {
  /// What the cells are of: means over settings where the layout averages some.
  package let results: SweepResults
  /// Run by run, before any setting was averaged.
  package let source: SweepResults
  package private(set) var layout: ReportLayout
  package let cells: [Cell]
  /// What the columns at the left are called: settings, or one empty text where a row's words stand together.
  package let rowNames: [String]
  /// By row, beside `rowNames`.
  package let rowHeads: [[String]]
  /// Texts of the rows: `mtkd-rl alpha=0.5`.
  package let rows: [String]
  package let columns: [String]
  /// By row, then column; nil where the sweep has no such cell.
  package let grid: [[Cell?]]
  /// Columns of the results that all cells share and that no row names therefore.
  let shared: [Int]
  /// Digits after the point of means and stds.
  package let digits: Int
  package let rankings: [Ranking]
  /// The family that the layout declares.
  package let comparisons: [CellComparison]
  /// The paper's numbers beside ours, where the grid names a table that it follows.
  package var paper: PaperComparison?
  /// n of the last look at this table before its cells got more seeds; nil where none was added after a look.
  package var priorLook: Int?
  /// What the sweep claims; nil where it claims nothing.
  package var claims: ClaimBook?
  private let places: [[JSONValue]: (place: Ranking.Place, ranking: Int)]
  /// Of ranked cells but the first: whether the test tells them from the first; nil where it is not possible.
  private let verdicts: [[JSONValue]: Bool?]

  /// - Precondition: `layout.check(results)` did not throw.
  package init(_ source: SweepResults, _ layout: ReportLayout = ReportLayout()) {
    let source = source.aliased()
    let results = source.averaged(over: layout.average)
    self.results = results
    self.source = source
    self.layout = layout
    let cells = Cell.cells(of: results, allowMixed: layout.allowMixed)
    self.cells = cells
    let placed = Placement(cells, results, layout)
    (rowNames, rowHeads, columns, grid) = (placed.rowNames, placed.rowHeads, placed.columns, placed.grid)
    shared = placed.shared
    rows = rowHeads.map { $0.filter { !$0.isEmpty }.joined(separator: " ") }
    digits = layout.digits ?? Self.digits(of: cells)
    let rankings = Ranking.rankings(of: cells, results, layout)
    self.rankings = rankings
    var places: [[JSONValue]: (place: Ranking.Place, ranking: Int)] = [:]
    var verdicts: [[JSONValue]: Bool?] = [:]
    for (index, ranking) in rankings.enumerated() {
      for comparison in ranking.family {
        verdicts.updateValue(comparison.isDistinguishable, forKey: comparison.a.labels)
      }
      places[ranking.first.labels] = (.first, index)
      places[ranking.second.labels] = (.second, index)
    }
    self.places = places
    self.verdicts = verdicts
    comparisons = Self.declared(layout, cells, results, source)
  }

  /// Without what stands beside the headline in brackets.
  mutating func hideBest() { layout.showsBest = false }

  /// What somebody sees who looks at the table: how many seeds a cell is asked for at most,
  /// and how many have a number.
  package var seedsSeen: (asked: Int, finished: Int) {
    (cells.map(\.seeds.count).max() ?? 0, cells.map(\.values.count).max() ?? 0)
  }

  /// Whether a cell is one of the two best of its student, and whether the test tells those two apart; nil
  /// where no test is possible.
  package func place(of cell: Cell) -> (place: Ranking.Place, isDistinguishable: Bool?)? {
    places[cell.labels].map { ($0.place, rankings[$0.ranking].comparison.isDistinguishable) }
  }

  /// What stands behind a cell: `#1` and `#2` for the two best of a student, and a sign for every cell that
  /// the test does not tell from the best, or cannot test against it. Nil for cells that the best beats, and
  /// for those that are not ranked.
  package func mark(of cell: Cell, _ style: TextStyle) -> String? {
    func sign(_ isDistinguishable: Bool?) -> String {
      isDistinguishable.map { $0 ? "" : style.alike } ?? TextStyle.untestable
    }
    if let place = place(of: cell) {
      return (place.place == .first ? "#1" : "#2") + sign(place.isDistinguishable)
    }
    guard let verdict = verdicts[cell.labels] else { return nil }
    let mark = sign(verdict)
    return mark.isEmpty ? nil : mark
  }

  /// Of a ranked cell but the first: whether the test tells it from the first; nil where it is
  /// not ranked or not testable.
  func verdict(of cell: Cell) -> Bool? { verdicts[cell.labels] ?? nil }

  /// By the median of the cells' stds, so that one table has one number of digits; two where no cell has one.
  private static func digits(of cells: [Cell]) -> Int {
    let spreads = cells.compactMap { $0.headline?.std }.filter { $0 > 0 }
    return SampleStatistics(spreads).flatMap { NumberFormat.places(forSpread: $0.median) } ?? 2
  }
}

/// Which cell stands where.
private struct Placement {
  var rowNames: [String] = [""]
  var rowHeads: [[String]] = []
  var columns: [String] = []
  var grid: [[Cell?]] = []
  var shared: [Int] = []

  init(_ cells: [Cell], _ results: SweepResults, _ layout: ReportLayout) {
    let pools = ReportTable.poolNames(results)
    func places(_ names: [String]) -> [Int] { names.compactMap { results.columns.firstIndex(of: $0) } }
    let isUsual = layout.rows.isEmpty && layout.columns.isEmpty
    let across = places(isUsual ? ["student"] : layout.columns)
    let rest = results.columns.indices.filter { !across.contains($0) }
    // Settings that nobody laid out join the rows where several cells would fall on one place.
    var down = layout.rows.isEmpty ? rest : places(layout.rows)
    let isSplit = !layout.rows.isEmpty
    if !isSplit, cells.count > 1 {
      shared = Self.shared(down, cells, results)
      down.removeAll(where: shared.contains)
    }
    if isSplit, Set(cells.map { cell in (down + across).map { cell.labels[$0] } }).count < cells.count {
      down += rest.filter { place in
        !down.contains(place) && cells.contains { $0.labels[place] != cells[0].labels[place] }
      }
    }
    if isSplit { rowNames = down.map { results.columns[$0] } }

    var rowOf: [[JSONValue]: Int] = [:]
    var rowKeys: [[JSONValue]] = []
    var columnOf: [[JSONValue]: Int] = [:]
    var columnKeys: [[JSONValue]] = []
    for cell in cells {
      let (row, column) = (down.map { cell.labels[$0] }, across.map { cell.labels[$0] })
      if rowOf[row] == nil { (rowOf[row], rowKeys) = (rowKeys.count, rowKeys + [row]) }
      if columnOf[column] == nil {
        (columnOf[column], columnKeys) = (columnKeys.count, columnKeys + [column])
      }
    }
    // The order of the plan, but numbers ascend: blocks of a grid may name them in any order.
    let sorted = columnKeys.indices.sorted { a, b in
      let (first, second) = (columnKeys[a].first?.number, columnKeys[b].first?.number)
      if across.count == 1, let first, let second { return first < second }
      return a < b
    }
    let position = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    var grid = rowKeys.map { _ in columnKeys.map { _ -> Cell? in nil } }
    for cell in cells {
      let (row, column) = (down.map { cell.labels[$0] }, across.map { cell.labels[$0] })
      grid[rowOf[row]!][position[columnOf[column]!]!] = cell
    }
    columns = sorted.map { index in
      if across.isEmpty { return results.described.heading }
      return zip(across, columnKeys[index]).map { Self.title(results.columns[$0], $1, pools) }
        .joined(separator: " ")
    }
    let heads = rowKeys.map { key -> [String] in
      if isSplit { return key.map { $0 == .null ? "" : pools[$0] ?? ReportTable.text($0) } }
      let words = zip(down, key).compactMap { place, label in
        label == .null ? nil : ReportTable.word(results.columns[place], label, pools)
      }
      return [words.joined(separator: " ")]
    }
    let order = Self.order(rowKeys, grid, down.map { results.columns[$0] }, layout.sort)
    rowHeads = order.map { heads[$0] }
    self.grid = order.map { grid[$0] }
  }

  /// What the head of a column says of a setting.
  private static func title(_ name: String, _ label: JSONValue, _ pools: [JSONValue: String]) -> String {
    if label == .null { return "no \(name)" }
    return name == "student" ? ReportTable.text(label) : ReportTable.word(name, label, pools)
  }

  /// What all cells share is said once, above the table; a row keeps its method, and one word at least.
  private static func shared(_ down: [Int], _ cells: [Cell], _ results: SweepResults) -> [Int] {
    let shared = down.filter { place in
      results.columns[place] != "method" && cells[0].labels[place] != .null
        && cells.allSatisfy { $0.labels[place] == cells[0].labels[place] }
    }
    return shared.count == down.count ? Array(shared.dropLast()) : shared
  }

  private static func order(
    _ keys: [[JSONValue]], _ grid: [[Cell?]], _ names: [String], _ sort: String?
  ) -> [Int] {
    guard let sort else { return Array(keys.indices) }
    let isDescending = sort.hasPrefix("-")
    let name = isDescending ? String(sort.dropFirst()) : sort
    func isBefore(_ a: Int, _ b: Int) -> Bool? {
      if name == "mean" {
        func mean(_ row: Int) -> Double? { grid[row].lazy.compactMap { $0?.headline?.mean }.first }
        // Rows without a number come last either way.
        guard let first = mean(a) else { return mean(b) == nil ? nil : false }
        guard let second = mean(b) else { return true }
        return first == second ? nil : (first < second) != isDescending
      }
      guard let place = names.firstIndex(of: name) else { return nil }
      let (first, second) = (keys[a][place], keys[b][place])
      if first == second { return nil }
      if let x = first.number, let y = second.number { return (x < y) != isDescending }
      return (ReportTable.text(first) < ReportTable.text(second)) != isDescending
    }
    return keys.indices.sorted { isBefore($0, $1) ?? ($0 < $1) }
  }
}

// Labels as texts

extension ReportTable {
  /// A label as part of a row's text: methods stand alone, a pool of teachers shows its size.
  static func word(_ name: String, _ label: JSONValue, _ pools: [JSONValue: String]) -> String {
    if name == "method" { return text(label) }
    return pools[label] ?? "\(name)=\(text(label))"
  }

  /// Labels as one text: `mini-resnet8-w8 mtkd-rl M=2 alpha=0.5`; what the method does not read is left out.
  package static func words(
    _ labels: [JSONValue], _ columns: [String], _ pools: [JSONValue: String]
  ) -> String {
    zip(columns, labels).compactMap { column, label -> String? in
      if label == .null { return nil }
      return column == "student" ? text(label) : word(column, label, pools)
    }.joined(separator: " ")
  }

  /// `M=2` for each pool of teachers; where several have one size, their members too.
  static func poolNames(_ results: SweepResults) -> [JSONValue: String] {
    poolNames(results.columns, results.runs.lazy.map(\.labels))
  }

  /// The same of labels beside their columns.
  package static func poolNames(
    _ columns: [String], _ labels: some Sequence<[JSONValue]>
  ) -> [JSONValue: String] {
    guard let place = columns.firstIndex(of: "teachers") else { return [:] }
    let pools = Set(labels.map { $0[place] }).subtracting([.null])
    let sizes = Dictionary(grouping: pools) { Teachers.members($0)?.count ?? 0 }
    return Dictionary(
      pools.map { pool in
        let names = Teachers.members(pool) ?? []
        let isAlone = sizes[names.count]?.count == 1
        return (
          pool, isAlone ? "M=\(names.count)" : "M=\(names.count)(\(names.map(text).joined(separator: "+")))"
        )
      }
    ) { $1 }
  }

  package static func text(_ label: JSONValue) -> String { label.title }
}
