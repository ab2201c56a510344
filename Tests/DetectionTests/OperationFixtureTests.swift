import Detection
import Networks
import Specs
import Tensors
import TestSupport
import Testing

/// Geometry of boxes against the values recorded in `downstream/ops.safetensors`: integers
/// exactly, the rest to 1e-9.
@Suite(.enabled(if: Fixtures.has("downstream/ops.safetensors"), "the downstream fixtures are not here"))
struct OperationFixtureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let id: String
    let operation: String
    let attributes: Value
    let inputs: [String]
    let gradients: [String]
    let hasUpstream: Bool
    /// Of single precision, relative to the largest expected value.
    let tolerance: Double
    let file: Safetensors
    var testDescription: String { id }

    func numbers(_ name: String) throws -> [Double] {
      let entry = try #require(file["\(id)/\(name)"], "\(id)/\(name)")
      return try #require(entry.integers?.map { Double($0) } ?? entry.tensor?.doubles, "\(id)/\(name)")
    }
    func integers(_ name: String) throws -> [Int] { try numbers(name).map { Int($0) } }
    func shape(_ name: String) throws -> [Int] {
      try #require(file["\(id)/\(name)"], "\(id)/\(name)").shape.dimensions
    }
    func tensor(_ name: String, _ precision: Precision) throws -> Tensor {
      Tensor(try numbers(name), Shape(try shape(name)), precision)
    }
    func boxes(_ name: String) throws -> [Corners] {
      let values = try numbers(name)
      return stride(from: 0, to: values.count, by: 4).map {
        Corners(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3])
      }
    }
    var rules: DetectionRules {
      let rule = attributes["rule"].json.string ?? attributes["rounding"].json.string
      return rule == "tv" ? .tv : .mmdet
    }
  }

  static let all = cases(of: "downstream/ops.safetensors")

  /// The cases of a file of operations; none where the file is not there.
  static func cases(of path: String) -> [Case] {
    guard Fixtures.has(path) else { return [] }
    // A damaged file of reference values is a broken checkout.
    let file = try! Safetensors(decoding: Fixtures.bytes(path))
    let list = try! JSONReader.read(Array(file.metadata["cases"]!.utf8)).value.array!
    return list.map(Value.init).map {
      Case(
        id: $0["id"].json.string!, operation: $0["op"].json.string!, attributes: $0["attrs"],
        inputs: $0["inputs"].list.map { $0.json.string! },
        gradients: $0["gradients"].list.map { $0.json.string! },
        hasUpstream: $0["upstream"].json.string == "stored", tolerance: $0["f32_tolerance"].double,
        file: file)
    }
  }

  /// By operation, what checks a case.
  static let checks: [String: @Sendable (Case) throws -> Void] = [
    "nms": checkSuppression, "nms_grouped": checkSuppression, "anchors": checkAnchors,
    "box_encode": checkEncoding, "box_decode": checkDecoding, "match": checkMatching,
    "box_iou": checkOverlaps, "roi_level": checkLevels,
  ]

  @Test func `every operation is covered or listed`() {
    let operations = Set(Self.all.map(\.operation))
    let covered = Set(Self.checks.keys).union(DenseOperationFixtureTests.operations.keys)
    #expect(operations.subtracting(covered) == NotCovered.downstreamOperations)
  }

  @Test(arguments: all.filter { checks[$0.operation] != nil })
  func `a case agrees with its record`(_ entry: Case) throws { try Self.checks[entry.operation]!(entry) }

  static func expectNear(_ found: [Double], _ expected: [Double], _ entry: Case) {
    #expect(found.count == expected.count, "\(entry.id)")
    for (a, b) in zip(found, expected) {
      #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(entry.id): \(a), expected \(b)")
    }
  }

  static func numbers(_ boxes: [Corners]) -> [Double] { boxes.flatMap { [$0.x1, $0.y1, $0.x2, $0.y2] } }

  @Sendable static func checkSuppression(_ entry: Case) throws {
    let groups = entry.operation == "nms_grouped" ? try entry.integers("groups") : nil
    let kept = try Suppression.kept(
      entry.boxes("boxes"), scores: entry.numbers("scores"), groups: groups,
      threshold: entry.attributes["threshold"].double)
    #expect(kept == (try entry.integers("keep")), "\(entry.id)")
  }

  @Sendable static func checkAnchors(_ entry: Case) throws {
    let anchors = entry.attributes["kind"].json.string == "rpn" ? Anchors.rpn() : Anchors.retinaNet()
    let maps = entry.attributes["maps"].list.map { (height: $0.ints[0], width: $0.ints[1]) }
    let batch = entry.attributes["batch"].ints
    let boxes = anchors.boxes(rules: entry.rules, maps: maps, padded: (batch[0], batch[1]))
    expectNear(numbers(boxes), try entry.numbers("anchors"), entry)
    guard entry.rules == .mmdet else { return }
    #expect(anchors.strides == entry.attributes["strides"].ints)
    let image = (height: entry.attributes["image"].ints[0], width: entry.attributes["image"].ints[1])
    let own = (height: (image.height + 31) / 32 * 32, width: (image.width + 31) / 32 * 32)
    let valid = anchors.taking(maps: maps, boxes: boxes, image: image, own: own)
    let inside = anchors.taking(maps: maps, boxes: boxes, image: image, own: own, border: 0)
    #expect(valid.map { $0 ? 1 : 0 } == (try entry.integers("valid")), "\(entry.id)")
    #expect(inside.map { $0 ? 1 : 0 } == (try entry.integers("inside")), "\(entry.id)")
  }

  @Sendable static func checkEncoding(_ entry: Case) throws {
    let coding = BoxCoding(stds: entry.attributes["stds"].doubles, rules: .mmdet)
    let found = zip(try entry.boxes("truth"), try entry.boxes("boxes")).map { coding.encoded($0, from: $1) }
    expectNear(found.flatMap(\.self), try entry.numbers("deltas"), entry)
  }

  @Sendable static func checkDecoding(_ entry: Case) throws {
    let isClampedBelow = entry.attributes["clamp"].json.string == "both"
    let coding = BoxCoding(stds: entry.attributes["stds"].doubles, rules: isClampedBelow ? .mmdet : .tv)
    let deltas = try entry.numbers("deltas")
    var found = try entry.boxes("boxes").enumerated().map { index, box in
      coding.decoded(deltas[4 * index..<4 * index + 4], from: box)
    }
    if !entry.attributes["clip"].isNull {
      let size = entry.attributes["clip"].doubles
      found = found.map { $0.clipped(height: size[0], width: size[1]) }
    }
    expectNear(numbers(found), try entry.numbers("decoded"), entry)
  }

  @Sendable static func checkMatching(_ entry: Case) throws {
    let matcher = BoxMatcher(
      rules: entry.rules, positive: entry.attributes["pos"].double,
      negative: entry.attributes["neg"].double,
      lowQuality: entry.attributes["lowQuality"].json.bool == true
        ? entry.attributes["minPosIoU"].double : nil)
    let boxes = try entry.shape("iou")[1]
    let found = matcher.matches(try entry.numbers("iou"), boxes: boxes).map { match -> Int in
      switch match {
      case .object(let object): object
      case .negative: -1
      case .ignored: -2
      }
    }
    #expect(found == (try entry.integers("match")), "\(entry.id)")
  }

  @Sendable static func checkOverlaps(_ entry: Case) throws {
    let found = Corners.overlaps(try entry.boxes("a"), try entry.boxes("b"))
    expectNear(found, try entry.numbers("iou"), entry)
  }

  @Sendable static func checkLevels(_ entry: Case) throws {
    let found = try entry.boxes("boxes").map { PyramidLevels.level(of: $0) }
    #expect(found == (try entry.integers("level")), "\(entry.id)")
  }
}
