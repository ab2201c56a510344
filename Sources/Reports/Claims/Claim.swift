/// What one comparison of a claim has come to.
package enum ClaimAnswer: Equatable, Sendable {
  /// There is a difference; positive where the first of the pair is higher.
  case different(isPositive: Bool)
  /// The interval lies within ± smallest.
  case noDifference
  /// More seeds can decide it.
  case open
  /// It is not decided, and the cells have all the seeds that the grid allows.
  case openAtLimit
  /// No seed can decide it; a sentence says why. Final.
  case impossible(String)

  /// Whether more seeds are to be asked for.
  package var isOpen: Bool { self == .open }
}

/// One comparison that a claim makes: two cells, paired by seed.
package struct ClaimComparison: Sendable {
  /// What became of one seed of a cell.
  package enum SeedResult: Equatable, Sendable {
    case value(Double)
    /// It ended without a number: failed, diverged, blocked. The pair is left out and counted.
    case without
  }

  /// Places of the two cells among the schedule's, first minus second.
  package let first: Int
  package let second: Int
  /// In units of the metric: a difference below it does not matter. Nil where the claim names none.
  package let smallest: Double?

  package init(first: Int, second: Int, smallest: Double? = nil) {
    self.first = first
    self.second = second
    self.smallest = smallest
  }
}

/// What is known of a comparison after the last finished look.
package struct ClaimState: Equatable, Sendable {
  package let answer: ClaimAnswer
  /// Pairs of finished runs.
  package let pairs: Int
  /// Seeds of which one side ended without a number.
  package let missing: Int
  /// m, first minus second; nil without pairs.
  package let mean: Double?
  /// Valid at all n together, over the whole family; nil where n is too small for one, or there is no spread.
  package let interval: Interval?
  /// log of the largest e over all looks so far.
  package let logEvidence: Double
  /// Adjusted by Holm over the family.
  package let p: Double
  /// log e at each look at which the comparison was looked at, with the number of pairs then.
  package let path: [Look]

  package struct Look: Equatable, Sendable {
    package let pairs: Int
    package let mean: Double?
    package let interval: Interval?
    package let logEvidence: Double
  }
}
