package import Specs

// Texts that every format shares

extension ReportTable {
  /// A number with two digits, or so many, whatever the locale.
  package static func digits(_ value: Double, _ places: Int = 2) -> String {
    NumberFormat.fixed(value, places)
  }

  /// `72.10 ± 0.40`, `72.10` for one seed, `-` for none.
  package static func text(_ statistics: SampleStatistics?, plusMinus: String, digits: Int = 2) -> String {
    guard let statistics else { return "-" }
    let (mean, spread) = parts(statistics, digits: digits)
    return spread.map { "\(mean) \(plusMinus) \($0)" } ?? mean
  }

  /// Mean and sample standard deviation of a cell; no std of one seed.
  ///
  /// A std that is not 0 never reads as 0: where `digits` would make it so, both numbers get one more place,
  /// and where that is not enough either the std is a bound, `< 0.01`.
  package static func parts(_ statistics: SampleStatistics, digits: Int) -> (mean: String, spread: String?) {
    guard let std = statistics.std else {
      return (NumberFormat.fixed(statistics.mean, digits), nil)
    }
    // What rounding leaves of equal values is no spread.
    let isSpread = std > 1e-12 * abs(statistics.mean)
    let places = isSpread && NumberFormat.readsZero(std, digits) ? digits + 1 : digits
    let mean = NumberFormat.fixed(statistics.mean, places)
    guard isSpread, NumberFormat.readsZero(std, places) else {
      return (mean, NumberFormat.fixed(std, places))
    }
    return (mean, "< \(NumberFormat.unit(places))")
  }

  /// The headline and what stands beside it, the best epoch or, where that is the headline, the last one:
  /// `72.1 ± 0.4 [72.3 ± 0.4] (2 of 3, 1 diverged)`.
  package func text(_ cell: Cell?, plusMinus: String) -> String {
    guard let cell else { return "" }
    if cell.isWithheld { return "mixed programs" }
    let head = Self.text(cell.headline, plusMinus: plusMinus, digits: digits)
    let other = !layout.showsBest ? nil : results.select == .bestOnTest ? cell.last : cell.best
    let beside = other.map { " [\(Self.text($0, plusMinus: plusMinus, digits: digits))]" } ?? ""
    var remarks = cell.shortfall.map { [$0] } ?? []
    // Where the numbers of seeds differ from cell to cell, each says its own.
    if remarks.isEmpty, hasSeveralCounts { remarks.append("n = \(cell.seeds.count)") }
    if cell.isMixed { remarks.append("mixed programs") }
    return head + beside + (remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))")
  }

  /// Whether cells were asked for with different numbers of seeds.
  private var hasSeveralCounts: Bool { Set(cells.map(\.seeds.count)).count > 1 }

  /// A cell with its mark.
  func entry(_ cell: Cell?, _ style: TextStyle) -> Sheet.Entry {
    let text = text(cell, plusMinus: style.plusMinus)
    guard layout.showsMarks, let cell, let mark = mark(of: cell, style) else { return Sheet.Entry(text) }
    let emphasis: Sheet.Emphasis = place(of: cell).map { $0.place == .first ? .best : .second } ?? .none
    return Sheet.Entry("\(text) \(mark)", emphasis)
  }

  /// What all cells have in common: `fashion-mnist, 1500 + 2000 images, 5 epochs; alpha=1; seeds 1–3`. Nil
  /// where nobody knows and no label is shared.
  package func constants(_ style: TextStyle) -> String? {
    let pools = Self.poolNames(results)
    let words = shared.compactMap { place in
      cells.first.map { Self.word(results.columns[place], $0.labels[place], pools) }
    }
    guard results.constants != nil || !words.isEmpty else { return nil }
    let seeds = Set(cells.flatMap(\.seeds)).sorted()
    let parts = [results.constants ?? "", words.joined(separator: " "), Self.seeds(seeds, style)]
    return parts.filter { !$0.isEmpty }.joined(separator: "; ")
  }

  /// `seed 1`, `seeds 1–3`, `seeds 1, 5, 7`.
  static func seeds(_ seeds: [Int], _ style: TextStyle) -> String {
    guard let first = seeds.first, let last = seeds.last else { return "" }
    if first == last { return "seed \(first)" }
    if last - first == seeds.count - 1 { return "seeds \(first)\(style.isUnicode ? "–" : "-")\(last)" }
    let shown = seeds.prefix(12).map(String.init).joined(separator: ", ")
    return "seeds \(shown)\(seeds.count > 12 ? " and \(seeds.count - 12) more" : "")"
  }

  /// The table, then the declared comparisons and the paper's numbers where there are some.
  func sheets(_ style: TextStyle) -> [Sheet] {
    var table =
      layout.isLong
      ? longSheet(style)
      : Sheet(
        title: results.name, head: rowNames + columns, stubs: rowNames.count,
        rows: zip(rowHeads, grid).map { heads, cells in
          heads.map { Sheet.Entry($0) } + cells.map { entry($0, style) }
        }, notes: footer(style))
    table.constants = constants(style)
    table.note = results.note
    return [table] + (claims.map { [$0.sheet(digits: digits, style)] } ?? [])
      + (comparisons.isEmpty ? [] : [comparisonSheet(style)])
      + (paper.map { [$0.sheet(digits: digits, style)] } ?? [])
  }

  /// One row a cell with all of its statistics, in the order of the table.
  package func longSheet(_ style: TextStyle) -> Sheet {
    func interval(_ interval: Interval?) -> String {
      interval.map { "\(NumberFormat.fixed($0.low, digits)) to \(NumberFormat.fixed($0.high, digits))" }
        ?? "-"
    }
    func number(_ value: Double?) -> String { value.map { NumberFormat.fixed($0, digits) } ?? "-" }
    var body: [[Sheet.Entry]] = []
    for (row, line) in zip(rows, grid) {
      for (column, cell) in zip(columns, line) {
        guard let cell else { continue }
        let sample = cell.headline
        let other = results.select == .bestOnTest ? cell.last : cell.best
        let texts = [
          row, column, "\(sample?.count ?? 0) of \(cell.seeds.count)", number(sample?.mean),
          sample.flatMap { Self.parts($0, digits: digits).spread } ?? "-",
          interval(sample?.moments.interval()),
          interval(sample.flatMap { Bootstrap.interval(of: $0.values) }), number(sample?.median),
          Self.text(other, plusMinus: style.plusMinus, digits: digits),
        ]
        let mark = mark(of: cell, style)
        body.append((texts + [cell.isWithheld ? "mixed programs" : mark ?? ""]).map { Sheet.Entry($0) })
      }
    }
    let beside = results.select == .bestOnTest ? "last" : "best"
    return Sheet(
      title: results.name,
      head: ["", "", "n", "mean", "std", "95 % (t)", "95 % (bootstrap)", "median", "[\(beside)]", "rank"],
      stubs: 2,
      rows: body, notes: footer(style))
  }

  /// How the numbers came about, and why some are missing. Without dates: equal results are equal bytes.
  package func footer(plusMinus: String) -> [String] {
    footer(TextStyle(isUnicode: plusMinus == "±"))
  }

  func footer(_ style: TextStyle) -> [String] { notes(style) + gapNotes() + trustNotes() }

  /// What says how to read the numbers.
  func notes(_ style: TextStyle) -> [String] {
    let plusMinus = style.plusMinus
    let counts = Set(cells.map { $0.seeds.count }).sorted()
    let n = counts.map(String.init).joined(separator: " or ")
    let unit = results.described.unit == "%" ? "\(results.metric) in percent" : results.metric
    var lines = [
      "\(unit): mean \(plusMinus) sample standard deviation (ddof 1) over seeds, n = \(n.isEmpty ? "0" : n)."
    ]
    lines += averageNotes + sampleNotes(plusMinus)
    lines += results.dataNotes.map { "Data: \($0)." }
    lines.append(selectionNote)
    lines += directionNotes() + earlyNotes() + sizeNotes()
    lines += teacherNotes() + poolNotes() + results.aliases.map(\.note) + rankingNotes(style) + lookNotes()
    return lines
  }

  /// What says whether the numbers are to be believed.
  func trustNotes() -> [String] { seedNotes() + mixtureNotes() + sealNotes() }

  /// What was averaged within a seed.
  private var averageNotes: [String] {
    guard !results.averages.isEmpty else { return [] }
    let members = results.averages.map { average in
      average.values.prefix(12).map(Self.text).joined(separator: ", ")
        + (average.values.count > 12 ? " and \(average.values.count - 12) more" : "")
    }
    return [
      "Each seed's value is its \(results.averageText) (\(members.joined(separator: "; "))); mean and std "
        + "are over seeds. A seed counts where every averaged run has a number."
    ]
  }

  /// Which epoch the numbers are of.
  private var selectionNote: String {
    let test =
      results.metric.hasPrefix("test.") ? "selected on the test set" : "selected by \(results.metric) itself"
    let last =
      results.epoch == .last ? "After the last epoch" : "After the last epoch that reported \(results.metric)"
    let hasDirection = results.described.isHigherBetter != nil
    switch results.select {
    case .last:
      return hasDirection && layout.showsBest
        ? "\(last); [in brackets] each seed's best epoch, \(test)." : "\(last)."
    case .bestOnValidation:
      let chosen = "At each seed's epoch of \(results.selectorText)"
      return hasDirection && layout.showsBest
        ? "\(chosen); [in brackets] its best epoch, \(test)." : "\(chosen)."
    case .bestOnTest:
      return
        "WARNING: each seed's best epoch, \(test): such numbers are too "
        + "good.\(layout.showsBest ? " [In brackets] after the last epoch." : "")"
    }
  }

  /// Which way the metric is good.
  private func directionNotes() -> [String] {
    guard let isHigherBetter = results.described.isHigherBetter else {
      return [
        "Nobody declared which way \(results.metric) is good: no best epochs and no marks. \"direction\" in "
          + "the grid's \"report\", or in the trainer's \"metrics\", says it."
      ]
    }
    return ["\(results.metric): \(isHigherBetter ? "higher" : "lower") is better."]
  }

  /// What ± is over, and how fine a test set of that size can tell at all.
  private func sampleNotes(_ plusMinus: String) -> [String] {
    guard let sample = results.sample, !cells.isEmpty else { return [] }
    let teachers =
      sample.hasFixedTeachers.map {
        $0 ? ", with the same teachers for all seeds" : ", each with teachers of its own"
      }
      ?? ""
    var line = "\(plusMinus) is over seeds of the student\(teachers), on one fixed test set"
    let means = cells.compactMap { $0.headline?.mean }
    guard let images = sample.testImages, images > 0 else { return [line + "."] }
    line += " of \(images) image\(images == 1 ? "" : "s")"
    guard ClassificationMetrics.isShareOfTestImages(results.metric), let mean = SampleStatistics(means)?.mean,
      (0...100).contains(mean)
    else { return [line + "."] }
    let error = (mean * (100 - mean) / Double(images)).squareRoot()
    return [
      line
        + ", whose binomial standard error is \(NumberFormat.fixed(error, error < 1 ? 2 : 1)) points at "
        + "\(NumberFormat.fixed(mean, 1)) %."
    ]
  }

  /// Runs whose number is of an epoch before their last one.
  private func earlyNotes() -> [String] {
    guard results.select == .last, results.epoch == .lastReported else { return [] }
    var counts: [SweepResults.EarlyEpoch: Int] = [:]
    for case .some(let early) in results.runs.map({ $0.numbers?.early }) { counts[early, default: 0] += 1 }
    if counts.isEmpty { return [] }
    let sorted = counts.sorted { ($0.key.epoch, $0.key.epochs) < ($1.key.epoch, $1.key.epochs) }
    let words = sorted.prefix(5).map { early, count in
      "epoch \(early.epoch) of \(early.epochs) (\(count) run\(count == 1 ? "" : "s"))"
    }
    return [
      "Before the last epoch: \(words.joined(separator: ", "))\(sorted.count > 5 ? " and others" : "")."
    ]
  }

  /// A share that looks as if it had been reported as a fraction.
  private func sizeNotes() -> [String] {
    let values = cells.flatMap { $0.values.map(\.value) }
    // Only trainers count for themselves.
    guard
      results.described.isOfTrainer || ClassificationMetrics.isShareOfTestImages(results.metric),
      results.described.unit == "%", let most = values.max(), most > 0, most <= 1,
      values.allSatisfy({ $0 >= 0 })
    else { return [] }
    return [
      "\(results.metric) is in percent, and no value is above 1: a trainer that counts in fractions "
        + "multiplies them by 100."
    ]
  }

  /// Cells whose runs did not read their seeds.
  private func seedNotes() -> [String] {
    var lines: [String] = []
    for (row, line) in zip(rows, grid) {
      for (column, cell) in zip(columns, line) where cell?.ignoresSeed == true {
        lines.append("  \(row), \(column)")
      }
    }
    if lines.isEmpty { return [] }
    return [
      "All seeds ended in the same state: the trainer does not seem to read \"seed\". Their ± says nothing:"
    ] + lines
  }

  /// How good the teachers are, in the state that students learn from.
  private func teacherNotes() -> [String] {
    let known = results.teachers.compactMap { teacher in
      teacher.accuracy.map { "\(teacher.title) \(NumberFormat.fixed($0, 2)) %" }
    }
    if known.isEmpty { return [] }
    let rest = known.count > 12 ? " and \(known.count - 12) more" : ""
    return [
      "\(known.count == 1 ? "Teacher" : "Teachers"), test.acc1 of the epoch that students learn from: "
        + known.prefix(12).joined(separator: ", ") + rest + "."
    ]
  }

  /// Which teachers a pool's short name stands for.
  func poolNotes() -> [String] {
    guard let place = results.columns.firstIndex(of: "teachers") else { return [] }
    let names = Self.poolNames(results)
    var pools: [JSONValue] = []
    for cell in cells where cell.labels[place] != .null && !pools.contains(cell.labels[place]) {
      pools.append(cell.labels[place])
    }
    // A name that has its members in it needs no more words.
    let short = pools.filter { names[$0].map { !$0.hasSuffix(")") } ?? false }
    return short.map { pool in
      let members = (Teachers.members(pool) ?? []).map(Self.text).joined(separator: ", ")
      return "\(names[pool]!): \(members)."
    }
  }

  /// Cells that nobody has run to their end are named one by one up to so many.
  private static let mostOpenCells = 6

  /// Why numbers are missing: a line for each cell and reason. Where much is still to run, its number is
  /// enough: cells say how many each.
  ///
  /// - Parameter others: cells that are of other metrics and lack nothing.
  func gapNotes(without others: Set<[JSONValue]> = []) -> [String] {
    var lines: [String] = []
    let known = results.runs.filter { !others.contains($0.labels) }
    let answered = others.isEmpty ? results.answered : results.with(known).answered
    if answered < known.count {
      let unit = results.averages.isEmpty ? "runs" : "means"
      lines.append("\(answered) of \(known.count) \(unit) have a result:")
    }
    let cells = cells.filter { !others.contains($0.labels) }
    let open = cells.filter { $0.gaps.contains(where: \.isOpen) }
    let isShort = open.count > Self.mostOpenCells
    for (row, line) in zip(rows, grid) {
      for (column, cell) in zip(columns, line) {
        var seeds: [(reason: String, seeds: [String])] = []
        if let cell, others.contains(cell.labels) { continue }
        for gap in cell?.gaps ?? [] where !(isShort && gap.isOpen) {
          if let place = seeds.firstIndex(where: { $0.reason == gap.reason }) {
            seeds[place].seeds.append("\(gap.seed)")
          } else {
            seeds.append((gap.reason, ["\(gap.seed)"]))
          }
        }
        for (reason, seeds) in seeds {
          let word = seeds.count == 1 ? "seed" : "seeds"
          lines.append("  \(row), \(column), \(word) \(seeds.joined(separator: ", ")): \(reason)")
        }
      }
    }
    if isShort {
      let count = open.reduce(0) { $0 + $1.gaps.count(where: \.isOpen) }
      lines.append("  \(count) in \(counted(open.count, "cell")): not run to their end yet")
    }
    return lines
  }

  /// What executing runs again has shown; nothing where nobody has.
  private func sealNotes() -> [String] {
    let seals = results.runs.compactMap(\.isVerified)
    if seals.isEmpty { return [] }
    let different = seals.count { !$0 }
    let verdict =
      different == 0 ? "every epoch's bits were the same" : "WARNING: \(different) of them came to other bits"
    return ["Verified: \(seals.count) of \(results.runs.count) runs were executed again; \(verdict)."]
  }

  /// Fixed-n tests after seeds were added to a table that somebody had seen.
  private func lookNotes() -> [String] {
    guard let priorLook, claims == nil, !rankings.isEmpty || !comparisons.isEmpty else { return [] }
    return [
      "Seeds were added after a look at n = \(priorLook): these p values are too small; "
        + "`mtkd-sweep compare A B --anytime` gives valid ones."
    ]
  }

  private func rankingNotes(_ style: TextStyle) -> [String] {
    guard !rankings.isEmpty, layout.showsMarks else { return [] }
    let test = rankings[0].comparison.test.title
    let correction = layout.correction == .none ? "uncorrected" : layout.correction.title
    let bound = NumberFormat.fixed(CellComparison.level, 2)
    let isUntestable = rankings.contains { $0.family.contains { $0.adjusted == nil } }
    var lines = [
      "#1 and #2: best and second best of a student among complete cells; \(style.alike) means not "
        + "distinguishable from the best (\(test), \(correction) over all comparisons with the best, p at "
        + "least \(bound))\(isUntestable ? "; \(TextStyle.untestable) means not testable" : ""):"
    ]
    for ranking in rankings {
      let comparison = ranking.rival
      let names = "\(comparison.nameB) \(style.minus) \(comparison.nameA)"
      // The interval is of one comparison; the p beside it may be adjusted over several.
      let alone = ranking.others > 1 && layout.correction != .none ? " alone" : ""
      let interval = comparison.interval.map { " [\(text($0, digits))]\(alone)" } ?? ""
      let difference = comparison.difference.map { NumberFormat.signed($0, digits) } ?? "-"
      let p = comparison.adjusted.map { pText($0, ranking) } ?? "not testable"
      lines.append(
        "  \(ranking.context): \(names) = \(difference)\(interval), \(p)\(exact(ranking))\(reach(comparison))"
      )
    }
    return lines
  }

  /// `p = 0.38 (adjusted over 4 comparisons)`.
  private func pText(_ value: Double, _ ranking: Ranking) -> String {
    let over =
      layout.correction == .none || ranking.others < 2
      ? "" : " (adjusted over \(counted(ranking.others, "comparison")))"
    return "\(NumberFormat.pEquals(value))\(over)"
  }

  /// The exact sign flip p beside that of the t test, adjusted in the same way.
  private func exact(_ ranking: Ranking) -> String {
    let place = ranking.family.firstIndex { $0.a.labels == ranking.rival.a.labels }
    guard ranking.rival.exactP != nil, let place else { return "" }
    let adjusted = layout.correction.adjusted(ranking.family.map(\.exactP))[place]
    return ", sign flip \(NumberFormat.p(adjusted)); the \(ranking.comparison.test.title) marks"
  }

  private func text(_ interval: Interval, _ digits: Int) -> String {
    "\(NumberFormat.signed(interval.low, digits)), \(NumberFormat.signed(interval.high, digits))"
  }

  /// What the exact tests could reach at best, where that is not enough.
  private func reach(_ comparison: CellComparison) -> String {
    guard let paired = comparison.paired, paired.smallestReachable >= CellComparison.level else { return "" }
    return
      " (n = \(paired.count): sign flip and Wilcoxon cannot give less than "
      + "\(NumberFormat.p(paired.smallestReachable)))"
  }

  private func mixtureNotes() -> [String] {
    let mixed = cells.filter(\.isMixed)
    guard !mixed.isEmpty else { return [] }
    var lines = [
      mixed.contains(where: \.isWithheld)
        ? "Different programs or numerics made \(counted(mixed.count, "cell")); the numbers are withheld. "
          + "--allow-mixed shows them."
        : "Different programs or numerics made \(counted(mixed.count, "cell")), shown because of "
          + "--allow-mixed:"
    ]
    for (row, line) in zip(rows, grid) {
      for (column, cell) in zip(columns, line) where cell?.isMixed == true {
        for maker in cell!.programs {
          lines.append(
            "  \(row), \(column), seed \(maker.seeds.map(String.init).joined(separator: ", ")): "
              + "\(maker.program)"
          )
        }
      }
    }
    return lines
  }

  /// The declared family: one row a comparison.
  func comparisonSheet(_ style: TextStyle) -> Sheet {
    let correction = layout.correction
    let tests = comparisons.count { $0.p != nil }
    var sheet = ComparisonSheet.sheet(
      comparisons, title: "Differences, \(layout.test.title)", digits: digits, correction: correction, style)
    sheet.notes.insert(
      "The declared family: \(layout.compareTo.joined(separator: "; ")); \(tests) tests, "
        + "\(correction.title).",
      at: 0)
    return sheet
  }
}

/// Comparisons as a table.
package enum ComparisonSheet {
  /// Every test of every comparison.
  package static func full(
    _ comparisons: [CellComparison], title: String, digits: Int, correction: ReportCorrection,
    _ style: TextStyle
  ) -> Sheet {
    let test = comparisons.first?.test ?? .none
    let rows = comparisons.map { comparison -> [Sheet.Entry] in
      let (paired, welch) = (comparison.paired, comparison.welch)
      let values: [String] = [
        comparison.context,
        ReportTable.text(comparison.a.headline, plusMinus: style.plusMinus, digits: digits),
        ReportTable.text(comparison.b.headline, plusMinus: style.plusMinus, digits: digits),
        comparison.difference.map { NumberFormat.signed($0, digits) } ?? "-",
        comparison.interval.map {
          "[\(NumberFormat.signed($0.low, digits)), \(NumberFormat.signed($0.high, digits))]"
        }
          ?? "-",
        "\(paired?.count ?? 0)", NumberFormat.p(paired?.pairedT), NumberFormat.p(paired?.signFlip),
        NumberFormat.p(paired?.wilcoxon), paired.map { NumberFormat.p($0.smallestReachable) } ?? "-",
        NumberFormat.p(welch?.p),
        tested(comparison.adjusted), paired?.effectSize.map { NumberFormat.signed($0, 2) } ?? "-",
        paired?.correlation.map { NumberFormat.signed($0, 2) } ?? "-",
      ]
      return values.map { Sheet.Entry($0) }
    }
    let names = comparisons.first.map { ($0.nameA, $0.nameB) } ?? ("a", "b")
    return Sheet(
      title: title,
      head: [
        "", names.0, names.1, "difference", intervalHead(comparisons, correction), "pairs", "paired t",
        "sign flip", "Wilcoxon", "smallest",
        "Welch",
        "\(test.title), \(correction.title)", "d", "r",
      ], rows: rows,
      notes: [
        "difference: \(names.1) \(style.minus) \(names.0). All p are two-sided; smallest: what sign flip "
          + "and Wilcoxon can reach with so many pairs; Welch takes the runs as independent."
      ] + tooFew(comparisons))
  }

  package static func sheet(
    _ comparisons: [CellComparison], title: String, digits: Int, correction: ReportCorrection,
    _ style: TextStyle
  ) -> Sheet {
    let test = comparisons.first?.test ?? .none
    let head = [
      "", "difference", intervalHead(comparisons, correction), "n", "p",
      correction == .none ? "p" : "p \(correction.title)", "sign flip p", "smallest p", "d", "r",
    ]
    var keep = Array(head.indices)
    // Columns that say nothing stay out.
    if correction == .none { keep.removeAll { $0 == 5 } }
    if !test.isPaired { keep.removeAll { $0 == 7 || $0 == 9 } }
    if comparisons.allSatisfy({ $0.exactP == nil }) { keep.removeAll { $0 == 6 } }
    let rows = comparisons.map { comparison -> [Sheet.Entry] in
      let paired = comparison.paired
      let interval = comparison.interval.map {
        "[\(NumberFormat.signed($0.low, digits)), \(NumberFormat.signed($0.high, digits))]"
      }
      let n =
        test.isPaired
        ? "\(paired?.count ?? 0)"
        : "\(comparison.a.headline?.count ?? 0), \(comparison.b.headline?.count ?? 0)"
      let effect = test.isPaired ? paired?.effectSize : comparison.welch?.effectSize
      let name = "\(comparison.nameB) \(style.minus) \(comparison.nameA)"
      return [
        Sheet.Entry(comparison.context.isEmpty ? name : "\(name), \(comparison.context)"),
        Sheet.Entry(comparison.difference.map { NumberFormat.signed($0, digits) } ?? "-"),
        Sheet.Entry(interval ?? "-"), Sheet.Entry(n), Sheet.Entry(tested(comparison.p)),
        Sheet.Entry(tested(comparison.adjusted)), Sheet.Entry(NumberFormat.p(comparison.exactP)),
        Sheet.Entry(paired.map { NumberFormat.p($0.smallestReachable) } ?? "-"),
        Sheet.Entry(effect.map { NumberFormat.signed($0, 2) } ?? "-"),
        Sheet.Entry(paired?.correlation.map { NumberFormat.signed($0, 2) } ?? "-"),
      ]
    }
    return Sheet(
      title: title, head: keep.map { head[$0] }, rows: rows.map { row in keep.map { row[$0] } },
      notes: notes(comparisons, test, style))
  }

  private static func tested(_ p: Double?) -> String { p == nil ? "not testable" : NumberFormat.p(p) }

  /// Says of the interval what it is where a p beside it is adjusted over several tests.
  static func intervalHead(_ comparisons: [CellComparison], _ correction: ReportCorrection) -> String {
    correction == .none || comparisons.count { $0.p != nil } < 2 ? "95 %" : "95 % (unadjusted)"
  }

  private static func notes(_ comparisons: [CellComparison], _ test: ReportTest, _ style: TextStyle)
    -> [String]
  {
    guard test.isPaired else {
      return ["p is Welch's, two-sided; d is Hedges' g. Assumes that all runs are independent."]
    }
    let notes = [
      "Paired by seed; p is two-sided (\(test.title)); d is the mean difference over its std; r is the "
        + "seeds' correlation.",
      "smallest p: what sign flip and Wilcoxon's test can reach with so many pairs.",
    ]
    return notes + tooFew(comparisons)
  }

  /// Says where no exact test could have found anything.
  private static func tooFew(_ comparisons: [CellComparison]) -> [String] {
    let reachable = comparisons.compactMap { $0.paired?.smallestReachable }
    guard let least = reachable.min(), least >= CellComparison.level else { return [] }
    return [
      "So few seeds cannot reach \(NumberFormat.fixed(CellComparison.level, 2)) in those tests, whatever "
        + "the differences: 6 can."
    ]
  }
}
