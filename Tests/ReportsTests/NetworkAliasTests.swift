import Specs
import Testing

@testable import Reports

/// Networks that a grid spells out have short names in tables, spelt out once; a grid's
/// note stands at the head.
@Suite struct NetworkAliasTests {
  private static let small: JSONValue = ["family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, 8]]
  private static let large: JSONValue = ["family": "cifar_resnet", "depth": 8, "widths": [8, 8, 8, 16]]

  private static func results(_ students: [JSONValue]) -> SweepResults {
    var results = SweepResults(
      name: "s", columns: ["student", "method"],
      runs: students.flatMap { student in
        ["baseline", "mtkd-rl"].flatMap { method in
          (1...2).map { seed in
            SweepResults.Run(
              labels: [student, .string(method)], seed: seed, state: .finished,
              numbers: MadeUp.numbers(last: Double(70 + seed), best: nil), programs: ["one"])
          }
        }
      }, metric: MadeUp.metric())
    let title = "teacher cifar_vgg(depth=8) seed 1"
    results.teachers = [SweepResults.Teacher(title: title, accuracy: 80)]
    results.constants = "shapes, 1 epoch; teacher cifar_vgg(depth=8) seed 1"
    results.note = "Only * a _try_."
    return results
  }

  @Test func `a network in words is named in short and spelt out once`() {
    let text = TextTable.render(ReportTable(Self.results([Self.small])), style: TextStyle())
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "s: shapes, 1 epoch; teacher vgg8* seed 1; seeds 1–2", "\(text)")
    #expect(lines[1] == "Only * a _try_.")
    #expect(lines[2].contains("resnet8*"))
    #expect(text.matches(of: /cifar_resnet/).count == 1 && text.matches(of: /cifar_vgg/).count == 1)
    #expect(lines.contains("resnet8*: cifar_resnet(depth=8,widths=[4,4,4,8])."), "\(text)")
    #expect(lines.contains("vgg8*: cifar_vgg(depth=8)."))
    #expect(text.contains("teacher vgg8* seed 1 80.00 %"))
  }

  @Test func `several of one short name are numbered, and names of the grid stay`() {
    let table = ReportTable(Self.results([Self.small, "mini-resnet8", Self.large]))
    #expect(table.columns == ["resnet8*1", "mini-resnet8", "resnet8*2"])
    #expect(table.results.aliases.count == 3)
  }

  @Test func `machines read what the grid says`() throws {
    let table = ReportTable(Self.results([Self.small]))
    let json = try JSONReader.read(Array(JSONTable.render(table, style: TextStyle()).utf8)).value
    let labels = json.object?["cells"]?.array?.first?.object?["labels"]
    #expect(labels?.object?["student"] == Self.small)
    #expect(CSVTable.render(table, style: TextStyle()).contains("cifar_resnet(depth=8"))
  }

  @Test func `the note of the grid stands in the head of every format for people`() {
    let table = ReportTable(Self.results(["a"]))
    let latex = LaTeXTable.render(table, style: TextStyle())
    #expect(latex.contains(#"seeds 1--2. Only * a \_try\_.}"#), "\(latex)")
    let markdown = MarkdownTable.render(table, style: TextStyle())
    #expect(markdown.contains("\n\nOnly \\* a"), "\(markdown)")
    #expect(PublicationTable.render(table).contains(#"Only * a \_try\_."#))
  }
}
