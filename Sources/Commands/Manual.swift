import ArgumentParser
import Pipeline
import Reports
import Specs

/// `mtkd-sweep manual`: the manual page, from what the commands say of themselves. `make install` puts it in
/// its place.
struct Manual: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Print the manual page, in the form that man reads.", shouldDisplay: false)

  func run() throws { Out.put(try ManualPage.text()) }
}

/// The page in mdoc: marked by meaning, so that man, mandoc and converters lay it out themselves.
enum ManualPage {
  static func text() throws -> String {
    let tool = try JSONReader.read(Array(MTKDSweep._dumpHelp().utf8)).value
    guard let root = tool.object?["command"] else {
      throw SpecError(path: "command", expected: "what the argument parser says of the commands")
    }
    var lines = [
      ".Dd $Mdocdate$", ".Dt MTKD-SWEEP 1", ".Os \"mtkd-sweep \(ProgramIdentity.version)\"", ".Sh NAME",
      ".Nm mtkd-sweep", ".Nd \(quoted(abstract(root)))", ".Sh SYNOPSIS", ".Nm", ".Ar command",
      ".Op Ar options", ".Nm", ".Cm help", ".Op Ar command | topic", ".Sh DESCRIPTION",
    ]
    lines += [
      "A grid file says which runs a table needs; this program trains them, survives what interrupts it,",
      "and prints the table.",
      "Running the same command again goes on where it stopped, bit for bit.", ".Pp",
      "The commands are:",
    ]
    let shown = commands(of: root)
    lines.append(".Bl -tag -width unarchive -compact")
    for command in shown { lines += [".It Cm \(name(command))", line(abstract(command))] }
    lines.append(".El")
    for command in shown { lines += section(of: command, after: []) }
    lines += environment + files + exitStatus + examples
    lines += [
      ".Sh SEE ALSO",
      "The pages in docs/ of the source: tutorial, grid, methods, statistics, reproducing, commands, faq.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Commands

  private static func commands(of command: JSONValue) -> [JSONValue] {
    (command.object?["subcommands"]?.array ?? []).filter {
      $0.object?["shouldDisplay"]?.bool != false && name($0) != "help"
    }
  }

  private static func name(_ command: JSONValue) -> String {
    command.object?["commandName"]?.string ?? ""
  }

  private static func abstract(_ item: JSONValue) -> String {
    let text = item.object?["abstract"]?.string ?? ""
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  private static func section(of command: JSONValue, after parents: [String]) -> [String] {
    let words = parents + [name(command)]
    let arguments = (command.object?["arguments"]?.array ?? []).filter {
      $0.object?["shouldDisplay"]?.bool != false && !["help", "version"].contains(preferred($0))
    }
    let isTop = parents.isEmpty
    var lines = isTop ? [".Sh \(words[0].uppercased())"] : [".Ss \(words.joined(separator: " "))"]
    let positional = arguments.filter { $0.object?["kind"] == "positional" }
    let operands = positional.map { argument in
      let value = ".Ar \(quoted(argument.object?["valueName"]?.string ?? "value"))"
      let repeated = argument.object?["isRepeating"]?.bool == true ? " ..." : ""
      return argument.object?["isOptional"]?.bool == true
        ? ".Op \(value.dropFirst())\(repeated)" : value + repeated
    }
    lines += [".Nm mtkd-sweep", ".Cm \(words.joined(separator: " "))", ".Op Ar options"] + operands
    lines += [".Pp", line(abstract(command) + ".")] + discussed(command.object?["discussion"]?.string ?? "")
    if !arguments.isEmpty {
      lines.append(".Bl -tag -width Ds")
      for argument in arguments { lines += item(argument) }
      lines.append(".El")
    }
    for child in commands(of: command) { lines += section(of: child, after: words) }
    return lines
  }

  /// Paragraphs as prose, lists of names as lists, and what is laid out by hand as it stands.
  private static func discussed(_ text: String) -> [String] {
    var blocks: [[String]] = [[]]
    for part in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      let isNew =
        part.isEmpty
        || (part.hasPrefix(" ") != (blocks[blocks.count - 1].last?.hasPrefix(" ") ?? part.hasPrefix(" ")))
      if isNew { blocks.append([]) }
      if !part.isEmpty { blocks[blocks.count - 1].append(part) }
    }
    return blocks.filter { !$0.isEmpty }.flatMap { block -> [String] in
      let entries = block.compactMap { $0.wholeMatch(of: #/  (\S+)\s{2,}(\S.*)/#) }
      if entries.count == block.count {
        return [".Bl -tag -width loss-terms -compact"]
          + entries.flatMap { [".It Cm \(quoted(String($0.1)))", line(String($0.2))] } + [".El"]
      }
      let isLaidOut = block.contains { $0.contains("   ") || $0.hasPrefix(" ") }
      return isLaidOut ? [".Bd -literal"] + block.map(line) + [".Ed"] : [".Pp"] + block.map(line)
    }
  }

  private static func preferred(_ argument: JSONValue) -> String {
    argument.object?["preferredName"]?.object?["name"]?.string ?? ""
  }

  /// An option or an operand with what it means.
  private static func item(_ argument: JSONValue) -> [String] {
    let members = argument.object ?? [:]
    let value = members["valueName"]?.string ?? "value"
    let names = (members["names"]?.array ?? []).map { item -> String in
      let name = item.object?["name"]?.string ?? ""
      return item.object?["kind"] == "long" ? "Fl \(quoted("-\(name)"))" : "Fl \(quoted(name))"
    }
    let head =
      members["kind"] == "positional"
      ? "Ar \(quoted(value))"
      : names.joined(separator: " , ") + (members["kind"] == "option" ? " Ar \(quoted(value))" : "")
    let text = [members["abstract"]?.string, members["discussion"]?.string].compactMap(\.self)
      .joined(separator: " ")
    var lines =
      [".It \(head)"] + (text.isEmpty ? [] : [line(text.split(separator: "\n").joined(separator: " "))])
    if let usual = members["defaultValue"]?.string { lines.append("The default is \(escaped(usual)).") }
    return lines
  }

  // MARK: What belongs to no single command

  private static let environment =
    [
      ".Sh ENVIRONMENT", ".Bl -tag -width SLURM_CPUS_PER_TASK", ".It Ev COLUMNS",
      "How wide the live display is; else as wide as the terminal.",
      ".It Ev NO_COLOR", "Where it is set, nothing is coloured.",
      ".It Ev TERM", "Where it is dumb, nothing is coloured and no line is written again.",
      ".It Ev LC_ALL , Ev LC_CTYPE , Ev LANG",
      "In a locale that is not UTF-8 everything of the program's is ASCII.",
      ".It Ev SLURM_CPUS_PER_TASK", "How many workers run at most.", ".El",
      "The command of", ".Fl -on-end", "finds besides:", ".Bl -tag -width MTKD_SWEEP_EXIT_CODE -compact",
    ] + EndHook.variables.flatMap { [".It Ev \($0.name)", line($0.meaning)] } + [".El"]

  private static let files = [
    ".Sh FILES", ".Bl -tag -width Ds", ".It Pa results/store.sqlite",
    "The results of all sweeps of a store, which", ".Fl -store", "names.",
    ".It Pa results/stages/KEY/",
    "A stage: what its key is made of, its attempts with their logs and snapshots, and its output.",
    ".It Pa results/sweeps/NAME.jsonl",
    "What a sweep asks for, so that", ".Cm rebuild", "can make the database again.",
    ".It Pa results/lease", "Who writes the store at the moment.", ".El",
  ]

  private static let exitStatus =
    [".Sh EXIT STATUS", ".Bl -tag -width 143 -compact"]
    + ExitStatus.allCases.flatMap { [".It \($0.rawValue)", line($0.meaning)] } + [".El"]

  private static let examples: [String] = {
    let examples = [
      ("Look, run, and read:", "mtkd-sweep presets show smoke > grid.json", "mtkd-sweep plan grid.json"),
      ("Start, or go on after whatever happened:", "mtkd-sweep run grid.json", ""),
      (
        "A table for a paper, and a page to pass on:", "mtkd-sweep report smoke --format latex --style paper",
        "mtkd-sweep report smoke --format html -o smoke.html"
      ),
      ("Where the spread comes from:", "mtkd-sweep plot importance smoke -o importance.svg", ""),
      ("Execute finished runs again and compare every bit:", "mtkd-sweep verify --sample 3", ""),
    ]
    return [".Sh EXAMPLES"]
      + examples.flatMap { words, first, second in
        [line(words), ".Dl \(quoted(first))"] + (second.isEmpty ? [] : [".Dl \(quoted(second))"]) + [".Pp"]
      }.dropLast()
  }()

  // MARK: Texts

  /// Text in which man sees no escape of its own.
  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("`", with: "\\(ga")
      .replacing("'", with: "\\(aq")
  }

  /// A line of text that is no request.
  private static func line(_ text: String) -> String {
    let plain = escaped(text)
    return plain.hasPrefix(".") ? "\\&" + plain : plain
  }

  /// The argument of a request: one word of it, and no name of another one.
  private static func quoted(_ text: String) -> String {
    let plain = escaped(text).replacing("\"", with: "\\(dq")
    return plain.contains(" ") || plain.count < 3 ? "\"\(plain.count < 3 ? "\\&" : "")\(plain)\"" : plain
  }
}
