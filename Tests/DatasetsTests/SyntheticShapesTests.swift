import Datasets
import Evaluation
import Specs
import Testing

@Suite struct SyntheticShapesTests {
  static func task(_ name: String) throws -> SyntheticShapes { try #require(try SyntheticShapes(name: name)) }

  static func digest(_ picture: SyntheticShapes.Picture) -> String {
    var hasher = ContentHasher()
    hasher.field("pixels", picture.pixels)
    hasher.field("semantics", picture.semantics)
    for object in picture.objects {
      hasher.field("object", "\(object.label) \(object.isCrowd) \(object.mask.text)")
    }
    return String(hasher.finished().description.prefix(16))
  }

  @Test func `names say what is generated, and a slip says how they are written`() throws {
    let task = try Self.task("synthetic-shapes-64x96-3-h2")
    #expect(task.height == 64 && task.width == 96 && task.classes == 3 && task.hardness == 2)
    #expect(try Self.task("synthetic-shapes-96x96-6").hardness == 1)
    #expect(try SyntheticShapes(name: "synthetic-3x32x32-10") == nil)
    #expect(try Self.task("synthetic-shapes") == Self.task("synthetic-shapes-96x96-3-h1"))
    #expect(try Self.task("synthetic-shapes-96x96-3-h1").name == "synthetic-shapes-96x96-3")
    for name in [
      "synthetic-shapes-", "synthetic-shapes-96-3", "synthetic-shapes-96x96", "synthetic-shapes-96x96-7",
      "synthetic-shapes-96x96-0", "synthetic-shapes-8x96-3", "synthetic-shapes-96x96-3-h3",
      "synthetic-shapes-96x96x3-3", "synthetic-shapes-96x96-3-h1-x",
    ] {
      #expect(throws: DatasetError.self, "\(name)") { try SyntheticShapes(name: name) }
    }
  }

  @Test func `a picture depends on its split and its place alone`() throws {
    let task = try Self.task("synthetic-shapes-96x96-3")
    #expect(task.picture(split: 0, 5) == task.picture(split: 0, 5))
    #expect(task.picture(split: 0, 5).pixels != task.picture(split: 1, 5).pixels)
    #expect(task.picture(split: 0, 5).pixels != task.picture(split: 0, 6).pixels)
  }

  /// Pinned: a change of these is a change of every result on such pictures.
  @Test(arguments: [
    ("synthetic-shapes-96x96-3-h0", ["f1a01daf4c10a488", "6e8506c1d45b3d0f", "2b33521c13bd6636"]),
    ("synthetic-shapes-96x96-3", ["fdbfc45425e96c83", "0e5b3a9944edb7b3", "6d44a50c1992c600"]),
    ("synthetic-shapes-96x96-3-h2", ["8fe07f2795b881f8", "305b5efab309a22f", "f115f20aa181aaa1"]),
    ("synthetic-shapes-64x128-6", ["ea564719c722de28", "88dbdf38d961765e", "8ff2584e4ec9a5cd"]),
  ])
  func `the first three pictures are what they were`(_ name: String, _ digests: [String]) throws {
    let task = try Self.task(name)
    #expect((0..<3).map { Self.digest(task.picture(split: 0, $0)) } == digests, "\(name)")
  }

  @Test(arguments: 0...2)
  func `masks, boxes and the semantic map tell the same story`(_ hardness: Int) throws {
    let task = try Self.task("synthetic-shapes-96x96-6-h\(hardness)")
    for image in 0..<40 {
      let picture = task.picture(split: 0, image)
      #expect(picture.pixels.count == 3 * 96 * 96 && picture.semantics.count == 96 * 96)
      for object in picture.objects {
        #expect(object.area >= 16 && (0..<6).contains(object.label))
        let labels = zip(object.mask.bits, picture.semantics).filter(\.0).map(\.1)
        #expect(labels.allSatisfy { $0 == UInt8(1 + object.label) || $0 == 255 })
        #expect(labels.contains(255))
      }
      // No pixel belongs to two objects.
      for (index, a) in picture.objects.enumerated() {
        for b in picture.objects[(index + 1)...] { #expect(a.mask.overlap(with: b.mask) == 0) }
      }
      #expect(picture.semantics.allSatisfy { $0 <= 6 || $0 == 255 })
      #expect(picture.objects.count { $0.isCrowd } == (image % 20 == 19 ? 1 : 0))
    }
  }

  /// Pixels that touch at a side or a corner are one piece.
  private func pieces(_ mask: RunLengthMask) -> Int {
    var left = Set(mask.bits.indices.filter { mask.bits[$0] })
    var pieces = 0
    while let first = left.popFirst() {
      pieces += 1
      var edge = [first]
      while let pixel = edge.popLast() {
        let (x, y) = (pixel % mask.width, pixel / mask.width)
        for (right, down) in [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)] {
          guard (0..<mask.width).contains(x + right), (0..<mask.height).contains(y + down) else { continue }
          if let next = left.remove(pixel + down * mask.width + right) { edge.append(next) }
        }
      }
    }
    return pieces
  }

  @Test(arguments: ["synthetic-shapes-96x96-6", "synthetic-shapes-32x48-6-h2", "synthetic-shapes-64x64-3-h0"])
  func `every twentieth picture has one crowd: a region of shapes that touch each other`(
    _ name: String
  ) throws {
    let task = try Self.task(name)
    for image in stride(from: 19, to: 300, by: 20) {
      let picture = task.picture(split: 1, image)
      let crowds = picture.objects.filter(\.isCrowd)
      #expect(crowds.count == 1, "\(name) \(image)")
      for crowd in crowds {
        // Shapes of a few pixels can be in pieces of their own.
        if min(task.height, task.width) >= 64 { #expect(pieces(crowd.mask) == 1, "\(name) \(image)") }
        let labels = Set(zip(crowd.mask.bits, picture.semantics).filter(\.0).map(\.1))
        #expect(labels.isSubset(of: [UInt8(1 + crowd.label), 255]))
      }
    }
  }

  /// The ring, pixel by pixel: a visible pixel of an object is 255 exactly where a neighbour is none of it.
  @Test func `the outer ring of every visible mask is not judged, and nothing else of it`() throws {
    let task = try Self.task("synthetic-shapes-64x96-6")
    for image in [0, 1, 2, 19, 39] {
      let picture = task.picture(split: 0, image)
      for object in picture.objects {
        let bits = object.mask.bits
        for pixel in bits.indices where bits[pixel] {
          let (x, y) = (pixel % 96, pixel / 96)
          let isInner =
            x > 0 && x < 95 && y > 0 && y < 63 && bits[pixel - 1] && bits[pixel + 1] && bits[pixel - 96]
            && bits[pixel + 96]
          #expect(picture.semantics[pixel] == (isInner ? UInt8(1 + object.label) : 255))
        }
      }
      let covered = picture.objects.reduce(into: [Bool](repeating: false, count: 64 * 96)) { all, object in
        for (pixel, bit) in object.mask.bits.enumerated() where bit { all[pixel] = true }
      }
      // What belongs to no object is ground, or an object of which too little is visible.
      for pixel in covered.indices where !covered[pixel] {
        #expect([0, 255].contains(picture.semantics[pixel]))
      }
    }
  }

  /// What the specification measured on 60 pictures: 2.8 objects each, sides of 16, 31 and 47 pixels
  /// at 5, 50 and 95 percent.
  @Test func `objects are as many and as large as the specification's calibration`() throws {
    let task = try Self.task("synthetic-shapes-96x96-3")
    let objects = (0..<200).flatMap { task.picture(split: 0, $0).objects.filter { !$0.isCrowd } }
    let mean = Double(objects.count) / 200
    #expect(mean > 2.2 && mean < 3.2, "\(mean)")
    let sides = objects.map { ($0.box.width * $0.box.height).squareRoot() }.sorted()
    let quantiles = [0.05, 0.5, 0.95].map { sides[Int($0 * Double(sides.count))] }
    for (found, expected) in zip(quantiles, [16.0, 31, 47]) {
      #expect(abs(found - expected) < 8, "\(quantiles)")
    }
  }
}
