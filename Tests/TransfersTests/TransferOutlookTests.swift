import Datasets
import Evaluation
import Specs
import Testing
import Transfers

/// What is said of a transfer before anything is trained.
@Suite struct TransferOutlookTests {
  /// Images of one size, each with one box.
  private struct Boxes: AnnotatedSource {
    let sides: [Double]
    var size = 128
    var count: Int { sides.count }

    func entry(_ place: Int) -> AnnotatedEntry {
      AnnotatedEntry(id: place, name: "\(place).png", height: size, width: size + place % 2)
    }

    func image(_ place: Int, _ parts: AnnotatedParts) -> AnnotatedImage {
      var image = AnnotatedImage(entry(place))
      let side = sides[place]
      image.objects = [
        AnnotatedObject(
          id: place + 1, label: 0, box: Box(x: 33, y: 30, width: side, height: side), area: side * side,
          isCrowd: false)
      ]
      return image
    }
  }

  /// Images of one size, of whose labels nothing is known but which there are.
  private struct Maps: AnnotatedSource {
    let labels: [Set<UInt8>]
    var count: Int { labels.count }

    func entry(_ place: Int) -> AnnotatedEntry {
      AnnotatedEntry(id: place, name: "\(place).png", height: 64, width: 64)
    }

    func image(_ place: Int, _ parts: AnnotatedParts) -> AnnotatedImage { AnnotatedImage(entry(place)) }
    func outputs(_ place: Int) -> Set<UInt8>? { labels[place] }
  }

  private static func dataset(_ sides: [Double]) throws -> AnnotatedDataset {
    try AnnotatedDataset(
      DatasetSpec(name: "boxes"), classNames: ["cell", "plate"], semanticNames: ["ground", "cell"],
      hasMasks: false, train: Boxes(sides: sides), test: Boxes(sides: sides))
  }

  private static func notes(_ head: String, _ sides: [Double], _ given: [String: JSONValue]) throws
    -> [String]
  {
    try TransferOutlook.notes(
      TransferRunTests.spec(head, given), dataset(sides), isGenerated: false)
  }

  @Test(arguments: ["retinanet", "faster-rcnn"])
  func `objects that no anchor meets are told, and what helps`(_ head: String) throws {
    // Anchors of 32 pixels and more at a scale of 8 and strides from 4, of 64 and more from 8.
    let small = try Self.notes(head, [8, 9, 10, 64], ["anchorScale": 8])
    #expect(small.count == 2, "\(small)")
    #expect(
      small[1].contains("75 % of the boxes (3 of 4) have no anchor of IoU 0.5, most of them smaller")
        && small[1].contains("a smaller \"anchorScale\" than 8 "), "\(small)")
    let fitting = try Self.notes(head, [64, 64, 90, 64], ["anchorScale": 8])
    #expect(fitting.count == 1, "\(fitting)")
  }

  @Test func `a class without an object is told, and a set without any is refused`() throws {
    #expect(
      try Self.notes("faster-rcnn", [60, 60], [:]).first?.contains("no object of 1 class (plate)") == true)
    let error = #expect(throws: DatasetError.self) { try Self.notes("faster-rcnn", [0.5, 0.5], [:]) }
    #expect(
      error.map { "\($0)".contains("has no object that a detector can be trained on: 2 images") } == true)
  }

  @Test func `a class without a pixel is told, of the images that are trained on`() throws {
    func notes(_ labels: [Set<UInt8>], images: Int? = nil, isGenerated: Bool = false) throws -> [String] {
      var spec = DatasetSpec(name: "maps")
      spec.trainImages = images
      let dataset = try AnnotatedDataset(
        spec, classNames: [], semanticNames: ["ground", "cell", "plate"], hasMasks: false,
        train: Maps(labels: labels), test: Maps(labels: [[0]]))
      return try TransferOutlook.notes(
        TransferRunTests.spec("pspnet", [:]), dataset, isGenerated: isGenerated)
    }
    #expect(try notes([[0, 1], [2]]).isEmpty)
    let sentence =
      "The training set of maps has no pixel of 1 class (plate): a segmentor learns never to find one."
    #expect(try notes([[0, 1], [1]]) == [sentence])
    #expect(try notes([[0, 1], [2]], images: 1) == [sentence])
    // Generated images are not all drawn for this.
    #expect(try notes(Array(repeating: [0, 1], count: 200), isGenerated: true).isEmpty)
  }

  @Test func `images of several sizes need a crop before a segmentor is trained on them`() throws {
    let error = #expect(throws: DatasetError.self) { try Self.notes("pspnet", [9, 9], [:]) }
    #expect(error.map { "\($0)".contains("images of several sizes need \"cropHeight\"") } == true)
    #expect(try Self.notes("pspnet", [9, 9], ["cropHeight": 64, "cropWidth": 64]).isEmpty)
  }
}
