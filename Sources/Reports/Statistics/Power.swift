/// How many seeds it takes to find a difference.
package struct Power: Equatable, Sendable {
  /// The true difference of the means, in the metric's unit.
  package let difference: Double
  /// Of the runs of one method.
  package let std: Double
  /// The chance of calling nothing something, two-sided.
  package let level: Double

  package init(difference: Double, std: Double, level: Double = 0.05) {
    self.difference = difference
    self.std = std
    self.level = level
  }

  /// The chance that a t test of two independent samples of n finds the difference.
  package func unpaired(seeds n: Int) -> Double {
    guard n > 1 else { return 0 }
    return chance(
      freedom: Double(2 * n - 2), shift: abs(difference) / std * (Double(n) / 2).squareRoot())
  }

  /// The chance that a paired t test over n shared seeds finds the difference.
  ///
  /// - Parameter correlation: between the two methods' results of one seed, below 1.
  package func paired(seeds n: Int, correlation: Double) -> Double {
    guard n > 1 else { return 0 }
    let spread = std * (2 * (1 - correlation)).squareRoot()
    return chance(freedom: Double(n - 1), shift: abs(difference) / spread * Double(n).squareRoot())
  }

  /// The smallest n for which `chance` is at least `power`; nil beyond `limit`.
  package static func seeds(for power: Double, limit: Int = 10_000, _ chance: (Int) -> Double) -> Int? {
    var (low, high) = (1, 2)
    while chance(high) < power {
      guard high < limit else { return nil }
      (low, high) = (high, 2 * high)
    }
    // The chance rises with n.
    while high - low > 1 {
      let middle = (low + high) / 2
      if chance(middle) < power { low = middle } else { high = middle }
    }
    return high
  }

  private func chance(freedom: Double, shift: Double) -> Double {
    guard shift.isFinite else { return 1 }
    let distribution = StudentT(freedom: freedom)
    let bound = distribution.quantile(twoSided: level)
    return distribution.above(bound, shift: shift) + distribution.above(bound, shift: -shift)
  }
}
