/// Two samples that share nothing, from their means, stds and sizes (Welch 1947): a
/// published table is enough.
///
///     t = (b - a) / √(s_a² / n_a + s_b² / n_b)
///
/// with Satterthwaite's degrees of freedom. Assumes that all runs are independent.
package struct WelchComparison: Equatable, Sendable {
  /// b - a.
  package let difference: Double
  /// Satterthwaite's.
  package let freedom: Double
  /// Two-sided.
  package let p: Double
  /// 95 percent, of the difference.
  package let interval: Interval
  /// Hedges' g: the difference in units of the pooled std, corrected for small samples.
  package let effectSize: Double

  /// Nil where a sample has no std, both have none to speak of (0), or their squares are no finite numbers.
  package init?(_ a: Moments, _ b: Moments) {
    guard let spreadA = a.std, let spreadB = b.std, a.count > 1, b.count > 1 else { return nil }
    let (nA, nB) = (Double(a.count), Double(b.count))
    let (partA, partB) = (spreadA * spreadA / nA, spreadB * spreadB / nB)
    guard partA + partB > 0 else { return nil }
    let difference = b.mean - a.mean
    let error = (partA + partB).squareRoot()
    let freedom =
      (partA + partB) * (partA + partB) / (partA * partA / (nA - 1) + partB * partB / (nB - 1))
    // Squares of the smallest and the largest numbers are 0 and infinite: then nothing can be said.
    guard difference.isFinite, error.isFinite, freedom.isFinite, freedom > 0 else { return nil }
    self.difference = difference
    self.freedom = freedom
    let distribution = StudentT(freedom: freedom)
    p = distribution.twoSided(difference / error)
    interval = Interval(around: difference, distribution.quantile(twoSided: 0.05) * error)
    let pooled =
      (((nA - 1) * spreadA * spreadA + (nB - 1) * spreadB * spreadB) / (nA + nB - 2)).squareRoot()
    effectSize = difference / pooled * (1 - 3 / (4 * (nA + nB) - 9))
  }
}
