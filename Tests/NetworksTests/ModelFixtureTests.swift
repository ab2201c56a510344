import Foundation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// Networks against recorded evaluations of the original definitions: outputs, gradients and running
/// statistics, in double and in float.
@Suite(.enabled(if: Fixtures.has("models/index.json"), "the fixtures of networks are compared with"))
struct ModelFixtureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let id: String
    let spec: ModelSpec
    let task: ImageTask
    let batch: Int
    let seed: Int
    let parameters: Int
    let multiplyAdds: Int
    let tolerance: [String: Double]
    var testDescription: String { id }
  }

  static let all: [Case] = {
    guard Fixtures.has("models/index.json") else { return [] }
    do {
      let index = try SpecObject(JSONReader.read(Fixtures.bytes("models/index.json")).value)
      return try index.array("cases").map { value in
        let record = try SpecObject(value)
        let shape = try record.array("shape").compactMap(\.integer)
        return Case(
          id: try record.string("id"),
          spec: ModelSpec(family: try record.string("family"), parameters: record["params"]?.object ?? [:]),
          task: ImageTask(
            channels: shape[0], height: shape[1], width: shape[2], classes: try record.integer("classes")),
          batch: try record.integer("batch"), seed: try record.integer("seed"),
          parameters: try record.integer("parameters"), multiplyAdds: try record.integer("macs"),
          tolerance: record["tolerance"]?.object?.compactMapValues { $0.number?.double } ?? [:])
      }
    } catch {
      fatalError("models/index.json: \(error)")
    }
  }()

  static let covered = all.filter { Catalog.networkFamilies.names.contains($0.spec.family) }

  @Test func `every case is covered or listed`() {
    let missing = Self.all.map(\.id).filter { id in !Self.covered.contains { $0.id == id } }
    #expect(Set(Self.covered.map(\.spec.family)) == Set(Catalog.networkFamilies.names))
    #expect(Set(missing).isSubset(of: NotCovered.modelCases))
    #expect(Self.covered.allSatisfy { !NotCovered.modelCases.contains($0.id) })
  }

  /// Double precision has one path, single precision three.
  static let paths: [(Precision, ConvolutionChoice)] = [
    (.double, .reference), (.single, .reference), (.single, .direct), (.single, .auto),
  ]

  @Test(arguments: covered, paths)
  func `a network agrees with the recorded evaluation`(
    _ record: Case, _ path: (precision: Precision, convolution: ConvolutionChoice)
  ) throws {
    let precision = path.precision
    let truth = try Safetensors(decoding: Fixtures.bytes("models/\(record.id).safetensors"))
    func values(_ name: String) throws -> [Double] { try #require(truth[name]?.tensor, "\(name)").doubles }
    let names = record.spec.parameters
    let spec = try NetworkNames.spec(.object(names.merging(["family": .string(record.spec.family)]) { $1 }))
    let built = try BuiltNetwork(spec, record.task)
    let cost = try NetworkCost(spec, record.task)
    #expect(cost.parameters == record.parameters)
    #expect(cost.multiplyAdds == record.multiplyAdds)

    var state = ModelState(unfilled: built.declarations, precision: precision)
    state.convolution = path.convolution
    state.fill(seed: record.seed)
    let triples = try values("state.checks")
    let stored = built.declarations.filter { $0.role != .counter }
    let dictionary = state.stateDictionary
    for (index, declaration) in stored.enumerated() {
      let filled = try #require(dictionary[declaration.path]?.tensor).doubles
      for (got, want) in zip(FillRule.triple(filled, probe: declaration.path), triples[(3 * index)...]) {
        #expect(abs(got - want) <= 1e-9 * max(1, abs(want)), "\(declaration.path)")
      }
    }

    let task = record.task
    let shape: Shape = [record.batch, task.channels, task.height, task.width]
    let images = Tensor(FillRule.images(seed: record.seed, shape), shape, precision)
    let labels = FillRule.labels(seed: record.seed, count: record.batch, classes: task.classes)
    #expect(try #require(truth["labels"]?.integers) == labels.map(Int64.init))

    func tolerance(_ name: String) throws -> Double {
      precision == .double ? 1e-9 : try #require(record.tolerance[name], "\(name)")
    }
    func compare(_ phase: String, _ activations: Activations) throws {
      let outputs = [
        ("logits", activations.logits), ("embedding", activations.embedding), ("map", activations.map),
      ]
      for (name, tensor) in outputs {
        let whole = truth["\(phase).\(name)"] ?? truth["\(phase).\(name).head"]
        let want = try #require(whole?.tensor).doubles
        let got = tensor.doubles.prefix(want.count)
        let error = zip(got, want).map { abs($0 - $1) }.max()! / want.map(abs).max()!
        #expect(try error <= tolerance("\(phase).\(name)"), "\(phase).\(name): \(error)")
      }
    }
    func compareGradients(_ kind: String, _ gradients: [Tensor?]) throws {
      let want = try values("\(kind).checks")
      let got = zip(built.declarations, gradients).filter { $0.0.role == .parameter }.map {
        declaration, gradient in
        FillRule.triple(
          gradient?.doubles ?? Array(repeating: 0, count: declaration.shape.count), probe: declaration.path)
      }
      let counts = built.declarations.filter { $0.role == .parameter }.map { Double($0.shape.count) }
      let all = stride(from: 1, to: want.count, by: 3).reduce(0) { $0 + want[$1] * want[$1] }.squareRoot()
      var errors: [Double] = []
      var worst = 0.0
      for (index, triple) in got.enumerated() {
        let truth = want[(3 * index)..<(3 * index + 3)].map { $0 }
        let difference = max(
          abs(triple[1] - truth[1]), abs(triple[2] - truth[2]),
          abs(triple[0] - truth[0]) / counts[index].squareRoot())
        if precision == .double {
          #expect(difference <= 1e-9 * truth[1] + 1e-11 * all, "\(kind) \(index): \(difference)")
        } else if truth[1] < 1e-9 * all {
          #expect(
            difference / all <= max(1e-6, record.tolerance["\(kind)_zero"] ?? 0),
            "\(kind) zero \(index): \(difference)")
        } else {
          worst = max(worst, (difference - 2e-6 * all) / truth[1])
          errors.append(difference / (truth[1] + 2e-6 * all))
        }
      }
      if precision == .single {
        #expect(try worst <= tolerance(kind), "\(kind): \(worst)")
        let median = errors.sorted()[errors.count / 2]
        #expect(try median <= tolerance("\(kind)_median"), "\(kind) median: \(median)")
      }
    }

    let before = state
    let still = Pass(state, .inference, recordsGradients: true)
    let evaluated = built.network(images, still)
    try compare("eval", evaluated)
    let upstream = Tensor(
      (0..<evaluated.logits.count).map { FillRule.unit("probe:logits", $0) }, evaluated.logits.shape,
      precision)
    try compareGradients("evalgrad", still.gradients(of: evaluated.logits, upstream: upstream))
    still.commit(to: &state)
    #expect(before.stateDictionary.encoded() == state.stateDictionary.encoded(), "inference changes nothing")

    let pass = Pass(state, .training)
    let trained = built.network(images, pass)
    try compare("train", trained)
    let loss = trained.logits.crossEntropy(labels: labels).mean()
    let wanted = try values("train.loss")[0]
    #expect(try abs(loss.scalar - wanted) / max(1, wanted) <= tolerance("train.loss"))
    try compareGradients("grad", pass.gradients(of: loss))
    pass.commit(to: &state)
    let running = built.declarations.filter { $0.role == .buffer }
    let statistics = running.isEmpty ? [] : try values("bn.checks")
    let after = state.stateDictionary
    for (index, declaration) in running.enumerated() {
      let triple = FillRule.triple(
        try #require(after[declaration.path]?.tensor).doubles, probe: declaration.path)
      let limit = try tolerance("bn") * abs(statistics[2 * index])
      #expect(abs(triple[1] - statistics[2 * index]) <= limit, "\(declaration.path)")
      #expect(abs(triple[2] - statistics[2 * index + 1]) <= limit, "\(declaration.path)")
    }
  }

  @Test func `a real checkpoint loads and is the state that the rule gives`() throws {
    let file = try Safetensors(decoding: Fixtures.bytes("models/weights_mini_resnet8_w8.safetensors"))
    let task = ImageTask(channels: 1, height: 28, width: 28, classes: 10)
    let built = try BuiltNetwork(NetworkNames.spec("mini-resnet8-w8"), task)
    var loaded = built.state(seed: 1)
    try loaded.load(file)
    var filled = built.state(seed: 2)
    filled.fill(seed: 11)
    #expect(loaded.stateDictionary.encoded() == filled.stateDictionary.encoded())
  }

  @Test func `arrays have the names, the shapes and the order of the original state dictionaries`() throws {
    let text = String(decoding: try Fixtures.bytes("models/state_dict_names.tsv"), as: UTF8.self)
    var expected: [String: [String]] = [:]
    var current = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("#") {
        current = line.dropFirst(2).split(separator: "\t").first.map(String.init) ?? ""
      } else {
        expected[current, default: []].append(String(line))
      }
    }
    var compared = 0
    for (id, published, spec) in NetworkNames.all {
      let names = try #require(expected[published], "\(published)")
      let built = try BuiltNetwork(spec, NetworkNames.usualTask(id, spec))
      let got = built.declarations.map { declaration in
        let extents = declaration.shape.dimensions.map(String.init).joined(separator: "x")
        return "\(declaration.path)\t\(extents.isEmpty ? "scalar" : extents)"
      }
      #expect(got == names, "\(published)")
      compared += 1
    }
    #expect(compared == expected.count)
  }
}

extension ModelState {
  /// Fills every array by the fixtures' rule.
  mutating func fill(seed: Int) {
    for (slot, declaration) in zip(slots, declarations) where declaration.role != .counter {
      self[slot] = Tensor(
        FillRule.values(seed: seed, name: declaration.path, declaration.shape), declaration.shape,
        self[slot].precision)
    }
  }
}
