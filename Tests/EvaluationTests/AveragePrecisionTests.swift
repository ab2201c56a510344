import Evaluation
import Specs
import TestSupport
import Testing

/// Against pycocotools 2.0.11, by the numbers recorded in `downstream/coco_eval*.json`.
@Suite(.enabled(if: Fixtures.has("downstream/coco_eval.json"), "the downstream fixtures are not here"))
struct AveragePrecisionFixtureTests {
  @Test(arguments: ["downstream/coco_eval.json", "downstream/coco_eval_200.json"])
  func `every case has the twelve numbers and the categories of pycocotools`(_ file: String) throws {
    let document = try Value(JSONReader.read(Fixtures.bytes(file)).value)
    let cases = document["cases"].list
    #expect(!cases.isEmpty)
    for entry in cases {
      switch entry["kind"].json.string {
      case "bbox": try Self.check(entry) { value, _ in Self.box(value["bbox"]) }
      case "segm":
        try Self.check(entry) { value, _ in
          let size = value["segmentation"]["size"].ints
          return try RunLengthMask(
            height: size[0], width: size[1], text: value["segmentation"]["counts"].json.string!)
        }
      default: Issue.record("\(entry["id"]) compares neither boxes nor masks: \(entry["kind"])")
      }
    }
  }

  static func box(_ value: Value) -> Box {
    let numbers = value.doubles
    return Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
  }

  static func check<Shape: EvaluatedShape>(_ entry: Value, _ shape: (Value, Value) throws -> Shape) throws {
    let id = entry["id"].json.string!
    let evaluation = AveragePrecision(
      images: entry["truth"]["images"].list.map { $0["id"].int },
      categories: entry["truth"]["categories"].list.map { $0["id"].int },
      truth: try entry["truth"]["annotations"].list.map {
        TrueObject(
          image: $0["image_id"].int, category: $0["category_id"].int, shape: try shape($0, entry),
          area: $0["area"].double, isCrowd: $0["iscrowd"].int == 1)
      },
      detections: try entry["detections"].list.map {
        DetectedObject(
          image: $0["image_id"].int, category: $0["category_id"].int, score: $0["score"].double,
          shape: try shape($0, entry))
      })
    for (name, (found, expected)) in zip(
      AveragePrecision.names, zip(evaluation.numbers, entry["stats"].doubles))
    {
      #expect(abs((found ?? -1) - expected) <= 1e-12, "\(id) \(name): \(found ?? -1), expected \(expected)")
    }
    let categories = evaluation.perCategory
    #expect(categories.count == entry["perCategory"].list.count, "\(id)")
    for (found, expected) in zip(categories, entry["perCategory"].doubles) {
      #expect(abs((found ?? -1) - expected) <= 1e-12, "\(id): \(found ?? -1), expected \(expected)")
    }
  }
}

@Suite struct AveragePrecisionTests {
  @Test func `thresholds and recalls are rounded as numpy rounds them`() {
    #expect(AveragePrecision.thresholds[8] == 0.8999999999999999)
    #expect(AveragePrecision.thresholds[5] == 0.75 && AveragePrecision.thresholds[9] == 0.95)
    #expect(AveragePrecision.recalls[57] == 0.5700000000000001 && AveragePrecision.recalls[100] == 1)
  }

  /// The example of `downstream.md` 7.1, worked by hand there.
  static let example: AveragePrecision = {
    func object(_ image: Int, _ box: [Double], crowd: Bool = false) -> TrueObject<Box> {
      let shape = Box(x: box[0], y: box[1], width: box[2], height: box[3])
      return TrueObject(image: image, category: 1, shape: shape, area: box[2] * box[3], isCrowd: crowd)
    }
    func found(_ score: Double, _ image: Int, _ box: [Double]) -> DetectedObject<Box> {
      let shape = Box(x: box[0], y: box[1], width: box[2], height: box[3])
      return DetectedObject(image: image, category: 1, score: score, shape: shape)
    }
    return AveragePrecision(
      images: [1, 2], categories: [1],
      truth: [
        object(1, [10, 10, 40, 40]), object(1, [100, 10, 20, 20]), object(2, [50, 50, 60, 50]),
        object(2, [0, 120, 200, 80], crowd: true),
      ],
      detections: [
        found(0.9, 1, [12, 10, 40, 40]), found(0.85, 2, [20, 130, 30, 30]), found(0.8, 1, [10, 14, 40, 40]),
        found(0.7, 2, [50, 60, 60, 50]), found(0.6, 1, [102, 11, 20, 20]), found(0.5, 2, [150, 10, 30, 30]),
      ])
  }()

  @Test func `the worked example comes out as it was worked by hand`() {
    let expected: [Double?] = [
      0.518317, 0.834158, 0.336634, 0.5, 0.586469, nil, 0.3, 0.6, 0.6, 0.5, 0.65, nil,
    ]
    for (name, (found, value)) in zip(AveragePrecision.names, zip(Self.example.numbers, expected)) {
      #expect((found == nil) == (value == nil), "\(name)")
      if let found, let value { #expect(abs(found - value) < 1e-6, "\(name): \(found)") }
    }
    #expect(abs((Self.example.value("AP50") ?? 0) - (34 + 67 * 0.75) / 101) < 1e-12)
    #expect(Self.example.value("AP51") == nil)
  }

  @Test func `the curve falls from precision to precision as recall grows`() throws {
    let curve = try #require(Self.example.curve(category: 1, threshold: 0))
    #expect(curve.count == 101 && curve[0] > 0.999 && abs(curve[34] - 0.75) < 1e-12)
    #expect(zip(curve, curve.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(Self.example.curve(category: 2, threshold: 0) == nil)
  }

  @Test func `a set without any object has no number at all`() {
    let empty = AveragePrecision(
      images: [1], categories: [1, 2], truth: [TrueObject<Box>](),
      detections: [
        DetectedObject(
          image: 1, category: 1, score: 0.5, shape: Box(x: 0, y: 0, width: 5, height: 5))
      ])
    #expect(empty.numbers.allSatisfy { $0 == nil } && empty.perCategory == [nil, nil])
  }

  @Test func `a category with objects and no detections counts as nothing found`() {
    let box = Box(x: 0, y: 0, width: 5, height: 5)
    let evaluation = AveragePrecision(
      images: [1], categories: [1, 2],
      truth: [1, 2].map { TrueObject(image: 1, category: $0, shape: box, area: 25, isCrowd: false) },
      detections: [DetectedObject(image: 1, category: 2, score: 0.5, shape: box)])
    #expect(evaluation.perCategory[0] == 0)
    #expect(evaluation.perCategory[1].map { $0 > 0.9999 } == true)
  }
}
