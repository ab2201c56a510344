internal import Specs

/// Settings chosen honestly: for every method the values that are best on validation images, and what the
/// test set says of those alone.
package struct ChosenSettings: Sendable {
  /// One row of the table: cells that differ in nothing but the settings that are chosen.
  package struct Row: Sendable {
    /// What the row is called: `resnet56 mtkd-rl`.
    package let name: String
    /// The values that were chosen: `alpha=0.5 beta=5`; empty for a method that reads none of the settings.
    package let chosen: String
    /// Of the chosen cell; nil where no cell of the row is complete.
    package let cell: Cell?
    /// The mean over seeds that it was chosen by.
    package let validation: Double?
    /// Complete cells that it was chosen from, and all of the row.
    package let tried: Int
    package let all: Int
  }

  package let rows: [Row]
  private let names: [String]
  private let results: SweepResults
  private let selector: MetricDescription

  /// - Parameters:
  ///   - names: settings to choose; at least one of the results' columns.
  ///   - results: of the metric that is told.
  ///   - validation: the same runs, of the metric that chooses.
  package init(
    _ names: [String], _ results: SweepResults, by validation: SweepResults, allowMixed: Bool = false
  ) {
    self.names = names
    self.results = results
    selector = validation.described
    let chosen = names.compactMap { results.columns.firstIndex(of: $0) }
    let others = Dictionary(
      Cell.cells(of: validation, allowMixed: allowMixed).map { ($0.labels, $0) }
    ) { first, _ in first }
    let pools = ReportTable.poolNames(results)
    var order: [[JSONValue]] = []
    var groups: [[JSONValue]: [Cell]] = [:]
    for cell in Cell.cells(of: results, allowMixed: allowMixed) {
      let key = cell.labels.indices.map { chosen.contains($0) ? .null : cell.labels[$0] }
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(cell)
    }
    let sign = selector.isHigherBetter == false ? -1.0 : 1.0
    rows = order.map { key in
      let cells = groups[key]!
      let complete = cells.compactMap { cell -> (cell: Cell, mean: Double)? in
        guard cell.gaps.isEmpty, cell.headline != nil, let other = others[cell.labels], other.gaps.isEmpty,
          let mean = other.headline?.mean
        else { return nil }
        return (cell, mean)
      }
      // Of equal means the first in the order of the table.
      var best = complete.first
      for candidate in complete.dropFirst() where sign * candidate.mean > sign * best!.mean {
        best = candidate
      }
      let words = chosen.compactMap { place -> String? in
        guard let label = best?.cell.labels[place], label != .null else { return nil }
        return ReportTable.word(results.columns[place], label, pools)
      }
      return Row(
        name: ReportTable.words(key, results.columns, pools), chosen: words.joined(separator: " "),
        cell: best?.cell, validation: best?.mean, tried: complete.count, all: cells.count)
    }
  }

  package func sheet(digits places: Int?, _ style: TextStyle) -> Sheet {
    let spreads = rows.compactMap { $0.cell?.headline?.std }.filter { $0 > 0 }
    let digits =
      places ?? SampleStatistics(spreads).flatMap { NumberFormat.places(forSpread: $0.median) } ?? 2
    let body = rows.map { row -> [Sheet.Entry] in
      let tried = row.tried == row.all ? "\(row.tried)" : "\(row.tried) of \(row.all)"
      return [
        Sheet.Entry(row.name), Sheet.Entry(row.chosen.isEmpty ? "-" : row.chosen), Sheet.Entry(tried),
        Sheet.Entry(row.validation.map { NumberFormat.fixed($0, digits) } ?? "-"),
        Sheet.Entry(ReportTable.text(row.cell?.headline, plusMinus: style.plusMinus, digits: digits)),
      ]
    }
    let seeds = Set(rows.compactMap { $0.cell?.values.count }).sorted().map(String.init)
    var notes = [
      "For each row the values of \(names.joined(separator: ", ")) with the "
        + "\(selector.isHigherBetter == false ? "lowest" : "highest") mean of \(selector.name) over seeds; "
        + "the test set chose nothing.",
      "\(results.metric): mean \(style.plusMinus) sample standard deviation (ddof 1) over seeds, "
        + "n = \(seeds.isEmpty ? "0" : seeds.joined(separator: " or ")), "
        + (results.select == .last
          ? "after the last epoch." : "at each seed's epoch of \(results.selectorText)."),
      "tried: complete cells that the values were chosen from.",
    ]
    let left = rows.reduce(0) { $0 + $1.all - $1.tried }
    if left > 0 {
      notes.append(
        "\(counted(left, "cell")) without every seed's number \(left == 1 ? "was" : "were") not tried.")
    }
    if !results.averages.isEmpty { notes.append("Each seed's value is its \(results.averageText).") }
    return Sheet(
      title: "\(results.name): \(names.joined(separator: ", ")) chosen on \(selector.title)",
      head: ["", "chosen", "tried", selector.heading, results.described.heading], stubs: 2, rows: body,
      notes: notes)
  }
}
