internal import Specs

/// What a sweep found, in sentences.
enum Narration {
  /// What was found, before anything else.
  static func findings(_ table: ReportTable) -> [Markup] { rankings(table) + families(table) }

  /// What was asked for and how its numbers were chosen and made.
  static func making(_ story: SweepStory, _ table: ReportTable) -> [Markup] {
    [asked(story, table), selection(story.results), makers(story, table)]
  }

  /// What has no result.
  static func missing(_ results: SweepResults) -> Markup {
    if results.runs.isEmpty { return "No run was asked for." }
    if results.isComplete { return "Every run has a result: no seed is missing, none diverged." }
    var gaps = results.states.filter { $0.word != "finished" }.map { state in
      state.word == "open" ? "\(state.count) not run to the end yet" : "\(state.count) \(state.word)"
    }
    let silent = results.finished - results.answered
    if silent > 0 { gaps.append("\(silent) finished without a number") }
    return "<b>Not every run has a result:</b> \(gaps.joined(separator: ", "))."
  }

  private static func asked(_ story: SweepStory, _ table: ReportTable) -> Markup {
    let (asked, distinct) = (story.asked, story.results.runs.count)
    let cells = "\(counted(distinct, "distinct run")) in \(counted(table.cells.count, "cell"))"
    if distinct > asked { return "This page shows \(cells)." }
    let shared: Markup =
      asked > distinct
      ? ", of which \(asked - distinct) repeat others because their method does not read what differs, or are left out here"
      : ""
    return "The grid asks for \(counted(asked, "run"))\(shared): \(cells)."
  }

  /// Who leads, by how much, and whether that is more than chance.
  private static func rankings(_ table: ReportTable) -> [Markup] {
    guard !table.rankings.isEmpty else {
      return [
        table.results.described.isHigherBetter == nil
          ? "No ranking is given: nobody declared which way \(table.results.metric) is good."
          : "No ranking is given: it takes two cells of one student with two seeds or more and none missing."
      ]
    }
    var sentences = table.rankings.prefix(6).map { finding($0, table) }
    if table.rankings.count > 6 {
      sentences.append("\(table.rankings.count - 6) more rankings stand below the table.")
    }
    let few = table.rankings.compactMap { $0.comparison.paired }.filter {
      $0.smallestReachable >= CellComparison.level
    }.min { $0.smallestReachable < $1.smallestReachable }
    if let few {
      sentences.append(
        "With \(few.count) seeds in common, the exact tests (sign flip, Wilcoxon) cannot give less than p = \(NumberFormat.p(few.smallestReachable)), whatever the difference: six seeds could."
      )
    }
    return sentences
  }

  /// The best cell of one context, and which methods are tied with it: each at its best setting of the table.
  private static func finding(_ ranking: Ranking, _ table: ReportTable) -> Markup {
    func name(_ comparison: CellComparison) -> Markup {
      let mean = comparison.a.headline.map { " \(NumberFormat.fixed($0.mean, table.digits))" } ?? ""
      let difference =
        comparison.difference.map { NumberFormat.signed(-$0, table.digits) } ?? "not comparable"
      let p = comparison.adjusted.map { NumberFormat.pEquals($0) } ?? "not testable"
      return "\(comparison.nameA)\(mean) (\(difference), \(p))"
    }
    func list(_ comparisons: [CellComparison]) -> Markup {
      let parts = comparisons.prefix(4).map(name)
      let rest = comparisons.count > 4 ? " and \(counted(comparisons.count - 4, "other method"))" : ""
      return "\(Markup.joined(parts, ", "))\(rest)"
    }
    let head = ReportTable.text(ranking.first.headline, plusMinus: "±", digits: table.digits)
    let count = counted(ranking.first.headline?.count ?? 0, "seed")
    let place: Markup = ranking.context.isEmpty ? "" : "On \(ranking.context), "
    let tied = ranking.rivals.filter { $0.isDistinguishable == false }
    let behind = ranking.rivals.filter { $0.isDistinguishable == true }
    let untested = ranking.rivals.filter { $0.isDistinguishable == nil }
    var parts: [Markup] = []
    if !tied.isEmpty { parts.append("<b>not distinguishable from it:</b> \(list(tied))") }
    if !behind.isEmpty { parts.append("<b>distinguishably behind:</b> \(list(behind))") }
    if !untested.isEmpty { parts.append("<b>not testable:</b> \(list(untested))") }
    let correction = table.layout.correction
    let over: Markup =
      correction == .none || ranking.others < 2
      ? "" : " p is adjusted over \(counted(ranking.others, "comparison")) (\(correction.title))."
    return """
      \(place)<b>\(ranking.comparison.nameB)</b> has the best mean, \(head) over \(count); \(Markup.joined(parts, "; ")).\(over)
      """
  }

  private static func families(_ table: ReportTable) -> [Markup] {
    let tested = table.comparisons.filter { $0.adjusted != nil }
    guard !tested.isEmpty else { return [] }
    let clear = tested.count { $0.isDistinguishable == true }
    return [
      "Of the \(tested.count) comparisons that the grid declares, \(clear == 0 ? "none" : "\(clear)") \(clear == 1 ? "is" : "are") distinguishable after correction (\(table.layout.correction.title))."
    ]
  }

  private static func selection(_ results: SweepResults) -> Markup {
    switch results.select {
    case .last:
      results.described.isHigherBetter == nil
        ? "Numbers are those of the last epoch."
        : "Numbers are those of the last epoch. The best epoch, chosen by the metric itself, stands beside them in brackets and decides nothing."
    case .bestOnValidation:
      "Numbers are those of the epoch with \(results.selectorText) of each seed, which the test set did not choose."
    case .bestOnTest:
      "<b>Warning:</b> each number is that of its seed's best epoch, chosen on what it is measured with: such numbers are too good. The last epoch stands in brackets."
    }
  }

  private static func makers(_ story: SweepStory, _ table: ReportTable) -> Markup {
    let makers = story.makers
    guard let first = makers.first?.made else { return "Nothing of this has been run yet." }
    let programs = Set(makers.map { $0.made.program?.description ?? $0.made.version }).count
    let hosts = Set(makers.map(\.made.host)).count
    let profiles = Set(makers.map(\.made.profile)).count
    let machines = hosts == 1 ? "one machine" : "\(hosts) machines"
    if programs == 1, profiles == 1 {
      return
        "One program made all of it: mtkd-sweep \(first.version), on \(machines), with one numerics profile."
    }
    let mixed = table.cells.count { $0.isMixed }
    let cells: Markup = mixed == 0 ? "no cell mixes them" : "\(mixed) cells mix them, and say so"
    return """
      \(programs == 1 ? "One program" : "\(programs) programs") with \(profiles == 1 ? "one numerics profile" : "\(profiles) numerics profiles") \
      made these runs, on \(machines); \(cells).
      """
  }

  /// The cell with the best mean of those that the sentences rank, and its name. Without a ranking
  /// it is the best of the cells that have every seed; nil where there is none, or nobody said
  /// which way the metric is good.
  static func top(_ table: ReportTable) -> (name: String, cell: Cell)? {
    let metric = table.results.described
    guard metric.isHigherBetter != nil else { return nil }
    let leaders = Set(table.rankings.map(\.first.labels))
    var top: (name: String, cell: Cell)?
    for (row, cells) in zip(table.rows, table.grid) {
      for (column, cell) in zip(table.columns, cells) {
        guard let cell, let mean = cell.headline?.mean, cell.gaps.isEmpty,
          leaders.isEmpty || leaders.contains(cell.labels)
        else { continue }
        if let best = top?.cell.headline?.mean, !metric.isBetter(mean, than: best) { continue }
        top = (table.columns.count > 1 ? "\(row), \(column)" : row, cell)
      }
    }
    return top
  }
}

extension ReportTable {
  /// The best complete cell with its number; nil where there is none.
  package var bestLine: String? {
    Narration.top(self).map { top in
      "\(top.name): \(Self.text(top.cell.headline, plusMinus: "±", digits: digits))"
    }
  }
}
