#if canImport(Glibc)
  internal import Glibc
#endif

/// Student's t distribution.
package struct StudentT: Sendable {
  /// Degrees of freedom ν > 0, not necessarily whole.
  package let freedom: Double

  package init(freedom: Double) {
    precondition(freedom > 0, "a t distribution with \(freedom) degrees of freedom")
    self.freedom = freedom
  }

  /// P(|T| ≥ |t|) = I_x(ν / 2, 1 / 2) with x = ν / (ν + t²). 0 for an infinite t.
  package func twoSided(_ t: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? .nan : 0 }
    return Beta.regularized(freedom / (freedom + t * t), freedom / 2, 0.5)
  }

  /// The t with P(|T| ≥ t) = p, by halving: the probability falls in t.
  ///
  /// - Parameter p: in (0, 1].
  package func quantile(twoSided p: Double) -> Double {
    precondition(p > 0 && p <= 1, "a quantile at \(p)")
    var (low, high) = (0.0, 1.0)
    while twoSided(high) > p { (low, high) = (high, 2 * high) }
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return middle }
      if twoSided(middle) > p { low = middle } else { high = middle }
    }
  }

  /// P(T > t) where the mean of the numerator is δ instead of 0 (the noncentral t distribution), which is
  /// what decides the power of a t test.
  ///
  ///     P(T > t) = ∫ Φ(δ - t s) f(s) ds,    s² ν ~ χ²(ν)
  ///
  /// Simpson's rule over twelve stds of s on either side; the error is below 1e-10 for ν from 1 to 10 000.
  package func above(_ t: Double, shift delta: Double) -> Double {
    // log f(s) for s = sqrt(χ² / ν).
    let constant = 2.0.logarithm + freedom / 2 * (freedom / 2).logarithm - logGamma(freedom / 2)
    func density(_ s: Double) -> Double {
      s <= 0
        ? (freedom == 1 ? exp(constant) : 0)
        : exp(constant + (freedom - 1) * s.logarithm - freedom * s * s / 2)
    }
    let spread = 12 / (2 * freedom).squareRoot()
    let (low, high) = (max(0, 1 - spread), 1 + spread)
    let steps = 4000
    let width = (high - low) / Double(steps)
    var sum = 0.0
    for step in 0...steps {
      let s = low + Double(step) * width
      let weight = step == 0 || step == steps ? 1.0 : (step % 2 == 1 ? 4 : 2)
      sum += weight * normalBelow(delta - t * s) * density(s)
    }
    return sum * width / 3
  }
}

/// Φ, the distribution function of the standard normal.
func normalBelow(_ value: Double) -> Double { 0.5 * erfc(-value / 2.0.squareRoot()) }

/// log Γ(x) for x > 0.
func logGamma(_ x: Double) -> Double { lgamma(x).0 }

extension Double {
  fileprivate var logarithm: Double { log(self) }
}

/// The incomplete beta function.
enum Beta {
  /// I_x(a, b), regularised, by Lentz's evaluation of its continued fraction.
  ///
  /// - Parameters:
  ///   - x: in [0, 1].
  ///   - a, b: above 0.
  static func regularized(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast on this side; the other follows by symmetry.
    if x > (a + 1) / (a + b + 2) { return 1 - regularized(1 - x, b, a) }
    let front = exp(a * log(x) + b * log1p(-x) - (logGamma(a) + logGamma(b) - logGamma(a + b))) / a
    let tiny = 1e-300
    var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
    d = 1 / (abs(d) < tiny ? tiny : d)
    var fraction = d
    for step in 1...1000 {
      let m = Double(step)
      for coefficient in [
        m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
      ] {
        d = 1 + coefficient * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + coefficient / c
        if abs(c) < tiny { c = tiny }
        fraction *= d * c
      }
      if abs(d * c - 1) < 1e-16 { break }
    }
    return front * fraction
  }
}
