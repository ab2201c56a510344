package import Specs

extension GridVocabulary {
  /// A few names of each kind, so that grids can be read and multiplied out without an engine.
  package static let toy = toy(adding: [])

  /// The same with more settings.
  package static func toy(adding settings: [SettingDescription]) -> GridVocabulary {
    GridVocabulary(
      methods: toyMethods, settings: try! SettingCatalog(Settings.common + settings, methods: toyMethods),
      networks: ["resnet8", "resnet14", "wrn-16-1"],
      network: { value in
        if let family = value.object?["family"]?.string {
          guard family == "cifar_resnet" else {
            throw UnknownName(kind: "family", name: family, known: ["cifar_resnet"])
          }
          return ModelSpec(family: family, parameters: value.object!.filter { $0.key != "family" })
        }
        let known = ["resnet8": 8, "resnet14": 14, "wrn-16-1": 16]
        let name = value.string ?? value.description
        guard let depth = known[name] else {
          throw UnknownName(kind: "network", name: name, known: known.keys.sorted())
        }
        return ModelSpec(
          family: name.hasPrefix("wrn") ? "cifar_wrn" : "cifar_resnet",
          parameters: ["depth": JSONValue.number(DecimalNumber(depth))])
      },
      datasets: ["synthetic", "cifar100"],
      dataset: { name in
        guard ["synthetic", "cifar100"].contains(name) else {
          throw UnknownName(kind: "dataset", name: name, known: ["synthetic", "cifar100"])
        }
        return DatasetSpec(
          name: name, digest: name == "synthetic" ? ContentKey(hashing: Array(name.utf8)) : nil)
      })
  }

  private static let toyMethods = [
    MethodDescription(name: "baseline", summary: "no teachers", readsTeachers: false),
    MethodDescription(
      name: "aver-kd", aliases: ["averkd"], summary: "equal weights", readsTeachers: true,
      options: [.alpha, .temperature]),
    MethodDescription(
      name: "mtkd-rl", summary: "learned weights", readsTeachers: true,
      options: [
        .alpha, .beta, .temperature,
        SettingDescription(
          option: "policyWarmupEpochs", .integer(minimum: 0), default: 1, formerName: "warmupEpochs",
          encodedName: "warmupEpochs", "Epochs without a policy."),
        SettingDescription(
          option: "mixing", .choice(["static", "dynamic"]), default: "static", "Of weights."),
      ],
      presets: [("paper", [:]), ("reference", ["mixing": "dynamic"])],
      problems: { options in
        options["mixing"] == "dynamic" && options["policyWarmupEpochs"] == 0
          ? ["dynamic mixing needs a warm-up epoch"] : []
      }),
  ]

}

/// Reads grids that name no other grid.
package enum ToyGrid {
  package struct NoSuchGrid: Error, CustomStringConvertible {
    package init() {}
    package var description: String { "there is no such grid" }
  }

  /// - Parameter others: grids that `extends` can name, by their paths.
  package static func read(_ text: String, others: [String: String] = [:]) throws(GridRejected) -> GridSpec {
    try GridReader.read(Array(text.utf8), file: "grid.json", load: load(others))
  }

  /// As far as it can be read.
  package static func draft(_ text: String, others: [String: String] = [:]) -> GridDraft {
    GridReader.draft(Array(text.utf8), file: "grid.json", load: load(others))
  }

  private static func load(_ others: [String: String]) -> GridReader.Loader {
    { name, _ in
      guard let text = others[name] else { throw NoSuchGrid() }
      return (name, Array(text.utf8))
    }
  }
}
