package import Specs

/// A run that a grid asks for.
package struct PlannedRun: Sendable {
  package let spec: RunSpec
  /// Aligned with the expansion's `columns`; null where the method does not read the setting.
  package let labels: [JSONValue]
  /// Where the grid asks for it first.
  package let block: Int
  /// What it has in common with the other seeds of its cell.
  let cell: RunCell

  /// - Parameter cell: one that shares nothing where nothing is said.
  init(
    spec: RunSpec, labels: [JSONValue], block: Int, cell: RunCell = RunCell(number: 0, encoding: nil)
  ) {
    (self.spec, self.labels, self.block, self.cell) = (spec, labels, block, cell)
  }
}

/// All runs that differ in nothing but their seed.
final class RunCell: Sendable {
  /// From 0, in the order in which the grid names them.
  let number: Int
  /// The canonical form of its runs before and behind the digits of the seed; nil where teachers have seeds of their own.
  let encoding: (head: [UInt8], tail: [UInt8])?

  init(number: Int, encoding: (head: [UInt8], tail: [UInt8])?) {
    (self.number, self.encoding) = (number, encoding)
  }

  /// The canonical form of one of its runs.
  func encoding(of run: RunSpec) -> [UInt8] {
    guard let encoding else { return run.canonicalBytes }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(encoding.head.count + encoding.tail.count + 20)
    bytes.append(contentsOf: encoding.head)
    CanonicalJSON.append(DecimalNumber(run.seed), to: &bytes)
    bytes.append(contentsOf: encoding.tail)
    return bytes
  }
}

/// Cells by what they are made of.
private struct RunCells {
  private var known: [[UInt8]: RunCell] = [:]
  private let isFixed: Bool

  init(_ teacherSeeds: GridSpec.TeacherSeeds) { isFixed = teacherSeeds == .fixed }

  /// - Parameter template: a run of the cell, its seed and its teachers' 0.
  mutating func cell(of template: RunSpec) -> RunCell {
    let encoding = template.encodingAroundSeed
    let identity = encoding.head + encoding.tail
    if let cell = known[identity] { return cell }
    let cell = RunCell(number: known.count, encoding: isFixed ? encoding : nil)
    known[identity] = cell
    return cell
  }
}

private struct CellSeed: Hashable {
  let cell: Int
  let seed: Int
}

/// All distinct runs of a grid.
package struct GridExpansion: Sendable {
  /// Settings that tell the cells of the table apart: always `student` and `method`, then whatever varies.
  package let columns: [String]
  /// In the order in which they should start.
  package let runs: [PlannedRun]
  /// Runs as the grid spells them, shared ones counted each time.
  package let asked: Int
  package let warnings: [GridProblem]
  /// Sentences such as `baseline does not read alpha: 10 runs asked for are 2`.
  package let sharing: [String]

  /// How many runs a grid may ask for without being told that it may.
  package static let usualLimit = 10_000
  /// How many it may ask for at all: what a machine can hold in memory.
  package static let limit = 1_000_000

  /// - Parameter limit: more runs than this are refused before any is made.
  /// - Throws: `GridRejected` with every problem.
  package init(_ grid: GridSpec, _ vocabulary: GridVocabulary, limit: Int = usualLimit) throws(GridRejected) {
    var resolver = RunResolver(vocabulary, teacherSeeds: grid.teacherSeeds)
    for block in grid.blocks { resolver.check(block) }
    var asked = 0
    for block in grid.blocks where resolver.problems.isEmpty {
      let (count, overflow) = Self.size(of: block).addingReportingOverflow(asked)
      asked = overflow ? .max : count
      if let complaint = Self.complaint(about: asked, limit) {
        resolver.report(block.spot.problem(complaint))
      }
    }
    guard resolver.problems.isEmpty else { throw GridRejected(resolver.problems) }

    let columns = Self.columns(of: grid)
    var cells = RunCells(grid.teacherSeeds)
    var seen: Set<CellSeed> = []
    seen.reserveCapacity(min(asked, limit))
    var runs: [PlannedRun] = []
    var tally: [String: (asked: Int, distinct: Int)] = [:]
    // One block's axes tell its cells apart; several blocks and rows of `include` are looked at.
    let mayCoincide = grid.blocks.count > 1 || grid.blocks.contains { !$0.include.isEmpty }
    var shown: [[JSONValue]: Int] = [:]
    var clashes: [GridProblem] = []
    asked = 0
    for (index, block) in grid.blocks.enumerated() {
      resolver.begin(block)
      func add(_ row: [String: GridSpec.Setting]) {
        guard let (template, method, choice) = resolver.run(row) else { return }
        let labels = resolver.labels(row, columns, method, choice)
        let cell = cells.cell(of: template)
        if mayCoincide {
          // Never are different runs one cell of a table.
          let known = shown.updateValue(cell.number, forKey: labels)
          if let known, known != cell.number {
            let name = labels.filter { $0 != .null }.map(\.title).joined(separator: " ")
            clashes.append(
              block.spot.problem(
                "two different cells would both be shown as \"\(name)\"; say in both blocks what tells them apart"
              ))
          }
        }
        let before = runs.count
        for seed in block.seeds where seen.insert(CellSeed(cell: cell.number, seed: seed)).inserted {
          runs.append(
            PlannedRun(spec: resolver.seeded(template, seed), labels: labels, block: index, cell: cell))
        }
        asked += block.seeds.count
        let counts = tally[template.method.name] ?? (0, 0)
        tally[template.method.name] = (
          counts.asked + block.seeds.count, counts.distinct + runs.count - before
        )
      }
      for row in BlockRows(block) where !resolver.excludes(row, block) { add(row) }
      block.include.forEach(add)
      resolver.finish(block)
    }
    guard resolver.problems.isEmpty, clashes.isEmpty else { throw GridRejected(resolver.problems + clashes) }
    if runs.isEmpty, let block = grid.blocks.first {
      throw GridRejected([block.spot.problem("the grid asks for no runs")])
    }
    let complaints = ReportCheck.problems(grid, vocabulary, columns: columns, runs: runs)
    let errors = complaints.filter { $0.severity == .error }
    guard errors.isEmpty else { throw GridRejected(errors) }
    self.columns = columns
    self.asked = asked
    warnings = resolver.warnings + complaints
    sharing = Self.sharing(tally, grid, vocabulary)
    self.runs = grid.run.order == .cellMajor ? runs : Self.seedMajor(runs)
  }

  private static func complaint(about asked: Int, _ limit: Int) -> String? {
    let count = asked == .max ? "more than 10^18" : "\(asked)"
    if asked > Self.limit {
      return "\(count) runs; more than \(Self.limit) are refused: make it several grids"
    }
    return asked > limit ? "\(count) runs; more than \(limit) need --yes or --max-runs" : nil
  }

  /// Rows before exclusion, times seeds; saturates.
  private static func size(of block: GridSpec.Block) -> Int {
    var size = 1
    let factors = block.axes.map(\.values.count) + block.zip.map { $0.first?.values.count ?? 1 }
    for factor in factors {
      let (product, overflow) = size.multipliedReportingOverflow(by: factor)
      if overflow { return .max }
      size = product
    }
    if block.axes.isEmpty, block.zip.isEmpty, !block.include.isEmpty { size = 0 }
    let (rows, over) = size.addingReportingOverflow(block.include.count)
    let (total, overflow) = rows.multipliedReportingOverflow(by: block.seeds.count)
    return over || overflow ? .max : total
  }

  private static func columns(of grid: GridSpec) -> [String] {
    var varying: [String] = []
    var first: [String: JSONValue] = [:]
    func see(_ name: String, _ value: JSONValue) {
      if let known = first[name] {
        if known != value, !varying.contains(name) { varying.append(name) }
      } else {
        first[name] = value
      }
    }
    for block in grid.blocks {
      for axis in block.axes + block.zip.flatMap(\.self) {
        for setting in axis.values { see(axis.name, setting.value) }
      }
      for row in [block.base] + block.include {
        for (name, setting) in row.sorted(by: { $0.key < $1.key }) { see(name, setting.value) }
      }
    }
    // What one block sets and another leaves at its default tells their cells apart, too.
    let spoken = grid.blocks.flatMap { block -> [Set<String>] in
      let axes = Set((block.axes + block.zip.flatMap(\.self)).map(\.name))
      let isOnlyInclude = axes.isEmpty && !block.include.isEmpty
      return (isOnlyInclude ? [] : [axes.union(block.base.keys)]) + block.include.map { Set($0.keys) }
    }
    for name in first.keys.sorted() where !varying.contains(name) && !spoken.allSatisfy({ $0.contains(name) })
    {
      varying.append(name)
    }
    return ["student", "method"] + varying.filter { $0 != "student" && $0 != "method" }.sorted()
  }

  /// The first seed of every cell, then the second: an early table is already whole.
  private static func seedMajor(_ runs: [PlannedRun]) -> [PlannedRun] {
    var seedsOfCell: [Int: Int] = [:]
    var rounds: [[PlannedRun]] = []
    for run in runs {
      let round = seedsOfCell[run.cell.number, default: 0]
      seedsOfCell[run.cell.number] = round + 1
      if round == rounds.count { rounds.append([]) }
      rounds[round].append(run)
    }
    return rounds.flatMap(\.self)
  }

  private static func sharing(
    _ tally: [String: (asked: Int, distinct: Int)], _ grid: GridSpec, _ vocabulary: GridVocabulary
  ) -> [String] {
    tally.filter { $0.value.asked > $0.value.distinct }.sorted { $0.key < $1.key }.map { name, count in
      let method = vocabulary.methods.first { $0.name == name }
      let axes = grid.blocks.flatMap { $0.axes.map(\.name) + $0.zip.flatMap { $0.map(\.name) } }
      var unread: [String] = []
      for axis in axes where !unread.contains(axis) && method?.reads(axis) == false { unread.append(axis) }
      let reason =
        unread.isEmpty ? "stands in several blocks" : "does not read \(unread.joined(separator: ", "))"
      return "\(name) \(reason): \(count.asked) runs asked for are \(count.distinct)"
    }
  }
}

extension MethodDescription {
  /// Whether a setting of this name can change a run of the method.
  func reads(_ setting: String) -> Bool {
    switch setting {
    case "teachers", "teacherEpochs", "teacherRecipe": readsTeachers
    case "preset": !presets.isEmpty
    default: options.contains { $0.name == setting } || GridKeys.common.contains(setting)
    }
  }
}

/// The rows of a block: the product of its axes and zip groups, before anything is excluded. The last axis turns fastest.
struct BlockRows: Sequence, IteratorProtocol {
  private let base: [String: GridSpec.Setting]
  /// Axes that turn together.
  private let wheels: [[GridSpec.Axis]]
  private var counters: [Int]
  private var isTurning: Bool

  init(_ block: GridSpec.Block) {
    base = block.base
    wheels = block.axes.map { [$0] } + block.zip
    counters = Array(repeating: 0, count: wheels.count)
    isTurning = (!wheels.isEmpty || block.include.isEmpty) && wheels.allSatisfy { !$0[0].values.isEmpty }
  }

  mutating func next() -> [String: GridSpec.Setting]? {
    guard isTurning else { return nil }
    var row = base
    for (wheel, counter) in zip(wheels, counters) {
      for axis in wheel { row[axis.name] = axis.values[counter] }
    }
    isTurning = turn()
    return row
  }

  /// Whether there is another position.
  private mutating func turn() -> Bool {
    for place in counters.indices.reversed() {
      counters[place] += 1
      if counters[place] < wheels[place][0].values.count { return true }
      counters[place] = 0
    }
    return false
  }
}
