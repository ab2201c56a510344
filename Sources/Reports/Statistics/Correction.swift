package import Specs

extension ReportCorrection {
  /// Adjusted p values of a family, each beside its own; those that are not known are no part of the family.
  ///
  /// Holm (1979) bounds the chance of any false finding: the smallest of m is multiplied by m, the next by
  /// m - 1, and none falls below one before it. Benjamini and Hochberg (1995) bound the expected share of
  /// false findings: the k-th smallest times m / k, from the largest down.
  package func adjusted(_ family: [Double?]) -> [Double?] {
    let ranked = family.indices.filter { family[$0] != nil }.sorted {
      (family[$0]!, $0) < (family[$1]!, $1)
    }
    var adjusted = family
    let size = ranked.count
    switch self {
    case .none: break
    case .holm:
      var highest = 0.0
      for (rank, index) in ranked.enumerated() {
        highest = max(highest, min(1, Double(size - rank) * family[index]!))
        adjusted[index] = highest
      }
    case .benjaminiHochberg:
      var lowest = 1.0
      for (rank, index) in ranked.enumerated().reversed() {
        lowest = min(lowest, Double(size) / Double(rank + 1) * family[index]!)
        adjusted[index] = lowest
      }
    }
    return adjusted
  }
}
