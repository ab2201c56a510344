internal import Specs

/// The two best cells of a student, and whether the difference between them counts as one.
package struct Ranking: Sendable {
  package enum Place: Equatable, Sendable { case first, second }

  /// What the cells of one table have in common that are ranked against each other.
  package let context: String
  package let first: Cell
  package let second: Cell
  /// The first minus each of the others of its context, the second first; their p adjusted over all of them.
  package let family: [CellComparison]

  /// The first minus the best cell of each other method, the best one first; where all cells are of one
  /// method, minus the second. What a table is made for is how methods compare, not the settings of one.
  package let rivals: [CellComparison]

  /// first - second.
  package var comparison: CellComparison { family[0] }
  /// How many cells the first was compared with.
  package var others: Int { family.count }

  /// The first and the best cell of another method.
  package var rival: CellComparison { rivals[0] }

  package var isDistinguishable: Bool { comparison.isDistinguishable == true }

  /// Cells without gaps and with two seeds or more are ranked, among those of one student, dataset and
  /// subset; two or more of them.
  static func rankings(of cells: [Cell], _ results: SweepResults, _ layout: ReportLayout) -> [Ranking] {
    let common = ["student", "dataset", "trainImages", "testImages"].compactMap {
      results.columns.firstIndex(of: $0)
    }
    let pools = ReportTable.poolNames(results)
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: [Cell]] = [:]
    for cell in cells where cell.gaps.isEmpty && (cell.headline?.count ?? 0) > 1 {
      let group = common.map { cell.labels[$0] }
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append(cell)
    }
    guard let isHigherBetter = results.described.isHigherBetter else { return [] }
    let sign = isHigherBetter ? 1.0 : -1.0
    return order.compactMap { group in
      let sorted = groups[group]!.sorted { sign * $0.headline!.mean > sign * $1.headline!.mean }
      guard let first = sorted.first, sorted.count > 1 else { return nil }
      func name(_ cell: Cell) -> String {
        results.columns.indices.filter { !common.contains($0) && cell.labels[$0] != .null }.map {
          ReportTable.word(results.columns[$0], cell.labels[$0], pools)
        }.joined(separator: " ")
      }
      let context = common.filter { first.labels[$0] != .null }.map { place in
        results.columns[place] == "student"
          ? ReportTable.text(first.labels[place])
          : ReportTable.word(results.columns[place], first.labels[place], pools)
      }.joined(separator: " ")
      let test = layout.test == .none ? ReportTest.pairedT : layout.test
      let family = CellComparison.family(
        sorted.dropFirst().map {
          CellComparison($0, first, names: (name($0), name(first)), context: context, test: test)
        }, layout.correction)
      return Ranking(
        context: context, first: first, second: sorted[1], family: family,
        rivals: rivals(of: first, family, results.columns.firstIndex(of: "method")))
    }
  }

  private static func rivals(
    of first: Cell, _ family: [CellComparison], _ method: Int?
  ) -> [CellComparison] {
    guard let method else { return [family[0]] }
    var seen: Set<JSONValue> = [first.labels[method]]
    let rivals = family.filter { seen.insert($0.a.labels[method]).inserted }
    return rivals.isEmpty ? [family[0]] : rivals
  }
}
