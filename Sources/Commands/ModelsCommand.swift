import ArgumentParser
import Networks
import Specs
import Tensors

/// `mtkd-sweep models`: networks that a grid can name, with their sizes beside those that the paper prints.
struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "List networks with their sizes, or one network with its layers.",
    discussion: """
      Multiply-adds are those of convolutions and linear layers for one image, as the column FLOPs of papers; of transformers the products between
      tokens are counted too. F is the last feature map, f the embedding that the classifier reads.
      """)

  @Argument(help: "One network.", completion: Completions.networks)
  var name: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  private typealias Entry = (id: String, published: String, spec: ModelSpec)

  func run() throws {
    let chosen = try name.map { [try Self.entry($0)] } ?? NetworkNames.all
    var rows = [["network", "family", "input", "parameters", "paper", "multiply-adds", "paper", "F", "f"]]
    var machine: [JSONValue] = []
    for entry in chosen {
      let built = try BuiltNetwork(entry.spec, NetworkNames.usualTask(entry.id, entry.spec))
      let cost = NetworkCost(built)
      rows.append(Self.row(entry, built.task, cost))
      machine.append(Self.machine(entry, built, cost, layers: name != nil))
    }
    if json {
      return Out.put(Commands.json(["schema": "mtkd-sweep-models-1", "models": .array(machine)]))
    }
    Out.put(aligned(rows))
    guard name != nil, let entry = chosen.first else { return }
    let settings = entry.spec.parameters.merging(["family": .string(entry.spec.family)]) { $1 }
    Out.put("\n\(JSONValue.object(settings))\n\n")
    let built = try BuiltNetwork(entry.spec, NetworkNames.usualTask(entry.id, entry.spec))
    Out.put(aligned([["layer", "parameters", "arrays"]] + Self.layers(built).map(\.row)))
  }

  /// A network by either of its names.
  private static func entry(_ name: String) throws -> Entry {
    let spec = try NetworkNames.spec(.string(name))
    return NetworkNames.all.first { $0.id == name || $0.published == name } ?? (name, name, spec)
  }

  private static func row(_ entry: Entry, _ task: ImageTask, _ cost: NetworkCost) -> [String] {
    let paper = PaperSizes.of(entry.id)
    return [
      entry.id, entry.spec.family, "\(task.channels)x\(task.height)x\(task.width)/\(task.classes)",
      grouped(cost.parameters), paper.map { "\($0.parameters) M" } ?? "",
      grouped(cost.allMultiplyAdds), paper.map { "\($0.multiplyAdds) M" } ?? "",
      cost.map.dimensions.map(String.init).joined(separator: "x"), "\(cost.embedding)",
    ]
  }

  private static func machine(
    _ entry: Entry, _ built: BuiltNetwork, _ cost: NetworkCost, layers: Bool
  ) -> JSONValue {
    let task = built.task
    var members: [String: JSONValue] = [
      "name": .string(entry.id), "family": .string(entry.spec.family),
      "parameters": JSONValue(cost.parameters), "multiplyAdds": JSONValue(cost.multiplyAdds),
      "attentionMultiplyAdds": JSONValue(cost.attentionMultiplyAdds),
      "input": .string("\(task.channels)x\(task.height)x\(task.width)/\(task.classes)"),
      "embedding": JSONValue(cost.embedding),
      "map": .array(cost.map.dimensions.map { JSONValue($0) }),
      "settings": .object(entry.spec.parameters),
    ]
    if let paper = PaperSizes.of(entry.id) {
      members["paper"] = [
        "millionParameters": .number(paper.parameters), "millionMultiplyAdds": .number(paper.multiplyAdds),
      ]
    }
    if layers {
      members["layers"] = .array(
        Self.layers(built).map { layer in
          ["name": .string(layer.name), "parameters": JSONValue(layer.parameters)]
        })
    }
    return .object(members)
  }

  private struct LayerArrays {
    let name: String
    var parameters = 0
    var arrays: [String] = []

    var row: [String] { [name, Models.grouped(parameters), arrays.joined(separator: ", ")] }
  }

  /// Arrays gathered by the layer that declares them, in the order of the state dictionary.
  private static func layers(_ built: BuiltNetwork) -> [LayerArrays] {
    var layers: [LayerArrays] = []
    for declaration in built.declarations where declaration.role != .counter {
      let parts = declaration.path.split(separator: ".")
      let name = parts.count > 1 ? parts.dropLast().joined(separator: ".") : declaration.path
      if layers.last?.name != name { layers.append(LayerArrays(name: name)) }
      let shape = declaration.shape.dimensions.map(String.init).joined(separator: "x")
      layers[layers.count - 1].arrays.append("\(parts.last ?? "") \(shape)")
      if declaration.role == .parameter {
        layers[layers.count - 1].parameters += declaration.shape.count
      }
    }
    return layers
  }

  /// `1,234,567`.
  fileprivate static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.enumerated().map { index, digit in
      (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digit)
    }.joined()
  }
}
