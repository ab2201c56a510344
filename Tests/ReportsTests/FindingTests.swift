import Specs
import Testing

@testable import Reports

/// What a page says first, and what stands above a table once.
@Suite struct FindingTests {
  /// Two clear methods and one far behind, with settings of one method that are no methods.
  private static func results() -> SweepResults {
    var runs: [SweepResults.Run] = []
    func add(_ method: String, _ alpha: JSONValue, _ values: [Double]) {
      for (place, value) in values.enumerated() {
        runs.append(
          SweepResults.Run(
            labels: ["resnet8", .string(method), alpha], seed: place + 1, state: .finished,
            numbers: MadeUp.numbers(last: value, best: value), programs: ["one"]))
      }
    }
    add("mtkd-rl", 1, [80, 81.2, 79.9, 80.7])
    add("mtkd-rl", 2, [79.8, 81.1, 80, 80.2])
    add("ca-mkd", 1, [79.5, 81, 80.2, 79.9])
    add("baseline", .null, [60, 61.2, 59.8, 60.9])
    return SweepResults(
      name: "found", columns: ["student", "method", "alpha"], runs: runs, metric: MadeUp.metric())
  }

  @Test
  func `the finding compares methods, not settings of one method, and says over how many it is adjusted`()
    throws
  {
    let sentence = try #require(Narration.findings(ReportTable(Self.results())).first).text
    #expect(sentence.contains("mtkd-rl alpha=1</b> has the best mean"), "\(sentence)")
    #expect(
      sentence.contains("not distinguishable from it:</b> ca-mkd alpha=1 80.2 (-0.3, p = 0."), "\(sentence)")
    #expect(
      sentence.contains("distinguishably behind:</b> baseline 60.5 (-20.0, p &lt; 0.001)"), "\(sentence)")
    #expect(!sentence.contains("alpha=2"), "\(sentence)")
    #expect(sentence.contains("adjusted over 3 comparisons (Holm)"), "\(sentence)")
  }

  @Test func `the footer's line is of two methods, and not of two settings of one`() {
    let lines = ReportTable(Self.results()).footer(plusMinus: "±")
    let line = lines.first { $0.hasPrefix("  resnet8: ") } ?? ""
    #expect(line.contains("mtkd-rl alpha=1 − ca-mkd alpha=1"), "\(lines)")
    #expect(line.contains("(adjusted over 3 comparisons)") && !line.contains(" of 3"), "\(line)")
    let alone = ReportTable(
      MadeUp.results([("mtkd-rl", [1, 2.5]), ("ca-mkd", [2, 3])])
    ).footer(plusMinus: "±")
    #expect(!alone.contains { $0.contains("adjusted over") }, "one comparison is not adjusted")
  }

  @Test
  func `the page says the finding, shows its table and its figure, what is missing and how it was made`()
    throws
  {
    let table = ReportTable(Self.results())
    let runs = table.results.runs.map { run in
      SweepStory.Run(
        key: ContentKey(hashing: [UInt8(run.seed)]), title: "run", attempts: [], series: [],
        lastState: nil, final: nil)
    }
    let story = SweepStory(table, grid: "{}", asked: runs.count, runs: runs)
    let page = SweepPage.render(
      story,
      figures: [
        SweepPage.Figure(kind: "cost", svg: "<svg></svg>", caption: "cost"),
        SweepPage.Figure(kind: "forest", svg: "<svg></svg>", caption: "forest"),
      ])
    let ids = page.matches(of: /<section id="([a-z]+)"/).map { String($0.1) }
    #expect(Array(ids.prefix(5)) == ["summary", "table", "forest", "gaps", "provenance"], "\(ids)")
    #expect(Set(["figures", "runs", "grid", "each"]).isSubset(of: ids), "\(ids)")
    let first = try #require(page.firstMatch(of: /<ul class="summary card"><li>(.*?)<\/li>/)?.1)
    #expect(first.contains("has the best mean"), "\(first)")
  }

  @Test func `comparisons of which none is distinguishable are one folded line`() {
    var layout = ReportLayout()
    layout.compareTo = ["mtkd-rl - ca-mkd"]
    let folded = TableSections.sheets(ReportTable(Self.results(), layout)).text
    #expect(folded.contains("<details class=none-found><summary>"), "\(folded)")
    #expect(folded.contains("none is distinguishable"), "\(folded)")
    layout.compareTo = ["baseline"]
    let open = TableSections.sheets(ReportTable(Self.results(), layout)).text
    #expect(!open.contains("none-found") && open.contains("comparison-table"), "\(open)")
  }

  @Test func `what all cells share stands once above the table, and rows name what varies`() throws {
    var results = Self.results().filtered(by: [try LabelFilter("alpha=1")])
    results.constants = "fashion-mnist, 1500 + 2000 images, 5 epochs"
    let table = ReportTable(results)
    #expect(table.rows == ["mtkd-rl", "ca-mkd"])
    let constants = "fashion-mnist, 1500 + 2000 images, 5 epochs; alpha=1; seeds 1–4"
    #expect(table.constants(TextStyle()) == constants)
    #expect(TextTable.render(table, style: TextStyle()).hasPrefix("found: \(constants)\n"))
    #expect(MarkdownTable.render(table, style: TextStyle()).hasPrefix("**found**: \(constants)\n"))
    let latex = LaTeXTable.render(table, style: TextStyle())
    #expect(
      latex.contains("\\caption{found: fashion-mnist, 1500 + 2000 images, 5 epochs; alpha=1; seeds 1--4}"),
      "\(latex)")
    #expect(!latex.contains("Shown as ?"))
    var named = results
    named.constants = "données 数据"
    let other = LaTeXTable.render(ReportTable(named), style: TextStyle())
    #expect(
      other.hasPrefix("% Shown as ?, because LaTeX's usual fonts lack them: U+636E, U+6570.\n"), "\(other)")
  }

  @Test func `rows keep one word at least, and a sweep of which nothing is known has its bare title`() {
    let one = ReportTable(MadeUp.results([("mtkd-rl", [1, 2])]))
    #expect(one.rows == ["mtkd-rl"] && one.constants(TextStyle()) == nil)
    #expect(ReportTable(Self.results()).rows.first == "mtkd-rl alpha=1")
    #expect(ReportTable.seeds([1, 2, 3], TextStyle()) == "seeds 1–3")
    #expect(ReportTable.seeds([7], TextStyle()) == "seed 7")
    #expect(ReportTable.seeds([1, 5], TextStyle()) == "seeds 1, 5")
  }
}
