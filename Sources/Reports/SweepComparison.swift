package import Specs

/// What moved between two sweeps, or two stores' accounts of one: cells with equal labels beside each other.
package struct SweepComparison: Sendable {
  /// A sweep with what its runs were made of.
  package struct Side: Sendable {
    package let name: String
    package let results: SweepResults
    /// By key, of the runs that are there.
    package let specs: [ContentKey: JSONValue]

    package init(name: String, results: SweepResults, specs: [ContentKey: JSONValue]) {
      self.name = name
      self.results = results
      self.specs = specs
    }
  }

  package enum Verdict: String, Equatable, Sendable {
    /// The 95 percent interval of the difference leaves out 0.
    case moved
    case within = "within its interval"
    /// The same runs, or seed by seed the same numbers.
    case equal
    /// Too few seeds, or no numbers.
    case unknown = "not testable"
  }

  package struct Row: Sendable {
    package let comparison: CellComparison
    package let verdict: Verdict
  }

  package let a: Side
  package let b: Side
  package let rows: [Row]
  /// Cells without a partner, or with several, by side.
  package let onlyA: [String]
  package let onlyB: [String]
  package let unclear: [String]
  /// Settings that differ between partners, with how many pairs of cells they differ in.
  package let settings: [(path: String, a: String, b: String, cells: Int)]
  /// Sentences about cells that different programs made on either side.
  package let programs: [String]
  private let correction: ReportCorrection

  package init(
    _ a: Side, _ b: Side, test: ReportTest, correction: ReportCorrection, allowMixed: Bool = false
  ) {
    self.a = a
    self.b = b
    self.correction = correction
    let shared = a.results.columns.filter { b.results.columns.contains($0) }
    func key(_ cell: Cell, _ side: Side) -> [JSONValue] {
      shared.map { cell.labels[side.results.columns.firstIndex(of: $0)!] }
    }
    let (cellsA, cellsB) = (
      Cell.cells(of: a.results, allowMixed: allowMixed), Cell.cells(of: b.results, allowMixed: allowMixed)
    )
    let groupsA = Dictionary(grouping: cellsA) { key($0, a) }
    let groupsB = Dictionary(grouping: cellsB) { key($0, b) }
    let poolsA = ReportTable.poolNames(a.results)
    let poolsB = ReportTable.poolNames(b.results)
    func name(_ cell: Cell, _ side: Side, _ pools: [JSONValue: String]) -> String {
      zip(side.results.columns, cell.labels).compactMap { column, label -> String? in
        if label == .null { return nil }
        return column == "student" ? ReportTable.text(label) : ReportTable.word(column, label, pools)
      }.joined(separator: " ")
    }
    var (comparisons, unclear, onlyA): ([CellComparison], [String], [String]) = ([], [], [])
    for cell in cellsA {
      let label = key(cell, a)
      guard let partners = groupsB[label] else {
        onlyA.append(name(cell, a, poolsA))
        continue
      }
      guard partners.count == 1, groupsA[label]!.count == 1 else {
        unclear.append(name(cell, a, poolsA))
        continue
      }
      comparisons.append(
        CellComparison(
          cell, partners[0], names: (a.name, b.name), context: name(cell, a, poolsA), test: test))
    }
    self.unclear = unclear
    self.onlyA = onlyA
    onlyB = cellsB.filter { groupsA[key($0, b)] == nil }.map { name($0, b, poolsB) }
    rows = CellComparison.family(comparisons, correction).map {
      Row(comparison: $0, verdict: Self.verdict($0))
    }
    settings = Self.settings(rows.map(\.comparison), a, b)
    programs = Self.programs(rows.map(\.comparison), a, b)
  }

  /// Whether some compared cell's numbers are withheld because several programs made them.
  package var withheld: [String] {
    rows.filter { $0.comparison.a.isWithheld || $0.comparison.b.isWithheld }.map(\.comparison.context)
  }

  private static func verdict(_ comparison: CellComparison) -> Verdict {
    if !comparison.a.values.isEmpty, comparison.a.values == comparison.b.values { return .equal }
    guard let interval = interval(of: comparison) else { return .unknown }
    return interval.contains(0) ? .within : .moved
  }

  /// Of the paired differences where the two share seeds, else of independent samples.
  private static func interval(of comparison: CellComparison) -> Interval? {
    comparison.test.isPaired && comparison.paired != nil ? comparison.interval : comparison.welch?.interval
  }

  private static func settings(
    _ comparisons: [CellComparison], _ a: Side, _ b: Side
  ) -> [(path: String, a: String, b: String, cells: Int)] {
    var counts: [[String]: Int] = [:]
    for comparison in comparisons {
      guard let first = comparison.a.key.flatMap({ a.specs[$0] }),
        let second = comparison.b.key.flatMap({ b.specs[$0] })
      else { continue }
      for difference in SettingDifferences.between(first, second) { counts[difference, default: 0] += 1 }
    }
    return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
      ($0.key[0], $0.key[1], $0.key[2], $0.value)
    }
  }

  private static func programs(_ comparisons: [CellComparison], _ a: Side, _ b: Side) -> [String] {
    func makers(_ cells: [Cell]) -> [String] { Set(cells.flatMap { $0.programs.map(\.program) }).sorted() }
    let (first, second) = (makers(comparisons.map(\.a)), makers(comparisons.map(\.b)))
    if first == second { return [] }
    return [
      "\(a.name) was made by \(first.joined(separator: "; "))",
      "\(b.name) was made by \(second.joined(separator: "; "))",
    ]
  }

  private static func entries(of row: Row, _ digits: Int, _ style: TextStyle) -> [Sheet.Entry] {
    func text(_ cell: Cell) -> String {
      let value =
        cell.isWithheld
        ? "mixed programs" : ReportTable.text(cell.headline, plusMinus: style.plusMinus, digits: digits)
      return cell.shortfall.map { "\(value) (\($0))" } ?? value
    }
    let comparison = row.comparison
    let interval = Self.interval(of: comparison).map {
      "[\(NumberFormat.signed($0.low, digits)), \(NumberFormat.signed($0.high, digits))]"
    }
    return [
      Sheet.Entry(comparison.context), Sheet.Entry(text(comparison.a)), Sheet.Entry(text(comparison.b)),
      Sheet.Entry(comparison.difference.map { NumberFormat.signed($0, digits) } ?? "-"),
      Sheet.Entry(interval ?? "-"),
      Sheet.Entry(
        row.verdict == .equal ? "-" : comparison.adjusted.map { NumberFormat.p($0) } ?? "not testable"),
      Sheet.Entry(row.verdict.rawValue),
    ]
  }

  package func sheet(digits places: Int?, _ style: TextStyle) -> Sheet {
    let spreads = rows.flatMap { [$0.comparison.a, $0.comparison.b] }.compactMap { $0.headline?.std }
      .filter { $0 > 0 }
    let digits =
      places ?? SampleStatistics(spreads).flatMap { NumberFormat.places(forSpread: $0.median) } ?? 2
    let body = rows.map { Self.entries(of: $0, digits, style) }
    let counts = [Verdict.moved, .within, .equal, .unknown].compactMap { verdict -> String? in
      let count = rows.count { $0.verdict == verdict }
      return count == 0 ? nil : "\(count) \(verdict.rawValue)"
    }
    let test = rows.first?.comparison.test ?? .none
    var notes = [
      "\(counted(rows.count, "cell")) on both "
        + "sides\(rows.isEmpty ? "" : ": \(counts.joined(separator: ", "))"). A cell moved when the 95 % "
        + "interval of its difference, taken alone, leaves out 0."
    ]
    if !rows.isEmpty {
      notes.append(
        "\(a.results.described.heading); \(test.isPaired ? "paired by seed, " : "")p: \(test.title), "
          + "two-sided, corrected over \(rows.count { $0.comparison.p != nil }) tests."
      )
    }
    func list(_ title: String, _ names: [String]) {
      guard !names.isEmpty else { return }
      notes.append("\(title) (\(names.count)):")
      notes += names.prefix(20).map { "  \($0)" }
      if names.count > 20 { notes.append("  and \(names.count - 20) more") }
    }
    list("Only in \(a.name)", onlyA)
    list("Only in \(b.name)", onlyB)
    list("With more than one partner", unclear)
    list(
      "Settings that differ, \(a.name) then \(b.name)",
      settings.map {
        "\($0.path): \($0.a) \(style.isUnicode ? "→" : "->") \($0.b), in \(counted($0.cells, "cell"))"
      })
    list("Programs", programs)
    return Sheet(
      title: "\(b.name) \(style.minus) \(a.name)",
      head: [
        "", a.name, b.name, "difference",
        ComparisonSheet.intervalHead(rows.map(\.comparison), rows.isEmpty ? .none : correction), "p",
        "verdict",
      ], rows: body, notes: notes)
  }
}

/// Leaves in which two specifications differ.
package enum SettingDifferences {
  /// Path, first value, second value; `-` for an absent one. Seeds are no settings.
  package static func between(_ a: JSONValue, _ b: JSONValue) -> [[String]] {
    var (first, second): ([String: String], [String: String]) = ([:], [:])
    collect(a, "", &first)
    collect(b, "", &second)
    return Set(first.keys).union(second.keys).sorted().compactMap { path in
      let (x, y) = (first[path] ?? "-", second[path] ?? "-")
      return x == y ? nil : [path, x, y]
    }
  }

  private static func collect(_ value: JSONValue, _ path: String, _ leaves: inout [String: String]) {
    if let members = value.object {
      for (name, member) in members where name != "seed" {
        collect(member, path.isEmpty ? name : "\(path).\(name)", &leaves)
      }
    } else if let list = value.array, list.contains(where: { $0.object != nil }) {
      for (index, member) in list.enumerated() { collect(member, "\(path)[\(index)]", &leaves) }
    } else {
      leaves[path] = value.title
    }
  }
}
