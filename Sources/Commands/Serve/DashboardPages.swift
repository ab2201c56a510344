import Pipeline
import Reports
import Results
import Specs
import Storage

/// The pages of `serve` and the parts that they fetch anew: values in, HTML out.
enum DashboardPages {
  private static let footer = "mtkd-sweep serve: reads the store, changes nothing."
  private static let lamp: Markup =
    "<span class=status><span id=lamp class=\"dot open\">connecting</span></span>"

  static func overview(_ store: String, _ state: LiveState, _ summaries: [String: SweepSummary]) -> String {
    SweepPage.document(
      title: "mtkd-sweep · \(store)",
      header:
        "<p class=eyebrow>mtkd-sweep</p><h1>\(store)</h1><p class=lede>Sweeps of this store, as they are now</p>",
      sections: [
        section("work", "At work", "/parts/work", work(state), isWork: true),
        section("sweeps", "Sweeps", "/parts/sweeps", sweeps(state, summaries)),
      ], script: PageScript.live, status: lamp, footer: footer)
  }

  static func noStore(_ reason: String) -> String {
    SweepPage.document(
      title: "mtkd-sweep",
      header: "<p class=eyebrow>mtkd-sweep</p><h1>Nothing here yet</h1><p class=lede>\(reason)</p>",
      sections: [], script: PageScript.report, footer: footer)
  }

  static func missing(_ sentence: String) -> String {
    SweepPage.document(
      title: "Not found · mtkd-sweep",
      header: """
        <p class=eyebrow><a href="/">All sweeps</a></p><h1>Not found</h1><p class=lede>\(sentence)</p>
        <p><a class=button href="/">What there is</a></p>
        """,
      sections: [], script: PageScript.report, footer: footer)
  }

  static func sweep(
    _ sweep: SweepRecord, _ standing: Markup, _ state: LiveState, _ query: RunQuery, runs: Markup,
    hasPictures: Bool
  )
    -> String
  {
    let place = "/sweeps/\(Gate.encoded(sweep.name))"
    let search: Markup = """
      <p class=tools><input type=search id=run-search value="\(query.search)" placeholder="Search: mtkd-rl alpha>=1 seed=2 diverged" aria-label="Search runs"></p>
      """
    return SweepPage.document(
      title: "\(sweep.name) · mtkd-sweep",
      header: """
        <p class=eyebrow><a href="/">All sweeps</a></p><h1>\(sweep.name)</h1>
        <div data-live="\(place)/state" data-work>\(standing)</div>
        <p><a class=button href="\(place)/report">Whole report</a> <a class=button href="\(place)/report.csv">CSV</a></p>
        """,
      sections: [
        section("work", "At work", "/parts/work", work(state), isWork: true),
        section("table", "Results so far", "\(place)/table", "<p class=soft>Fetching…</p>"),
      ]
        + (hasPictures
          ? [section("images", "Test images", "\(place)/images", "<p class=soft>Fetching…</p>")] : []) + [
          section("curves", "Curves", "\(place)/curves", "<p class=soft>Fetching…</p>"),
          SweepPage.Section(
            id: "overlay", title: "Picked runs",
            body: "<div data-live=\"\(place)/overlay\" data-work data-overlay>\(OverlayChart.hint)</div>"),
          SweepPage.Section(
            id: "runs", title: "Runs",
            body:
              "\(search)<div data-live=\"\(place)/runs\" data-query=\"\(query.text)\" data-search=run-search>\(runs)</div>"
          ),
          SweepPage.Section(
            id: "grid", title: "The grid", body: "<pre id=grid-text tabindex=0>\(sweep.grid)</pre>"),
        ], script: PageScript.live, status: lamp, footer: footer)
  }

  /// - Parameters:
  ///   - epochs: all that are known, of a worker that is at it too.
  ///   - work: where that worker is; nil where nobody is at it.
  ///   - findings: what stands before everything else.
  static func run(
    _ run: StoredRun, _ epochs: [EpochRecord], _ work: RunningStage?, _ log: String?,
    _ findings: [SweepPage.Section], _ place: RunPlace
  ) -> String {
    SweepPage.document(
      title: "\(run.stage.title) · mtkd-sweep",
      header: """
        <p class=eyebrow><a href="/">All sweeps</a>\(place.sweepLinks)</p><h1>\(place.title ?? run.stage.title)</h1>
        <p class="lede mono">\(run.stage.key.description)</p>\(place.seedLinks)
        """,
      sections: findings + [
        section(
          "run", "This run", "/runs/\(run.stage.key.description)/part", runParts(run, epochs, work, log),
          isWork: true)
      ], script: PageScript.live, status: lamp, footer: footer)
  }

  /// Where a run belongs: its sweeps, and the other seeds of its cell in the first of them.
  struct RunPlace {
    /// As its first sweep names it; nil for a stage that no sweep lists.
    let title: String?
    /// Of all sweeps that share it.
    let sweepLinks: Markup
    let seedLinks: Markup

    init(_ key: ContentKey, _ store: ResultStore) throws {
      guard let sweep = try store.sweep(askingFor: key) else {
        (title, sweepLinks, seedLinks) = (nil, "", "")
        return
      }
      let links = try store.sweeps(askingFor: key).map { name -> Markup in
        "<a href=\"/sweeps/\(Gate.encoded(name))\">\(name)</a>"
      }
      sweepLinks = " › \(Markup.joined(links, ", "))"
      let points = try store.points(of: sweep.name)
      let own = points.first { $0.key == key }
      let pools = ReportTable.poolNames(sweep.columns, points.lazy.map(\.labels))
      title = own.map { "\(ReportTable.words($0.labels, sweep.columns, pools)) seed \($0.seed)" }
      let cell = points.filter { $0.labels == own?.labels }.sorted { $0.seed < $1.seed }
      let seeds = cell.map { point -> Markup in
        point.key == key
          ? "<b>\(point.seed)</b>" : "<a href=\"/runs/\(point.key.description)\">\(point.seed)</a>"
      }
      seedLinks = cell.count > 1 ? "<p class=seeds>Seeds of this cell: \(seeds)</p>" : ""
    }
  }

  private static func section(
    _ id: String, _ title: String, _ place: String, _ body: Markup, isWork: Bool = false
  )
    -> SweepPage.Section
  {
    SweepPage.Section(
      id: id, title: title,
      body: "<div data-live=\"\(place)\"\(isWork ? " data-work" : "" as Markup)>\(body)</div>")
  }

  // Parts

  static func bar(_ counts: StateCounts) -> Markup {
    let states = [
      ("finished", counts.finished), ("diverged", counts.diverged), ("failed", counts.failed),
      ("blocked", counts.blocked), ("open", counts.open),
    ]
    return StateBar.markup(states.filter { $0.1 > 0 })
  }

  /// Newest first.
  static func sweeps(_ state: LiveState, _ summaries: [String: SweepSummary]) -> Markup {
    if state.sweeps.isEmpty {
      return "<p class=soft>No sweep yet: <code>mtkd-sweep run FILE</code> makes one.</p>"
    }
    let newest = state.sweeps.enumerated().sorted { a, b in
      let (first, second) = (summaries[a.element.name]?.changed ?? 0, summaries[b.element.name]?.changed ?? 0)
      return first == second ? a.offset > b.offset : first > second
    }
    let items = newest.map { _, sweep -> Markup in
      let summary = summaries[sweep.name]
      let best: Markup = summary?.best.map { "<p class=best>Best: \($0)</p>" } ?? ""
      let failures = sweep.counts.diverged + sweep.counts.failed + sweep.counts.blocked
      var words = ["\(sweep.counts.finished) of \(sweep.counts.all) runs finished"]
      if failures > 0 { words.append("\(failures) without a result") }
      if let changed = summary?.changed { words.append("last change \(TimeOfDay.local(changed))") }
      return """
        <li class=card><h3><a href="/sweeps/\(Gate.encoded(sweep.name))">\(sweep.name)</a> <span class="soft small">\(words.joined(separator: ", "))</span></h3>
        \(best)\(bar(sweep.counts))</li>
        """
    }
    return "<ul class=sweeps>\(items)</ul>"
  }

  static func work(_ state: LiveState) -> Markup {
    guard let holder = state.holder else {
      return "<p class=soft>Nobody is running anything here now.</p>"
    }
    let who: Markup = """
      <p class="soft small">Process \(Int(holder.identity.process)) on \(holder.identity.host), since \(TimeOfDay.local(holder.since))</p>
      """
    if state.running.isEmpty { return "<p>Workers are starting.</p>\(who)" }
    let items = state.running.map { stage -> Markup in
      let done = max(0, min(stage.step, stage.steps))
      var words = ["epoch \(min(stage.epoch + 1, stage.epochs)) of \(stage.epochs)"]
      if let loss = stage.loss, loss.isFinite { words.append("loss \(CurveChart.text(loss))") }
      return """
        <li><a href="/runs/\(stage.key.description)">\(stage.title)</a>\
        <div class=bar role=progressbar aria-valuenow="\(done)" aria-valuemax="\(stage.steps)" aria-label="\(stage.title)"><i data-flex=\(done)></i><i class=rest data-flex=\(max(0, stage.steps - done))></i></div>\
        <span class="sub">\(words.joined(separator: ", "))</span></li>

        """
    }
    return "<div class=card><ul class=work>\(items)</ul></div>\(who)"
  }

  /// A run as a line of a table.
  struct RunRow {
    let key: ContentKey
    let labels: String
    /// Beside the sweep's columns.
    let settings: [JSONValue]
    let seed: Int
    let state: String
    let last: Double?
    let best: Double?
    /// What a search looks at: all of the labels, teachers by their names too.
    private let text: String

    init(
      _ outcome: PointOutcome, _ columns: [String], _ pools: [JSONValue: String], _ running: Set<ContentKey>
    ) {
      settings = outcome.point.labels
      key = outcome.point.key
      seed = outcome.point.seed
      labels = ReportTable.words(outcome.point.labels, columns, pools)
      let isRunning = outcome.state == nil && running.contains(outcome.point.key)
      state = isRunning ? "running" : outcome.state?.word ?? "open"
      last = outcome.final ?? outcome.last?.value
      best = outcome.best?.value
      let whole = ReportTable.words(outcome.point.labels, columns, [:])
      text = "\(labels) \(whole) seed \(seed) \(state)".lowercased()
    }

    /// A word of the settings, the seed or the state, or the beginning of a key of four digits or more.
    func has(_ word: String) -> Bool {
      RunQuery.hasWord(text, word) || (word.utf8.count >= 4 && key.description.hasPrefix(word))
    }
  }

  static func runs(_ rows: [RunRow], of all: Int, _ query: RunQuery) -> Markup {
    func number(_ value: Double?) -> Markup {
      guard let value, value.isFinite else { return "<td data-v=\"\">–</td>" }
      let text = abs(value) < 1 ? CurveChart.text(value) : ReportTable.digits(value)
      return "<td data-v=\"\(value.description)\">\(text)</td>"
    }
    let head = RunQuery.Column.allCases.map { column -> Markup in
      let sort: Markup =
        query.column == column
        ? query.isDescending ? " aria-sort=descending" : " aria-sort=ascending" : ""
      return """
        <th scope=col\(column.isNumber ? "" : " class=text" as Markup)\(sort)>\(link(query.sorted(by: column), column.rawValue))</th>
        """
    }
    let pages = max(1, (rows.count + RunQuery.pageSize - 1) / RunQuery.pageSize)
    let page = min(query.page, pages)
    let first = (page - 1) * RunQuery.pageSize
    let lines = rows.dropFirst(first).prefix(RunQuery.pageSize).map { row -> Markup in
      """
      <tr><td><input type=checkbox data-pick value="\(row.key.description)" aria-label="Draw \(row.labels) seed \(row.seed)"> <a class=mono href="/runs/\(row.key.description)">\(row.key.short)</a></td><td class=text>\(row.labels)</td>\
      <td data-v="\(row.seed)">\(row.seed)</td><td class="text \(row.state)"><span class=dot></span>\(RunState.shown(row.state))</td>\
      \(number(row.last))\(number(row.best))</tr>

      """
    }
    let order = query.column.map { ", by \($0.rawValue) \(query.isDescending ? "↓" : "↑")" } ?? ""
    let range =
      rows.isEmpty
      ? "no run matches"
      : rows.count > RunQuery.pageSize
        ? "\(first + 1)–\(first + lines.count) of \(rows.count) runs" : "\(rows.count) of \(all) runs"
    let found = rows.count < all && rows.count > RunQuery.pageSize ? ", found among \(all)" : ""
    let before: Markup = page > 1 ? " \(link(query.turned(to: page - 1), "previous"))" : ""
    let next: Markup = page < pages ? " \(link(query.turned(to: page + 1), "next"))" : ""
    let count: Markup = "<p class=\"soft small\">\(range)\(found)\(order)\(before)\(next)</p>"
    return """
      <div class="scroll tall" tabindex=0 role=group aria-label="List of runs"><table id=run-table><thead><tr>\(head)</tr></thead><tbody>
      \(Array(lines))</tbody></table></div>\(count)
      """
  }

  /// To the same list in another order or at another place; a page with scripts fetches the list alone.
  private static func link(_ query: RunQuery, _ name: String) -> Markup {
    "<a href=\"?\(query.text)#runs\" data-query=\"\(query.text)\">\(name)</a>"
  }

  static func runParts(
    _ run: StoredRun, _ epochs: [EpochRecord], _ work: RunningStage?, _ log: String?
  ) -> Markup {
    let said: Markup =
      log.map { "<h3>Log</h3><pre class=log tabindex=0>\($0)</pre>" }
      ?? "<p class=soft>No log is here: logs stay where the run was made.</p>"
    return runFacts(run, epochs, work, said)
  }

  /// - Parameter said: what stands between curves and settings.
  static func runFacts(
    _ run: StoredRun, _ epochs: [EpochRecord], _ work: RunningStage?, _ said: Markup = ""
  ) -> Markup {
    let state = run.state
    let (tone, word) =
      work == nil ? (state.word, state.shown) : ("running", "at work")
    var facts: [(String, Markup)] = [("state", "<span class=\"tag \(tone)\">\(word)</span>")]
    if let reason = state.reason { facts.append(("why", "\(reason)")) }
    if let work {
      let loss = work.loss.flatMap { $0.isFinite ? ", loss \(CurveChart.text($0))" : nil } ?? ""
      facts.append(
        (
          "now",
          "epoch \(min(work.epoch + 1, work.epochs)) of \(work.epochs), step \(work.step) of \(work.steps)\(loss)"
        ))
    }
    facts.append(("epochs done", "\(epochs.count)"))
    for attempt in run.attempts {
      let why = attempt.reason.map { ": \($0)" } ?? ""
      let made =
        attempt.provenance.map { made in
          let threads = made.threading.map { ", \($0)" } ?? ""
          return ", mtkd-sweep \(made.version) on \(made.host), \(made.cpu)\(threads)"
        } ?? ""
      facts.append(
        ("try \(attempt.number)", "from step \(attempt.firstStep), \(attempt.outcome.rawValue)\(why)\(made)"))
    }
    for checkpoint in run.checkpoints {
      facts.append(
        (
          "\(checkpoint.kind.rawValue) checkpoint",
          "epoch \(checkpoint.epoch + 1), <span class=mono>\(checkpoint.digest.description)</span>"
        ))
    }
    let list = facts.map { fact -> Markup in "<dt>\(fact.0)</dt><dd>\(fact.1)</dd>" }
    let names = Set(epochs.flatMap { $0.metrics.values.map(\.name) })
    func charts(_ names: [String]) -> Markup {
      let charts = names.map { name in
        CurveChart.markup(name, epochs.map { $0.metrics[name] ?? .nan }, divergedIn: state.divergedIn)
      }
      return "<div class=charts data-zoom=\"\(names.first ?? "")\">\(charts)</div>"
    }
    // Those of single classes are many, and few come for them.
    let ofClasses = names.filter { $0.contains(".class.") }.sorted()
    let byClass: Markup =
      ofClasses.isEmpty
      ? ""
      : "<details><summary>\(ofClasses.count) curves of single classes</summary>\(charts(ofClasses))</details>"
    let curves: Markup = "\(charts(names.subtracting(ofClasses).sorted(by: Self.isBefore)))\(byClass)"
    return "<dl>\(list)</dl>\(curves)\(said)<h3>Settings</h3>\(settings(run.stage.spec))"
  }

  /// What a stage was made of: a line a value, and the whole as it is stored.
  private static func settings(_ spec: String) -> Markup {
    guard let value = try? JSONReader.read(Array(spec.utf8)).value else {
      return "<pre tabindex=0>\(spec)</pre>"
    }
    func lines(_ value: JSONValue, _ path: String) -> [(String, String)] {
      guard let members = value.object, !members.isEmpty else { return [(path, value.title)] }
      return members.sorted { $0.key < $1.key }.flatMap {
        lines($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)")
      }
    }
    let rows = lines(value, "").map { name, text -> Markup in
      "<tr><th scope=row>\(name)</th><td>\(Markup.breakable(text))</td></tr>"
    }
    return """
      <div class=scroll tabindex=0 role=group aria-label="Settings"><table class=settings><tbody>\(rows)</tbody></table></div>\
      <details><summary>As JSON</summary><pre tabindex=0>\(value.indented)</pre></details>
      """
  }

  /// What came out before what went on inside; otherwise by name.
  private static func isBefore(_ a: String, _ b: String) -> Bool {
    func rank(_ name: String) -> Int {
      ["test.", "validation.", "train."].firstIndex { name.hasPrefix($0) } ?? 3
    }
    return (rank(a), a) < (rank(b), b)
  }

  static func json(_ state: LiveState) -> String {
    Commands.json([
      "schema": "mtkd-sweep-state-1", "stamp": .string(state.stamp),
      "holder": state.holder.map { .string("\($0.identity.process) on \($0.identity.host)") } ?? .null,
      "sweeps": .array(
        state.sweeps.map { sweep in
          [
            "name": .string(sweep.name), "asked": JSONValue(sweep.asked),
            "finished": JSONValue(sweep.counts.finished), "diverged": JSONValue(sweep.counts.diverged),
            "failed": JSONValue(sweep.counts.failed), "blocked": JSONValue(sweep.counts.blocked),
            "open": JSONValue(sweep.counts.open),
          ]
        }),
      "running": .array(
        state.running.map { stage in
          [
            "key": .string(stage.key.description), "kind": .string(stage.kind), "title": .string(stage.title),
            "epoch": JSONValue(stage.epoch), "epochs": JSONValue(stage.epochs), "step": JSONValue(stage.step),
            "steps": JSONValue(stage.steps),
          ]
        }),
    ])
  }
}
