package import Specs

/// A run that a grid asks for.
package struct PlannedRun: Sendable {
  package let spec: RunSpec
  /// Aligned with the expansion's `columns`; null where the method does not read the setting.
  package let labels: [JSONValue]
  /// Where the grid asks for it first.
  package let block: Int
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
    var seen: Set<RunSpec> = []
    var runs: [PlannedRun] = []
    var tally: [String: (asked: Int, distinct: Int)] = [:]
    asked = 0
    for (index, block) in grid.blocks.enumerated() {
      resolver.begin(block)
      func add(_ row: [String: GridSpec.Setting]) {
        guard let (template, method) = resolver.run(row) else { return }
        let labels = resolver.labels(row, columns, method)
        for seed in block.seeds {
          let spec = resolver.seeded(template, seed)
          asked += 1
          tally[spec.method.name, default: (0, 0)].asked += 1
          guard seen.insert(spec).inserted else { continue }
          tally[spec.method.name]!.distinct += 1
          runs.append(PlannedRun(spec: spec, labels: labels, block: index))
        }
      }
      for row in BlockRows(block) where !resolver.excludes(row, block) { add(row) }
      block.include.forEach(add)
      resolver.finish(block)
    }
    guard resolver.problems.isEmpty else { throw GridRejected(resolver.problems) }
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
    return ["student", "method"] + varying.filter { $0 != "student" && $0 != "method" }.sorted()
  }

  /// The first seed of every cell, then the second: an early table is already whole.
  private static func seedMajor(_ runs: [PlannedRun]) -> [PlannedRun] {
    var positions: [Int: Int] = [:]
    var next: [RunSpec: Int] = [:]
    for (index, run) in runs.enumerated() {
      var cell = run.spec
      cell.seed = 0
      for teacher in cell.teachers.indices { cell.teachers[teacher].seed = 0 }
      positions[index] = next[cell, default: 0]
      next[cell, default: 0] += 1
    }
    return runs.indices.sorted { (positions[$0]!, $0) < (positions[$1]!, $1) }.map { runs[$0] }
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
