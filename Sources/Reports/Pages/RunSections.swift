internal import Specs

/// Runs on a page: a table of all, and a section for each.
package enum RunSections {
  static func table(_ story: SweepStory) -> Markup {
    let results = story.results
    let columns = results.columns
    let hasSections = story.runs.count <= SweepPage.mostSections
    let range = range(of: story)
    let pools = ReportTable.poolNames(results)
    let head =
      (["run"] + columns + ["seed", "state", "last", "best", "epochs"]).map { name -> Markup in
        "<th scope=col\(textual.contains(name) || columns.contains(name) ? " class=text" : "" as Markup)><button type=button>\(name)</button></th>"
      }
    let rows = zip(results.runs, story.runs).map { run, story -> Markup in
      let (last, best) = values(run)
      let labels = run.labels.map { label -> Markup in
        if let number = label.number {
          return "<td class=text data-v=\"\(number.description)\">\(number.description)</td>"
        }
        return "<td class=text>\(label == .null ? "" : pools[label] ?? ReportTable.text(label))</td>"
      }
      let name: Markup =
        hasSections
        ? "<a class=mono href=\"#r-\(story.key.short)\">\(story.key.short)</a>"
        : "<span class=mono>\(story.key.short)</span>"
      let spark = Sparkline.markup(
        story.series, in: range, label: "\(results.metric) over the epochs of \(story.title)")
      return """
        <tr><td>\(name)</td>\(labels)<td data-v="\(run.seed)">\(run.seed)</td><td class="text \(run.state.word)"><span class=dot></span>\(run.state.shown)</td>\
        \(number(last))\(number(best))<td data-v="\(story.series.count)">\(story.series.count)</td><td>\(spark)</td></tr>

        """
    }
    let (shown, later) = (rows.prefix(atOnce), rows.dropFirst(atOnce))
    let rest: Markup =
      later.isEmpty
      ? ""
      : """
      <script type="text/html" data-rows=run-table>
      \(Array(later))</script><noscript><p class="soft small">Scripts are off: the first \(atOnce) of \(rows.count) runs are shown.</p></noscript>
      """
    return """
      <p class=tools><input type=search data-filters=run-table placeholder="Filter: mtkd-rl seed diverged" aria-label="Filter runs">\
      <output class="soft small"></output></p>
      <div class="scroll tall" tabindex=0 role=group aria-label="List of runs"><table class=sortable id=run-table><thead><tr>\(head)<th scope=col>curve</th></tr></thead><tbody>
      \(Array(shown))</tbody></table></div>\(rest)
      """
  }

  /// Runs that are there as soon as the page is; the others wait as text until the reader's
  /// browser has nothing else to do.
  private static let atOnce = 200
  private static let textual: Set = ["run", "state"]

  static func each(_ story: SweepStory) -> Markup {
    let range = range(of: story)
    let sections = zip(story.results.runs, story.runs).map { run, story -> Markup in
      let shown: Markup =
        values(run).last.map { "<span class=value>\(ReportTable.digits($0))</span>" }
        ?? "<span class=\"tag \(run.state.word)\">\(run.state.shown)</span>"
      let list = facts(of: run, story, range).map { fact -> Markup in "<dt>\(fact.0)</dt><dd>\(fact.1)</dd>" }
      return """
        <details class=run id="r-\(story.key.short)"><summary><span>\(story.title)</span>\(shown)</summary><dl>\(list)</dl></details>

        """
    }
    guard sections.count > atOnce else { return "<div class=card>\(sections)</div>" }
    let groups = stride(from: 0, to: sections.count, by: 100).map { start -> Markup in
      let end = min(sections.count, start + 100)
      return """
        <details class=group data-holds="group-\(start)"><summary>Runs \(start + 1) to \(end)</summary></details>\
        <script type="text/html" id="group-\(start)">\(Array(sections[start..<end]))</script>

        """
    }
    return "<div class=card>\(groups)</div>"
  }

  /// What is said of a run, by the words that it stands under.
  private static func facts(
    of run: SweepResults.Run, _ story: SweepStory.Run, _ range: ClosedRange<Double>
  ) -> [(String, Markup)] {
    let (last, best) = values(run)
    var facts: [(String, Markup)] = [("key", "<span class=mono>\(story.key.description)</span>")]
    if let reason = run.state.reason { facts.append(("why", "\(ForeignText.line(reason))")) }
    if let last {
      let best = best.map { ", best \(ReportTable.digits($0))" } ?? ""
      facts.append(("result", "\(ReportTable.digits(last)) after epoch \(story.series.count)\(best)"))
    }
    let spark = Sparkline.markup(story.series, in: range, label: "curve of \(story.title)")
    if spark != "" { facts.append(("curve", spark)) }
    for attempt in story.attempts {
      facts.append(
        (
          "try \(attempt.number)",
          "from step \(attempt.firstStep), \(attempt.outcome)\(attempt.reason.map { ": \(ForeignText.line($0))" } ?? "")\(attempt.time.map { "; \($0.text)" } ?? "")"
        ))
    }
    if let made = story.provenance {
      facts.append(
        (
          "made by",
          "mtkd-sweep \(made.version)\(made.commit.map { ", commit \($0)" } ?? "") on \(made.host)\(made.threading.map { ", \($0)" } ?? "")"
        ))
    }
    if let state = story.lastState {
      facts.append(("state after the last epoch", "<span class=mono>\(state.description)</span>"))
    }
    if let final = story.final {
      facts.append(("final checkpoint", "<span class=mono>\(final.description)</span>"))
    }
    if let seal = story.seal {
      let verdict: Markup =
        seal.isEqual
        ? "<span class=\"tag finished\">equal</span>" : "<span class=\"tag failed\">different</span>"
      facts.append(
        (
          "verified",
          "\(verdict) executed again, \(counted(seal.epochs, "epoch")) compared bit for bit, \(seal.by)"
        ))
    }
    return facts
  }

  private static func values(_ run: SweepResults.Run) -> (last: Double?, best: Double?) {
    guard run.isFinished else { return (nil, nil) }
    return (run.numbers?.last.number, run.numbers?.best)
  }

  private static func number(_ value: Double?) -> Markup {
    value.map { "<td data-v=\"\($0.description)\">\(ReportTable.digits($0))</td>" }
      ?? "<td data-v=\"\">–</td>"
  }

  /// Of all curves together.
  private static func range(of story: SweepStory) -> ClosedRange<Double> {
    var (low, high) = (Double.infinity, -Double.infinity)
    for run in story.runs {
      for value in run.series where value.isFinite { (low, high) = (min(low, value), max(high, value)) }
    }
    return low < high ? low...high : 0...1
  }
}
