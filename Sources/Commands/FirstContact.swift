import Foundation
import Specs

/// What somebody hears who does not know the program yet.
enum FirstContact {
  /// `mtkd-sweep run` and nothing else: what is missing, and which grids lie here.
  static func explainRun() -> Never {
    let here = grids(in: ".") + grids(in: "sweeps")
    var lines = ["Which grid? A grid is a file that says which runs a table needs."]
    if here.isEmpty {
      lines.append(
        "None is here. `mtkd-sweep init` writes one after five questions, then: mtkd-sweep run grid.json")
    } else {
      lines.append("Here are:")
      lines += here.prefix(12).map { "  mtkd-sweep run \(shellWord($0))" }
      if here.count > 12 { lines.append("  and \(here.count - 12) more") }
      lines.append("`mtkd-sweep init` writes a new one after five questions.")
    }
    Talk.say(lines.joined(separator: "\n"))
    exit(ExitStatus.wrongUse.rawValue)
  }

  /// `mtkd-sweep help WORD` with a word that is neither a topic nor a command.
  static func explainUnknownTopic(_ arguments: [String], commands: [String]) {
    guard arguments.count > 1, arguments[0] == "help", !arguments[1].hasPrefix("-") else { return }
    let word = arguments[1]
    let topics = Catalog.helpTopics.names
    guard !(commands + topics).contains(word) else { return }
    let hint = NearestName.of(word, among: topics + commands).map { " Did you mean '\($0)'?" } ?? ""
    Talk.say(
      "There is no help on '\(word)'.\(hint) Topics: \(topics.joined(separator: ", ")). `mtkd-sweep --help` "
        + "lists the commands."
    )
    exit(ExitStatus.wrongUse.rawValue)
  }

  /// A first word that is no command: the nearest one.
  static func explainUnknownCommand(_ word: String?, known: [String]) {
    guard let word, !word.hasPrefix("-"), !known.contains(word) else { return }
    let hint = NearestName.of(word, among: known).map { "; did you mean `mtkd-sweep \($0)`?" } ?? "."
    // A grid where a command should be: what to do with it is the only thing that is missing.
    let isGrid = word.hasSuffix(".json") || word.hasSuffix(".jsonc")
    Talk.say(
      isGrid
        ? "\(word) looks like a grid. `mtkd-sweep plan \(shellWord(word))` says what it costs, "
          + "`mtkd-sweep run \(shellWord(word))` runs it."
        : "There is no command \(word)\(hint) `mtkd-sweep --help` lists them.")
    exit(ExitStatus.wrongUse.rawValue)
  }

  /// Files of a folder that read as grids, in the order of their names.
  private static func grids(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().filter { $0.hasSuffix(".json") || $0.hasSuffix(".jsonc") }.compactMap { name in
      let path = folder == "." ? name : "\(folder)/\(name)"
      // A grid is small; what is large is something else.
      guard let size = FileStamp(path)?.size, size < 1 << 20,
        let bytes = FileManager.default.contents(atPath: path),
        let members = try? JSONReader.read(Array(bytes), allowsComments: true).value.object,
        members["version"]?.integer != nil, members["name"]?.string != nil
      else { return nil }
      return path
    }
  }
}
