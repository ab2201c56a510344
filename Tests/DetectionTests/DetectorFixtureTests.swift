import Detection
import Networks
import Specs
import Tensors
import TestSupport
import Testing

/// Whole detectors against `downstream/*.safetensors`: outputs, matches, losses, gradients, proposals and
/// detections, in both precisions.
@Suite(
  .enabled(if: Fixtures.has("downstream/index.json"), "the downstream fixtures are not here"), .serialized)
struct DetectorFixtureTests {
  static let networks: [(id: String, kind: String)] = {
    guard Fixtures.has("downstream/index.json") else { return [] }
    // A damaged index is a broken checkout.
    let index = try! Value(JSONReader.read(Fixtures.bytes("downstream/index.json")).value)
    return index["networks"].list.map { ($0["id"].json.string!, $0["kind"].json.string!) }
      .filter { Fixtures.has("downstream/\($0.0).safetensors") }
  }()

  static func ids(_ kinds: String...) -> [String] { networks.filter { kinds.contains($0.kind) }.map(\.id) }

  static func trunk(_ scope: Scope, depth: Int) throws -> any Backbone {
    let name = "resnet\(depth)"
    let alias = try #require(ImageNetResNet.aliases.first { $0.id == name }, "\(name)")
    return ImageNetResNet.build(
      scope, alias.parameters, ImageShape(channels: 3, height: 32, width: 32))
  }

  /// C2 to C5, with statistics fixed and gradients recorded.
  static func maps(_ trunk: any Backbone, _ images: Tensor, _ pass: Pass) -> [Tensor] {
    let features = trunk.features(of: images, pass)
    return (1...4).map { features[.stage($0)] }
  }

  @Test(arguments: ids("fpn"), [Precision.double, .single])
  func `a feature pyramid agrees with its record`(_ id: String, _ precision: Precision) throws {
    let fixture = try DetectorFixture(id, precision)
    let network = fixture.record["network"]
    let scope = Scope()
    let trunk = try Self.trunk(scope / "body", depth: network["depth"].int)
    let source = network["p6From"].json.string.flatMap(FeaturePyramid.Top.Source.init)
    let channels = source == nil ? [64, 128, 256, 512] : [128, 256, 512]
    let top: FeaturePyramid.Top =
      source.map { .learnt(from: $0, relu: network["p7ReLU"].json.bool!) } ?? .sampled
    let pyramid = FeaturePyramid(
      scope / "fpn", inputs: channels, width: network["fpnWidth"].int, top: top, rules: .tv)
    let state = try fixture.filled(scope.declarations)
    let pass = Pass(state, .inference, recordsGradients: true)
    let maps = Self.maps(trunk, try fixture.images, pass)
    let levels = pyramid(Array(maps.suffix(channels.count)), pass)
    #expect(levels.map(\.shape.dimensions) == fixture.record["maps"].list.map(\.ints))
    var loss = Tensor.zeros([1], precision)
    for (index, level) in levels.enumerated() {
      let values = level.doubles
      let triple = FillRule.triple(values, probe: "p\(index)")
      for (found, expected) in zip(triple, try fixture.numbers("map\(index).checks")) {
        #expect(
          abs(found - expected) <= fixture.tolerance("maps") * max(1, abs(expected)) * 10, "map \(index)")
      }
      let whole = fixture.file["map\(index)"] == nil ? "map\(index).head" : "map\(index)"
      let expected = try fixture.numbers(whole)
      let largest = expected.map { abs($0) }.max()!
      let worst = zip(values, expected).map { abs($0 - $1) }.max()!
      #expect(worst <= fixture.tolerance("maps") * largest, "\(whole): \(worst) of \(largest)")
      let upstream = Tensor(
        (0..<values.count).map { FillRule.unit("probe:p\(index)", $0) }, level.shape, precision)
      loss = loss + (level * upstream).sum().reshaped([1])
    }
    try fixture.expectGradients(pass.gradients(of: loss), scope.declarations)
  }

  @Test(arguments: ids("retinanet"), [Precision.double, .single])
  func `RetinaNet agrees with its record`(_ id: String, _ precision: Precision) throws {
    let fixture = try DetectorFixture(id, precision)
    let network = fixture.record["network"]
    let scope = Scope()
    let trunk = try Self.trunk(scope / "backbone" / "body", depth: network["depth"].int)
    let source = try #require(FeaturePyramid.Top.Source(rawValue: network["p6From"].json.string!))
    let detector = RetinaNet(
      scope, trunk: [128, 256, 512], width: network["fpnWidth"].int, classes: fixture.classes.count,
      anchors: .retinaNet(), top: .learnt(from: source, relu: network["p7ReLU"].json.bool!),
      rules: fixture.rules)
    let state = try fixture.filled(scope.declarations)
    let pass = Pass(state, .inference, recordsGradients: true)
    let maps = Self.maps(trunk, try fixture.images, pass)
    let group = fixture.group
    let output = detector(Array(maps.suffix(3)), group, pass)
    try fixture.expectNear(output.logits, "cls_logits", "outputs")
    try fixture.expectNear(output.deltas, "bbox_regression", "outputs")
    try fixture.expectNear(Self.tensor(output.boxes), "anchors", "outputs")
    let truths = try fixture.truths()
    for image in truths.indices {
      let matches = detector.matches(output, truths[image], group, image: image)
      #expect(Self.numbers(matches) == (try fixture.integers("match/\(image)")))
    }
    let losses = detector.losses(output, truths, group)
    try Self.expectLosses([losses.classes, losses.boxes], fixture)
    var selection = RetinaNet.Selection()
    let test = fixture.record["test"]
    selection.threshold = test["scoreThreshold"].double
    selection.perLevel = test["perLevel"].int
    selection.suppression = test["nms"].double
    selection.kept = test["kept"].int
    try Self.expectFound(try detector.found(output, group, selection), fixture)
    try fixture.expectGradients(
      pass.gradients(of: losses.classes + losses.boxes), scope.declarations)
  }

  @Test(arguments: ids("faster-rcnn", "mask-rcnn", "cascade-rcnn"), [Precision.double, .single])
  func `a two-stage detector agrees with its record`(_ id: String, _ precision: Precision) throws {
    let fixture = try DetectorFixture(id, precision)
    let network = fixture.record["network"]
    let scope = Scope()
    let trunk = try Self.trunk(scope / "backbone" / "body", depth: network["depth"].int)
    let kinds: [String: RegionDetector.Kind] = [
      "faster-rcnn": .faster, "mask-rcnn": .mask, "cascade-rcnn": .cascade,
    ]
    let border = fixture.record["allowedBorder"].double
    let detector = RegionDetector(
      try #require(kinds[fixture.kind]), scope, trunk: [64, 128, 256, 512], width: network["fpnWidth"].int,
      hidden: network["fc"].int, maskWidth: network["maskWidth"].isNull ? 0 : network["maskWidth"].int,
      classes: fixture.classes, anchors: .rpn(), allowedBorder: border < 0 ? nil : border,
      rules: fixture.rules)
    let state = try fixture.filled(scope.declarations)
    let pass = Pass(state, .inference, recordsGradients: true)
    let maps = Self.maps(trunk, try fixture.images, pass)
    let group = fixture.group
    let features = detector.features(maps, group, pass)
    try fixture.expectNear(features.output.objectness, "rpn.objectness", "outputs")
    try fixture.expectNear(features.output.deltas, "rpn.deltas", "outputs")
    let truths = try fixture.truths()
    for image in truths.indices {
      let matches = detector.proposals.matches(features.output, truths[image], group, image: image)
      #expect(Self.numbers(matches) == (try fixture.integers("rpn.match/\(image)")), "image \(image)")
    }
    let losses = try Self.losses(detector, features, truths, fixture, pass)
    try Self.expectLosses(losses.terms.map(\.loss) + [losses.total], fixture)
    try Self.expectTest(detector, features, fixture, pass)
    try fixture.expectGradients(pass.gradients(of: losses.total), scope.declarations)
  }

  static func losses(
    _ detector: RegionDetector, _ features: RegionDetector.Features, _ truths: [DetectionTruth],
    _ fixture: DetectorFixture, _ pass: Pass
  ) throws -> RegionDetector.Losses {
    let regions = try truths.indices.map { try fixture.boxes("train.proposals/\($0)") }
    var recorded: [Int: [Int: (positive: [Int], negative: [Int])]] = [:]
    for image in truths.indices {
      recorded[image, default: [:]][0] = (
        try fixture.integers("rpn.positive/\(image)"), try fixture.integers("rpn.negative/\(image)")
      )
      for stage in detector.stages.indices {
        let indices = try fixture.integers("roi\(stage).index/\(image)")
        let matched = try fixture.integers("roi\(stage).matched/\(image)")
        let positive = zip(indices, matched).filter { $0.1 >= 0 }.map(\.0)
        recorded[image]![stage + 1] = (positive, Array(indices.dropFirst(positive.count)))
      }
    }
    return detector.losses(features, regions, truths, fixture.group, pass) { image, head, matches in
      let choice = recorded[image]![head]!
      #expect(choice.negative.allSatisfy { matches[$0] == .negative }, "image \(image), head \(head)")
      return choice
    } observing: { stage, sample, refined in
      for image in truths.indices {
        let members = sample.boxes.indices.filter { sample.boxes[$0].image == image }
        #expect(
          members.map { sample.objects[$0] ?? -1 } == (try? fixture.integers("roi\(stage).matched/\(image)")))
        guard stage + 1 < detector.stages.count else { continue }
        let expected = (try? fixture.numbers("roi\(stage).refined/\(image)")) ?? []
        let found = numbers(refined[image])
        #expect(found.count == expected.count)
        let allowed = fixture.precision == .double ? 0 : 1e-3
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= allowed }, "stage \(stage), image \(image)")
      }
    }
  }

  static func expectTest(
    _ detector: RegionDetector, _ features: RegionDetector.Features, _ fixture: DetectorFixture,
    _ pass: Pass
  ) throws {
    let test = fixture.record["test"]
    let proposing = ProposalNetwork.Selection(perLevel: test["rpnPre"].int, kept: test["rpnPost"].int)
    let proposals = try detector.proposals.proposals(features.output, fixture.group, proposing)
    for (image, regions) in proposals.enumerated() {
      try fixture.expectNear(tensor(regions.map(\.box)), "test.proposals/\(image)", "outputs")
      let judged = detector.judged(
        features, regions.map { (image, $0.box) }, fixture.group, pass)
      try fixture.expectNear(judged.logits, "test.logits/\(image)", "outputs")
    }
    var selection = RegionDetector.Selection()
    selection.threshold = test["scoreThreshold"].double
    selection.suppression = test["nms"].double
    selection.kept = test["kept"].int
    try expectFound(
      try detector.found(features, fixture.group, proposing: proposing, selection, pass), fixture)
  }

  static func expectFound(_ found: [[FoundObject]], _ fixture: DetectorFixture) throws {
    guard fixture.precision == .double || fixture.record["f32_same_detections"].json.bool == true else {
      return
    }
    for (image, objects) in found.enumerated() {
      #expect(objects.map(\.label) == (try fixture.integers("detections.labels/\(image)")))
      try fixture.expectNear(
        Tensor(objects.map(\.score), [objects.count], .double), "detections.scores/\(image)", "detections")
      try fixture.expectNear(tensor(objects.map(\.box)), "detections.boxes/\(image)", "detections")
      guard fixture.file["detections.masks/\(image)"] != nil else { continue }
      let masks = objects.flatMap { $0.mask ?? [] }
      try fixture.expectNear(Tensor(masks, [masks.count], .double), "detections.masks/\(image)", "masks")
    }
  }

  static func expectLosses(_ losses: [Tensor], _ fixture: DetectorFixture) throws {
    let names = fixture.record["losses"].list.map { $0.json.string! }
    let expected = try fixture.numbers("losses")
    #expect(losses.count == expected.count)
    for (name, (found, truth)) in zip(names, zip(losses, expected)) {
      let error = abs(found.scalar - truth) / max(1, abs(truth))
      #expect(error <= fixture.tolerance("losses"), "\(name): \(found.scalar), expected \(truth)")
    }
  }

  static func tensor(_ boxes: [Corners]) -> Tensor { Tensor(numbers(boxes), [boxes.count, 4], .double) }
  static func numbers(_ boxes: [Corners]) -> [Double] { boxes.flatMap { [$0.x1, $0.y1, $0.x2, $0.y2] } }
  static func numbers(_ matches: [BoxMatch]) -> [Int] {
    matches.map { match in
      switch match {
      case .object(let object): object
      case .negative: -1
      case .ignored: -2
      }
    }
  }
}
