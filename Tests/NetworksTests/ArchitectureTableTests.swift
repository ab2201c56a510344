import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// Every network's sizes against the table of the original definitions, without computing anything.
@Suite struct ArchitectureTableTests {
  struct Row: Sendable {
    let columns: [String: String]
    subscript(_ name: String) -> String { columns[name] ?? "" }
  }

  static let rows: [Row] = {
    let path = Fixtures.committed.appending(path: "models/architectures.csv")
    guard let text = try? String(contentsOf: path, encoding: .utf8) else { fatalError("no \(path.path)") }
    let lines = text.split(whereSeparator: \.isNewline).map { fields(String($0)) }
    precondition(lines.count > 1, "\(path.path) has no rows")
    return lines.dropFirst().map { Row(columns: Dictionary(zip(lines[0], $0)) { $1 }) }
  }()

  /// Splits a line at its commas; quotes hold commas, and two quotes are one.
  private static func fields(_ line: String) -> [String] {
    var (fields, field, isQuoted) = ([String](), "", false)
    for character in line {
      if character == "\"" {
        isQuoted.toggle()
        if isQuoted, !field.isEmpty { field.append("\"") }
      } else if character == ",", !isQuoted {
        fields.append(field)
        field = ""
      } else {
        field.append(character)
      }
    }
    return fields + [field]
  }

  @Test func `the table has every network, under both of its names, and no other`() throws {
    #expect(Self.rows.count == 83)
    #expect(Set(Self.rows.map { $0["id"] }) == Set(NetworkNames.ids))
    #expect(Set(Self.rows.map { $0["name"] }) == Set(NetworkNames.all.map(\.published)))
  }

  @Test func `parameters, multiply-adds and taps equal the table exactly`() throws {
    for row in Self.rows {
      let spec = try NetworkNames.spec(.string(row["id"]))
      #expect(try NetworkNames.spec(.string(row["name"])) == spec)
      #expect(spec.family == row["family"])
      let parameters = try JSONReader.read(Array(row["parametrisation"].utf8)).value
      #expect(
        try NetworkNames.spec(
          .object(parameters.object!.merging(["family": .string(row["family"])]) { $1 })) == spec,
        "\(row["id"])")
      let task = NetworkNames.usualTask(row["id"], spec)
      #expect("\(task.channels)x\(task.height)x\(task.width)" == row["input"])
      #expect("\(task.classes)" == row["classes"])
      let cost = try NetworkCost(spec, task)
      let map = cost.map.dimensions.map(String.init).joined(separator: "x")
      #expect("\(cost.parameters)" == row["params"], "\(row["id"])")
      #expect("\(cost.multiplyAdds)" == row["macs"], "\(row["id"])")
      #expect("\(cost.attentionMultiplyAdds)" == row["attention_macs"], "\(row["id"])")
      #expect("\(cost.embedding)" == row["embedding_dim"], "\(row["id"])")
      #expect(map == row["feature_map_shape"], "\(row["id"])")
      let paper = PaperSizes.of(row["id"])
      #expect(paper?.parameters == DecimalNumber(row["paper_params_M"]), "\(row["id"])")
      #expect(paper?.multiplyAdds == DecimalNumber(row["paper_macs_M"]), "\(row["id"])")
    }
  }

  @Test func `parameters that make no network are refused with a sentence`() throws {
    let bad: [(JSONValue, String)] = [
      (
        ["family": "timm_vit", "image": 224, "patch": 15, "dim": 192, "depth": 12, "heads": 3],
        "patches of 15"
      ),
      (["family": "timm_vit", "dim": 192, "depth": 12, "heads": 5], "5 heads"),
      (["family": "tv_resnet", "repeats": [2, 2, 2, 2], "groups": 2], "basic blocks"),
      (
        [
          "family": "tv_regnet", "depths": [1, 1, 1, 1], "widths": [32, 64, 160, 400],
          "group_widths": [16, 16, 16, 17],
        ], "group width 17"
      ),
      (["family": "cifar_shufflenetv1", "channels": [240, 480, 961]], "3 groups"),
      (["family": "tv_shufflenetv2", "channels": [24, 47, 96, 192, 1024]], "47 channels"),
    ]
    for (value, part) in bad {
      let error = #expect(throws: InvalidNetwork.self) { try NetworkNames.spec(value) }
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }
    #expect(throws: InvalidNetwork.self) {
      try BuiltNetwork(
        NetworkNames.spec("deit-tiny"), ImageTask(channels: 3, height: 32, width: 32, classes: 10))
    }
  }

  @Test func `every family is built for other images, channels and classes too`() throws {
    let task = ImageTask(channels: 2, height: 96, width: 96, classes: 7)
    for (id, _, spec) in NetworkNames.all where !spec.family.hasPrefix("timm_") {
      let built = try BuiltNetwork(spec, task)
      let pass = Pass(ModelState(unfilled: built.declarations), .inference)
      let activations = built.network(.zeros([0, 2, 96, 96]), pass)
      #expect(activations.logits.shape == [0, 7], "\(id)")
      #expect(activations.map.shape.rank == 4 && activations.embedding.shape.rank == 2, "\(id)")
    }
  }
}
