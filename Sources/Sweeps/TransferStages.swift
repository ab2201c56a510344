package import Specs

// The stages behind a student: its backbone, what it is trained in, and what comes of that.

/// A trained network without its head, with what its images looked like.
package struct BackboneStage: StageSpec {
  package static let kind = "backbone"
  package static let role = StageRole.preparation
  package static let revision = 1

  /// What the arrays are taken from.
  package enum Source: Hashable, Sendable {
    /// A student, and the dataset whose normalisation it saw.
    case student(ContentKey, dataset: ContentKey, epoch: String)
    /// The network's own initialisation.
    case random(seed: Int)
    /// A file.
    case weights(ImportedWeights)
  }

  package var network: ModelSpec
  package var source: Source
  package var inputs: [ContentKey] {
    if case .student(let key, let dataset, _) = source { [key, dataset] } else { [] }
  }

  package init(_ network: ModelSpec, _ source: Source) {
    self.network = network
    self.source = source
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    if case .student(let key, let dataset, let epoch) = source {
      object.member("dataset", .string(dataset.description), to: &bytes)
      object.member("epoch", .string(epoch), to: &bytes)
      object.member("network", to: &bytes, network.append)
      object.member("student", .string(key.description), to: &bytes)
    } else {
      object.member("network", to: &bytes, network.append)
      if case .random(let seed) = source { object.member("seed", seed, to: &bytes) }
      if case .weights(let weights) = source { object.member("weights", to: &bytes, weights.append) }
    }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    network = try ModelSpec(object["network"] ?? .null, at: object.path("network"))
    if object["student"] != nil {
      source = .student(
        try object.key("student"), dataset: try object.key("dataset"), epoch: try object.string("epoch"))
    } else if let weights = object["weights"] {
      source = .weights(try ImportedWeights(weights, at: object.path("weights")))
    } else {
      source = .random(seed: try object.integer("seed"))
    }
  }
}

/// One seeded training of a detector or a segmentor on a backbone, and what it finds in the test images.
package struct TransferStage: StageSpec {
  package static let kind = "transfer"
  package static let role = StageRole.preparation
  package static let revision = 1

  package var backbone: ContentKey
  package var network: ModelSpec
  package var transfer: TransferSpec
  /// T.
  package var seed: Int
  /// How the run that it belongs to is computed.
  package var computation: [String: JSONValue]
  /// The backbone, then the dataset.
  package var inputs: [ContentKey] { [backbone, DatasetStage(transfer.dataset).key] }
  package var recipe: RecipeSpec {
    get throws(SpecError) { try RecipeSpec(computedAs: computation, at: "computation") }
  }
  package var numerics: RecipeSpec.NumericsKind { (try? recipe.numerics) ?? .portable }

  package init(
    _ transfer: TransferSpec, on network: ModelSpec, backbone: ContentKey, seed: Int,
    computation: [String: JSONValue]
  ) {
    self.backbone = backbone
    self.network = network
    self.transfer = transfer
    self.seed = seed
    self.computation = computation
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("backbone", .string(backbone.description), to: &bytes)
    object.member("computation", .object(computation), to: &bytes)
    // Earlier versions evaluated it after other steps than asked: what they made is another stage.
    if transfer.task == .segmentation,
      (try? TransferSchedule(ofSegmentor: transfer))?.evaluatesBetweenTenths == true
    {
      object.member("evaluated", "as asked", to: &bytes)
    }
    object.member("network", to: &bytes, network.append)
    object.member("seed", seed, to: &bytes)
    object.member("transfer", to: &bytes, transfer.append)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    backbone = try object.key("backbone")
    computation = object["computation"]?.object ?? [:]
    network = try ModelSpec(object["network"] ?? .null, at: object.path("network"))
    seed = try object.integer("seed")
    transfer = try TransferSpec(object["transfer"] ?? .null, at: object.path("transfer"))
  }
}

/// What the predictions of a backbone's transfers are worth: the mean over them.
package struct EvaluationStage: StageSpec {
  package static let kind = "evaluation"
  package static let role = StageRole.result
  package static let revision = 1

  package var network: ModelSpec
  package var transfer: TransferSpec
  package var transfers: [ContentKey]
  /// The dataset, then the transfers.
  package var inputs: [ContentKey] { [DatasetStage(transfer.dataset).key] + transfers }

  package init(_ transfer: TransferSpec, on network: ModelSpec, transfers: [ContentKey]) {
    self.network = network
    self.transfer = transfer
    self.transfers = transfers
  }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("network", to: &bytes, network.append)
    object.member("transfer", to: &bytes, transfer.append)
    object.member("transfers", .array(transfers.map { .string($0.description) }), to: &bytes)
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    network = try ModelSpec(object["network"] ?? .null, at: object.path("network"))
    transfer = try TransferSpec(object["transfer"] ?? .null, at: object.path("transfer"))
    var keys: [ContentKey] = []
    for value in try object.array("transfers") {
      guard let key = value.string.flatMap({ ContentKey($0) }) else {
        throw SpecError(path: object.path("transfers"), expected: "a list of keys")
      }
      keys.append(key)
    }
    transfers = keys
  }
}
