import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// A run of seconds' fractions: ten images of 8 × 8 pixels, four classes, a student and teachers
/// of a few hundred weights.
struct TinyRun {
  static let task = ImageTask(channels: 1, height: 8, width: 8, classes: 4)

  var method = "baseline"
  var options: [String: JSONValue] = [:]
  var teachers = 2
  /// Numbers of the teachers, where not 0, 1, …: equal numbers are equal networks.
  var pool: [Int]?
  var samples = 10
  var batchSize = 4
  var epochs = 3
  var seed = 3
  var precision = Precision.double
  /// Whether a teacher's logits are no numbers.
  var isBroken = false

  static func network(_ width: Int) throws -> ModelSpec {
    try NetworkNames.spec([
      "family": "cifar_resnet", "depth": 8, "widths": [4, 4, 4, .number(DecimalNumber(width))],
    ])
  }

  /// Widths differ, so that ND needs a projector for one of them and none for the other.
  func teacher(_ number: Int) throws -> ModelSpec { try Self.network(number % 2 == 0 ? 8 : 6) }

  var source: FixedBatches {
    let shape: Shape = [samples, 1, 8, 8]
    let orders = (0..<epochs).map { epoch in
      var stream = RandomStream(seed: 5, "tiny order", epoch)
      return stream.shuffled(count: samples)
    }
    return FixedBatches(
      task: Self.task, images: Tensor(FillRule.images(seed: 9, shape), shape, precision),
      labels: FillRule.labels(seed: 9, count: samples, classes: 4), orders: orders, batchSize: batchSize)
  }

  var trainedTeachers: [Teacher] {
    get throws {
      try (pool ?? Array(0..<teachers)).map { number in
        let built = try BuiltNetwork(teacher(number), Self.task)
        var state = built.state(seed: UInt64(100 + number), precision: precision)
        if isBroken, let last = state.parameters.last {
          state[last] = .full(.nan, state[last].shape, precision)
        }
        return Teacher(built, state)
      }
    }
  }

  var spec: MethodSpec {
    get throws {
      MethodSpec(
        name: method, options: options, revision: try Catalog.methods.entry(method).description.revision)
    }
  }

  func run(measuringAgreement: Bool = false) throws -> TrainingRun {
    try TrainingRun(
      student: Self.network(8), teachers: method == "baseline" ? [] : trainedTeachers, method: try spec,
      recipe: .student(epochs: epochs, batchSize: batchSize), source: source, seed: seed,
      precision: precision, measuresAgreement: measuringAgreement)
  }

  /// Every step of the whole run.
  func reports() throws -> [StepReport] {
    var run = try run()
    var reports: [StepReport] = []
    while let report = try run.step() { reports.append(report) }
    return reports
  }
}

/// Every method, form, agent and option that changes what a run computes.
struct MethodVariant: Sendable, CustomTestStringConvertible {
  let method: String
  let options: [String: JSONValue]
  var testDescription: String {
    let words = options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return ([method] + words).joined(separator: " ")
  }

  init(_ method: String, _ options: [String: JSONValue] = [:]) {
    self.method = method
    self.options = options
  }

  static let reference = MethodVariant(
    "mtkd-rl", MTKDRL.description.presets.first { $0.name == "reference" }!.options)

  static let all: [MethodVariant] = forms + catalogs + options

  /// Every method, in both scalings where it has them.
  private static let forms: [MethodVariant] = Catalog.methods.entries.flatMap { kind -> [MethodVariant] in
    let description = kind.description
    let plain = MethodVariant(description.name)
    guard description.options.contains(where: { $0.name == "scaling" }) else { return [plain] }
    return [plain, MethodVariant(description.name, ["scaling": "released"])]
  }

  /// Every agent and loss.
  private static let catalogs: [MethodVariant] = {
    var variants: [MethodVariant] = []
    for name in Catalog.agents.names where name != "pg" {
      variants.append(MethodVariant("mtkd-rl", ["policy": .string(name)]))
    }
    for name in Catalog.logitLosses.names where name != "kd" {
      variants.append(MethodVariant("aver-kd", ["logitLoss": .string(name)]))
    }
    for name in Catalog.featureLosses.names where name != "fitnet" {
      variants.append(MethodVariant("aver-kd-fitnet", ["featureLoss": .string(name)]))
    }
    return variants
  }()

  private static let options: [MethodVariant] = [
    reference,
    MethodVariant("mtkd-rl", ["mixing": "dynamic", "stateNorm": "running"]),
    MethodVariant(
      "mtkd-rl", ["rewardTiming": "postUpdate", "policyInterval": 1, "weightNormaliser": "sigmoid"]),
    MethodVariant("mtkd-rl", ["objective": "log", "rewardNorm": "minmaxRaw", "warmupWeight": "uniform"]),
    MethodVariant("mtkd-rl", ["stateEntries": ["cos", "kl"], "actionTerms": ["policy", "divergence"]]),
    MethodVariant("mtkd-rl", ["logitLoss": "dist", "ndMode": "replace"]),
    MethodVariant("aver-kd", ["ndMode": "add"]),
    MethodVariant("aver-kd-fitnet", ["ndMode": "add"]),
    MethodVariant("eb-kd", ["ebkdVariant": "inverse"]),
    MethodVariant("ca-mkd", ["camkdWeightGradient": "through"]),
    MethodVariant("aekd", ["aekdSolver": "releasedStart"]),
    MethodVariant("amtml-kd", ["angleWeight": 1, "adapterEpochs": 1]),
    MethodVariant("amtml-kd", ["logitLoss": "dist"]),
  ]

  func tiny(_ change: (inout TinyRun) -> Void = { _ in }) -> TinyRun {
    var tiny = TinyRun()
    (tiny.method, tiny.options) = (method, options)
    change(&tiny)
    return tiny
  }
}
