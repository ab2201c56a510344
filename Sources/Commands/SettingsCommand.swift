import ArgumentParser
import Distillation
import Foundation
import Pipeline
import Specs
import Storage

/// `mtkd-sweep settings`: what a grid can set of a run.
struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings", abstract: "List the settings of a grid, or explain one.",
    discussion:
      "`mtkd-sweep methods NAME` lists the options of one method; docs/grid.md says how grids use them.")

  @Argument(help: "One setting.", completion: Completions.settings)
  var name: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  @Option(
    help: ArgumentHelp("Rewrite the generated table of this guide, instead of printing.", visibility: .hidden)
  )
  var guide: String?

  func run() throws {
    let catalog = try SettingCatalog.ofThisProgram.get()
    if let guide { return try rewrite(guide, catalog) }
    let chosen = try name.map { [try Self.setting($0, catalog)] } ?? catalog.entries
    if json {
      return Out.put(
        Commands.json([
          "schema": "mtkd-sweep-settings-1", "settings": .array(chosen.map { Self.machine($0, catalog) }),
        ]))
    }
    Out.put(name == nil ? SettingTable.text(catalog) : Self.text(chosen[0], catalog))
  }

  /// - Throws: `NothingThere` with the nearest name.
  private static func setting(_ name: String, _ catalog: SettingCatalog) throws -> SettingDescription {
    if let setting = catalog[name] { return setting }
    let hint = catalog.nearest(to: name).map { " Did you mean '\($0)'?" } ?? ""
    throw NothingThere(
      description: "There is no setting named '\(name)'.\(hint) `mtkd-sweep settings` lists them.")
  }

  private static func text(_ setting: SettingDescription, _ catalog: SettingCatalog) -> String {
    var rows = [
      ["  values", setting.kind.values], ["  default", SettingTable.defaultText(setting)],
      ["  read by", SettingTable.readersText(setting, catalog)],
      ["  goes into", SettingTable.placeText(setting)],
    ]
    if let unit = setting.unit { rows.insert(["  unit", unit], at: 1) }
    if let name = setting.formerName { rows.append(["  once called", name]) }
    return "\(setting.name): \(setting.sentence)\n\(aligned(rows))"
  }

  private static func machine(_ setting: SettingDescription, _ catalog: SettingCatalog) -> JSONValue {
    var members: [String: JSONValue] = [
      "name": .string(setting.name), "values": .string(setting.kind.values),
      "default": setting.standard, "defaultText": .string(SettingTable.defaultText(setting)),
      "readers": .string(SettingTable.readersText(setting, catalog)),
      "methods": JSONValue(catalog.readers(of: setting)), "sentence": .string(setting.sentence),
      "place": .string(SettingTable.placeText(setting)),
      "jsonSchema": .object(setting.kind.schema(presets: GridVocabulary.engine(dataFolders: []).presets)),
    ]
    members["unit"] = setting.unit.map { .string($0) }
    members["formerName"] = setting.formerName.map { .string($0) }
    return .object(members)
  }

  private func rewrite(_ guide: String, _ catalog: SettingCatalog) throws {
    let text = String(decoding: try AtomicFile.read(guide), as: UTF8.self)
    guard let updated = SettingTable.updating(text, catalog) else {
      throw ValidationError("\(guide) has no marks of a generated table: \(SettingTable.beginMark)")
    }
    if updated != text { try AtomicFile.write(Array(updated.utf8), to: guide) }
  }
}
