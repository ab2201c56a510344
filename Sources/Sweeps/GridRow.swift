internal import Specs

/// The settings of one row of a block: those of its base, and those where its axes stand.
struct GridRow {
  private let fixed: [String: GridSpec.Setting]
  /// Axes that turn together.
  private let wheels: [[GridSpec.Axis]]
  private let places: [String: (wheel: Int, axis: Int)]
  fileprivate var counters: [Int]
  /// What may be asked of it; nil for everything.
  private var shown: Set<String>?

  /// The first row of a block's product.
  init(_ block: GridSpec.Block) {
    fixed = block.base
    wheels = block.axes.map { [$0] } + block.zip
    counters = Array(repeating: 0, count: wheels.count)
    var places: [String: (wheel: Int, axis: Int)] = [:]
    for (wheel, axes) in wheels.enumerated() {
      for (axis, value) in axes.enumerated() { places[value.name] = (wheel, axis) }
    }
    self.places = places
  }

  /// A row of `include`.
  init(_ settings: [String: GridSpec.Setting]) {
    fixed = settings
    wheels = []
    places = [:]
    counters = []
  }

  /// - Precondition: `showing` let it through.
  subscript(name: String) -> GridSpec.Setting? {
    precondition(shown?.contains(name) != false, "\(name) is not among the settings that decide this")
    if let (wheel, axis) = places[name] { return wheels[wheel][axis].values[counters[wheel]] }
    return fixed[name]
  }

  /// The same row for somebody who has said what decides: whoever remembers results by these settings cannot
  /// read another one unnoticed.
  func showing(_ names: Set<String>) -> GridRow {
    var row = self
    row.shown = names
    return row
  }

  /// Whether the block has several values of a setting.
  func turns(_ name: String) -> Bool {
    places[name].map { wheels[$0.wheel][$0.axis].values.count > 1 } ?? false
  }

  /// Where the file names a setting, as an axis or before its one value; nil where it does not.
  func nameSpot(_ name: String) -> GridSpot? {
    if let (wheel, axis) = places[name] { return wheels[wheel][axis].spot }
    return fixed[name].map { $0.nameSpot ?? $0.spot }
  }

  /// Where the first of its settings stands in the file.
  var spot: GridSpot? {
    let turning = zip(wheels, counters).flatMap { wheel, counter in wheel.map { $0.values[counter].spot } }
    let standing = fixed.filter { places[$0.key] == nil }.values.map(\.spot)
    return (turning + standing).min { $0.offset < $1.offset }
  }

  /// The wheels that turn one of these settings; nil where that is every one of several, so that no two rows
  /// have them in the same place.
  func wheels(turning names: Set<String>) -> [Int]? {
    let turning = wheels.indices.filter { wheels[$0].contains { names.contains($0.name) } }
    return turning.count == wheels.count && !wheels.isEmpty ? nil : turning
  }

  /// A number for where some wheels stand.
  func position(of chosen: [Int]) -> Int {
    chosen.reduce(0) { $0 * wheels[$1][0].values.count + counters[$1] }
  }

  /// In how many ways some wheels can stand together, up to as many as a grid may have runs.
  ///
  /// - Parameter chosen: nil for all.
  func combinations(of chosen: [Int]? = nil) -> Int {
    (chosen ?? Array(wheels.indices)).reduce(1) { min($0 * wheels[$1][0].values.count, GridExpansion.limit) }
  }

  /// Whether there is another position.
  fileprivate mutating func turn() -> Bool {
    for place in counters.indices.reversed() {
      counters[place] += 1
      if counters[place] < wheels[place][0].values.count { return true }
      counters[place] = 0
    }
    return false
  }
}

/// The rows of a block: the product of its axes and zip groups, before anything is excluded. The
/// last axis turns fastest.
struct BlockRows: Sequence, IteratorProtocol {
  private var row: GridRow
  private var isFirst = true
  private var isTurning: Bool

  init(_ block: GridSpec.Block) {
    row = GridRow(block)
    let wheels = block.axes.map { [$0] } + block.zip
    isTurning = (!wheels.isEmpty || block.include.isEmpty) && wheels.allSatisfy { !$0[0].values.isEmpty }
  }

  mutating func next() -> GridRow? {
    // Turned when the last row is of no use any more: its counters are turned in place.
    if !isFirst, isTurning { isTurning = row.turn() }
    isFirst = false
    return isTurning ? row : nil
  }
}

/// What some settings of a row decide, worked out once for each of their combinations in a block.
struct RowMemo<Value> {
  private let names: Set<String>
  private let wheels: [Int]?
  /// In how many ways they can stand together.
  let combinations: Int
  private var known: [Int: Value] = [:]
  private var last: (position: Int, value: Value)?

  /// - Parameters:
  ///   - block: nil for rows of which each is different.
  ///   - names: the settings that decide.
  init(_ block: GridSpec.Block?, _ names: Set<String>) {
    self.names = names
    wheels = block.flatMap { GridRow($0).wheels(turning: names) }
    combinations = block.map { [wheels] in GridRow($0).combinations(of: wheels) } ?? 1
  }

  /// What was remembered for a row where they stand as in this one.
  mutating func value(for row: GridRow) -> Value? {
    guard let wheels else { return nil }
    let position = row.position(of: wheels)
    if let last, last.position == position { return last.value }
    guard let value = known[position] else { return nil }
    last = (position, value)
    return value
  }

  /// The row as whoever works it out may see it.
  func deciding(_ row: GridRow) -> GridRow { row.showing(names) }

  mutating func remember(_ value: Value, for row: GridRow) {
    if let wheels { known[row.position(of: wheels)] = value }
  }
}
