package import Specs

/// What a sweep claims, and what its results say of each claim so far: a pure function of the results.
package struct ClaimBook: Sendable {
  package let set: ClaimSet
  /// In the order of the claims and of the sweep's cells.
  package let entries: [Entry]
  package let looks: Int
  /// Whether runs that were asked for have not ended yet, so that the next look is still to come.
  package let isWaiting: Bool
  /// How many seeds each cell is asked for, by its labels.
  private let counts: [[JSONValue]: Int]
  /// The labels of cells of comparisons that are open.
  private let openCells: Set<[JSONValue]>
  private let cells: [[JSONValue]]
  private let sides: [Side]
  private let comparisons: [ClaimComparison]
  private let read: [Readings]

  /// One side of a comparison: a cell, or cells whose mean is taken seed by seed. It stands once for each
  /// claim, whose metric may be another one.
  private struct Side: Hashable {
    let claim: Int
    /// Places among the cells.
    let members: [Int]
  }

  /// One comparison of a claim.
  package struct Entry: Sendable {
    package let claim: ClaimSpec
    /// The labels of all cells of both sides.
    package let cells: [[JSONValue]]
    package let metric: MetricDescription
    /// What the two cells have in common: `resnet56 M=2`.
    package let context: String
    /// The seeds that the two cells are asked for.
    package let seeds: Int
    package let state: ClaimState
  }

  /// - Parameters:
  ///   - columns: what labels are called.
  ///   - cells: the labels of each cell that the grid asks for, once.
  ///   - results: of a claim: its metric under its selection, over the runs that there are.
  package init(
    _ set: ClaimSet, columns: [String], cells: [[JSONValue]], results: (ClaimSpec) throws -> SweepResults
  ) rethrows {
    self.set = set
    self.cells = cells
    let read = try set.claims.map { Readings(try results($0), set) }
    let pairs = set.pairs(columns: columns, cells: cells)
    var sides: [Side] = []
    var places: [Side: Int] = [:]
    func place(_ side: Side) -> Int {
      if let known = places[side] { return known }
      places[side] = sides.count
      sides.append(side)
      return sides.count - 1
    }
    let comparisons = pairs.map { pair in
      ClaimComparison(
        first: place(Side(claim: pair.claim, members: pair.first)),
        second: place(Side(claim: pair.claim, members: pair.second)),
        smallest: set.claims[pair.claim].smallest?.double)
    }
    let schedule = ClaimSchedule(comparisons, cells: sides.count, Self.rules(set)) { side, seed in
      Self.mean(
        sides[side].members.map { read[sides[side].claim].result(cells[$0], set.seeds[seed]) })
    }
    self.read = read
    self.sides = sides
    self.comparisons = comparisons
    looks = schedule.looks
    isWaiting = schedule.isWaiting
    var counts: [[JSONValue]: Int] = [:]
    for (side, count) in zip(sides, schedule.seeds) {
      for member in side.members { counts[cells[member], default: set.count].raise(to: count) }
    }
    self.counts = counts
    let open = zip(comparisons, schedule.states).filter { $1.answer.isOpen }.map { $0.0 }
    openCells = Set(open.flatMap { [$0.first, $0.second] }.flatMap { sides[$0].members }.map { cells[$0] })
    let pools = ReportTable.poolNames(columns, cells)
    entries = pairs.indices.map { index in
      let (pair, comparison) = (pairs[index], comparisons[index])
      let claim = set.claims[pair.claim]
      let means = claim.average.compactMap { name in columns.firstIndex(of: name).map { (name, $0) } }
      let averages = means.map { name, place in
        SweepResults.Average.words(
          name, max(1, Set((pair.first + pair.second).map { cells[$0][place] }).subtracting([.null]).count))
      }
      let context = Self.context(pair.common, columns, pools)
      let over = averages.isEmpty ? "" : "mean over \(averages.joined(separator: " and "))"
      return Entry(
        claim: claim, cells: (pair.first + pair.second).map { cells[$0] }, metric: read[pair.claim].metric,
        context: [over, context].filter { !$0.isEmpty }.joined(separator: " "),
        seeds: max(schedule.seeds[comparison.first], schedule.seeds[comparison.second]),
        state: schedule.states[index])
    }
  }

  /// Of one seed of the cells of a side: nil until all of them have ended; without a value
  /// where one of them has none.
  private static func mean(_ results: [ClaimComparison.SeedResult?]) -> ClaimComparison.SeedResult? {
    var sum = 0.0
    var isWithout = false
    for result in results {
      switch result {
      case nil: return nil
      case .without: isWithout = true
      case .value(let value): sum += value
      }
    }
    return isWithout ? .without : .value(sum / Double(results.count))
  }

  private static func rules(_ set: ClaimSet) -> ClaimSchedule.Rules {
    ClaimSchedule.Rules(
      count: set.count, limit: set.seeds.count, step: set.step, level: set.level.double)
  }

  /// Runs that the claims will have asked for in the end, by simulation: results that are there stay, others
  /// are drawn around the mean of their cell.
  ///
  /// - Parameters:
  ///   - std: std of the runs of a cell, above 0.
  ///   - correlation: between two cells' results of one seed, clamped to 0 ... 0.99.
  ///   - normal: standard normal numbers of a draw (from 0), a cell (nil for what all cells of
  ///     a seed share) and a seed.
  /// - Returns: the mean over the draws. A cell without results is taken to be at its claim's mean, and one
  ///   std above it where it is the first of a pair.
  package func expectedRuns(
    std: Double, correlation: Double, normal: (_ draw: Int, _ cell: Int?, _ seed: Int) -> Double
  ) -> Double {
    let shared = min(0.99, max(0, correlation))
    let firsts = Set(
      comparisons.flatMap { comparison in
        sides[comparison.first].members.map { [sides[comparison.first].claim, $0] }
      })
    let means = read.indices.map { claim in
      let all = cells.map { read[claim].mean($0) }
      let known = all.compactMap(\.self)
      let base = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
      return all.enumerated().map { place, mean in mean ?? base + (firsts.contains([claim, place]) ? std : 0)
      }
    }
    let work = max(1, comparisons.count * set.seeds.count * set.seeds.count)
    // Many comparisons are many draws already.
    let draws = min(200, max(1, 2_000_000 / work))
    var total = 0
    for draw in 0..<draws {
      func drawn(_ claim: Int, _ cell: Int, _ seed: Int) -> ClaimComparison.SeedResult {
        if let known = read[claim].result(cells[cell], set.seeds[seed]) { return known }
        let own = normal(draw, claim * cells.count + cell, seed)
        let noise = shared.squareRoot() * normal(draw, nil, seed) + (1 - shared).squareRoot() * own
        return .value(means[claim][cell] + std * noise)
      }
      let schedule = ClaimSchedule(comparisons, cells: sides.count, Self.rules(set)) { side, seed in
        Self.mean(sides[side].members.map { drawn(sides[side].claim, $0, seed) })
      }
      var counts = Array(repeating: set.count, count: cells.count)
      for (side, count) in zip(sides, schedule.seeds) {
        for member in side.members { counts[member].raise(to: count) }
      }
      total += counts.reduce(0, +)
    }
    return Double(total) / Double(draws)
  }

  /// How many of the grid's seeds a cell of these labels is asked for: the first so many.
  package func count(of labels: [JSONValue]) -> Int { counts[labels] ?? set.count }

  /// How many seeds a cell of these labels gets if nothing more is decided.
  package func mostCount(of labels: [JSONValue]) -> Int {
    openCells.contains(labels) ? set.seeds.count : count(of: labels)
  }

  /// Comparisons that more seeds can decide.
  package var open: Int { entries.count { $0.state.answer.isOpen } }

  /// Comparisons without an answer, those at their last seed among them.
  package var undecided: Int {
    entries.count { $0.state.answer.isOpen || $0.state.answer == .openAtLimit }
  }

  /// Whether some cell has more seeds than every cell gets, so that the data chose how many.
  package var hasGrown: Bool { counts.values.contains { $0 > set.count } }

  /// `2 of 5 claims open after 3 looks`.
  package var summary: String {
    let final = undecided - open
    let rest = final > 0 ? ", \(final) undecided at the last seed" : ""
    return "\(open) of \(counted(entries.count, "claim")) open after \(counted(looks, "look"))\(rest)"
  }

  private static func context(
    _ labels: [JSONValue], _ columns: [String], _ pools: [JSONValue: String]
  ) -> String {
    zip(columns, labels).compactMap { column, label -> String? in
      guard label != .null else { return nil }
      return column == "student" ? ReportTable.text(label) : ReportTable.word(column, label, pools)
    }.joined(separator: " ")
  }
}

extension Int {
  fileprivate mutating func raise(to value: Int) { self = Swift.max(self, value) }
}

/// The results of one claim by cell and seed.
private struct Readings {
  let metric: MetricDescription
  private let values: [[JSONValue]: [Int: ClaimComparison.SeedResult]]

  init(_ results: SweepResults, _ set: ClaimSet) {
    metric = results.described
    var values: [[JSONValue]: [Int: ClaimComparison.SeedResult]] = [:]
    for run in results.runs where run.state != .open {
      switch Cell.choice(of: run, results.select) {
      case .value(let value): values[run.labels, default: [:]][run.seed] = .value(value)
      case .gap: values[run.labels, default: [:]][run.seed] = .without
      }
    }
    self.values = values
  }

  /// Of the values that there are; nil where there is none.
  func mean(_ labels: [JSONValue]) -> Double? {
    let known = (values[labels] ?? [:]).values.compactMap { result in
      if case .value(let value) = result { value } else { nil }
    }
    return known.isEmpty ? nil : known.sorted().reduce(0, +) / Double(known.count)
  }

  /// Nil while the run has not ended.
  func result(_ labels: [JSONValue], _ seed: Int) -> ClaimComparison.SeedResult? { values[labels]?[seed] }
}

extension ClaimBook.Entry {
  /// Where the claim stands, in words.
  package func answer(_ digits: Int) -> String {
    switch state.answer {
    case .different(let isPositive): "different: \(isPositive ? claim.first : claim.second) is higher"
    case .noDifference: "no difference of \(claim.smallest.map(String.init(describing:)) ?? "note")"
    case .open: "open"
    case .openAtLimit: "open at \(counted(seeds, "seed"))"
    case .impossible(let reason): "impossible: \(reason)"
    }
  }

  /// Such as `different`, for machines.
  package var word: String {
    switch state.answer {
    case .different: "different"
    case .noDifference: "noDifference"
    case .open: "open"
    case .openAtLimit: "openAtLimit"
    case .impossible: "impossible"
    }
  }
}
