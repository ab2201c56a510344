internal import Specs

/// A sweep's report as one page that needs nothing else: no network, no files beside it, no dates, the same
/// bytes for the same results.
package enum SweepPage {
  /// What `report --format` calls it.
  package static let name = "html"

  /// Above this many runs the page lists them without a section for each.
  static let mostSections = 2000

  /// - Parameter pictures: of transfers; empty for none.
  package static func render(
    _ story: SweepStory, figures: [Figure] = [], pictures: Markup = ""
  ) -> String {
    let table = story.table
    // The finding, its table, one figure of it, what is missing, how it was made; then everything else.
    var sections: [Section] = [
      Section(id: "summary", title: "In short", body: summary(story, table)),
      Section(
        id: "table", title: "Results",
        body:
          "\(TableSections.main(story.tables))\(TableSections.sheets(story.tables))\(TableSections.cells(story.tables))"
      ),
    ]
    let (forest, others) = (
      figures.filter { $0.kind == ForestFigure.name }, figures.filter { $0.kind != ForestFigure.name }
    )
    if !forest.isEmpty {
      sections.append(Section(id: "forest", title: "Every cell", body: Figure.list(forest)))
    }
    sections += [
      Section(id: "gaps", title: "What is missing", body: TableSections.gaps(table)),
      Section(
        id: "provenance", title: "How it was made",
        body: "\(making(story, table))\(ProvenanceSections.markup(story))"),
    ]
    let curves = CurveSections.markup(story.results) { story.runs[$0].series }
    if pictures != "" { sections.append(Section(id: "images", title: "Test images", body: pictures)) }
    if curves != "" { sections.append(Section(id: "curves", title: "Curves", body: curves)) }
    if !others.isEmpty {
      sections.append(Section(id: "figures", title: "Figures", body: Figure.list(others)))
    }
    sections += [
      Section(id: "runs", title: "Runs", body: RunSections.table(story)),
      Section(id: "grid", title: "The grid", body: grid(story)),
    ]
    if story.runs.count <= mostSections {
      sections.append(Section(id: "each", title: "Run by run", body: RunSections.each(story)))
    }
    return document(
      title: "\(story.results.name) · mtkd-sweep report", header: header(story), sections: sections,
      script: PageScript.report)
  }

  /// A picture with what it shows.
  package struct Figure: Sendable {
    /// The name of its kind.
    let kind: String
    /// A complete `<svg>` element that this program made.
    let svg: String
    let caption: String

    package init(kind: String = "", svg: String, caption: String) {
      self.kind = kind
      self.svg = svg
      self.caption = caption
    }

    fileprivate static func list(_ figures: [Figure]) -> Markup {
      "<div class=figures>\(figures.map { "<figure>\(Markup(trusted: $0.svg))<figcaption>\($0.caption)</figcaption></figure>" })</div>"
    }
  }

  package struct Section: Sendable {
    let id: String
    let title: String
    let body: Markup

    package init(id: String, title: String, body: Markup) {
      self.id = id
      self.title = title
      self.body = body
    }
  }

  /// A whole page.
  /// - Parameters:
  ///   - status: at the right of the list of sections.
  ///   - footer: a sentence.
  package static func document(
    title: String, header: Markup, sections: [Section], script: String, status: Markup = "",
    footer: String = "Written by mtkd-sweep from its store. Equal results give an equal page."
  ) -> String {
    let links = sections.map { section -> Markup in "<a href=\"#\(section.id)\">\(section.title)</a>" }
    let bodies = sections.map { section -> Markup in
      "<section id=\"\(section.id)\" aria-labelledby=\"\(section.id)-title\"><h2 id=\"\(section.id)-title\">\(section.title)</h2>\(section.body)</section>\n"
    }
    let page: Markup = """
      <!doctype html>
      <html lang=en>
      <head>
      <meta charset=utf-8>
      <meta name=viewport content="width=device-width,initial-scale=1">
      <meta http-equiv=Content-Security-Policy content="\(Markup(trusted: PagePolicy.text))">
      <title>\(title)</title>
      <style>\(Markup(trusted: PagePolicy.sheet))</style>
      </head>
      <body>
      <header class=top><div class=wrap>\(header)</div></header>
      <nav class=page aria-label="Sections"><div class=wrap>\(links)\(status)<button id=theme type=button>Light / dark</button></div></nav>
      <main class=wrap>
      \(bodies)
      </main>
      <footer><div class=wrap>\(footer)</div></footer>
      <script>\(Markup(trusted: PagePolicy.framed(script)))</script>
      </body>
      </html>

      """
    return page.text
  }

  private static func header(_ story: SweepStory) -> Markup {
    """
    <p class=eyebrow>mtkd-sweep report</p><h1>\(story.results.name)</h1>
    <p class=lede>\(story.results.described.heading), \(epoch(story.results))</p>
    \(story.table.constants(TextStyle()).map { "<p class=constants>\($0)</p>" as Markup } ?? "")
    \(story.results.note.map { "<p class=constants>\($0)</p>" as Markup } ?? "")
    \(StateBar.markup(story.results.states))
    """
  }

  private static func epoch(_ results: SweepResults) -> String {
    switch results.select {
    case .last: "after the last epoch of each run"
    case .bestOnValidation: "at the epoch of \(results.selectorText) of each run"
    case .bestOnTest: "at each run's best epoch, chosen on the test set"
    }
  }

  // Sections

  private static func summary(_ story: SweepStory, _ table: ReportTable) -> Markup {
    let results = story.results
    let seeds = Set(table.cells.map { $0.seeds.count }).sorted().map(String.init).joined(separator: " or ")
    var tiles: [Markup] = [
      "<li><b>\(results.answered) of \(results.runs.count)</b><span>runs have a result</span></li>",
      "<li><b>\(table.cells.count)</b><span>cells</span></li>",
      "<li><b>\(seeds.isEmpty ? "0" : seeds)</b><span>seeds a cell</span></li>",
    ]
    if let top = Narration.top(table) {
      let text = ReportTable.text(top.cell.headline, plusMinus: "±", digits: table.digits)
      tiles.append("<li><b>\(text)</b><span>best mean: \(top.name)</span></li>")
    }
    let all = Narration.findings(table) + [Narration.missing(results)]
    let sentences = all.map { sentence -> Markup in "<li>\(sentence)</li>" }
    return "<div class=short><ul class=\"summary card\">\(sentences)</ul><ul class=tiles>\(tiles)</ul></div>"
  }

  private static func making(_ story: SweepStory, _ table: ReportTable) -> Markup {
    let sentences = Narration.making(story, table).map { sentence -> Markup in "<li>\(sentence)</li>" }
    return "<ul class=making>\(sentences)</ul>"
  }

  private static func grid(_ story: SweepStory) -> Markup {
    """
    <p class=tools><button type=button data-copies=grid-text>Copy the grid</button></p><pre id=grid-text tabindex=0>\(story.grid)</pre>
    """
  }
}

extension SweepResults {
  /// How many runs are in which state, in the order in which a bar shows them; states
  /// without runs are left out.
  package var states: [(word: String, count: Int)] {
    var counts: [String: Int] = [:]
    for run in runs { counts[run.state.word, default: 0] += 1 }
    return RunState.words.compactMap { word in
      counts[word].map { (word, $0) }
    }
  }
}

/// States of runs as a bar with its legend.
package enum StateBar {
  package static func markup(_ states: [(word: String, count: Int)]) -> Markup {
    let words = states.map { "\($0.count) \(RunState.shown($0.word))" }
    let parts = states.map { state -> Markup in
      "<i class=\(state.word) data-flex=\(state.count)></i>"
    }
    let items = zip(states, words).map { state, text -> Markup in "<li class=\(state.word)>\(text)</li>" }
    return """
      <div class=bar role=img aria-label="\(words.joined(separator: ", "))">\(parts)</div><ul class=legend>\(items)</ul>
      """
  }
}
