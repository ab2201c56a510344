import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// A recorded run: its file, and the same run built from it.
struct Trajectory: Sendable, CustomTestStringConvertible {
  let id: String
  let json: Value
  var testDescription: String { id }

  init(_ id: String) throws {
    self.id = id
    json = Value(try JSONReader.read(Fixtures.bytes("runs/\(id).json")).value)
    guard json["schema"].text == "mtkd-trajectory", json["version"].int == 1 else {
      throw TrajectoryError.otherFormat(id)
    }
  }

  /// The method as the program knows it.
  var method: MethodDescription {
    get throws {
      let name = json["config"]["method"].text
      let found = Catalog.methods.entries.map { $0.description }
        .first { $0.name == name || $0.aliases.contains(name) }
      return try #require(found, "there is no method \(name)")
    }
  }
  /// Images, and those of them that an epoch trains on.
  var samples: Int { json["data"]["samples"].int }
  var trained: Int { json["data"]["trained"].int }
  /// Of the recorded random numbers.
  var streamSeed: Int? { json["stream_seed"].isNull ? nil : json["stream_seed"].int }

  func images(_ precision: Precision) -> Tensor {
    let shape = json["data"]["shape"].ints
    return Tensor(
      FillRule.images(seed: json["data"]["seed"].int, Shape([samples] + shape)), Shape([samples] + shape),
      precision)
  }

  private static func network(_ record: Value) throws -> (ModelSpec, ImageTask) {
    let shape = record["shape"].ints
    guard case .object(var members) = record["params"].json else { throw TrajectoryError.noParameters }
    members["family"] = .string(record["family"].text)
    return (
      try NetworkNames.spec(.object(members)),
      ImageTask(channels: shape[0], height: shape[1], width: shape[2], classes: record["classes"].int)
    )
  }

  func teachers(_ precision: Precision, _ convolution: ConvolutionChoice = .auto) throws -> [Teacher] {
    try json["teachers"].list.map { record in
      let (spec, task) = try Self.network(record)
      let built = try BuiltNetwork(spec, task)
      var state = built.state(seed: 0, precision: precision)
      state.convolution = convolution
      state.fill { declaration in
        FillRule.values(seed: record["seed"].int, name: declaration.path, declaration.shape)
      }
      return Teacher(built, state)
    }
  }

  /// What the records call an option of a method.
  private static let spellings = ["T": "temperature", "form": "scaling", "policyLr": "policyRate"]
  /// Entries of `config` that belong to the recipe, or say again what the method's form implies.
  private static let recipeEntries: Set<String> = [
    "method", "batch", "epochs", "lr", "milestones", "gamma", "momentum", "nesterov", "weight_decay",
    "preset",
    "features", "skip_first_feature", "skip_incomplete",
  ]
  /// Entries that stand in every file, whether or not the method has the term.
  private static let termEntries: Set<String> = ["T", "alpha", "beta", "form"]

  /// The method's options: its preset, then everything else that `config` says. An entry that
  /// nobody reads is a fault.
  func options(of method: MethodDescription) throws -> [String: JSONValue] {
    let config = json["config"]
    var options: [String: JSONValue] = [:]
    if !config["preset"].isNull {
      let preset = method.presets.first { $0.name == config["preset"].text }
      options = try #require(preset, "\(method.name) has no preset \(config["preset"].text)").options
    }
    for name in config.keys where !Self.recipeEntries.contains(name) {
      let option = Self.spellings[name] ?? name
      if method.options.contains(where: { $0.encodedName == option }) {
        options[option] = config[name].json
      } else if !Self.termEntries.contains(name) {
        throw TrajectoryError.unreadEntry(id, name)
      }
    }
    return options
  }

  /// The run before its first step, every array filled by the fixtures' rule.
  func run(_ precision: Precision, _ convolution: ConvolutionChoice = .auto) throws -> TrainingRun {
    let config = json["config"]
    func decimal(_ name: String) -> DecimalNumber { config[name].json.number! }
    let method = try method
    let options = try options(of: method)
    let recipe = RecipeSpec(
      epochs: config["epochs"].int, batchSize: config["batch"].int, learningRate: decimal("lr"),
      momentum: decimal("momentum"), nesterov: config["nesterov"].bool, weightDecay: decimal("weight_decay"),
      milestones: config["milestones"].ints, gamma: decimal("gamma"))
    let (student, task) = try Self.network(json["student"])
    let source = FixedBatches(
      task: task, images: images(precision), labels: json["data"]["labels"].ints,
      orders: json["data"]["order"].list.map(\.ints), batchSize: recipe.batchSize)
    var run = try TrainingRun(
      student: student, teachers: try teachers(precision, convolution),
      method: MethodSpec(name: method.name, options: options, revision: method.revision),
      recipe: recipe, source: source, seed: streamSeed ?? 0, precision: precision)

    // The rule's values come in by the door that resuming uses.
    let start = try Safetensors(decoding: run.snapshot.encoded())
    var filled = Safetensors()
    filled.metadata = start.metadata
    for entry in start.entries {
      guard let values = fill(entry.name, entry.shape), entry.tensor != nil else {
        filled.append(entry)
        continue
      }
      filled.append(entry.name, Tensor(values, entry.shape, precision))
    }
    try run.restore(from: Snapshot(decoding: filled.encoded()))
    run.convolution = convolution
    return run
  }

  /// The rule's values of an array of a snapshot; nil for what the rule leaves alone.
  private func fill(_ name: String, _ shape: Shape) -> [Double]? {
    if name.hasSuffix("num_batches_tracked") || name.contains(".rho_") || name.contains(".log_std_") {
      return nil
    }
    if let path = name.removing(prefix: "model/distillation.") {
      return FillRule.values(seed: json["regressor_seed"].int, name: path, shape)
    }
    if let path = name.removing(prefix: "model/") {
      return FillRule.values(seed: json["student"]["seed"].int, name: path, shape)
    }
    guard let path = Self.learnedName(name) else { return nil }
    // Target copies start as what they copy.
    let original = path.removing(prefix: "target.") ?? path
    let values = FillRule.values(seed: json["policy_seed"].int, name: original, shape)
    // The factor is exact; it keeps a softmax of Gram matrices from starting one-hot.
    return original == "meta.feature.fc1.weight" ? values.map { $0 * 0x1p-10 } : values
  }

  /// The records' name of an array that a method learns beside the student's optimiser: policy, critic,
  /// baseline, weight networks, target copies.
  private static func learnedName(_ name: String) -> String? {
    guard let path = name.removing(prefix: "method/") else { return nil }
    let groups = ["policy.", "critic.", "baseline.", "spread.", "meta."]
    if let copy = path.removing(prefix: "target/") { return "target." + copy }
    return groups.contains { path.hasPrefix($0) } ? path : nil
  }

  /// All arrays of a run under the names of the records, with the norms of their momentum
  /// buffers; counters left out.
  static func arrays(of run: TrainingRun) -> [String: (Tensor, Double?)] {
    var arrays: [String: (Tensor, Double?)] = [:]
    for (slot, declaration) in zip(run.state.slots, run.state.declarations) where declaration.role != .counter
    {
      let name = declaration.path.removing(prefix: "distillation.") ?? "student." + declaration.path
      arrays[name] = (run.state[slot], run.optimizer.momentumBuffer(slot)?.l2Norm)
    }
    let snapshot = run.snapshot
    for name in snapshot.names {
      if let path = learnedName(name), let tensor = try? snapshot.tensor(name) {
        arrays[path] = (tensor, nil)
      }
    }
    return arrays
  }
}

enum TrajectoryError: Error {
  case noParameters
  case otherFormat(String)
  /// An entry of a file's `config` that no option and no recipe takes.
  case unreadEntry(String, String)
}

/// Recorded images in recorded order, without augmentation.
struct FixedBatches: BatchSource {
  let task: ImageTask
  let images: Tensor
  let labels: [Int]
  let orders: [[Int]]
  let batchSize: Int

  func order(epoch: Int) -> [[Int]] {
    let order = orders[epoch]
    return stride(from: 0, to: order.count, by: batchSize).map {
      Array(order[$0..<min(order.count, $0 + batchSize)])
    }
  }

  func trainingBatch(_ positions: [Int], epoch: Int) -> (images: Tensor, targets: any Targets) {
    evaluationBatch(positions)
  }
  func plainBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) { evaluationBatch(positions) }
  var evaluationOrder: [[Int]] { [Array(labels.indices)] }
  func evaluationBatch(_ positions: [Int]) -> (images: Tensor, targets: any Targets) {
    (images.rows(positions), ClassTargets(positions.map { labels[$0] }, classes: task.classes))
  }
}

extension ModelState {
  /// Fills every array but the counters.
  mutating func fill(_ values: (SlotDeclaration) -> [Double]) {
    for (slot, declaration) in zip(slots, declarations) where declaration.role != .counter {
      self[slot] = Tensor(values(declaration), declaration.shape, self[slot].precision)
    }
  }
}

extension String {
  func removing(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
