import ArgumentParser
import Specs

/// `mtkd-sweep recipes`: recipes of transfers with all their fields.
struct RecipesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipes", abstract: "List recipes of transfers, or one with its fields.",
    discussion:
      "Each field is a setting of grids, such as `transfer.fpnWidth`, and overrides its recipe's value there."
  )

  @Argument(help: "One recipe.")
  var name: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  func run() throws {
    guard let name else {
      let all = TransferRecipes.all
      return Out.put(
        json
          ? Commands.json([
            "schema": "mtkd-sweep-recipes-1",
            "recipes": .array(
              all.map {
                [
                  "name": .string($0.name), "task": .string($0.task.rawValue), "summary": .string($0.summary),
                ]
              }),
          ]) : aligned(all.map { [$0.name, $0.task.rawValue, $0.summary] }))
    }
    guard let recipe = TransferRecipes.recipe(name) else {
      throw UnknownName(
        kind: "recipe", name: name, known: TransferRecipes.all.map(\.name), listedBy: "recipes")
    }
    let fields = TransferRecipes.fields(of: recipe.task)
    let others = TransferRecipes.recipes(of: recipe.task).map(\.name).filter { $0 != name }
    if json {
      return Out.put(
        Commands.json([
          "schema": "mtkd-sweep-recipe-1", "name": .string(name), "task": .string(recipe.task.rawValue),
          "fields": .array(fields.map { Self.machine($0, name) }),
        ]))
    }
    Out.put("\(name): \(recipe.summary)\n\n")
    let head = ["  field", name, "where others differ", "what it is"]
    Out.put(aligned([head] + fields.map { Self.row($0, name, others) }))
  }

  private static func row(_ field: TransferField, _ name: String, _ others: [String]) -> [String] {
    let own = field.standards[name]?.text ?? "-"
    let different = others.compactMap { other -> String? in
      let text = field.standards[other]?.text ?? "-"
      return text == own ? nil : "\(other): \(text)"
    }
    let heads =
      field.readers.count < field.task.heads.count ? " (\(field.readers.joined(separator: ", ")))" : ""
    return ["  \(field.name)", own, different.joined(separator: "; "), field.sentence + heads]
  }

  private static func machine(_ field: TransferField, _ name: String) -> JSONValue {
    [
      "name": .string(field.name), "setting": .string(field.setting),
      "value": .string(field.standards[name]?.text ?? ""), "sentence": .string(field.sentence),
      "readers": .array(field.readers.map { .string($0) }),
    ]
  }
}
