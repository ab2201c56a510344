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
  private let cells: [[JSONValue]]
  private let comparisons: [ClaimComparison]
  private let read: [Readings]

  /// One comparison of a claim.
  package struct Entry: Sendable {
    package let claim: ClaimSpec
    /// The labels of the two cells.
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
    // A cell stands once for each claim: its metric may be another one.
    let comparisons = pairs.map { pair in
      ClaimComparison(
        first: pair.claim * cells.count + pair.first, second: pair.claim * cells.count + pair.second,
        smallest: set.claims[pair.claim].smallest?.double)
    }
    let schedule = ClaimSchedule(
      comparisons, cells: cells.count * set.claims.count,
      Self.rules(set)
    ) { cell, seed in
      read[cell / cells.count].result(cells[cell % cells.count], set.seeds[seed])
    }
    self.read = read
    self.comparisons = comparisons
    looks = schedule.looks
    isWaiting = schedule.isWaiting
    var counts: [[JSONValue]: Int] = [:]
    for (place, count) in schedule.seeds.enumerated() {
      counts[cells[place % cells.count], default: set.count].raise(to: count)
    }
    self.counts = counts
    let pools = ReportTable.poolNames(columns, cells)
    let method = columns.firstIndex(of: "method") ?? 0
    entries = zip(pairs, schedule.states).map { pair, state in
      let common = ClaimSet.common(cells[pair.first], cells[pair.second], besides: method) ?? []
      return Entry(
        claim: set.claims[pair.claim], cells: [cells[pair.first], cells[pair.second]],
        metric: read[pair.claim].metric,
        context: Self.context(common, columns, pools),
        seeds: max(
          schedule.seeds[pair.claim * cells.count + pair.first],
          schedule.seeds[pair.claim * cells.count + pair.second]), state: state)
    }
  }

  private static func rules(_ set: ClaimSet) -> ClaimSchedule.Rules {
    ClaimSchedule.Rules(
      count: set.count, limit: set.seeds.count, step: set.step, level: set.level.double)
  }

  /// Runs that the claims will have asked for in the end, by simulation: results that are there stay, others are drawn
  /// around the mean of their cell.
  ///
  /// - Parameters:
  ///   - std: std of the runs of a cell, above 0.
  ///   - correlation: between two cells' results of one seed, clamped to 0 ... 0.99.
  ///   - normal: standard normal numbers of a draw (from 0), a cell (nil for what all cells of a seed share) and a seed.
  /// - Returns: the mean over the draws. A cell without results is taken to be at its claim's mean, and one std above
  ///   it where it is the first of a pair.
  package func expectedRuns(
    std: Double, correlation: Double, normal: (_ draw: Int, _ cell: Int?, _ seed: Int) -> Double
  ) -> Double {
    let shared = min(0.99, max(0, correlation))
    let firsts = Set(comparisons.map(\.first))
    let means = read.indices.flatMap { claim in
      let all = cells.map { read[claim].mean($0) }
      let known = all.compactMap(\.self)
      let base = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
      return all.enumerated().map { place, mean in
        mean ?? base + (firsts.contains(claim * cells.count + place) ? std : 0)
      }
    }
    let work = max(1, comparisons.count * set.seeds.count * set.seeds.count)
    let draws = min(200, max(10, 2_000_000 / work))
    var total = 0
    for draw in 0..<draws {
      let schedule = ClaimSchedule(
        comparisons, cells: cells.count * read.count, Self.rules(set)
      ) { cell, seed in
        if let known = read[cell / cells.count].result(cells[cell % cells.count], set.seeds[seed]) {
          return known
        }
        let noise =
          shared.squareRoot() * normal(draw, nil, seed) + (1 - shared).squareRoot() * normal(draw, cell, seed)
        return .value(means[cell] + std * noise)
      }
      var counts = Array(repeating: set.count, count: cells.count)
      for (place, count) in schedule.seeds.enumerated() { counts[place % cells.count].raise(to: count) }
      total += counts.reduce(0, +)
    }
    return Double(total) / Double(draws)
  }

  /// How many of the grid's seeds a cell of these labels is asked for: the first so many.
  package func count(of labels: [JSONValue]) -> Int { counts[labels] ?? set.count }

  /// How many seeds a cell of these labels gets if nothing more is decided.
  package func mostCount(of labels: [JSONValue]) -> Int {
    let isOpen = zip(comparisons, entries).contains { comparison, entry in
      entry.state.answer.isOpen
        && [comparison.first, comparison.second].contains { cells[$0 % cells.count] == labels }
    }
    return isOpen ? set.seeds.count : count(of: labels)
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
