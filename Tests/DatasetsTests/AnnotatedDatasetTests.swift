import Evaluation
import Specs
import Tensors
import Testing

@testable import Datasets

/// What training and evaluation see of annotated images, whatever they are read from.
@Suite struct AnnotatedDatasetTests {
  private func object(
    _ box: Box, area: Double? = nil, crowd: Bool = false, point: Bool = false
  ) -> AnnotatedObject {
    var object = AnnotatedObject(
      id: 1, label: 0, box: box, area: area ?? box.width * box.height, isCrowd: crowd)
    object.isPoint = point
    return object
  }

  @Test func `boxes are clipped, and what cannot be trained on is counted by its reason`() {
    var image = AnnotatedImage(AnnotatedEntry(id: 7, name: "7.jpg", height: 50, width: 100))
    image.objects = [
      object(Box(x: -10, y: 5.5, width: 30, height: 60)),
      object(Box(x: 10, y: 10, width: 0, height: 5), area: 3),
      object(Box(x: 99.5, y: 10, width: 20, height: 5)),
      object(Box(x: 200, y: 10, width: 20, height: 5)),
      object(Box(x: 10, y: 10, width: 20, height: 5), area: 0),
      object(Box(x: 10, y: 10, width: 20, height: 5), crowd: true),
      object(Box(x: 10, y: 10, width: 1, height: 1), point: true),
      object(Box(x: 99, y: 49, width: 1, height: 1)),
    ]
    let found = image.trainingObjects()
    #expect(found.kept.map(\.place) == [0, 7])
    #expect(found.kept[0].corners == SIMD4(0, 5.5, 20, 50))
    #expect(found.dropped == [.narrow: 3, .withoutArea: 1, .crowd: 1, .point: 1])
  }

  @Test func `a subset is the images with the smallest numbers of its stream, in file order`() throws {
    func word(_ split: Int, _ image: Int) -> UInt64 {
      var stream = RandomStream(seed: 1, "transfer/subset", split, image)
      return stream.next()
    }
    var spec = DatasetSpec(name: "x", trainImages: 7, testImages: 3)
    let train = try TransferSubset.train(spec, of: 50)
    let smallest = (0..<50).sorted { word(0, $0) < word(0, $1) }
    #expect(train.train == smallest.prefix(7).sorted() && train.validation == nil)
    #expect(
      try TransferSubset.test(spec, of: 20)
        == (0..<20).sorted { word(1, $0) < word(1, $1) }.prefix(3).sorted())
    // Validation images are taken out before.
    spec.validationImages = 5
    let both = try TransferSubset.train(spec, of: 50)
    #expect(both.validation == smallest.prefix(5).sorted() && both.train == smallest[5..<12].sorted())
    spec.trainImages = nil
    #expect(try TransferSubset.train(spec, of: 50).train.count == 45)
    spec.trainImages = 46
    #expect {
      try TransferSubset.train(spec, of: 50)
    } throws: {
      "\($0)".contains("asks for 51 images") && "\($0)".contains("has 50")
    }
    spec.testImages = 21
    #expect(throws: DatasetError.self) { try TransferSubset.test(spec, of: 20) }
  }

  @Test func `generated shapes are a dataset of both tasks, as large as asked for`() throws {
    let located = try AnnotatedCatalog.locate("synthetic-shapes-64x96-2-h1").spec
    #expect(located.name == "synthetic-shapes-64x96-2" && located.digest != nil)
    #expect(AnnotatedCatalog.classes(of: located, .detection) == 2)
    #expect(AnnotatedCatalog.classes(of: located, .segmentation) == 3)
    var spec = located
    spec.trainImages = 21
    spec.testImages = 4
    spec.validationImages = 3
    let data = try AnnotatedCatalog.open(spec)
    #expect(data.train.count == 21 && data.test.count == 4 && data.validation?.count == 3)
    #expect(Set(data.train.places).isDisjoint(with: data.validation?.places ?? []))
    #expect(data.classNames == ["disc", "square"] && data.semanticNames == ["ground", "disc", "square"])
    let index = try #require(data.train.places.firstIndex(of: 5))
    let image = try data.train.image(index, [.pixels, .masks, .semantics])
    let picture = try #require(try SyntheticShapes(name: spec.name)).picture(split: 0, 5)
    #expect(image.pixels == picture.pixels && image.semantics == picture.semantics)
    #expect(image.entry == data.train.entry(index) && image.entry.id == 5)
    for (object, shape) in zip(image.objects, picture.objects) {
      #expect(object.mask == .runs(shape.mask) && object.box == shape.mask.box)
      #expect(object.area == Double(shape.area) && object.label == shape.label)
    }
    #expect(throws: DatasetError.self) { try AnnotatedCatalog.locate("synthetic-shapes-64x96-2:/data") }
    #expect(throws: UnknownName.self) { try AnnotatedCatalog.locate("coco20170") }
  }

  @Test func `the images that are trained on come with an account of the others`() throws {
    var spec = try AnnotatedCatalog.locate("synthetic-shapes-64x64-3").spec
    spec.trainImages = 60
    let data = try AnnotatedCatalog.open(spec)
    let training = try TrainingImages(data.train, classNames: data.classNames)
    #expect(training.dropped[.crowd] == 3)
    #expect(training.split.count + (training.dropped[.emptyImage] ?? 0) == 60)
    #expect(
      training.notes.count == 1 && training.notes[0].contains("3 boxes marked as a crowd"))
    #expect(training.objects.reduce(0, +) > 60)
    // Names of six classes, of which the last three cannot occur.
    let more = try TrainingImages(data.train, classNames: SyntheticShapes.classNames)
    #expect(more.notes.contains { $0.contains("no object of 3 classes (ring, cross, bar)") })
    #expect {
      try TrainingImages(data.train.selecting([]), classNames: data.classNames)
    } throws: {
      "\($0)".contains("has no object that a detector can be trained on: 0 images.")
    }
  }
}
