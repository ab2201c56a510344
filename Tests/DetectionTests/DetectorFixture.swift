import Detection
import Networks
import Specs
import Tensors
import TestSupport
import Testing

/// One recorded detector: its description, its weights by the fixtures' rule, and what came out.
struct DetectorFixture {
  let file: Safetensors
  let record: Value
  let precision: Precision

  init(_ id: String, _ precision: Precision) throws {
    file = try Safetensors(decoding: Fixtures.bytes("downstream/\(id).safetensors"))
    record = try Value(JSONReader.read(Array(file.metadata["case"]!.utf8)).value)
    self.precision = precision
  }

  var kind: String { record["kind"].json.string! }
  var seed: Int { record["seed"].int }
  var rules: DetectionRules { record["rules"].json.string == "tv" ? .tv : .mmdet }
  var classes: RegionClasses {
    RegionClasses(count: record["classes"].int, isBackgroundFirst: record["background"].int == 0)
  }
  var group: DetectionGroup {
    let input = record["input"].ints
    return DetectionGroup(
      padded: (input[2], input[3]),
      images: record["image_sizes"].list.map { (height: $0.ints[0], width: $0.ints[1]) })
  }

  func numbers(_ name: String) throws -> [Double] {
    let entry = try #require(file[name], "\(name)")
    return try #require(entry.integers?.map { Double($0) } ?? entry.tensor?.doubles, "\(name)")
  }
  func integers(_ name: String) throws -> [Int] { try numbers(name).map { Int($0) } }
  func boxes(_ name: String) throws -> [Corners] {
    let values = try numbers(name)
    return stride(from: 0, to: values.count, by: 4).map {
      Corners(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
    }
  }
  func tolerance(_ name: String) -> Double { precision == .double ? 1e-9 : record["tolerance"][name].double }

  var images: Tensor {
    get throws {
      let shape = Shape(record["input"].ints)
      let values = FillRule.images(seed: seed, shape)
      #expect(Array(values.prefix(1024)) == (try numbers("input.head")))
      return Tensor(values, shape, precision)
    }
  }

  func truths() throws -> [DetectionTruth] {
    try group.images.indices.map { image in
      let masks = try file["truth.masks/\(image)"].map { entry in
        let shape = entry.shape.dimensions
        return Tensor(try numbers("truth.masks/\(image)"), [shape[0], 1, shape[1], shape[2]], precision)
      }
      return DetectionTruth(
        boxes: try boxes("truth.boxes/\(image)"), labels: try integers("truth.labels/\(image)"), masks: masks)
    }
  }

  /// Arrays by the rule under their recorded names, scaled or stored where the record says so.
  func filled(_ declarations: [SlotDeclaration]) throws -> ModelState {
    var state = ModelState(unfilled: declarations, precision: precision)
    let scales = record["scales"].json.object ?? [:]
    for (slot, declaration) in zip(state.slots, declarations) where declaration.role != .counter {
      var values = FillRule.values(seed: seed, name: declaration.path, declaration.shape)
      if let scale = scales[declaration.path]?.array {
        let (factor, offset) = (scale[0].number!.double, scale[1].number!.double)
        // The rule's own value is rounded to single precision first, then the scaled one.
        values = FillRule.unrounded(seed: seed, name: declaration.path, declaration.shape)
          .map { Double(Float(factor * $0 + offset)) }
      }
      if file["override/\(declaration.path)"] != nil {
        values = try numbers("override/\(declaration.path)")
      }
      state[slot] = Tensor(values, declaration.shape, precision)
    }
    return state
  }

  func expectNear(_ found: Tensor, _ name: String, _ tolerance: String) throws {
    let expected = try numbers(name)
    let values = found.doubles
    #expect(values.count == expected.count, "\(name): \(found.shape)")
    let largest = expected.map { abs($0) }.max() ?? 0
    let worst = zip(values, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(
      worst <= self.tolerance(tolerance) * max(largest, 1e-12), "\(name): off by \(worst) of \(largest)")
  }

  /// Gradients of the arrays that the record trains, by sum, norm and probe.
  func expectGradients(_ gradients: [Tensor?], _ declarations: [SlotDeclaration]) throws {
    let names = record["trainable"].list.map { $0.json.string! }
    let checks = try numbers("grad.checks")
    let all = stride(from: 1, to: checks.count, by: 3).reduce(0) { $0 + checks[$1] * checks[$1] }.squareRoot()
    var errors: [Double] = []
    for (index, name) in names.enumerated() {
      let place = try #require(declarations.firstIndex { $0.path == name }, "\(name)")
      let shape = declarations[place].shape
      let values = gradients[place]?.doubles ?? Array(repeating: 0, count: shape.count)
      let found = FillRule.triple(values, probe: name)
      let expected = Array(checks[3 * index..<3 * index + 3])
      let difference = max(
        abs(found[1] - expected[1]), abs(found[2] - expected[2]),
        abs(found[0] - expected[0]) / Double(shape.count).squareRoot())
      if precision == .double {
        #expect(difference <= 1e-9 * expected[1] + 1e-11 * all, "\(name): \(difference) of \(expected[1])")
      } else {
        errors.append(max(0, difference - 2e-6 * all) / max(expected[1], 1e-12 * all))
      }
    }
    for entry in file.entries where entry.name.hasPrefix("grad.full/") {
      let name = String(entry.name.dropFirst("grad.full/".count))
      let place = try #require(declarations.firstIndex { $0.path == name }, "\(name)")
      let expected = try numbers(entry.name)
      let values = try #require(gradients[place], "\(name)").doubles
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(values, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      #expect(
        error <= tolerance("grad") * norm + 2e-6 * all * (precision == .double ? 0 : 1),
        "\(name): \(error) of \(norm)")
    }
    guard precision == .single else { return }
    #expect(errors.max()! <= tolerance("grad"), "\(errors.max()!)")
    #expect(errors.sorted()[errors.count / 2] <= tolerance("grad_median"))
  }
}
