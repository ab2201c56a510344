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
    json = Value(try JSONReader.read(Fixtures.bytes("trajectories/\(id).json")).value)
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
  var samples: Int { json["data"]["samples"].int }

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

  /// The run before its first step, every array filled by the fixtures' rule.
  ///
  /// - Parameter noise: a seed; starting weights are then disturbed by as much as rounding to single precision could, 2^-23 of each.
  func run(
    _ precision: Precision, _ convolution: ConvolutionChoice = .auto, noise: UInt64? = nil
  ) throws -> TrainingRun {
    let config = json["config"]
    func decimal(_ name: String) -> DecimalNumber { config[name].json.number! }
    let method = try method
    var options: [String: JSONValue] = [:]
    let settings = [
      ("alpha", "alpha"), ("beta", "beta"), ("temperature", "T"), ("scaling", "form"), ("cmax", "cmax"),
    ]
    for (option, name) in settings
    where method.options.contains(where: { $0.name == option }) && !config[name].isNull {
      options[option] = config[name].json
    }
    if method.name == "mtkd-rl" {
      let preset = MTKDRL.description.presets.first { $0.name == config["preset"].text }
      options.merge(try #require(preset).options) { $1 }
      for name in [
        "mixing", "rewardNorm", "objective", "rewardTiming", "warmupEpochs", "warmupWeight", "policyInterval",
      ]
      where !config[name].isNull { options[name] = config[name].json }
      options["policyRate"] = config["policyLr"].json
    }
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
      method: MethodSpec(name: method.name, options: options),
      recipe: recipe, source: source, seed: 0, precision: precision)

    // The rule's values come in by the door that resuming uses.
    let start = try Safetensors(decoding: run.snapshot.encoded())
    var filled = Safetensors()
    filled.metadata = start.metadata
    for entry in start.entries {
      guard var values = fill(entry.name, entry.shape), entry.tensor != nil else {
        filled.append(entry)
        continue
      }
      if let noise, !entry.name.contains("running_") {
        var stream = RandomStream(seed: noise, entry.name)
        for index in values.indices { values[index] *= 1 + 0x1p-23 * stream.uniform(-1...1) }
      }
      filled.append(entry.name, Tensor(values, entry.shape, precision))
    }
    try run.restore(from: Snapshot(decoding: filled.encoded()))
    run.convolution = convolution
    return run
  }

  /// The rule's values of an array of a snapshot; nil for what the rule leaves alone.
  private func fill(_ name: String, _ shape: Shape) -> [Double]? {
    if name.hasSuffix("num_batches_tracked") || name.contains(".rho_") { return nil }
    if let path = name.removing(prefix: "model/distillation.") {
      return FillRule.values(seed: json["regressor_seed"].int, name: path, shape)
    }
    if let path = name.removing(prefix: "model/") {
      return FillRule.values(seed: json["student"]["seed"].int, name: path, shape)
    }
    if let path = name.removing(prefix: "method/policy.") {
      return FillRule.values(seed: json["policy_seed"].int, name: "policy." + path, shape)
    }
    return nil
  }

  /// All arrays of a run under the names of the records, with the norms of their momentum buffers; counters left out.
  static func arrays(of run: TrainingRun) -> [String: (Tensor, Double?)] {
    var arrays: [String: (Tensor, Double?)] = [:]
    for (slot, declaration) in zip(run.state.slots, run.state.declarations) where declaration.role != .counter
    {
      let name = declaration.path.removing(prefix: "distillation.") ?? "student." + declaration.path
      arrays[name] = (run.state[slot], run.optimizer.momentumBuffer(slot)?.l2Norm)
    }
    let snapshot = run.snapshot
    for name in snapshot.names {
      if let path = name.removing(prefix: "method/policy."), let tensor = try? snapshot.tensor(name) {
        arrays["policy." + path] = (tensor, nil)
      }
    }
    return arrays
  }
}

enum TrajectoryError: Error {
  case noParameters
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

  func trainingBatch(_ positions: [Int], epoch: Int) -> (images: Tensor, labels: [Int]) {
    evaluationBatch(positions)
  }
  func plainBatch(_ positions: [Int]) -> (images: Tensor, labels: [Int]) { evaluationBatch(positions) }
  var evaluationOrder: [[Int]] { [Array(labels.indices)] }
  func evaluationBatch(_ positions: [Int]) -> (images: Tensor, labels: [Int]) {
    (images.rows(positions), positions.map { labels[$0] })
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
