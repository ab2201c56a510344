#if canImport(Glibc)
  internal import Glibc
#endif

/// The anytime-valid t test: evidence against "no difference" that stays valid however
/// often and whenever one looks.
///
/// For paired differences x_1 … x_n with mean m and sample standard deviation s, t = m √n / s and
/// ν = n - 1, the likelihood ratio of an effect size drawn from N(0, τ²) to none, with the right
/// Haar prior on the scale, is
///
///     log e(n, τ) = -½ log(1 + n τ²) + n/2 · [ log(1 + t²/ν) - log(1 + t²/(ν (1 + n τ²))) ]
///
/// and e(n) is its mean over τ in {½, 1, 2, 4, 8}. Under "no difference" e is a non-negative martingale that
/// starts at 1, so P(e(n) ≥ 1/a for any n) ≤ a (Ville's inequality), and 1 / max e is a p value.
///
///     AnytimeTest.evidence(count: 3, t: 16.470)          // 20: decided at 0.05
///     AnytimeTest.criticalT(count: 3, evidence: 20)      // 16.470
///     AnytimeTest.criticalT(count: 3, evidence: 60)      // nil: three differences never reach 60
///
/// Sources: Robbins 1970; Lai 1976; Rouder et al. 2009 for the Bayes factor; Grünwald, de Heide and Koolen,
/// "Safe testing" (JRSS B 2024); Pérez-Ortiz et al. (Annals of Statistics 2024). The mean over τ is ours: a
/// mean of such martingales is one.
package enum AnytimeTest {
  /// Prior standard deviations of the effect size.
  private static let scales = [0.5, 1, 2, 4, 8]

  /// log e(n).
  ///
  /// - Parameters:
  ///   - count: n. Fewer than two differences are no evidence: 0.
  ///   - t: any number, infinities included: then the result is the largest that n differences can reach.
  package static func logEvidence(count: Int, t: Double) -> Double {
    guard count > 1 else { return 0 }
    let n = Double(count)
    let freedom = n - 1
    let square = t * t
    let terms = scales.map { scale in
      let spread = n * scale * scale
      // log(1 + spread) itself is what the difference tends to for large t.
      let gain =
        square.isFinite ? log1p(square / freedom) - log1p(square / (freedom * (1 + spread))) : log1p(spread)
      return n / 2 * gain - log1p(spread) / 2
    }
    let highest = terms.max()!
    return highest + log(terms.reduce(0) { $0 + exp($1 - highest) } / Double(terms.count))
  }

  /// e(n), at least 0; infinite where it is beyond the range of a double.
  package static func evidence(count: Int, t: Double) -> Double { exp(logEvidence(count: count, t: t)) }

  /// e of its logarithm; infinite where it is beyond the range of a double.
  package static func evidence(logEvidence: Double) -> Double { exp(logEvidence) }

  /// 1 / e, at most 1: a p value that is valid whenever one stops, where e is the largest so far.
  package static func pValue(logEvidence: Double) -> Double { min(1, exp(-logEvidence)) }

  /// The |t| from which on e(n) is at least `evidence`, by halving; nil where n differences never reach it.
  ///
  /// - Parameters:
  ///   - count: n.
  ///   - evidence: above e(n) at t = 0, as every 1/level is.
  package static func criticalT(count: Int, evidence: Double) -> Double? {
    let target = log(evidence)
    guard count > 1, logEvidence(count: count, t: .infinity) > target else { return nil }
    var low = 0.0
    var high = 1.0
    while logEvidence(count: count, t: high) < target {
      low = high
      high *= 2
      // Only rounding keeps the limit itself from being reached.
      guard high < 1e150 else { return nil }
    }
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return high }
      if logEvidence(count: count, t: middle) < target { low = middle } else { high = middle }
    }
  }
}
