package import Specs

extension PaperTable {
  /// The paper's own table under tests that it does not print: MTKD-RL minus each rival, student by
  /// student, from mean, std and n.
  ///
  /// - Parameters:
  ///   - method: whose gains are asked for.
  ///   - rivals: the table's own where empty; then the correction is over all of them.
  package func contrasts(
    of method: String = "mtkd-rl", against rivals: [String] = [], correction: ReportCorrection = .holm,
    _ style: TextStyle = TextStyle()
  ) -> Sheet {
    let subject: Entry = (method, method == "mtkd-rl" ? variant : "")
    var entries: [Entry] = []
    for value in accuracies where !entries.contains(where: { $0 == entry(value) }) {
      entries.append(entry(value))
    }
    let wanted = rivals.isEmpty ? self.rivals : rivals
    let isOpen = rivals.isEmpty && !variant.isEmpty
    let others =
      isOpen
      ? entries.filter { $0 != subject }
      : wanted.compactMap { name in entries.first { $0.method == name } }
    let family = rivals.isEmpty && !isOpen ? min(self.family, others.count) : others.count
    var networks: [String] = []
    for item in accuracies where value(row(item), subject) != nil && !networks.contains(row(item)) {
      networks.append(row(item))
    }
    let labels = others.map(label)
    var head = [""]
    for label in labels { head += ["\(style.minus) \(label)", "p"] }
    func welch(_ network: String, _ rival: Entry, stds scale: Double = 1) -> WelchComparison? {
      guard let a = value(network, rival)?.moments, let b = value(network, subject)?.moments else {
        return nil
      }
      func scaled(_ moments: Moments) -> Moments {
        Moments(count: moments.count, mean: moments.mean, std: moments.std.map { $0 * scale })
      }
      return WelchComparison(scaled(a), scaled(b))
    }
    let rows = networks.map { network -> [Sheet.Entry] in
      var row = [Sheet.Entry(network)]
      for rival in others {
        let pair = (value(network, subject), value(network, rival))
        let difference = pair.0.flatMap { own in pair.1.map { own.mean - $0.mean } }
        row.append(Sheet.Entry(difference.map { NumberFormat.signed($0, 2) } ?? "-"))
        row.append(Sheet.Entry(NumberFormat.p(welch(network, rival)?.p)))
      }
      return row
    }
    let pairs = networks.flatMap { network in others.prefix(family).map { (network, $0) } }
    let tested = pairs.compactMap { network, rival in welch(network, rival)?.p }
    return Sheet(
      title: "\(title) of the paper: \(label(subject)) minus what is named", head: head, rows: rows,
      notes: notes(
        tested, pairs.compactMap { welch($0, $1, stds: 1.5.squareRoot())?.p }, labels.prefix(family),
        correction))
  }

  private typealias Entry = (method: String, variant: String)

  /// In a table of detectors or heads the variant belongs to the row, elsewhere to the entry.
  private var isRowVariant: Bool { variant.isEmpty }

  private func row(_ value: PaperValue) -> String {
    let parts = isRowVariant ? [value.network, value.variant] : [value.network]
    let isOne = Set(accuracies.map(\.dataset)).count == 1
    return (parts + (isOne ? [] : [value.dataset])).filter { !$0.isEmpty }.joined(separator: ", ")
  }

  private func entry(_ value: PaperValue) -> Entry { (value.methodName, isRowVariant ? "" : value.variant) }

  private func value(_ name: String, _ wanted: Entry) -> PaperValue? {
    accuracies.first { row($0) == name && entry($0) == wanted }
  }

  private func label(_ wanted: Entry) -> String {
    guard let found = accuracies.first(where: { entry($0) == wanted }) else { return wanted.method }
    return wanted.variant.isEmpty ? found.method : wanted.variant
  }

  private func notes(
    _ tested: [Double], _ population: [Double], _ family: ArraySlice<String>, _ correction: ReportCorrection
  ) -> [String] {
    let n = PaperValue.count
    guard let least = tested.min(), let wider = population.min() else {
      return ["The paper prints no stds in this table: there is nothing to test with."] + notes
    }
    let adjusted = correction.adjusted(tested).compactMap(\.self).min() ?? 1
    let chances = [1, 1.5, 2].map { shift in
      NumberFormat.fixed(Power(difference: shift, std: 1).unpaired(seeds: n), 2)
    }
    return [
      "Percentage points; two-sided Welch tests from the printed mean ± std, n = \(n), ± taken as "
        + "the sample std.",
      "After \(correction.title) over the \(tested.count) comparisons with "
        + "\(family.joined(separator: " and ")): smallest \(NumberFormat.p(adjusted)).",
      "If ± divided by n instead, all p would rise: \(NumberFormat.p(least)) would be "
        + "\(NumberFormat.p(wider)).",
      "A true difference of one std is found with probability \(chances[0]) at n = \(n) (\(chances[1]) at "
        + "1.5 stds, \(chances[2]) at 2).",
      "Assumes that the runs (n = \(n)) are independent.",
    ] + wrongClaims
  }

  /// What the paper's text states of this table and the table does not give.
  private var wrongClaims: [String] {
    PaperClaim.all.filter { !$0.agrees && $0.source == "text on \(title)" }.map {
      "The text states \(NumberFormat.fixed($0.stated, 2)) for \($0.claim); the table gives "
        + "\(NumberFormat.fixed($0.recomputed, 2))."
    }
  }
}
