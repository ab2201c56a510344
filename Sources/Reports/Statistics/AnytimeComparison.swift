internal import Specs

/// Two cells under the anytime-valid t test, of a family.
package struct AnytimeComparison: Sendable {
  package let comparison: CellComparison
  package let logEvidence: Double
  /// Adjusted by Holm over the family; nil without spread, or for fewer than two pairs.
  package let p: Double?
  /// Valid at all n together and over the family; nil where n is too small for one.
  package let interval: Interval?

  /// - Parameter level: over the family.
  package static func family(
    _ comparisons: [CellComparison], level: Double = CellComparison.level
  ) -> [AnytimeComparison] {
    let tests = comparisons.map { comparison -> (evidence: Double, p: Double?, interval: Interval?) in
      guard let paired = comparison.paired, paired.count > 1, let spread = paired.std, spread > 0 else {
        return (0, nil, nil)
      }
      let reach = spread / Double(paired.count).squareRoot()
      let evidence = AnytimeTest.logEvidence(count: paired.count, t: paired.difference / reach)
      let critical = AnytimeTest.criticalT(
        count: paired.count, evidence: Double(comparisons.count) / level)
      return (
        evidence, AnytimeTest.pValue(logEvidence: evidence),
        critical.map {
          Interval(low: paired.difference - $0 * reach, high: paired.difference + $0 * reach)
        }
      )
    }
    let adjusted = ReportCorrection.holm.adjusted(tests.map(\.p))
    return zip(zip(comparisons, tests), adjusted).map { pair, p in
      AnytimeComparison(
        comparison: pair.0, logEvidence: pair.1.evidence, p: p, interval: pair.1.interval)
    }
  }

  /// As every format writes them.
  package static func sheet(
    _ family: [AnytimeComparison], title: String, digits: Int, _ style: TextStyle
  ) -> Sheet {
    let rows = family.map { entry -> [Sheet.Entry] in
      let comparison = entry.comparison
      let name = "\(comparison.nameB) \(style.minus) \(comparison.nameA)"
      let interval = entry.interval.map {
        "[\(NumberFormat.signed($0.low, digits)), \(NumberFormat.signed($0.high, digits))]"
      }
      let texts = [
        comparison.context.isEmpty ? name : "\(name), \(comparison.context)",
        comparison.paired.map { NumberFormat.signed($0.difference, digits) } ?? "-", interval ?? "-",
        "\(comparison.paired?.count ?? 0)", ClaimBook.evidence(entry.logEvidence),
        entry.p.map { NumberFormat.p($0) } ?? "not testable",
      ]
      return texts.map { Sheet.Entry($0) }
    }
    return Sheet(
      title: title, head: ["", "difference", "95 % (all together)", "n", "e", "p Holm"], rows: rows,
      notes: [
        "Anytime-valid t test over the seeds that both have: p = 1/e stays valid however often one looked "
          + "before and whenever one stops; it is larger than that of a test with n fixed beforehand "
          + "(docs/statistics.md)."
      ])
  }
}
