internal import Specs

/// How many seeds differences need, from what a store has seen or from assumptions.
package struct PowerSheet: Sendable {
  /// Of the runs of one cell.
  package let std: Double
  /// Between two methods' results of one seed.
  package let correlation: Double?
  /// Where the two come from, in words.
  package let basis: String
  /// The chance of finding the difference that is asked for.
  package let chance: Double
  package let differences: [Double]

  /// With what is said, and the spread of a sweep's cells for what is not.
  package init(
    differences: [Double], std: Double?, correlation: Double?, chance: Double, cells: [Cell] = []
  ) {
    let spread = Self.spread(of: cells)
    let shared = Self.correlation(of: cells)
    self.chance = chance
    let chosen = std ?? spread?.std ?? 0.3
    self.std = chosen
    self.correlation = correlation ?? shared?.r
    var parts: [String] = []
    if std != nil {
      parts.append("the std is as given")
    } else if let spread {
      parts.append(
        "the std is pooled over \(counted(spread.cells, "cell")) with "
          + "\(counted(spread.freedom, "degree")) of freedom"
      )
    } else {
      parts.append("the std is assumed; no finished cell has two seeds yet")
    }
    if correlation != nil {
      parts.append("the correlation is as given")
    } else if let shared {
      parts.append("the correlation is estimated from \(counted(shared.pairs, "pair")) of cells")
    }
    basis = parts.joined(separator: "; ")
    self.differences = differences.isEmpty ? [0.5, 1, 1.5, 2, 3].map { $0 * chosen } : differences
  }

  /// √(Σ (n - 1) s² / Σ (n - 1)) over cells with two seeds or more; nil where there is no spread.
  static func spread(of cells: [Cell]) -> (std: Double, freedom: Int, cells: Int)? {
    let spreads = cells.compactMap { cell in
      cell.headline.flatMap { sample in sample.std.map { (freedom: sample.count - 1, std: $0) } }
    }
    let freedom = spreads.reduce(0) { $0 + $1.freedom }
    let squares = spreads.reduce(0) { $0 + Double($1.freedom) * $1.std * $1.std }
    guard freedom > 0, squares > 0 else { return nil }
    return ((squares / Double(freedom)).squareRoot(), freedom, spreads.count)
  }

  /// 1 - Σ s²(b - a) / Σ (s²(a) + s²(b)) over neighbouring cells that share three seeds or more: what
  /// pairing saves of the variance.
  static func correlation(of cells: [Cell]) -> (r: Double, pairs: Int)? {
    var (differences, sums, pairs) = (0.0, 0.0, 0)
    for (a, b) in zip(cells, cells.dropFirst()) {
      let other = Dictionary(a.values.map { ($0.seed, $0.value) }) { $1 }
      let shared = b.values.compactMap { value in other[value.seed].map { (a: $0, b: value.value) } }
      guard shared.count > 2, let first = SampleStatistics(shared.map(\.a))?.std,
        let second = SampleStatistics(shared.map(\.b))?.std,
        let both = SampleStatistics(shared.map { $0.b - $0.a })?.std
      else { continue }
      differences += both * both
      sums += first * first + second * second
      pairs += 1
    }
    guard pairs > 0, sums > 0 else { return nil }
    return (1 - differences / sums, pairs)
  }

  /// Correlations that the table shows: none, half, and the store's own.
  private var correlations: [Double] {
    let own = correlation.map { min(0.99, max(-0.99, $0)) }
    return Set([0, 0.5] + (own.map { [$0] } ?? [])).sorted()
  }

  package func seeds(difference: Double) -> (unpaired: Int?, paired: [Int?]) {
    let power = Power(difference: difference, std: std)
    let paired = correlations.map { r in
      Power.seeds(for: chance) { power.paired(seeds: $0, correlation: r) }
    }
    return (Power.seeds(for: chance) { power.unpaired(seeds: $0) }, paired)
  }

  package func sheet(_ style: TextStyle) -> Sheet {
    func text(_ seeds: Int?) -> Sheet.Entry { Sheet.Entry(seeds.map(String.init) ?? "over 10000") }
    let rows = differences.map { difference -> [Sheet.Entry] in
      let seeds = seeds(difference: difference)
      let power = Power(difference: difference, std: std)
      return [Sheet.Entry(NumberFormat.fixed(difference, 2)), text(seeds.unpaired)] + seeds.paired.map(text)
        + [Sheet.Entry(NumberFormat.fixed(power.unpaired(seeds: 3), 2))]
    }
    return Sheet(
      title: "Seeds a method for a difference, to find it with probability \(NumberFormat.fixed(chance, 2))",
      head: ["difference", "unpaired"] + correlations.map { "pairs at r = \(NumberFormat.fixed($0, 2))" } + [
        "chance at n = 3"
      ],
      rows: rows,
      notes: [
        "Two-sided t tests at 0.05 without correction; std \(NumberFormat.fixed(std, 2)); \(basis).",
        "Pairs share their seeds. What they save is the correlation, which a sweep has to show: "
          + "\(correlation.map { "here r = \(NumberFormat.fixed($0, 2))" } ?? "nothing is known yet").",
      ])
  }
}
