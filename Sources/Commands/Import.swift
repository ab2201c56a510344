import ArgumentParser
import Datasets
import Foundation
import Networks
import Pipeline
import Specs
import Storage

/// `mtkd-sweep import`: weights that were trained elsewhere become teachers for any grid.
struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take in weights that were trained elsewhere, as a teacher for any grid.",
    discussion: """
      mtkd-sweep import resnet56.safetensors --network resnet56 --dataset cifar10 --normalisation imagenet --evaluate

      A grid then names { "import": "resnet56" } among its teachers. State dictionaries of PyTorch, TorchVision and timm are read as they are.
      """)

  @Argument(help: ArgumentHelp("A safetensors file.", valueName: "file"))
  var path: String

  @Option(
    help: "The network, as `mtkd-sweep models` lists it; may be left out for files that `export` wrote.")
  var network: String?

  @Option(help: "The dataset that it was trained on, as a grid writes it.")
  var dataset: String

  @Option(help: "What grids call it (default: what --network says, else the network's name).")
  var name: String?

  @Option(
    help:
      ArgumentHelp(
        "How it expects its images normalised: as the dataset's are, or imagenet (default: what "
          + "the file says, else dataset).")
  )
  var normalisation: String?

  @Option(
    help: "Per-channel means it was trained with, in units of 0 to 1, e.g. 0.485,0.456,0.406; requires --std."
  )
  var mean: String?

  @Option(help: "Per-channel stds it was trained with, in the same units; requires --mean.")
  var std: String?

  @Flag(help: "Measure it on the dataset's test images.")
  var evaluate = false

  @OptionGroup var location: StoreLocation
  @OptionGroup var data: DataFolders

  @Flag(help: "JSON on standard output.")
  var json = false

  func validate() throws {
    guard normalisation.map({ ["dataset", "imagenet"].contains($0) }) ?? true else {
      throw ValidationError("--normalisation is dataset or imagenet.")
    }
    guard (mean == nil) == (std == nil) else { throw ValidationError("--mean and --std go together.") }
    if mean != nil, normalisation != nil {
      throw ValidationError("--mean and --std stand in place of --normalisation.")
    }
    if let name, !Self.isName(name) {
      throw ValidationError("--name is made of a-z, 0-9 and . _ -, and begins with a letter or digit.")
    }
  }

  private static func isName(_ name: String) -> Bool {
    let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789")
    return (1...63).contains(name.count) && letters.contains(name.first!)
      && name.allSatisfy { letters.contains($0) || "._-".contains($0) }
  }

  func run() throws {
    let index = PhotographIndexing.of(location.folder)
    let located = try DatasetCatalog.locate(dataset, searching: data.folders, index: index)
    let examined = try TeacherWeights.examine(
      path, network: network.map { try NetworkNames.spec(.string($0)) }, normalisation: chosen(),
      task: TeacherWeights.task(of: located.spec))
    let title = network ?? NetworkNames.title(of: examined.network)
    guard let name = [name, network, title].compactMap(\.self).first(where: Self.isName) else {
      throw WeightsError("Say with --name what grids should call this network.")
    }
    let record = ImportRecord(
      network: examined.network, weights: examined.weights,
      classes: try TeacherWeights.task(of: located.spec).classes, source: path, networkName: network)
    let evaluation = evaluate ? try TeacherWeights.evaluate(examined, on: located, index: index) : nil
    let folder = location.weights
    if folder.hasRecord(name) {
      let old = try TeacherWeights.record(name, in: folder)
      guard old.weights == record.weights.withoutPath, old.network == record.network else {
        throw WeightsError(
          "The store has other weights under the name \(name) (digest \(old.weights.digest.short)). Choose "
            + "another one with --name."
        )
      }
    }
    try folder.put(examined.bytes)
    try folder.write(record.canonicalBytes, as: name)
    for note in examined.notes { Talk.say("note: \(note)") }
    report(name, title, examined, evaluation)
  }

  private func chosen() throws -> NormalisationChoice {
    guard let mean, let std else {
      return try normalisation.map { try TeacherWeights.choice(.string($0)) } ?? .stated
    }
    func numbers(_ text: String) throws -> [DecimalNumber] {
      let numbers = text.split(separator: ",").map {
        DecimalNumber($0.trimmingCharacters(in: .whitespaces))
      }
      guard !numbers.isEmpty, !numbers.contains(nil) else {
        throw WeightsError("\(text) is not a list of numbers such as 0.485,0.456,0.406.")
      }
      return numbers.compactMap(\.self)
    }
    let given = InputNormalisation(mean: try numbers(mean), std: try numbers(std))
    guard given.mean.count == given.std.count else {
      throw WeightsError(
        "--mean has \(given.mean.count) numbers and --std \(given.std.count): give one a channel in each.")
    }
    if let std = given.std.first(where: { $0 <= DecimalNumber(0) }) {
      throw WeightsError("--std \(std) is not above 0, and images are divided by it.")
    }
    if (given.mean + given.std).contains(where: { $0.double.magnitude > 1 }) {
      let scaled = { (list: [DecimalNumber]) in
        list.map { "\(($0.double / 255 * 1000).rounded() / 1000)" }.joined(separator: ",")
      }
      throw WeightsError(
        "--mean and --std are in units of 0 to 1, and these are above 1. Of bytes from 0 to 255 they are "
          + "--mean \(scaled(given.mean)) --std \(scaled(given.std)).")
    }
    return .given(given)
  }

  private func report(
    _ name: String, _ title: String, _ examined: TeacherWeights.Examined,
    _ evaluation: TeacherWeights.Measured?
  ) {
    if json {
      var members: [String: JSONValue] = [
        "schema": "mtkd-sweep-import-1", "name": .string(name), "network": .string(title),
        "digest": .string(examined.weights.digest.description), "notes": JSONValue(examined.notes),
      ]
      if let evaluation {
        members["test"] = [
          "images": JSONValue(evaluation.images),
          ClassificationMetrics.accuracyKey: JSONValue(evaluation.accuracy),
          "loss": JSONValue(evaluation.loss),
        ]
      }
      return Out.put(Commands.json(members))
    }
    Out.put(
      "\(name): \(title), digest \(examined.weights.digest.short). Teachers of a grid: { \"import\": "
        + "\"\(name)\" }\n"
    )
    if let evaluation {
      let accuracy = (evaluation.accuracy * 100).rounded() / 100
      Out.put("\(accuracy) % of \(evaluation.images) test images of \(dataset) are classified right\n")
    }
  }
}
