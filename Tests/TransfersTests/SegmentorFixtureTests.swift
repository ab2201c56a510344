import Networks
import Segmentation
import Specs
import Tensors
import TestSupport
import Testing

/// Whole segmentors against `downstream/*.safetensors`: logits, losses, gradients, statistics and
/// classes, in both precisions.
@Suite(
  .enabled(if: Fixtures.has("downstream/index.json"), "the downstream fixtures are not here"), .serialized)
struct SegmentorFixtureTests {
  static let ids: [String] = {
    guard Fixtures.has("downstream/index.json") else { return [] }
    // A damaged index is a broken checkout.
    let index = try! Value(JSONReader.read(Fixtures.bytes("downstream/index.json")).value)
    return index["networks"].list.filter { ["deeplabv3", "pspnet"].contains($0["kind"].json.string) }
      .map { $0["id"].json.string! }
      .filter { Fixtures.has("downstream/\($0).safetensors") }
  }()

  static func segmentor(_ record: Value, _ scope: Scope) throws -> Segmentor {
    let network = record["network"]
    let kind = try #require(Segmentor.Kind(rawValue: record["kind"].json.string!))
    var options = Segmentor.Options(
      kind, classes: record["classes"].int, width: network["width"].int,
      alignsCorners: record["alignCorners"].json.bool!)
    if kind == .deeplabv3 {
      options.rates = network["rates"].ints
      options.fusion = network["style"].json.string == "mmseg" ? .single : .double
    } else {
      options.bins = network["bins"].ints
    }
    let dilation = network["dilation"].json.string.flatMap(TrunkDilation.init) ?? .both
    let spec = try NetworkNames.spec(.string("resnet\(network["depth"].int)"))
    return try Segmentor(options, scope, channels: (256, 512)) {
      try NetworkNames.trunk(spec, $0, dilation: dilation)
    }
  }

  @Test(arguments: ids, [Precision.double, .single])
  func `a segmentor agrees with its record`(_ id: String, _ precision: Precision) throws {
    let file = try Safetensors(decoding: Fixtures.bytes("downstream/\(id).safetensors"))
    let record = try Value(JSONReader.read(Array(file.metadata["case"]!.utf8)).value)
    func numbers(_ name: String) throws -> [Double] {
      let entry = try #require(file[name], "\(name)")
      return try #require(entry.integers?.map { Double($0) } ?? entry.tensor?.doubles, "\(name)")
    }
    func tolerance(_ name: String) -> Double {
      precision == .double ? 1e-9 : record["tolerance"][name].double
    }
    func expectNear(_ found: [Double], _ name: String, _ kind: String) throws {
      let expected = try numbers(name)
      #expect(found.count == expected.count, "\(name)")
      let largest = max(expected.map { abs($0) }.max() ?? 0, 1e-12)
      let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= tolerance(kind) * largest, "\(name): off by \(worst) of \(largest)")
    }
    let scope = Scope()
    let segmentor = try Self.segmentor(record, scope)
    #expect(
      scope.declarations.reduce(0) { $0 + ($1.role == .parameter ? $1.shape.count : 0) }
        == record["parameters"].int)
    #expect(scope.declarations.map(\.path) == record["state"].list.map { $0.list[0].json.string! })
    let seed = record["seed"].int
    var state = ModelState(unfilled: scope.declarations, precision: precision)
    for (slot, declaration) in zip(state.slots, scope.declarations) where declaration.role != .counter {
      let values = FillRule.values(seed: seed, name: declaration.path, declaration.shape)
      state[slot] = Tensor(values, declaration.shape, precision)
    }
    // Transforms of convolutions round more than the record's float32 did.
    state.convolution = .direct
    let shape = Shape(record["input"].ints)
    let images = Tensor(FillRule.images(seed: seed, shape), shape, precision)
    let labels = try numbers("labels").map { Int32($0) }
    let mean = PixelLoss.Mean(rawValue: record["network"]["lossMean"].json.string ?? "valid")!
    func losses(_ pass: Pass) -> (main: Tensor, auxiliary: Tensor, total: Tensor, logits: Tensor, Tensor) {
      let (main, auxiliary) = segmentor(images, pass, hasAuxiliary: true)
      func loss(_ logits: Tensor) -> Tensor {
        PixelLoss.value(
          segmentor.resized(logits, height: shape[2], width: shape[3]), labels, mean)
      }
      let (first, second) = (loss(main), loss(auxiliary!))
      return (first, second, first + second * record["auxWeight"].double, main, auxiliary!)
    }
    func expectGradients(_ gradients: [Tensor?], _ name: String, _ kind: String) throws {
      let checks = try numbers(name)
      let parameters = scope.declarations.indices.filter { scope.declarations[$0].role == .parameter }
      #expect(checks.count == 3 * parameters.count)
      let all = stride(from: 1, to: checks.count, by: 3).reduce(0) { $0 + checks[$1] * checks[$1] }
        .squareRoot()
      var errors: [Double] = []
      for (row, place) in parameters.enumerated() {
        let declaration = scope.declarations[place]
        let found = FillRule.triple(try #require(gradients[place]).doubles, probe: declaration.path)
        let expected = Array(checks[3 * row..<3 * row + 3])
        let difference = max(
          abs(found[1] - expected[1]), abs(found[2] - expected[2]),
          abs(found[0] - expected[0]) / Double(declaration.shape.count).squareRoot())
        if precision == .double {
          #expect(
            difference <= 1e-9 * expected[1] + 1e-11 * all,
            "\(declaration.path): \(difference) of \(expected[1])")
        } else {
          errors.append(max(0, difference - 2e-6 * all) / max(expected[1], 1e-12 * all))
        }
      }
      guard precision == .single else { return }
      #expect(errors.max()! <= tolerance(kind), "\(name): \(errors.max()!)")
      #expect(errors.sorted()[errors.count / 2] <= tolerance("\(kind)_median"), "\(name)")
    }

    let testing = Pass(state, .inference, recordsGradients: true)
    let measured = losses(testing)
    try expectNear(measured.logits.doubles, "eval.logits", "logits")
    try expectNear(measured.4.doubles, "eval.aux", "logits")
    try expectNear([measured.total.scalar], "eval.loss", "loss")
    try expectGradients(testing.gradients(of: measured.total), "evalgrad.checks", "evalgrad")
    let resized = segmentor.resized(measured.logits, height: shape[2], width: shape[3]).doubles
    let area = shape[2] * shape[3]
    let classes = record["classes"].int
    let predicted = (0..<shape[0] * area).map { pixel -> Double in
      let (image, place) = (pixel / area, pixel % area)
      let scores = (0..<classes).map { resized[(image * classes + $0) * area + place] }
      return Double(scores.firstIndex(of: scores.max()!)!)
    }
    #expect(predicted == (try numbers("prediction")))

    let training = Pass(state, .training)
    let taught = losses(training)
    try expectNear(taught.logits.doubles, "train.logits", "logits")
    try expectNear([taught.total, taught.main, taught.auxiliary].map(\.scalar), "losses", "loss")
    try expectGradients(training.gradients(of: taught.total), "grad.checks", "grad")
    training.commit(to: &state)
    let checks = try numbers("bn.checks")
    let statistics = zip(state.slots, scope.declarations).filter { $0.1.role == .buffer }
    for (row, (slot, declaration)) in statistics.enumerated() {
      let found = FillRule.triple(state[slot].doubles, probe: declaration.path)
      for index in 0..<2 {
        let expected = checks[2 * row + index]
        #expect(
          abs(found[index + 1] - expected) <= tolerance("bn") * max(1, abs(checks[2 * row])),
          "\(declaration.path)")
      }
    }
  }
}
