internal import Specs

/// What a sweep found, in sentences.
enum Narration {
  static func sentences(_ story: SweepStory, _ table: ReportTable) -> [Markup] {
    let results = story.results
    var sentences: [Markup] = [asked(story, table)]
    if results.isComplete, !results.runs.isEmpty {
      sentences.append("Every run has a result: no seed is missing, none diverged.")
    } else if !results.runs.isEmpty {
      let gaps = results.states.filter { $0.word != "finished" }.map { state in
        state.word == "open" ? "\(state.count) not run to the end yet" : "\(state.count) \(state.word)"
      }
      sentences.append(
        "<b>Not every run has a result:</b> \(gaps.joined(separator: ", ")). Cells that lack one say so, and the notes under the table give the reason."
      )
    }
    sentences += ranking(table)
    sentences.append(
      "Numbers are those of the last epoch. The best epoch, chosen on the test set itself, stands beside them in brackets and decides nothing."
    )
    sentences.append(makers(story))
    return sentences
  }

  private static func asked(_ story: SweepStory, _ table: ReportTable) -> Markup {
    let (asked, distinct) = (story.asked, story.results.runs.count)
    let shared: Markup =
      asked > distinct
      ? ", of which \(asked - distinct) repeat others because their method does not read what differs" : ""
    return
      "The grid asks for \(asked) runs\(shared): \(distinct) distinct runs in \(table.cells.count) cells."
  }

  /// Where there is a first and a second in a column of the table.
  private static func ranking(_ table: ReportTable) -> [Markup] {
    table.columns.indices.prefix(6).compactMap { column in
      let ranked = table.rows.indices.compactMap { row in
        table.grid[row][column].flatMap { cell in cell.last.map { (name: table.rows[row], last: $0, cell) } }
      }.sorted { ($1.last.mean, $0.name) < ($0.last.mean, $1.name) }
      guard ranked.count > 1 else { return nil }
      let (first, second) = (ranked[0], ranked[1])
      let difference = ReportTable.digits(first.last.mean - second.last.mean)
      let count = first.last.count
      return """
        On \(table.columns[column]), <b>\(first.name)</b> has the highest mean, \(ReportTable.text(first.last, plusMinus: "±")) \
        over \(count == 1 ? "one seed" : "\(count) seeds"); \(second.name) follows, \(difference) below.
        """
    }
  }

  private static func makers(_ story: SweepStory) -> Markup {
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
    return """
      <b>\(programs == 1 ? "One program" : "\(programs) programs")</b> with \(profiles == 1 ? "one numerics profile" : "\(profiles) numerics profiles") \
      made these runs, on \(machines): see what made these numbers before comparing them.
      """
  }

  /// The cell with the highest mean, and its name.
  static func highest(_ table: ReportTable) -> (name: String, cell: Cell)? {
    var top: (name: String, cell: Cell)?
    for (row, cells) in zip(table.rows, table.grid) {
      for (column, cell) in zip(table.columns, cells) {
        guard let cell, let last = cell.last else { continue }
        if let mean = top?.cell.last?.mean, mean >= last.mean { continue }
        top = (table.columns.count > 1 ? "\(row), \(column)" : row, cell)
      }
    }
    return top
  }
}
