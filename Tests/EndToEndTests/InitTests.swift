import Foundation
import TestSupport
import Testing

@Suite struct InitTests {
  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test func `what init writes is a grid that check accepts, with the schema beside it`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let made = try Program.run(
      "init", "My Sweep.json", "--dataset", "synthetic-1x8x8-3", "--methods", "baseline,mtkd-rl", "--seeds",
      "2",
      in: folder)
    #expect(made.status == 0 && made.talk.isEmpty, "\(made.talk)")
    let text = try String(contentsOf: folder.appending(path: "My Sweep.json"), encoding: .utf8)
    #expect(text.contains(#""name": "my-sweep""#) && text.contains("//") && text.contains("compareTo"))
    #expect(FileManager.default.fileExists(atPath: folder.appending(path: "grid.schema.json").path))
    let check = try Program.run("check", "My Sweep.json", in: folder)
    #expect(
      check.status == 0 && check.out.contains("8 runs asked for, 8 distinct"), "\(check.out)\(check.talk)")
  }

  @Test func `without a terminal and without options the usual answers are taken`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try Program.run("init", in: folder).status == 0)
    let check = try Program.run("check", "grid.json", in: folder)
    #expect(check.status == 0 && check.out.contains("18 runs asked for"), "\(check.out)\(check.talk)")
  }

  @Test func `nothing is written over, and a wrong answer writes nothing`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "grid.json")
    try "mine".write(to: file, atomically: false, encoding: .utf8)
    let again = try Program.run("init", in: folder)
    #expect(again.status == 73 && again.talk.contains("grid.json is there already"), "\(again.talk)")
    #expect(try String(contentsOf: file, encoding: .utf8) == "mine")
    let wrong = try Program.run("init", "other.json", "--methods", "mtkd-lr", in: folder)
    #expect(wrong.status == 66 && wrong.talk.contains("mtkd-rl"), "\(wrong.talk)")
    #expect(try Program.run("init", "other.json", "--seeds", "0", in: folder).status == 65)
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "other.json").path))
  }

  @Test func `a preset is written as it is`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try Program.run("init", "smoke.json", "--preset", "smoke", in: folder).status == 0)
    let shown = try Program.run("presets", "show", "smoke", in: folder)
    #expect(try String(contentsOf: folder.appending(path: "smoke.json"), encoding: .utf8) == shown.out)
  }

  @Test(.enabled(if: Available.tool("script"), "script makes a terminal"))
  func `on a terminal five questions are asked, and a wrong answer is asked again`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    // `script` makes a terminal; Enter takes what stands in brackets.
    let line = """
      printf 'nonsense\\nsynthetic-1x8x8-3\\n\\n\\nbaseline\\n7\\n' | script -qec "$PROGRAM init grid.json" /dev/null
      """
    let answer = try Program.shell(line, in: folder)
    #expect(answer.out.contains("nonsense"), "\(answer.out)")
    #expect(answer.out.contains("How many seeds?"), "\(answer.out)")
    let text = try String(contentsOf: folder.appending(path: "grid.json"), encoding: .utf8)
    #expect(text.contains(#""count": 7"#) && text.contains("synthetic-1x8x8-3"), "\(text)")
  }

  @Test func `run without a grid says what a grid is and which lie here`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let none = try Program.run("run", in: folder)
    #expect(none.status == 64 && none.talk.contains("mtkd-sweep init"), "\(none.talk)")
    #expect(try Program.run("init", "b.json", in: folder).status == 0)
    try "{}".write(to: folder.appending(path: "a.json"), atomically: false, encoding: .utf8)
    let some = try Program.run("run", in: folder)
    #expect(some.talk.contains("mtkd-sweep run b.json") && !some.talk.contains("a.json"), "\(some.talk)")
    #expect(!some.talk.contains("grid.schema.json"))
  }

  @Test func `doctor says what is there and what to do`() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let answer = try Program.run("doctor", in: folder)
    #expect(answer.status == 0, "\(answer.talk)")
    for word in [
      "program", "processor", "disk", "store", "none yet", "fashion-mnist", "free where results go",
    ] {
      #expect(answer.out.contains(word), "\(word) in \(answer.out)")
    }
  }
}

@Suite struct ManualTests {
  @Test
  func `the manual page has the sections of mdoc, every command, and no line that man takes for its own`()
    throws
  {
    let page = try Program.run("manual", in: FileManager.default.temporaryDirectory)
    #expect(page.status == 0)
    let lines = page.out.split(separator: "\n").map(String.init)
    let sections = lines.filter { $0.hasPrefix(".Sh ") }.map { $0.dropFirst(4) }
    #expect(Array(sections.prefix(3)) == ["NAME", "SYNOPSIS", "DESCRIPTION"])
    #expect(
      Array(sections.suffix(5)) == ["ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"])
    for command in ["INIT", "RUN", "REPORT", "EXPORT", "SERVE"] {
      #expect(sections.contains { $0 == command }, "\(command)")
    }
    for word in [".It Fl \\-store Ar", ".It Ev NO_COLOR", ".It 75", ".It Pa results/store.sqlite"] {
      #expect(lines.contains { $0.contains(word) }, "\(word)")
    }
    let known = [
      ".Dd", ".Dt", ".Os", ".Sh", ".Ss", ".Nm", ".Nd", ".Cm", ".Op", ".Ar", ".Pp", ".Bl", ".It", ".El", ".Bd",
      ".Ed", ".Fl", ".Dl",
    ]
    for line in lines where line.hasPrefix(".") || line.hasPrefix("'") {
      #expect(known.contains { line == $0 || line.hasPrefix($0 + " ") }, "\(line)")
    }
    for (begin, end) in [(".Bl", ".El"), (".Bd", ".Ed")] {
      #expect(
        lines.count { $0.hasPrefix(begin) } == lines.count { $0 == end }, "\(begin) without \(end)")
    }
  }
}
