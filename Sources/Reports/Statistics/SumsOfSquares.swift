/// How much of the spread of a full factorial each factor and each interaction of factors accounts for.
///
/// Every combination of levels has one value, so the sums of squares are orthogonal and add up to the total
/// one,
/// without any model being fitted: no order in which factors enter, nothing that is left over. Where seeds
/// are one of the
/// factors, what interacts with them is what a model without seeds calls its residual.
///
///     Q(S)  = Σ over the level combinations of S of n(S) (mean - grand mean)²
///     SS(S) = Σ over T ⊆ S of (-1)^(|S| - |T|) Q(T)
struct SumsOfSquares: Sendable {
  /// Beside subsets of the factors as bits: the sum of squares of the effect of exactly these; 0 for none of
  /// them.
  let effects: [Double]
  let total: Double

  /// - Parameters:
  ///   - levels: how many each factor has.
  ///   - values: one a combination; the last factor turns fastest.
  /// - Precondition: as many values as combinations.
  init(levels: [Int], values: [Double]) {
    precondition(values.count == levels.reduce(1, *), "one value a combination of levels")
    let grand = values.reduce(0, +) / Double(values.count)
    let centred = values.map { $0 - grand }
    let subsets = 1 << levels.count
    var sums = (0..<subsets).map { Self.between($0, levels, centred) }
    // Each factor in turn is taken out of the subsets that have it: all signs of the sum above.
    for factor in levels.indices {
      for subset in 0..<subsets where subset >> factor & 1 == 1 {
        sums[subset] -= sums[subset ^ (1 << factor)]
      }
    }
    // What rounding leaves of nothing is nothing.
    effects = sums.map { max(0, $0) }
    total = centred.reduce(0) { $0 + $1 * $1 }
  }

  /// Q of a subset.
  private static func between(_ subset: Int, _ levels: [Int], _ values: [Double]) -> Double {
    var strides = [Int](repeating: 0, count: levels.count)
    var groups = 1
    for factor in levels.indices.reversed() where subset >> factor & 1 == 1 {
      strides[factor] = groups
      groups *= levels[factor]
    }
    var sums = [Double](repeating: 0, count: groups)
    var counter = [Int](repeating: 0, count: levels.count)
    for value in values {
      sums[zip(counter, strides).reduce(0) { $0 + $1.0 * $1.1 }] += value
      for factor in levels.indices.reversed() {
        counter[factor] += 1
        if counter[factor] < levels[factor] { break }
        counter[factor] = 0
      }
    }
    return sums.reduce(0) { $0 + $1 * $1 } * Double(groups) / Double(values.count)
  }
}
