package import Specs

/// All distinct runs of a grid.
package struct GridExpansion: Sendable {
  /// Settings that tell the cells of the table apart: always `student` and `method`, then whatever varies.
  package let columns: [String]
  /// In the order in which they should start.
  package private(set) var runs: [PlannedRun]
  /// Runs as the grid spells them, shared ones counted each time.
  package private(set) var asked: Int
  package let warnings: [GridProblem]
  /// Sentences such as `baseline does not read alpha: 10 runs asked for are 2`.
  package let sharing: [String]
  /// What the grid calls its networks.
  package let names: WrittenNames

  /// How many runs a grid may ask for without being told that it may.
  package static let usualLimit = 10_000
  /// How many it may ask for at all: what a machine can hold in memory.
  package static let limit = 1_000_000

  /// - Parameter limit: more runs than this are refused before any is made.
  /// - Throws: `GridRejected` with every problem.
  package init(_ grid: GridSpec, _ vocabulary: GridVocabulary, limit: Int = usualLimit) throws(GridRejected) {
    let columns = Self.columns(of: grid)
    var resolver = RunResolver(vocabulary, teacherSeeds: grid.teacherSeeds, columns: columns)
    resolver.check(grid)
    var asked = 0
    for block in grid.blocks where resolver.problems.isEmpty {
      let (count, overflow) = Self.size(of: block).addingReportingOverflow(asked)
      asked = overflow ? .max : count
      if let complaint = Self.complaint(about: asked, limit) {
        resolver.report(block.spot.problem(complaint))
      }
    }
    guard resolver.problems.isEmpty else { throw GridRejected(resolver.problems) }

    // One block's axes tell its cells apart, but for trainers, which are shown by their names; several blocks
    // and rows of `include` are looked at.
    let mayCoincide =
      grid.blocks.count > 1 || columns.contains("trainer") || grid.blocks.contains { !$0.include.isEmpty }
    var gathering = RunGathering(capacity: min(asked, limit), mayCoincide: mayCoincide)
    for (index, block) in grid.blocks.enumerated() {
      resolver.begin(block)
      for row in BlockRows(block) where !resolver.excludes(row, block) {
        gathering.add(resolver.cell(row, block: index), of: block)
      }
      for row in block.include {
        resolver.begin(block, include: row)
        gathering.add(resolver.cell(GridRow(row), block: index), of: block)
      }
      resolver.finish(block)
    }
    let problems = resolver.problems + gathering.clashes
    guard problems.isEmpty else { throw GridRejected(problems) }
    let runs = gathering.runs
    if runs.isEmpty, let block = grid.blocks.first {
      throw GridRejected([block.spot.problem("the grid asks for no runs")])
    }
    let complaints =
      ReportCheck.problems(grid, columns: columns, runs: runs, methods: Set(gathering.tally.keys))
      + ClaimCheck.problems(grid, columns: columns, runs: runs)
    let errors = complaints.filter { $0.severity == .error }
    guard errors.isEmpty else { throw GridRejected(errors) }
    self.columns = columns
    self.asked = gathering.asked
    names = resolver.names
    warnings = resolver.warnings + complaints
    sharing = Self.sharing(gathering.tally, grid, vocabulary)
    self.runs = grid.run.order == .cellMajor ? runs : Self.seedMajor(runs)
  }

  /// The same with some of the runs.
  ///
  /// - Parameter seeds: which of the seeds, by their places from 0, a cell of these labels gets.
  package func asking(_ set: ClaimSet, for seeds: ([JSONValue]) -> Range<Int>) -> GridExpansion {
    let places = Dictionary(uniqueKeysWithValues: set.seeds.enumerated().map { ($1, $0) })
    var ranges: [Int: Range<Int>] = [:]
    var expansion = self
    expansion.runs = runs.filter { run in
      let range = ranges[run.cell.number] ?? seeds(run.labels)
      ranges[run.cell.number] = range
      return places[run.seed].map(range.contains) ?? false
    }
    expansion.asked = asked - (runs.count - expansion.runs.count)
    return expansion
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

  fileprivate static func columns(of grid: GridSpec) -> [String] {
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

  /// The tasks of its transfers, in the order of the runs; empty where no backbone is put to anything.
  package var transferTasks: [TransferTask] {
    var seen: Set<TransferTask> = []
    return runs.lazy.compactMap { $0.cell.transfer?.spec.task }.filter { seen.insert($0).inserted }
  }

  /// What its runs read, students' and transfers', each once, in the order of the runs.
  package var datasets: [DatasetSpec] {
    var lessons: Set<Int> = []
    var transfers: Set<Int> = []
    var datasets: [DatasetSpec] = []
    for cell in runs.lazy.map(\.cell) {
      if cell.transfer?.source.isStudent != false, lessons.insert(cell.lesson.number).inserted {
        datasets.append(cell.lesson.dataset)
      }
      if let transfer = cell.transfer, transfers.insert(transfer.number).inserted {
        datasets.append(transfer.spec.dataset)
      }
    }
    return datasets
  }

  /// The first seed of every cell, then the second: an early table is already whole.
  private static func seedMajor(_ runs: [PlannedRun]) -> [PlannedRun] {
    let cells = 1 + (runs.lazy.map(\.cell.number).max() ?? 0)
    // One seed each.
    if cells == runs.count { return runs }
    var seedsOfCell = [Int](repeating: 0, count: cells)
    var rounds: [[PlannedRun]] = []
    for run in runs {
      let round = seedsOfCell[run.cell.number]
      seedsOfCell[run.cell.number] += 1
      if round == rounds.count { rounds.append([]) }
      rounds[round].append(run)
    }
    return rounds.flatMap(\.self)
  }

  /// Whether a method reads a setting; nil for a method that is not there.
  private static func reads(
    _ method: MethodDescription?, _ setting: String, _ vocabulary: GridVocabulary
  ) -> Bool? {
    method.map { method in
      vocabulary.settings[setting].map { method.reads($0) } == true || method.option(formerly: setting) != nil
    }
  }

  private static func sharing(
    _ tally: [String: (asked: Int, distinct: Int)], _ grid: GridSpec, _ vocabulary: GridVocabulary
  ) -> [String] {
    tally.filter { $0.value.asked > $0.value.distinct }.sorted { $0.key < $1.key }.map { name, count in
      let method = vocabulary.methods.first { $0.name == name }
      let axes = grid.blocks.flatMap { $0.axes.map(\.name) + $0.zip.flatMap { $0.map(\.name) } }
      var unread: [String] = []
      for axis in axes where !unread.contains(axis) && reads(method, axis, vocabulary) == false {
        unread.append(axis)
      }
      let reason =
        unread.isEmpty
        ? grid.blocks.count > 1 ? "stands in several blocks" : "is asked for more than once"
        : "does not read \(unread.joined(separator: ", "))"
      return "\(name) \(reason): \(counted(count.asked, "run")) asked for are \(count.distinct)"
    }
  }
}

extension GridDraft {
  /// The grid, where nothing is wrong with how it is written.
  ///
  /// - Throws: else `GridRejected`, with every name and value that can be judged all the same and is wrong,
  ///   too. What only whole runs can tell (options that do not go together, filters without effect, the
  ///   number of runs) waits until there is nothing else.
  package func judged(by vocabulary: GridVocabulary) throws(GridRejected) -> GridSpec {
    if let grid, problems.isEmpty { return grid }
    var found = problems
    if let grid {
      var resolver = RunResolver(
        vocabulary, teacherSeeds: grid.teacherSeeds, columns: GridExpansion.columns(of: grid))
      resolver.check(grid)
      // A place that has been complained about is left alone.
      let places = Set(problems.map(\.place))
      found += resolver.problems.filter { !places.contains($0.place) }
    }
    throw GridRejected(found.filter { $0.place.file == file } + found.filter { $0.place.file != file })
  }
}

/// The runs of a grid, each once, as its rows ask for them one after the other.
private struct RunGathering {
  private(set) var runs: [PlannedRun] = []
  /// How many runs rows have asked for, and how many of these nobody had asked for before: in
  /// all, and of each method.
  private(set) var asked = 0
  private(set) var tally: [String: (asked: Int, distinct: Int)] = [:]
  /// Cells that a table could not tell apart.
  private(set) var clashes: [GridProblem] = []
  /// Of each cell, by its number.
  private var seedsOfCell: [[Int]] = []
  /// Numbers of cells by their labels.
  private var shown: [[JSONValue]: Int] = [:]
  private let mayCoincide: Bool

  /// - Parameters:
  ///   - capacity: how many runs there may be.
  ///   - mayCoincide: whether two cells may have the same labels.
  init(capacity: Int, mayCoincide: Bool) {
    runs.reserveCapacity(capacity)
    self.mayCoincide = mayCoincide
  }

  /// - Parameter row: the cell that a row asks for, and whether no row before asked for it; nil
  ///   for a row that is wrong.
  mutating func add(_ row: (cell: RunCell, isNew: Bool)?, of block: GridSpec.Block) {
    guard let (cell, isNew) = row else { return }
    if mayCoincide { tellApart(cell, block) }
    var seeds = block.seeds
    if isNew {
      seedsOfCell.append(seeds)
    } else {
      // The very same list is told without a look into it.
      let known = seedsOfCell[cell.number]
      if known == seeds { seeds = [] } else { seeds = Self.without(known, seeds) }
      seedsOfCell[cell.number] += seeds
    }
    for seed in seeds { runs.append(PlannedRun(cell: cell, seed: seed)) }
    asked += block.seeds.count
    tally[cell.method.name, default: (0, 0)].asked += block.seeds.count
    tally[cell.method.name, default: (0, 0)].distinct += seeds.count
  }

  /// Never are different runs one cell of a table.
  private mutating func tellApart(_ cell: RunCell, _ block: GridSpec.Block) {
    guard let known = shown.updateValue(cell.number, forKey: cell.labels), known != cell.number else {
      return
    }
    let name = cell.labels.filter { $0 != .null }.map(\.title).joined(separator: " ")
    clashes.append(
      block.spot.problem(
        "two different cells would both be shown as \"\(name)\"; every block has to say what tells them "
          + "apart, and trainers need different names"
      ))
  }

  private static func without(_ known: [Int], _ seeds: [Int]) -> [Int] {
    let known = Set(known)
    return seeds.filter { !known.contains($0) }
  }
}
