import ArgumentParser
import Datasets
import Distillation
import Foundation
import Networks
import Pipeline
import Specs
import Storage
import Sweeps

/// `mtkd-sweep init`: a first grid, by five questions or from options.
struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a commented grid to begin with, and its schema for editors.",
    discussion: """
      On a terminal it asks five questions, each with an answer that Enter takes; options answer them beforehand, and elsewhere than on a \
      terminal nothing is asked. Nothing that is there already is written over.
      """)

  @Argument(help: "The file to write.")
  var file = "grid.json"

  @Option(
    help:
      ArgumentHelp(
        "A grid that comes with the program, instead of questions: "
          + "\(Catalog.presets.names.joined(separator: ", ")).")
  )
  var preset: String?

  @Option(help: "The images.")
  var dataset: String?

  @Option(
    help: ArgumentHelp("Networks to train, such as mini-resnet8-w8,mini-shufflev2-01.", valueName: "networks")
  )
  var students: String?

  @Option(help: ArgumentHelp("Networks to learn from.", valueName: "networks"))
  var teachers: String?

  @Option(help: ArgumentHelp("Methods to compare.", valueName: "methods"))
  var methods: String?

  @Option(help: "Runs of each cell of the table.")
  var seeds: Int?

  func run() throws {
    let schema = "grid.schema.json"
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    guard !FileManager.default.fileExists(atPath: file) else { throw OccupiedGrid(path: file) }
    let text: String
    if let preset {
      text = try Catalog.presets.entry(preset).text
    } else {
      text = try StarterGrid(answers(), name: Self.name(of: file), schema: "./\(schema)").text
    }
    try write(text, to: file)
    // Schemas differ only from version to version; one that is there may have been chosen.
    if preset == nil, !FileManager.default.fileExists(atPath: folder + schema) {
      try write(
        CanonicalJSON.text(of: GridSchema.value(.engine(dataFolders: []))) + "\n", to: folder + schema)
    }
    Out.put("Wrote \(file). Next:\n")
    Out.put(
      aligned([
        ["  mtkd-sweep plan \(shellWord(file))", "says how many runs that is and what they cost"],
        [
          "  mtkd-sweep run \(shellWord(file))",
          "runs them and prints the table; Ctrl-C stops, the same command goes on",
        ],
      ]))
  }

  private func write(_ text: String, to path: String) throws {
    do { try AtomicFile.write(Array(text.utf8), to: path) } catch {
      throw UnwritableOutput(path: path, error: error)
    }
  }

  /// `my-sweep` of `grids/My Sweep.json`.
  static func name(of file: String) -> String {
    let stem =
      file.split(separator: "/").last.map { $0.split(separator: ".").first.map(String.init) ?? "" } ?? ""
    let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    let name = String(stem.lowercased().map { allowed.contains($0) ? $0 : "-" })
    return name.isEmpty || name == "grid" ? "first-look" : name
  }

  private func answers() throws -> StarterGrid.Answers {
    let asks = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
    let questions = Questions(asks: asks)
    let dataset = try questions.answer(
      dataset, "Which images? (\(Catalog.datasets.names.joined(separator: ", ")))", usual: "fashion-mnist"
    ) { text in
      _ = try DatasetCatalog.locate(text)
      return text
    }
    let usual = StarterGrid.Usual(dataset: dataset)
    func networks(_ text: String) throws -> [String] {
      let names = Self.names(text)
      for name in names { _ = try NetworkNames.spec(.string(name)) }
      guard !names.isEmpty else { throw InvalidAnswer(description: "Name one network or more.") }
      return names
    }
    let students = try questions.answer(
      students, "Which students? (`mtkd-sweep models` lists networks)", usual: usual.students, networks)
    let teachers = try questions.answer(teachers, "Which teachers?", usual: usual.teachers, networks)
    let methods = try questions.answer(
      methods, "Which methods? (\(Catalog.methods.names.joined(separator: ", ")))",
      usual: "baseline,aver-kd,mtkd-rl"
    ) { text in
      let names = Self.names(text)
      for name in names { _ = try Catalog.methods.entry(name) }
      guard !names.isEmpty else { throw InvalidAnswer(description: "Name one method or more.") }
      return names
    }
    let seeds = try questions.answer(
      seeds.map { "\($0)" }, "How many seeds? (three show a spread; six can show a difference)", usual: "3"
    ) { text in
      guard let count = Int(text), (1...1000).contains(count) else {
        throw InvalidAnswer(description: "Seeds are a number from 1 to 1000.")
      }
      return count
    }
    return StarterGrid.Answers(
      dataset: dataset, students: students, teachers: teachers, methods: methods, seeds: seeds)
  }

  private static func names(_ text: String) -> [String] {
    text.split { $0 == "," || $0 == " " }.map(String.init)
  }
}

/// Something is where the grid should go.
struct OccupiedGrid: UserError {
  var exitStatus: ExitStatus { .cannotCreate }
  let path: String
  var description: String {
    "\(path) is there already and stays as it is. Name another file: `mtkd-sweep init OTHER.json`."
  }
}

/// An answer that cannot be used.
struct InvalidAnswer: UserError {
  var exitStatus: ExitStatus { .badInput }
  let description: String
}

/// Asks on a terminal, takes what options say, and the usual answer elsewhere.
private struct Questions {
  let asks: Bool

  /// - Throws: what `read` says of a given answer. A typed one is asked for again.
  func answer<Value>(
    _ given: String?, _ question: String, usual: String, _ read: (String) throws -> Value
  ) throws -> Value {
    if let given { return try read(given) }
    guard asks else { return try read(usual) }
    while true {
      _ = SystemCall.write(Array("\(question)\n  [\(usual)] ".utf8), to: STDERR_FILENO)
      // The end of input takes what is usual, as Enter does.
      let line = readLine()?.trimmingCharacters(in: .whitespaces) ?? ""
      do { return try read(line.isEmpty ? usual : line) } catch { Talk.say("  \(error)") }
    }
  }
}

/// The text of a first grid.
struct StarterGrid {
  struct Answers {
    var dataset: String
    var students: [String]
    var teachers: [String]
    var methods: [String]
    var seeds: Int
  }

  /// What fits a machine without an accelerator.
  struct Usual {
    let students = "mini-resnet8-w8,mini-shufflev2-01"
    let teachers = "mini-wrn-16-1,mini-resnet20-w8"
    let lengths: String

    init(dataset: String) {
      lengths =
        dataset.hasPrefix("synthetic")
        ? #""trainImages": 1000, "testImages": 500, "epochs": 6, "teacherEpochs": 6"#
        : #""trainImages": 6000, "testImages": 2000, "epochs": 6, "teacherEpochs": 8"#
    }
  }

  let text: String

  /// Comment lines with the settings of every run that the grid does not name: what recipes hold,
  /// and what the methods share.
  private static func furtherSettings() -> String {
    let entries = ((try? SettingCatalog.ofThisProgram.get())?.entries ?? []).filter { setting in
      setting.isOfRecipe || setting.name == "batchSize"
        || Settings.common.contains(setting) && setting.isAmount
    }
    var lines: [String] = []
    for setting in entries {
      let word = "\(setting.name) (\(SettingTable.defaultText(setting)))"
      if let last = lines.last, last.count + word.count < 100 {
        lines[lines.count - 1] += ", \(word)"
      } else {
        lines.append(word)
      }
    }
    return (lines + ["`mtkd-sweep settings` explains them all."]).map { "// \($0)" }.joined(
      separator: "\n    ")
  }

  init(_ answers: Answers, name: String, schema: String) {
    func list(_ names: [String]) -> String { JSONValue(names).description.replacing(",", with: ", ") }
    let compared = answers.methods.contains("baseline") && answers.methods.count > 1
    let report =
      compared
      ? """
      ,

        // How the table is shown; changes no result. Every method is compared with this one, paired by seed.
        "report": { "compareTo": ["baseline"] }
      """ : ""
    text = """
      // A grid: which runs a table needs. `mtkd-sweep help grid` and docs/grid.md say what else it can hold.
      {
        "$schema": "\(schema)",
        "version": 1,
        // What the store calls this sweep.
        "name": "\(name)",

        // What all runs share. Subsets are class-balanced and seeded; leave both out to use all images.
        "base": {
          "dataset": "\(answers.dataset)",
          \(Usual(dataset: answers.dataset).lengths),
          "teachers": \(list(answers.teachers))
        },

        // Every combination is a cell of the table, such as "alpha": { "range": [0, 1, 0.5] }. A run that does not read
        // a setting is not repeated for its values. Further settings of all runs, with their defaults:
        \(Self.furtherSettings())
        "axes": {
          "student": \(list(answers.students)),
          "method": \(list(answers.methods))
        },

        // Replicates, shared by all cells, so that methods can be compared seed by seed. Grow it any time: what is done stays.
        "seeds": { "count": \(answers.seeds) }\(report)
      }

      """
  }
}
