package import Specs

/// Two cells under a test: b - a.
package struct CellComparison: Sendable {
  package let a: Cell
  package let b: Cell
  /// What the two are called where they stand beside each other.
  package let nameA: String
  package let nameB: String
  /// What they have in common: `resnet56`, `resnet56 M=2`.
  package let context: String
  package let test: ReportTest
  /// Over the seeds that both have; nil where they share none.
  package let paired: PairedComparison?
  package let welch: WelchComparison?
  /// After the correction over the family; the p itself outside one.
  package private(set) var adjusted: Double?

  /// The usual bound of a p value.
  package static let level = 0.05

  package init(_ a: Cell, _ b: Cell, names: (a: String, b: String), context: String, test: ReportTest) {
    self.a = a
    self.b = b
    self.context = context
    self.test = test
    (nameA, nameB) = names
    let other = Dictionary(a.values.map { ($0.seed, $0.value) }) { $1 }
    paired = PairedComparison(
      b.values.compactMap { value in other[value.seed].map { (a: $0, b: value.value) } })
    if let first = a.headline, let second = b.headline {
      welch = WelchComparison(first.moments, second.moments)
    } else {
      welch = nil
    }
    adjusted = p
  }

  /// b - a: of the shared seeds under a paired test, of the means otherwise.
  package var difference: Double? {
    if test.isPaired { return paired?.difference }
    guard let first = a.headline, let second = b.headline else { return nil }
    return second.mean - first.mean
  }

  /// 95 percent, of the difference.
  package var interval: Interval? { test.isPaired ? paired?.interval : welch?.interval }

  /// Under the test; nil where the cells do not allow it: one pair, or no differences.
  package var p: Double? { p(under: test) }

  func p(under test: ReportTest) -> Double? {
    switch test {
    case .none: nil
    case .pairedT: paired?.pairedT
    case .signFlip: paired.flatMap { $0.isTestable ? $0.signFlip : nil }
    case .wilcoxon: paired.flatMap { $0.isTestable ? $0.wilcoxon : nil }
    case .welch: welch?.p
    }
  }

  /// Pairs up to which the exact sign flip test stands beside the t test, whose assumption
  /// so few pairs cannot check.
  static let mostExactPairs = 12

  /// The exact sign flip p of few pairs under a paired t test; nil elsewhere.
  var exactP: Double? {
    guard test == .pairedT, let paired, paired.count <= Self.mostExactPairs else { return nil }
    return p(under: .signFlip)
  }

  /// Whether the difference counts as one: the adjusted p is below 0.05. Nil where there is no p.
  package var isDistinguishable: Bool? { adjusted.map { $0 < Self.level } }

  /// The same comparisons with p values adjusted over all of them.
  package static func family(_ family: [CellComparison], _ correction: ReportCorrection) -> [CellComparison] {
    zip(family, correction.adjusted(family.map(\.p))).map { comparison, adjusted in
      var comparison = comparison
      comparison.adjusted = adjusted
      return comparison
    }
  }
}

extension ReportTest {
  package var isPaired: Bool { [.pairedT, .signFlip, .wilcoxon].contains(self) }
}

extension ReportTable {
  /// The comparisons that `compareTo` declares: every other method with one, or one pair, wherever the rest
  /// of the labels agrees. A setting that one of the two does not read agrees with every value.
  /// An entry that takes means over settings is of the cells of those means.
  static func declared(
    _ layout: ReportLayout, _ cells: [Cell], _ results: SweepResults, _ source: SweepResults
  ) -> [CellComparison] {
    guard layout.test != .none else { return [] }
    var family: [CellComparison] = []
    var seen: Set<[JSONValue]> = []
    var means: [[String]: (cells: [Cell], results: SweepResults)] = [:]
    for entry in layout.compareTo {
      let own = ReportPreferences.averages(inFamily: entry)
      var (cells, results) = (cells, results)
      if !own.isEmpty {
        // What the whole table averages is averaged here too.
        let names = layout.average + own.filter { !layout.average.contains($0) }
        let averaged = means[names]?.results ?? source.averaged(over: names)
        (cells, results) = (
          means[names]?.cells ?? Cell.cells(of: averaged, allowMixed: layout.allowMixed), averaged
        )
        means[names] = (cells, results)
      }
      guard let method = results.columns.firstIndex(of: "method") else { continue }
      let names = ReportPreferences.methods(inFamily: entry)
      guard let reference = names.last else { continue }
      let candidates = cells.filter { cell in
        let name = Self.text(cell.labels[method])
        return names.count == 2 ? name == names[0] : name != reference
      }
      let references = cells.filter { Self.text($0.labels[method]) == reference }
      for candidate in candidates {
        for other in references where agree(candidate, other, besides: method) {
          // Two methods of the list are compared once.
          let over = JSONValue.array(own.sorted().map { .string($0) })
          let pair = [.array(candidate.labels), .array(other.labels), over]
          guard !seen.contains(pair), !seen.contains([pair[1], pair[0], over]) else { continue }
          seen.insert(pair)
          family.append(
            CellComparison(
              other, candidate, names: (reference, Self.text(candidate.labels[method])),
              context: context(candidate, other, besides: method, results), test: layout.test))
        }
      }
    }
    return CellComparison.family(family, layout.correction)
  }

  private static func agree(_ a: Cell, _ b: Cell, besides method: Int) -> Bool {
    a.labels.indices.allSatisfy { place in
      place == method || a.labels[place] == b.labels[place] || a.labels[place] == .null
        || b.labels[place] == .null
    }
  }

  private static func context(_ a: Cell, _ b: Cell, besides method: Int, _ results: SweepResults) -> String {
    let pools = poolNames(results)
    let words = results.columns.indices.compactMap { place -> String? in
      let label = a.labels[place] == .null ? b.labels[place] : a.labels[place]
      guard place != method, label != .null else { return nil }
      return results.columns[place] == "student" ? text(label) : word(results.columns[place], label, pools)
    }
    return (results.averages.isEmpty ? words : [results.averageText] + words).joined(separator: " ")
  }
}
