import Specs
import Testing

@testable import Reports

@Suite struct PageMarkupTests {
  @Test func `what is interpolated cannot become a tag`() {
    let hostile = "<script>alert('\"&\")</script>\u{0}"
    let markup: Markup = "<p title=\"\(hostile)\">\(hostile)</p>"
    #expect(!markup.text.contains("<script") && !markup.text.contains("'") && !markup.text.contains("\u{0}"))
    #expect(markup.text.contains("&lt;script&gt;alert(&#39;&quot;&amp;&quot;)&lt;/script&gt;\u{fffd}"))
    let nested: Markup = "<b>\(markup)</b>"
    #expect(nested.text == "<b>\(markup.text)</b>")
  }

  @Test func `a page escapes names, labels, reasons and the grid`() throws {
    let hostile = "</pre><img src=x onerror=alert(1)>"
    let results = SweepResults(
      name: hostile, columns: ["student", "method"],
      runs: [
        SweepResults.Run(
          labels: [.string(hostile), .string(hostile)], seed: 1,
          state: .failed(FailureRecord(cause: .other, reason: hostile)))
      ], metric: MadeUp.metric())
    let run = SweepStory.Run(
      key: ContentKey(hashing: [1]), title: hostile,
      attempts: [
        RunAccount.Attempt(number: 1, firstStep: 0, outcome: "died", reason: hostile, provenance: nil)
      ], series: [.nan, 1, 2], lastState: nil, final: nil)
    let page = SweepPage.render(SweepStory(ReportTable(results), grid: hostile, asked: 1, runs: [run]))
    #expect(!page.contains("<img"))
    #expect(page.contains("&lt;/pre&gt;&lt;img"))
  }

  @Test func `a sweep without runs has a page`() {
    let results = SweepResults(name: "empty", columns: [], runs: [], metric: MadeUp.metric())
    let page = SweepPage.render(SweepStory(ReportTable(results), grid: "", asked: 0, runs: []))
    #expect(page.contains("Nothing of this has been run yet."))
  }

  @Test func `a small curve lifts its pen where a number is missing`() {
    let curve = Sparkline.markup([0, .nan, 5, 10], in: 0...10, label: "")
    #expect(curve.text.filter { $0 == "M" }.count == 2 && curve.text.filter { $0 == "L" }.count == 1)
    #expect(Sparkline.markup([1], in: 0...1, label: "") == "")
    #expect(Sparkline.markup([.nan, .nan], in: 0...1, label: "") == "")
  }
}
