/// Percentile intervals of a mean from resampling with replacement.
///
/// Up to `exactLimit` values every resample is counted, so that nothing is random; above, `resamples` are
/// drawn from a fixed stream. The same values in the same order give the same interval everywhere. For few
/// values the interval is too narrow (three values: their smallest and largest mean bound it), which is why
/// tables show the t interval.
package enum Bootstrap {
  static let exactLimit = 8
  static let resamples = 10_000
  /// "mtkd".
  private static let seed: UInt64 = 0x6d74_6b64

  /// Nil for fewer than two values.
  package static func interval(of values: [Double], confidence: Double = 0.95) -> Interval? {
    guard values.count > 1 else { return nil }
    let means = values.count <= exactLimit ? every(values) : drawn(values)
    let tail = (1 - confidence) / 2
    return Interval(low: quantile(tail, of: means), high: quantile(1 - tail, of: means))
  }

  /// A mean, and how many of all resamples have it.
  typealias Weighted = (mean: Double, weight: Int)

  /// All nⁿ resamples, as the ways to share n draws among n values, each with its multinomial coefficient.
  private static func every(_ values: [Double]) -> [Weighted] {
    let n = values.count
    let factorial = (0...n).map { ($0 < 2 ? 1...1 : 1...$0).reduce(1, *) }
    var means: [Weighted] = []
    func share(_ left: Int, from index: Int, sum: Double, divisor: Int) {
      if index == n - 1 {
        let mean = (sum + Double(left) * values[index]) / Double(n)
        means.append((mean, factorial[n] / (divisor * factorial[left])))
        return
      }
      for draws in 0...left {
        share(
          left - draws, from: index + 1, sum: sum + Double(draws) * values[index],
          divisor: divisor * factorial[draws])
      }
    }
    share(n, from: 0, sum: 0, divisor: 1)
    return means.sorted { $0.mean < $1.mean }
  }

  private static func drawn(_ values: [Double]) -> [Weighted] {
    var stream = CountedStream(seed: seed)
    let means = (0..<resamples).map { _ -> Double in
      var sum = 0.0
      for _ in values.indices { sum += values[stream.index(below: values.count)] }
      return sum / Double(values.count)
    }
    return means.sorted().map { ($0, 1) }
  }

  /// The quantile of the expanded list, linear between neighbours (the usual rule, number 7
  /// of Hyndman and Fan 1996).
  private static func quantile(_ share: Double, of means: [Weighted]) -> Double {
    let count = means.reduce(0) { $0 + $1.weight }
    let place = share * Double(count - 1)
    let below = Int(place.rounded(.down))
    func value(at rank: Int) -> Double {
      var seen = 0
      for entry in means {
        seen += entry.weight
        if rank < seen { return entry.mean }
      }
      return means[means.count - 1].mean
    }
    let (low, high) = (value(at: below), value(at: min(below + 1, count - 1)))
    return low + (place - Double(below)) * (high - low)
  }
}

/// splitmix64 over a counter: draw i depends on the seed and on i alone.
struct CountedStream {
  private let seed: UInt64
  private var counter: UInt64 = 0

  init(seed: UInt64) { self.seed = seed }

  mutating func word() -> UInt64 {
    counter += 1
    var z = seed &+ counter &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// From the upper half of a word.
  mutating func index(below bound: Int) -> Int { Int(((word() >> 32) &* UInt64(bound)) >> 32) }
}
