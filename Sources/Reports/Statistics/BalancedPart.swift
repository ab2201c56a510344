internal import Specs

/// The cells of a table that cross settings completely: every combination of their values is there, with the
/// same seeds.
struct BalancedPart: Sendable {
  /// In the order of the combinations: the last setting turns fastest.
  let cells: [Cell]
  /// Places of the settings among the labels, each with its values in the order of the table.
  let settings: [(place: Int, values: [JSONValue])]
  /// Ascending; every cell has a number for each.
  let seeds: [Int]

  var runs: Int { cells.count * seeds.count }

  /// The largest such part: of all cells, or of those that read the same settings. Nil where no two cells
  /// make one.
  ///
  /// A greedy search: the value of a setting with the largest share of missing combinations goes first. It is
  /// the whole
  /// of a grid that is crossed completely; of others there may be a larger part.
  init?(of cells: [Cell]) {
    let numbered = cells.filter { !$0.values.isEmpty }
    var order: [[Bool]] = []
    var groups: [[Bool]: [Cell]] = [:]
    for cell in numbered {
      let read = cell.labels.map { $0 != .null }
      if groups[read] == nil { order.append(read) }
      groups[read, default: []].append(cell)
    }
    let candidates = (order.count > 1 ? [numbered] : []) + order.map { groups[$0]! }
    var best: BalancedPart?
    for part in candidates.compactMap({ Self.crossed($0) }) where part.runs > best?.runs ?? 0 { best = part }
    guard let best else { return nil }
    self = best
  }

  private init(_ cells: [Cell], _ settings: [(place: Int, values: [JSONValue])], _ seeds: [Int]) {
    (self.cells, self.settings, self.seeds) = (cells, settings, seeds)
  }

  /// What is left of some cells when values are taken away until all combinations are there.
  private static func crossed(_ cells: [Cell]) -> BalancedPart? {
    // Cells without the seeds that most have leave holes, as cells that are not there do.
    let usual = Set(cells.map { $0.values.map(\.seed) }).max { a, b in
      let (first, second) = (
        a.count * cells.count { Set($0.values.map(\.seed)).isSuperset(of: a) },
        b.count * cells.count { Set($0.values.map(\.seed)).isSuperset(of: b) }
      )
      return first == second ? b.lexicographicallyPrecedes(a) : first < second
    }
    guard let seeds = usual else { return nil }
    var left = cells.filter { Set($0.values.map(\.seed)).isSuperset(of: seeds) }
    while left.count > 1 {
      let settings = varying(left)
      let size = settings.reduce(1.0) { $0 * Double($1.values.count) }
      if size == Double(left.count) { return BalancedPart(sorted(left, settings), settings, seeds) }
      var worst: (place: Int, value: JSONValue, share: Double)?
      for (place, values) in settings {
        for value in values {
          let share = Double(left.count { $0.labels[place] == value }) * Double(values.count) / size
          if share < worst?.share ?? 1 { worst = (place, value, share) }
        }
      }
      guard let worst else { return nil }
      left.removeAll { $0.labels[worst.place] == worst.value }
    }
    return nil
  }

  /// The settings that vary, but for those that follow from another one, such as an option that only one of
  /// the methods reads.
  private static func varying(_ cells: [Cell]) -> [(place: Int, values: [JSONValue])] {
    let all = (cells.first?.labels.indices ?? 0..<0).compactMap {
      place -> (place: Int, values: [JSONValue])? in
      var seen: Set<JSONValue> = []
      let values = cells.map { $0.labels[place] }.filter { seen.insert($0).inserted }
      return values.count > 1 ? (place, values) : nil
    }
    func follows(_ place: Int, from other: Int) -> Bool {
      var known: [JSONValue: JSONValue] = [:]
      return cells.allSatisfy { cell in
        let value = cell.labels[place]
        return known.updateValue(value, forKey: cell.labels[other]).map { $0 == value } ?? true
      }
    }
    return all.filter { setting in
      !all.contains { other in
        other.place != setting.place && follows(setting.place, from: other.place)
          && (other.place < setting.place || !follows(other.place, from: setting.place))
      }
    }
  }

  private static func sorted(_ cells: [Cell], _ settings: [(place: Int, values: [JSONValue])]) -> [Cell] {
    let ranks = settings.map { _, values in
      Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
    }
    func position(_ cell: Cell) -> Int {
      zip(settings, ranks).reduce(0) { $0 * $1.0.values.count + $1.1[cell.labels[$1.0.place]]! }
    }
    return cells.sorted { position($0) < position($1) }
  }

  /// One value a cell and seed, in the order of `cells`; seeds turn fastest.
  var values: [Double] {
    cells.flatMap { cell in
      let known = Dictionary(cell.values.map { ($0.seed, $0.value) }) { first, _ in first }
      return seeds.map { known[$0]! }
    }
  }
}
