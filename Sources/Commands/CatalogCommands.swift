import ArgumentParser
import Datasets
import Distillation
import Foundation
import Networks
import Pipeline
import Specs
import Storage
import Sweeps
import Tensors

/// `mtkd-sweep methods`: methods with their options and defaults.
struct Methods: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "methods", abstract: "List methods, or one method with its options.")

  @Argument(help: "One method.", completion: Completions.methods)
  var name: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  func run() throws {
    let chosen =
      try name.map { [try Catalog.methods.entry($0).description] }
      ?? Catalog.methods.entries.map { $0.description }
    if json {
      Out.put(
        Commands.json([
          "schema": "mtkd-sweep-methods-1",
          "methods": .array(
            chosen.map { method in
              [
                "name": .string(method.name), "summary": .string(method.summary),
                "explanation": .string(method.explanation),
                "options": .object(Dictionary(method.options.map { ($0.name, $0.standard) }) { $1 }),
              ]
            }),
        ]))
      return
    }
    guard name != nil, let method = chosen.first else {
      return Out.put(aligned(chosen.map { [$0.name, $0.summary, Self.settings($0)] }))
    }
    Out.put("\(method.name): \(method.summary)\n")
    if !method.aliases.isEmpty { Out.put("also read as: \(method.aliases.joined(separator: ", "))\n") }
    if !method.explanation.isEmpty { Out.put("\n\(method.explanation)\n\n") }
    if method.options.isEmpty { Out.put("no options\n") }
    Out.put(
      aligned(
        method.options.map { ["  \($0.name)", SettingTable.defaultText($0), $0.kind.values, $0.sentence] }))
    for preset in method.presets {
      let options = preset.options.sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.text($0.value))" }
      Out.put(
        "  preset \(preset.name): \(options.isEmpty ? "the defaults" : options.joined(separator: " "))\n")
    }
  }

  /// Options with their defaults, in short.
  private static func settings(_ method: MethodDescription) -> String {
    method.options.map { "\($0.name)=\(text($0.standard))" }.joined(separator: " ")
  }

  private static func text(_ value: JSONValue) -> String {
    value.string ?? value.array?.map(text).joined(separator: "+") ?? value.description
  }
}

/// `mtkd-sweep presets`: grids that come with the program.
struct Presets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "presets",
    abstract: "Grids that come with the program.", subcommands: [ListPresets.self, ShowPreset.self],
    defaultSubcommand: ListPresets.self)

  struct ListPresets: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Their names.")
    @Flag(help: "JSON on standard output.") var json = false
    func run() {
      let names = Catalog.presets.names
      Out.put(
        json
          ? Commands.json(["schema": "mtkd-sweep-presets-1", "presets": JSONValue(names)])
          : names.map { "\($0)\n" }.joined())
    }
  }

  struct ShowPreset: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "The text of one.")
    @Argument(help: "Its name.", completion: Completions.presets) var name: String
    func run() throws { Out.put(try Catalog.presets.entry(name).text) }
  }
}

/// `mtkd-sweep schema`: for editors.
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Print the JSON schema of grid files.")
  func run() { Out.put(CanonicalJSON.text(of: GridSchema.value(.engine(dataFolders: []))) + "\n") }
}

/// `mtkd-sweep bench`: images per second of processor time.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Images per CPU second of a network on images of its usual size, at one thread.")

  @Argument(
    help:
      "The network, or a family with its parameters as JSON: {\"family\": \"timm_vit\", \"image\": 64, …}.",
    completion: Completions.networks)
  var network: String
  @Option(help: "Images a batch.") var batch = 64
  @Option(help: "train or infer.") var phase = "train"
  @Option(help: "CPU seconds to measure.") var seconds = 5.0
  @Flag(help: "JSON on standard output.") var json = false

  func validate() throws {
    guard EngineBenchmark.Phase(rawValue: phase) != nil else {
      throw ValidationError("--phase is train or infer.")
    }
    guard batch > 0, seconds > 0 else { throw ValidationError("--batch and --seconds are above 0.") }
  }

  func run() throws {
    let result = try EngineBenchmark(
      network: network, phase: EngineBenchmark.Phase(rawValue: phase)!, batch: batch, seconds: seconds)
    Out.put(
      json
        ? Commands.json([
          "schema": "mtkd-sweep-bench-1",
          "network": .string(result.network), "phase": .string(phase), "batch": JSONValue(batch),
          "steps": JSONValue(result.steps), "cpuSeconds": JSONValue(result.cpuSeconds),
          "imagesPerCPUSecond": JSONValue(result.imagesPerCPUSecond), "library": .string(result.library),
        ])
        : "\(network) \(phase): \((result.imagesPerCPUSecond * 10).rounded() / 10) images per CPU second "
          + "(batch \(batch), \(result.library))\n"
    )
  }
}

/// Rows with their columns under each other, two spaces apart.
func aligned(_ rows: [[String]]) -> String {
  guard let columns = rows.first?.count else { return "" }
  let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = row.enumerated().map { index, cell in
      index == columns - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
    }
    return cells.joined(separator: "  ") + "\n"
  }.joined()
}
