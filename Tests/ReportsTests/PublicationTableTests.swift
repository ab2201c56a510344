import Foundation
import Specs
import Testing

@testable import Reports

/// LaTeX for papers by its lines.
@Suite struct PublicationTableTests {
  private static func table(
    _ results: SweepResults = MadeUp.results(), change: (inout ReportLayout) -> Void = { _ in }
  ) -> ReportTable {
    var layout = ReportLayout()
    change(&layout)
    return ReportTable(results, PublicationTable.layout(layout, results))
  }

  @Test func `a column a setting, methods over several rows, std below the line, and a label`() {
    let text = PublicationTable.render(Self.table())
    #expect(text.contains("\\usepackage{booktabs,multirow,threeparttable}"))
    #expect(text.contains("\\label{tab:made-up}"))
    #expect(text.contains("method & alpha & resnet56 & mobilenetv2 \\\\"), "\(text)")
    #expect(text.contains("\\multirow{2}{*}{ca-mkd} & 0.5 & $"), "\(text)")
    #expect(text.contains("      baseline & -- & $70.0_{\\pm 0.4}$ & $69.0_{\\pm 0.4}$ \\\\"), "\(text)")
    for word in ["{[}", "#1", "≈", "approx"] { #expect(!text.contains(word), "\(word) in \(text)") }
    #expect(text.components("\\begin{").count == text.components("\\end{").count)
  }

  @Test func `bold are the best and all that tie with it`() {
    // Differences from the best: a constant is not testable, noise ties, and far below is beaten.
    let results = MadeUp.results([
      ("best", [80, 81.2, 79.9, 80.7]), ("tied", [79.5, 81, 80.2, 79.9]),
      ("beaten", [60, 61.1, 59.7, 60.9]),
    ])
    let text = PublicationTable.render(Self.table(results))
    let bold = text.split(separator: "\n").filter { $0.contains("\\mathbf") }
    #expect(bold.count == 2 && bold[0].contains("best") && bold[1].contains("tied"), "\(text)")
  }

  @Test func `it says whether it fits a column, and by how much it does not`() {
    let narrow = PublicationTable.render(Self.table())
    #expect(narrow.contains("fits a column of 3.3 in.") && narrow.contains("\\begin{table}[t]"), "\(narrow)")
    let wide = PublicationTable.render(Self.table { $0.columns = ["method", "alpha"] })
    #expect(
      wide.contains("in more than a column of 3.3 in") && wide.contains("\\begin{table*}[t]"), "\(wide)")
    let wider = PublicationTable.render(Self.table { $0.columns = ["student", "method", "alpha"] })
    #expect(
      wider.contains("in more than both columns of a page, 6.9 in") && wider.contains("\\begin{table*}[t]"),
      "\(wider)")
  }

  @Test func `cells without a number say why, and incomplete ones are marked and never bold`() {
    let failure = FailureRecord(cause: .diverged, reason: "the loss is nan")
    let results = MadeUp.results { run in
      run.labels[1] == "mtkd-rl" && run.seed == 1
        ? MadeUp.run(run, .open)
        : run.labels == ["resnet56", "baseline", .null] ? MadeUp.run(run, .failed(failure)) : run
    }
    let text = PublicationTable.render(Self.table(results))
    #expect(text.contains("baseline & -- & diverged"), "\(text)")
    #expect(text.contains("}$\\tnote{*}") && text.contains("[*] Without every seed"), "\(text)")
    #expect(!text.split(separator: "\n").contains { $0.contains("tnote") && $0.contains("mathbf") })
  }

  @Test func `lists stand without quotes, and characters that no font has are named`() {
    let labels: [JSONValue] = [["policy", "confidence"], ["中"]]
    let results = SweepResults(
      name: "lists", columns: ["student", "terms"],
      runs: labels.flatMap { label in
        (1...2).map { seed in
          SweepResults.Run(
            labels: ["resnet8", label], seed: seed, state: .finished,
            numbers: MadeUp.numbers(last: Double(70 + seed), best: 75), programs: ["one"])
        }
      }, metric: MadeUp.metric())
    let text = PublicationTable.render(Self.table(results))
    #expect(text.contains("      policy, confidence & $"), "\(text)")
    #expect(text.hasPrefix("% Shown as ?, because LaTeX's usual fonts lack them: U+4E2D.\n"), "\(text)")
  }

  @Test func `the tests are a text of their own, with real minus signs`() throws {
    #expect(PublicationTable.tests(Self.table()) == nil)
    let tests = try #require(PublicationTable.tests(Self.table { $0.compareTo = ["mtkd-rl - ca-mkd"] }))
    #expect(tests.contains("mtkd-rl $-$ ca-mkd"), "\(tests)")
  }

  @Test func `tests with long names fit a page, in tables that a page holds`() {
    let name = "mtkd-rl - aver-kd-fitnet, mini-shufflev2-01 policyRate=0.1 preset=paper warmupWeight=uniform"
    let numbers = ["+0.12", "[-1.23, +1.45]", "6", "0.031", "0.12", "0.031", "0.031", "+0.45", "+0.31"]
    let sheet = Sheet(
      title: "Differences",
      head: [
        "", "difference", "95 % (unadjusted)", "n", "p", "p Holm", "sign flip p", "smallest p", "d", "r",
      ],
      rows: (0..<30).map { row in ["\(name) row=\(row)"] + numbers.map { Sheet.Entry($0) } },
      notes: ["a note"])
    #expect(TestsTable.width(sheet) < LaTeXText.page && LaTeXTable.width(sheet) > LaTeXText.page)
    let text = TestsTable.render(sheet)
    #expect(text.components(separatedBy: "\\begin{table*}").count == 4, "twelve a table")
    #expect(
      text.components(separatedBy: "continued").count == 3
        && text.components(separatedBy: "a note").count == 2)
    #expect(text.contains("fits both columns of a page") && !text.contains("runs over the margin"))
  }

  @Test func `brackets and marks are left out of other formats where one says so`() {
    let text = TextTable.render(
      Self.table {
        $0.showsBest = false
        $0.showsMarks = false
      }, style: TextStyle())
    #expect(!text.contains("[") && !text.contains("#1") && !text.contains("≈"), "\(text)")
  }
}

extension String {
  fileprivate func components(_ separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}
