import Foundation
import Specs
import TestSupport
import Testing

@testable import Reports

/// Tables in LaTeX through a TeX engine: that they compile, and how wide they come out.
@Suite(.enabled(if: Available.tool("pdflatex"), "pdflatex compiles the tables"))
struct LaTeXCompilationTests {
  static let odd = ##"50 % of {a_b} & $c #1 \d ~ ^ <x> | [y] "é" 中 αγ « Ð þ"##

  @Test(arguments: ["OT1", "T1"])
  func `every kind of table compiles alone and over two columns, whatever is in its names`(_ encoding: String)
    throws
  {
    let texts =
      try Self.tables.map { PublicationTable.render($0) }
      + Self.tables.map {
        LaTeXTable.render($0, style: TextStyle())
      } + Self.tables.compactMap { PublicationTable.tests($0) } + [Self.oddSheet, Self.sideBySide]
    for columns in ["onecolumn", "twocolumn"] {
      let log = try Self.compile(texts.joined(separator: "\n"), "\(columns),10pt", encoding)
      #expect(log.contains("Output written on"), "\(log.suffix(3000))")
      // Tests stand above each other, however long their names are.
      #expect(!texts.contains { $0.contains("names above them") && $0.contains("runs over the margin") })
      // Nothing but what its own remark announces runs over the margin.
      let announced = texts.joined().split(separator: "\n").count { $0.contains("runs over the margin") }
      #expect(log.split(separator: "\n").count { $0.hasPrefix("Overfull \\hbox") } == announced, "\(log)")
      #expect(!log.contains("Missing character"), "\(log)")
    }
  }

  @Test func `every letter of Latin-1 compiles, or is named as one that does not`() throws {
    let letters = (0xa1...0xff).map { String(Unicode.Scalar(UInt8($0))) }
    let sheet = Sheet(
      title: "letters", head: letters.prefix(2).map { $0 }, rows: letters.map { ["\($0)", "x"] })
    let text = LaTeXTable.render(sheet, style: TextStyle())
    #expect(text.hasPrefix("% Shown as ?") && text.contains("U+D0, U+DE, U+F0, U+FE."), "\(text.prefix(200))")
    for encoding in ["OT1", "T1"] {
      #expect(try Self.compile(text, "10pt", encoding).contains("Output written on"))
    }
  }

  @Test
  func `the estimate of a table's width is what TeX sets, but for a fiftieth, a twentieth with odd names`()
    throws
  {
    for table in try Self.tables {
      let tolerance = table.rowHeads.joined().contains { $0.contains("\\") } ? 0.05 : 0.02
      let text = PublicationTable.render(table)
      let (estimate, real) = (PublicationTable.width(table), try Self.width(of: text))
      #expect(abs(estimate - real) <= tolerance * real, "\(estimate) in for \(real) in of \(text)")
      let sheet = table.sheets(TextStyle())[0]
      let plain = try Self.width(of: LaTeXTable.render(sheet, style: TextStyle()))
      let guess = LaTeXTable.width(sheet)
      #expect(abs(guess - plain) <= tolerance * plain, "\(guess) in for \(plain) in")
    }
  }

  /// Two metrics of each student.
  private static var sideBySide: String {
    func table(_ metric: String) -> ReportTable {
      let results = MadeUp.results(metric: metric)
      return ReportTable(results, PublicationTable.layout(ReportLayout(), results))
    }
    return PublicationTable.render(MetricTables(["test.acc1", "train.loss"].map(table)))
  }

  /// One a student and method; one with alpha by beta; one of transfers; one whose names mean something to
  /// TeX; with gaps and tests.
  static var tables: [ReportTable] {
    get throws {
      func table(_ results: SweepResults, _ change: (inout ReportLayout) -> Void = { _ in }) -> ReportTable {
        var layout = ReportLayout()
        change(&layout)
        return ReportTable(results, PublicationTable.layout(layout, results))
      }
      var tested = table(MadeUp.results()) { $0.compareTo = ["ca-mkd"] }
      tested.paper = PaperComparison(tested, try Catalog.paperTables.entry("table1"), specs: [:])
      let gaps = MadeUp.results { run in
        run.labels[1] == "mtkd-rl" && run.seed == 1 ? MadeUp.run(run, .open) : run
      }
      return [
        tested, table(gaps),
        table(made(["alpha", "beta"], twoWay)) { ($0.rows, $0.columns) = (["alpha"], ["beta"]) },
        table(made(["student", "method", "transfer"], transfers)),
        table(made(["student", "method"], oddNames)),
      ]
    }
  }

  private static let twoWay = ["0.1", "1", "10"].flatMap { alpha in
    ["0", "0.5", "1000"].map { [JSONValue.number(DecimalNumber(alpha)!), .number(DecimalNumber($0)!)] }
  }
  private static let transfers = ["baseline", "mtkd-rl"].flatMap { method in
    ["faster-rcnn", "deeplabv3"].map { [JSONValue.string("resnet18"), .string(method), .string($0)] }
  }
  private static let oddNames: [[JSONValue]] = [
    [.string("wide_resnet-16 & co"), .string(#"50 % {a_b} $c #1 \d ~ ^"#)],
    [.string("ÄÖÜ «é»"), .string(#"["a","b"]"#)], [.string("中 Ð αγ"), .string("<x> | [y]")],
  ]

  /// Three seeds a cell.
  private static func made(_ columns: [String], _ cells: [[JSONValue]]) -> SweepResults {
    let runs = cells.enumerated().flatMap { index, labels in
      (1...3).map { seed in
        SweepResults.Run(
          labels: labels, seed: seed, state: .finished,
          numbers: MadeUp.numbers(last: 60 + Double(index * 7 % 5) + Double(seed * seed) / 8, best: 70),
          programs: ["one"])
      }
    }
    return SweepResults(name: "made_up", columns: columns, runs: runs, metric: MadeUp.metric())
  }

  private static var oddSheet: String {
    let sheet = Sheet(
      title: odd, head: ["[", "]"], rows: [["[", "*"], ["\(odd)", Sheet.Entry(odd, .second)]],
      notes: [odd, "  [n]"])
    return LaTeXTable.render(sheet, style: TextStyle())
  }

  /// Inches of the table of a text, set in a box of its own.
  private static func width(of text: String) throws -> Double {
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let first = try #require(lines.firstIndex { $0.hasPrefix("\\begin{tabular}") })
    let last = try #require(lines.firstIndex { $0.hasPrefix("\\end{tabular}") })
    let box =
      "\\setbox0=\\hbox{\\small\(lines[first...last].joined(separator: "\n"))}\\typeout{points \\the\\wd0}"
    let log = try compile(box, "10pt", "OT1")
    let line = try #require(log.split(separator: "\n").first { $0.hasPrefix("points ") }, "\(log)")
    return try #require(Double(line.dropFirst(7).dropLast(2))) / 72.27
  }

  /// The log of a document.
  private static func compile(_ text: String, _ options: String, _ encoding: String) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-tex-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let document = """
      \\documentclass[\(options)]{article}
      \\usepackage[\(encoding)]{fontenc}
      \\usepackage[letterpaper,textwidth=6.9in,columnsep=0.3in]{geometry}
      \\usepackage{booktabs,multirow,threeparttable}
      \\begin{document}
      \(text)
      \\end{document}
      """
    try document.write(to: folder.appending(path: "t.tex"), atomically: false, encoding: .utf8)
    let answer = try Python.run(
      URL(filePath: "/usr/bin/env"), ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
      in: folder, environment: ["max_print_line": "1000"])
    let log = try? String(contentsOf: folder.appending(path: "t.log"), encoding: .isoLatin1)
    let isWritten = FileManager.default.fileExists(atPath: folder.appending(path: "t.pdf").path)
    #expect(
      isWritten || !text.contains("\\begin{table"), "\(answer.status): \(log?.suffix(3000) ?? "no log")")
    return log ?? ""
  }
}
