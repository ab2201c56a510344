import Evaluation
import Specs
import TestSupport
import Testing

/// Against pycocotools 2.0.11, by the values recorded in `downstream/masks.json`.
@Suite(.enabled(if: Fixtures.has("downstream/masks.json"), "the downstream fixtures are not here"))
struct MaskFixtureTests {
  static func cases(_ name: String) throws -> [Value] {
    try Value(JSONReader.read(Fixtures.bytes("downstream/masks.json")).value)[name].list
  }

  static func mask(_ counts: Value, _ size: Value) throws -> RunLengthMask {
    try RunLengthMask(height: size.ints[0], width: size.ints[1], checking: counts.ints)
  }

  static func expect(_ mask: RunLengthMask, is entry: Value, _ id: String) throws {
    #expect(mask.counts == entry["counts"].ints, "\(id)")
    #expect(mask.text == entry["string"].json.string, "\(id)")
    #expect(mask.area == entry["area"].int, "\(id)")
    let box = mask.box
    #expect([box.x, box.y, box.width, box.height] == entry["box"].doubles, "\(id)")
    let read = try RunLengthMask(height: mask.height, width: mask.width, text: mask.text)
    #expect(read == mask, "\(id)")
  }

  @Test func `bitmaps become the runs, texts, areas and boxes that pycocotools has`() throws {
    let cases = try Self.cases("encode")
    #expect(!cases.isEmpty)
    for entry in cases {
      let size = entry["size"].ints
      let bits = entry["rows"].list.flatMap { $0.json.string!.map { $0 == "1" } }
      let mask = RunLengthMask(height: size[0], width: size[1], bits: bits)
      let id = entry["id"].json.string!
      try Self.expect(mask, is: entry, id)
      #expect(mask.bits == bits, "\(id)")
    }
  }

  @Test func `polygons cover the pixels that pycocotools gives them`() throws {
    let cases = try Self.cases("polygons")
    #expect(!cases.isEmpty)
    for entry in cases {
      let size = entry["size"].ints
      let mask = try RunLengthMask(
        height: size[0], width: size[1], polygons: entry["polygons"].list.map(\.doubles))
      try Self.expect(mask, is: entry, entry["id"].json.string!)
    }
  }

  @Test func `overlaps of masks are those of pycocotools, crowds included`() throws {
    for entry in try Self.cases("iou") {
      let found = try entry["detections"].list.map { try Self.mask($0, entry["size"]) }
      let truth = try entry["truths"].list.map { try Self.mask($0, entry["size"]) }
      let isCrowd = entry["crowd"].ints.map { $0 == 1 }
      for (detection, row) in zip(found, entry["iou"].list) {
        let overlaps = zip(truth, isCrowd).map { detection.overlap(withObject: $0, isCrowd: $1) }
        #expect(overlaps == row.doubles)
      }
    }
  }

  @Test func `unions and intersections are those of pycocotools`() throws {
    for entry in try Self.cases("merge") {
      let masks = try entry["masks"].list.map { try Self.mask($0, entry["size"]) }
      let union = masks.dropFirst().reduce(masks[0]) { $0.union(with: $1) }
      let intersection = masks.dropFirst().reduce(masks[0]) { $0.intersection(with: $1) }
      #expect(union.counts == entry["union"].ints)
      #expect(intersection.counts == entry["intersection"].ints)
    }
  }
}

@Suite struct RunLengthMaskTests {
  @Test func `the worked example of the format`() throws {
    let rows: [[Bool]] = [
      [false, false, false, false], [false, true, true, false], [false, true, true, false],
    ]
    let mask = RunLengthMask(height: 3, width: 4, bits: rows.flatMap(\.self))
    #expect(mask.counts == [4, 2, 1, 2, 3] && mask.text == "42102" && mask.area == 4)
  }

  @Test func `a mask without pixels has no runs to speak of`() throws {
    let mask = try RunLengthMask(height: 0, width: 0, checking: [])
    #expect(mask.area == 0 && mask.bits.isEmpty)
    #expect(mask.box == Box(x: 0, y: 0, width: 0, height: 0))
  }

  @Test(arguments: [
    ("4210", "cover"), ("42103", "cover"), ("4210 ", "byte 32"), ("4210p", "byte 112"),
    ("4210R", "within a number"),
    ("421L2", "negative"), ("oooooooooooooooo", "negative"),
  ])
  func `a damaged text is refused with the reason`(_ text: String, _ words: String) throws {
    let error = #expect(throws: MaskError.self) { try RunLengthMask(height: 3, width: 4, text: text) }
    #expect(error?.description.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `runs that do not fit the mask are refused`() {
    #expect(throws: MaskError.negativeRun) { try RunLengthMask(height: 2, width: 2, checking: [2, -1, 3]) }
    #expect(throws: MaskError.coverage(pixels: 3, height: 2, width: 2)) {
      try RunLengthMask(height: 2, width: 2, checking: [1, 2])
    }
    #expect(throws: MaskError.self) { try RunLengthMask(height: 1 << 40, width: 1 << 40, checking: [1]) }
    #expect(throws: MaskError.self) {
      try RunLengthMask(height: 2, width: 2, checking: [Int.max, Int.max])
    }
  }

  @Test(arguments: [
    ([1.0, 2, 3], "odd"), ([1.0, 2, 3, 4], "corners"), ([1.0, 2, 3, 4, .nan, 6], "finite"),
    ([1.0, 2, 3, 4, 1e300, 6], "finite"),
  ])
  func `a polygon that outlines nothing is refused`(_ polygon: [Double], _ words: String) {
    let error = #expect(throws: MaskError.self) {
      try RunLengthMask(height: 4, width: 4, polygons: [polygon])
    }
    #expect(error?.description.contains(words) == true)
  }

  @Test func `what is subtracted is no longer set`() throws {
    let all = try RunLengthMask(height: 2, width: 3, checking: [0, 6])
    let some = try RunLengthMask(height: 2, width: 3, checking: [2, 3, 1])
    #expect(all.subtracting(some).counts == [0, 2, 3, 1])
  }
}
