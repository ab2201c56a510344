import Foundation
import Specs
import TestSupport
import Testing

/// Tables, comparisons and figures with the built program, on stores whose numbers a test can compute again.
@Suite struct ReportCommandTests {
  @Test func `a table is laid out, filtered and sorted as the command line says`() throws {
    let store = try MadeUpStore(runs: 38, epochs: 4)
    defer { store.remove() }
    let table = try Program.run(
      "report", "--rows", "student,method", "--columns", "alpha", "--where", "alpha>=0.1", "--sort", "-mean",
      in: store.folder)
    try #require(table.status == 0, "\(table.talk)")
    let lines = table.out.split(separator: "\n")
    #expect(
      lines[1].contains("student") && lines[1].contains("method") && lines[1].contains("alpha=0.1"),
      "\(table.out)")
    #expect(!table.out.contains("alpha=0 ") && table.out.contains("alpha=0.4"), "\(table.out)")
    for (arguments, status, word) in [
      (["--rows", "gamma"], 66, "alpha"), (["--where", "gamma=1"], 66, "gamma"),
      (["--where", "alpha"], 64, "alpha>=1"),
      (["--where", "alpha>9"], 66, "No run"), (["--compare-to", "mtkd-rll"], 66, "mtkd-rl"),
      (["--digits", "12"], 64, "digits"), (["--select", "bestOnValidation"], 66, "validationImages"),
      (["--paper", "table9"], 64, "table1"),
      (["--select", "best"], 64, "bestOnTest"),
    ] {
      let refused = try Program.start(["report"] + arguments, in: store.folder).finish()
      #expect(refused.status == Int32(status) && refused.talk.contains(word), "\(arguments): \(refused.talk)")
    }
    let latex = try Program.run("report", "--format", "latex", "--paper", "table1", in: store.folder)
    #expect(
      latex.status == 0 && latex.out.contains("\\toprule") && latex.out.contains("Beside Table 1"),
      "\(latex.talk)")
  }

  @Test func `several metrics stand side by side in every format`() throws {
    let store = try MadeUpStore(runs: 20, epochs: 4)
    defer { store.remove() }
    func report(_ arguments: String...) throws -> String {
      let output = try Program.start(
        ["report", "--metric", "test.acc1,train.loss"] + arguments, in: store.folder
      ).finish()
      #expect(output.status == 0, "\(arguments): \(output.talk)")
      return output.out
    }
    let text = try report()
    #expect(text.contains("resnet8 test.acc1") && text.contains("resnet8 train.loss"), "\(text)")
    // Run r ends at 50 + (r mod 7) 1.25 + 15, with a loss of 2.5 / 4 + (r mod 3) / 8: cells of three runs.
    let first = try #require(text.split(separator: "\n").first { $0.hasPrefix("baseline alpha=0 ") })
    #expect(first.contains(" 66.") && first.contains(" 0.75"), "\(first)")
    #expect(text.contains("test.acc1: higher is better.") && text.contains("train.loss: lower is better."))
    let csv = try report("--format", "csv").split(separator: "\n")
    #expect(csv.count == 1 + 2 * 7 && csv.count { $0.contains(",train.loss,") } == 7, "\(csv)")
    let json = try JSONReader.read(Array(report("--format", "json").utf8)).value
    #expect(json.object?["schema"]?.string == "mtkd-sweep-reports-1")
    #expect(
      json.object?["reports"]?.array?.compactMap { $0.object?["metric"]?.string } == [
        "test.acc1", "train.loss",
      ])
    for format in ["markdown", "html"] {
      let page = try report("--format", format)
      #expect(page.contains("resnet8 test.acc1") && page.contains("resnet8 train.loss"), "\(page)")
    }
    let paper = try report("--format", "latex", "--style", "paper")
    #expect(paper.contains("\\multicolumn{2}{c}{resnet8} \\\\ \\cmidrule(lr){3-4}"), "\(paper)")
    #expect(paper.contains("& test.acc1 & train.loss \\\\"), "\(paper)")
    for (arguments, status, word) in [
      (["--choose", "alpha"], 64, "--choose is of one metric"),
      (["--direction", "lower"], 64, "--direction is of one metric"), (["--metric", "test.acc1,x"], 66, "x"),
    ] {
      let refused = try Program.start(
        ["report", "--metric", "test.acc1,train.loss"] + arguments, in: store.folder
      ).finish()
      #expect(refused.status == Int32(status) && refused.talk.contains(word), "\(arguments): \(refused.talk)")
    }
  }

  @Test func `methods, sweeps and stores are compared`() throws {
    let store = try MadeUpStore(runs: 20, epochs: 4)
    defer { store.remove() }
    _ = try MadeUpStore(runs: 20, epochs: 6, name: "longer", in: store.folder)
    let methods = try Program.run(
      "compare", "baseline", "mtkd-rl", "--sweep", "made-up", "--format", "csv", in: store.folder)
    #expect(methods.status == 0, "\(methods.talk)")
    // Run r ends at 50 + (r mod 7) 1.25 + 15: the first cells of baseline are runs 0 to 2,
    // of mtkd-rl runs 6, 7, 8.
    #expect(methods.out.split(separator: "\n")[0].contains("baseline,mtkd-rl,difference"), "\(methods.out)")
    func mean(_ runs: [Int]) -> Double { runs.reduce(0) { $0 + MadeUpStore.accuracy(run: $1, epoch: 3) } / 3 }
    let difference = mean([6, 7, 8]) - mean([0, 1, 2])
    let row = methods.out.split(separator: "\n")[1].split(separator: ",")
    #expect(abs(Double(row[3])! - difference) < 0.06, "\(row)")

    let sweeps = try Program.run("compare", "made-up", "longer", in: store.folder)
    #expect(sweeps.status == 0 && sweeps.out.contains("recipe.epochs: 4 → 6"), "\(sweeps.out)")
    let other = try MadeUpStore(runs: 20, epochs: 4)
    defer { other.remove() }
    let stores = try Program.run(
      "compare", "results", other.folder.appending(path: "results").path, "--sweep", "made-up",
      in: store.folder)
    #expect(
      stores.status == 0 && stores.out.contains("6 equal, 1 not testable") && !stores.out.contains("moved,"),
      "\(stores.out)")
    let json = try Program.run("compare", "made-up", "longer", "--format", "json", in: store.folder)
    let value = try JSONReader.read(Array(json.out.utf8)).value
    #expect(value.object?["schema"] == "mtkd-sweep-compare-1" && value.object?["cells"]?.array?.count == 7)
    #expect(value.object?["settings"]?.array?.first?.object?["path"] == "recipe.epochs")
    let nothing = try Program.run("compare", "before", "mtkd-rl", "--sweep", "made-up", in: store.folder)
    #expect(nothing.status == 66 && nothing.talk.contains("no method of made-up"), "\(nothing.talk)")
    #expect(try Program.run("compare", "mtkd-rl", in: store.folder).status == 64)
  }

  @Test func `the paper's own table comes out of the program to its printed digits`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.run("compare", "--paper", "table1", "--format", "csv", in: sweep.folder)
    #expect(
      output.out == """
        ,− CA-MKD,p,− MMKD,p,− AVER (KD+FitNet),p
        RegNetX-200MF,+0.30,0.25,+0.43,0.22,+1.46,0.003
        MobileNetV2,+0.47,0.16,+0.28,0.38,+1.96,0.002
        ShuffleNetV2,+0.30,0.080,+0.52,0.026,+1.56,0.008
        ResNet-56,+0.18,0.49,+0.09,0.73,+1.42,0.008

        """, "\(output.talk)")
  }

  @Test func `plan says how many seeds a difference needs`() throws {
    let sweep = try TinySweep()
    defer { sweep.remove() }
    let output = try Program.run(
      "plan", "tiny.json", "--power", "--difference", "0.3", "--std", "0.3", "--correlation", "0.5", "--json",
      in: sweep.folder)
    #expect(
      output.status == 0 && output.out.contains(#""paired":[18,10],"unpaired":17"#),
      "\(output.out)\(output.talk)")
    #expect(try Program.run("plan", "tiny.json", "--std", "1", in: sweep.folder).status == 64)
  }

  @Test func `figures are written as SVG`() throws {
    let store = try MadeUpStore(runs: 38, epochs: 4)
    defer { store.remove() }
    let svg = try Program.run("plot", "alpha", "-o", "alpha.svg", in: store.folder)
    #expect(svg.status == 0, "\(svg.talk)")
    let text = try String(contentsOf: store.folder.appending(path: "alpha.svg"), encoding: .utf8)
    #expect(
      text.hasPrefix("<svg") && text.contains("test.acc1 (%)") && text.contains("made-up: accuracy over α"))
    let curves = try Program.run("plot", "curves", "-o", "-", "--where", "method=mtkd-rl", in: store.folder)
    #expect(curves.status == 0 && curves.out.contains("learning curves") && !curves.out.contains("baseline"))
    let none = try Program.run("plot", "reward", "-o", "reward.svg", in: store.folder)
    #expect(none.status == 66 && none.talk.contains("no run of it has an agent"), "\(none.talk)")
    #expect(!FileManager.default.fileExists(atPath: store.folder.appending(path: "reward.svg").path))
    for arguments in [["plot", "pie", "-o", "x.svg"], ["plot", "alpha", "-o", "x.gif"], ["plot", "alpha"]] {
      #expect(try Program.start(arguments, in: store.folder).finish().status == 64, "\(arguments)")
    }
  }

  private static let hasConverter = ["rsvg-convert", "inkscape", "magick", "convert"].contains {
    Available.tool($0)
      && (try? Program.shell(
        "\($0) -version || \($0) --version", in: FileManager.default.temporaryDirectory
      ).status) == 0
  }

  @Test(.enabled(if: hasConverter, "rsvg-convert, inkscape or ImageMagick makes pictures"))
  func `a figure becomes a picture`() throws {
    let store = try MadeUpStore(runs: 38, epochs: 4)
    defer { store.remove() }
    let png = try Program.run("plot", "seeds", "-o", "seeds.png", in: store.folder)
    #expect(png.status == 0, "\(png.talk)")
    let bytes = try Data(contentsOf: store.folder.appending(path: "seeds.png"))
    #expect(bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) && bytes.count > 2000)
  }

  @Test func `selection by validation takes the test accuracy of that epoch`() throws {
    let grid = TinySweep.grid
      .replacingOccurrences(of: #""testImages": 48,"#, with: #""testImages": 48, "validationImages": 24,"#)
      .replacingOccurrences(
        of: #""seeds": { "count": 2 }"#,
        with: #""seeds": { "count": 2 }, "report": { "select": "bestOnValidation" }"#)
    let sweep = try TinySweep(grid: grid)
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    #expect(
      run.status == 0 && run.out.contains("epoch of the highest validation accuracy"), "\(run.out)\(run.talk)"
    )
    func read(_ arguments: [String]) throws -> JSONValue {
      try JSONReader.read(Array(Program.start(arguments, in: sweep.folder).finish().out.utf8)).value
    }
    let cells = try #require(try read(["report", "--format", "json"]).object?["cells"]?.array)
    let lines = try Program.run("list", "tiny", in: sweep.folder).out.split(separator: "\n")
    for cell in cells {
      let method = try #require(cell.object?["labels"]?.object?["method"]?.string)
      for entry in try #require(cell.object?["values"]?.array) {
        let seed = try #require(entry.object?["seed"]?.integer)
        let line = try #require(
          lines.first { $0.contains(" \(method) ") && $0.hasSuffix("seed=\(seed)") })
        let epochs = try #require(
          try read(["show", String(line.prefix(10)), "--json"]).object?["epochs"]?.array)
        let metrics = epochs.compactMap { $0.object?["metrics"]?.object }
        func values(_ name: String) -> [Double] { metrics.compactMap { $0[name]?.number?.double } }
        let validation = values("validation.acc1")
        let best = try #require(validation.firstIndex(of: validation.max() ?? 0))
        #expect(validation.count == 3 && entry.object?["value"]?.number?.double == values("test.acc1")[best])
      }
    }
    let without = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(
        of: #""seeds": { "count": 2 }"#,
        with: #""seeds": { "count": 2 }, "report": { "select": "bestOnValidation" }"#))
    defer { without.remove() }
    let refused = try Program.run("check", "tiny.json", in: without.folder)
    #expect(refused.status == 65 && refused.talk.contains("validationImages"), "\(refused.talk)")
  }

  @Test func `what a report block gets wrong is named with its place`() throws {
    let sweep = try TinySweep(
      grid: TinySweep.grid.replacingOccurrences(
        of: #""seeds": { "count": 2 }"#,
        with:
          #""seeds": { "count": 2 }, "report": { "select": "lsat", "test": "t", "correction": "bonferroni", "paperValues": "preset:paper/tabel1" }"#
      ))
    defer { sweep.remove() }
    let refused = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(refused.status == 65)
    for word in ["lsat", "pairedT", "holm", #"did you mean "preset:paper/table1""#] {
      #expect(refused.talk.contains(word), "\(refused.talk)")
    }
    try sweep.write(
      TinySweep.grid.replacingOccurrences(
        of: #""seeds": { "count": 2 }"#,
        with:
          #""seeds": { "count": 2 }, "report": { "rows": ["alhpa"], "compareTo": ["baselin", "camkd", "aekd"] }"#
      ),
      to: "tiny.json")
    let names = try Program.run("check", "tiny.json", in: sweep.folder)
    #expect(names.status == 65)
    for word in [
      #"unknown setting "alhpa"; did you mean "alpha""#, #"did you mean "baseline""#,
      #"did you mean "ca-mkd""#,
    ] {
      #expect(names.talk.contains(word), "\(names.talk)")
    }
  }
}
