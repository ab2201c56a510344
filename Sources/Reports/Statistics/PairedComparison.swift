/// Two samples that share their seeds: what is tested are the differences b - a, seed by seed.
package struct PairedComparison: Equatable, Sendable {
  /// Pairs.
  package let count: Int
  /// The mean of b - a.
  package let difference: Double
  /// The sample standard deviation of the differences; nil for one pair.
  package let std: Double?
  /// 95 percent, from Student's t with n - 1 degrees of freedom; nil without spread.
  package let interval: Interval?
  /// Two-sided. Nil for one pair, and where all differences are equal: then there is no spread to judge by.
  package let pairedT: Double?
  /// The share of all 2ⁿ ways to flip the signs of the differences whose mean is as far from 0; two-sided.
  ///
  /// Above `exactLimit` differences it is estimated from seeded flips.
  package let signFlip: Double
  /// Wilcoxon's signed rank test, two-sided and exact: zeros are left out, ties share their ranks.
  package let wilcoxon: Double
  /// The smallest p that the sign flip test and Wilcoxon's can give for so many differences
  /// other than 0: 2^(1 - n).
  package let smallestReachable: Double
  /// Cohen's d of the differences: their mean in units of their std; nil where there is no std.
  package let effectSize: Double?
  /// Pearson's r between the samples: how much shared seeds help. Nil for fewer than three
  /// pairs or without spread.
  package let correlation: Double?

  /// Whether the differences could speak against 0 at all: two pairs, and one that differs.
  package var isTestable: Bool { count > 1 && smallestReachable < 1 || count > 1 && difference != 0 }

  static let exactLimit = 20
  private static let flips = 100_000
  private static let seed: UInt64 = 0x666c_6970

  /// Nil for no pairs.
  package init?(_ pairs: [(a: Double, b: Double)]) {
    // Differences that are equal on paper may differ in the last bits of their binary neighbours.
    let size = pairs.reduce(0) { max($0, abs($1.a), abs($1.b)) }
    let differences = pairs.map { abs($0.b - $0.a) <= 1e-12 * size ? 0 : $0.b - $0.a }
    guard let sample = SampleStatistics(differences) else { return nil }
    let spread = sample.std.flatMap { $0 > 1e-12 * size ? $0 : nil }
    count = sample.count
    difference = sample.mean
    std = sample.std
    interval = spread == nil ? nil : sample.moments.interval()
    effectSize = spread.map { sample.mean / $0 }
    pairedT = spread.map { spread in
      let t = sample.mean / (spread / Double(sample.count).squareRoot())
      return StudentT(freedom: Double(sample.count - 1)).twoSided(t)
    }
    signFlip = Self.signFlip(differences)
    wilcoxon = Self.wilcoxon(differences, tie: 1e-12 * size)
    let moving = differences.count { $0 != 0 }
    smallestReachable = moving == 0 ? 1 : Self.power(of: 0.5, moving - 1)
    correlation = Self.correlation(pairs)
  }

  private static func power(of base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1.0) { product, _ in product * base }
  }

  private static func signFlip(_ differences: [Double]) -> Double {
    let size = differences.reduce(0) { $0 + abs($1) }
    guard size > 0 else { return 1 }
    let bound = abs(differences.reduce(0, +)) - 1e-12 * size
    guard differences.count <= exactLimit else { return drawnFlips(differences, bound) }
    var (extreme, all) = (0, 0)
    func flip(_ index: Int, _ sum: Double) {
      if index == differences.count {
        all += 1
        if abs(sum) >= bound { extreme += 1 }
        return
      }
      flip(index + 1, sum + differences[index])
      // The first sign stays: the other half of the flips has the same sums with the other sign.
      if index > 0 { flip(index + 1, sum - differences[index]) }
    }
    flip(0, 0)
    return Double(extreme) / Double(all)
  }

  private static func drawnFlips(_ differences: [Double], _ bound: Double) -> Double {
    var stream = CountedStream(seed: seed)
    var extreme = 1
    for _ in 0..<flips {
      var (sum, bits) = (0.0, UInt64(0))
      for (index, difference) in differences.enumerated() {
        if index % 64 == 0 { bits = stream.word() }
        sum += bits & 1 == 0 ? difference : -difference
        bits >>= 1
      }
      if abs(sum) >= bound { extreme += 1 }
    }
    return Double(extreme) / Double(flips + 1)
  }

  /// Counts, for every rank sum, the choices of signs that reach it.
  private static func wilcoxon(_ differences: [Double], tie: Double) -> Double {
    let moving = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
    guard !moving.isEmpty else { return 1 }
    // Twice the rank, so that shared ranks are whole.
    var ranks: [Int] = []
    while ranks.count < moving.count {
      let start = ranks.count
      var end = start + 1
      while end < moving.count, abs(moving[end]) - abs(moving[start]) <= tie { end += 1 }
      ranks += Array(repeating: start + 1 + end, count: end - start)
    }
    let total = ranks.reduce(0, +)
    var shares = [1.0] + Array(repeating: 0.0, count: total)
    for rank in ranks {
      for sum in stride(from: total, through: 0, by: -1) {
        shares[sum] = (shares[sum] + (sum >= rank ? shares[sum - rank] : 0)) / 2
      }
    }
    let positive = zip(moving, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
    return min(1, 2 * shares[0...min(positive, total - positive)].reduce(0, +))
  }

  private static func correlation(_ pairs: [(a: Double, b: Double)]) -> Double? {
    guard pairs.count > 2, let a = SampleStatistics(pairs.map(\.a)), let b = SampleStatistics(pairs.map(\.b)),
      let spreadA = a.std, let spreadB = b.std, spreadA > 0, spreadB > 0
    else { return nil }
    let products = pairs.reduce(0) { $0 + ($1.a - a.mean) * ($1.b - b.mean) }
    return products / Double(pairs.count - 1) / (spreadA * spreadB)
  }
}
