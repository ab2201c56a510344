import Evaluation
import Foundation
import Specs
import TestSupport
import Testing

@testable import Datasets

/// What readers make of annotations, and what they refuse with which sentence.
@Suite struct AnnotatedReaderTests {
  private func open(_ sample: AnnotatedSample, _ scratch: borrowing Scratch) throws -> AnnotatedDataset {
    try sample.write(to: scratch)
    return try AnnotatedCatalog.open(try AnnotatedCatalog.locate(sample.text(scratch.path)).spec)
  }

  private func problem(_ sample: AnnotatedSample) throws -> String {
    let scratch = try Scratch()
    try sample.write(to: scratch)
    do {
      _ = try AnnotatedCatalog.locate(sample.text(scratch.path))
      return "read"
    } catch let error as DatasetError {
      return error.description
    }
  }

  // MARK: COCO

  private static let coco = AnnotatedSample.all["coco-json"]!
  private static let trainFile = "annotations/instances_train.json"

  @Test func `COCO's images come by rising id with their objects, labels by rising category`() throws {
    let scratch = try Scratch()
    let data = try open(Self.coco, scratch)
    #expect(data.classNames == ["dog", "cup"] && data.hasMasks)
    #expect((0..<3).map { data.train.entry($0).id } == [2, 7, 9])
    #expect(data.test.entry(0).name == "aé.jpg")
    let image = try data.train.image(1, .masks)
    #expect(image.objects.map(\.id) == [11, 5] && image.objects.map(\.label) == [1, 0])
    #expect(image.objects[0].box == Box(x: 1.08, y: 2.5, width: 10.25, height: 20))
    #expect(image.objects[0].area == 120.5 && image.objects[1].isCrowd)
    // The polygon of three numbers is left out.
    #expect(
      image.objects[0].mask == .polygons([[1.08, 2.5, 11, 2.5, 11, 22], [4, 5, 6, 7, 8, 9.5]]))
    #expect(image.objects[1].mask == .runs(try RunLengthMask(height: 40, width: 48, checking: [0, 3, 1917])))
    let square = try #require(try data.train.image(0, .masks).objects[0].mask?.runs(height: 40, width: 48))
    #expect(square.area == 4 && square.box == Box(x: 0, y: 0, width: 2, height: 2))
    // The box without width is evaluated and not trained on.
    let flat = try data.test.image(0, .objects)
    #expect(flat.objects.count == 1 && flat.trainingObjects().dropped == [.narrow: 1])
  }

  private func coco(_ from: String, _ to: String) throws -> String {
    let text = AnnotatedSample.trainJSON
    #expect(text.contains(from), "\(from)")
    return try problem(Self.coco.with(Self.trainFile, text.replacing(from, with: to)))
  }

  @Test(arguments: [
    ("\"id\": 12, ", "\"id\": 11, ", ["annotation 11", "one annotation of this id", "a second one"]),
    ("{\"id\": 2, ", "{\"id\": 7, ", ["image 7", "one image of this id"]),
    ("\"id\": 3, \"name\": \"dog\"", "\"id\": 90, \"name\": \"dog\"", ["category 90", "'cup'", "'dog'"]),
    ("\"image_id\": 2", "\"image_id\": 3", ["annotation 12", "image_id 3, which no image has"]),
    ("\"category_id\": 90", "\"category_id\": 1", ["annotation 11", "category_id 1, which no category has"]),
    (", \"name\": \"dog\"", "", ["category 3", "a name", "none"]),
    (
      "[1.08, 2.5, 10.25, 20]", "[1.08, NaN, 10.25, 20]",
      ["annotation 11 of image 7", "4 finite numbers", "nan"]
    ),
    ("[1.08, 2.5, 10.25, 20]", "[1.08, 2.5, 10.25]", ["annotation 11 of image 7", "3 numbers"]),
    ("[1.08, 2.5, 10.25, 20]", "[1.08, 2.5, -10.25, 20]", ["annotation 11 of image 7", "-10.25"]),
    (
      "[1.08, 2.5, 10.25, 20]", "[1.08, 2.5, 1e999, 20]",
      ["annotation 11 of image 7", "4 finite numbers", "inf"]
    ),
    ("\"area\": 120.5", "\"area\": Infinity", ["annotation 11 of image 7", "a finite area"]),
    ("\"iscrowd\": 1", "\"iscrowd\": 2", ["annotation 5 of image 7", "0 or 1"]),
    ("[0, 3, 1917]", "[0, 3, 1916]", ["annotation 5 of image 7", "cover 1919 pixels of 40 × 48 = 1920"]),
    ("[0, 3, 1917]", "[3, -3, 1920]", ["annotation 5 of image 7", "negative"]),
    ("\"size\": [40, 48]}}]", "\"size\": [48, 40]}}]", ["annotation 5 of image 7", "48 × 40", "40 × 48"]),
    ("\"counts\": \"", "\"counts\": \"!", ["annotation 12 of image 2", "the byte 33"]),
    ("\"counts\": \"", "\"counts\": \"1", ["annotation 12 of image 2", "an RLE whose runs sum"]),
    (
      "\"width\": 48, \"height\": 40, \"license\"", "\"width\": 0, \"height\": 40, \"license\"",
      ["image 7", "0 and 40"]
    ),
    ("000002.jpg", "../000002.jpg", ["image 2", "below the folder of images"]),
    ("\"image_id\": 2, ", "", ["annotation 12", "no image_id"]),
    ("\"licenses\": []", "\"images\": []", ["not a second one", "at byte"]),
    ("\"licenses\": []", "\"licenses\": [01]", ["without leading zeros", "at byte"]),
    ("\"licenses\": []", "\"licenses\": [1 2]", ["',' or ']'", "at byte"]),
    ("\"id\": 12, ", "\"id\": 1.5, ", ["a whole number", "at byte"]),
    ("[4, 5, 6, 7, 8, 9.5]", "[4, 5, 6, 7, 8, 1e9]", ["finite and within", "at byte"]),
    ("\"annotations\"", "\"anotations\"", ["a member \"annotations\""]),
    ("\"file_name\": \"000002.jpg\", ", "", ["image 2", "a file_name"]),
    (
      "{\"id\": 90, \"name\": \"cup\"}", "{\"id\": 90, \"name\": \"mug\"}",
      ["'mug'", "Give both files the same"]
    ),
  ])
  func `a damaged file of COCO is refused with the record`(
    _ from: String, _ to: String, _ words: [String]
  ) throws {
    let text = try coco(from, to)
    #expect(text.contains("instances_"), "\(text)")
    for word in words { #expect(text.contains(word), "\(word): \(text)") }
  }

  @Test func `nesting and endings of a file of COCO are refused at their byte`() throws {
    let deep = String(repeating: "[", count: 100)
    #expect(try coco("\"licenses\": []", "\"licenses\": \(deep)").contains("at most 64 nested brackets"))
    let text = AnnotatedSample.trainJSON
    #expect(try problem(Self.coco.with(Self.trainFile, text + "x")).contains("the end of the file"))
    for end in stride(from: 1, to: text.utf8.count - 1, by: 97) {
      let cut = try problem(Self.coco.with(Self.trainFile, Array(text.utf8.prefix(end))))
      #expect(cut.contains(Self.trainFile), "\(end): \(cut)")
    }
  }

  /// An independent reader: Foundation's, on numbers of all forms.
  @Test func `numbers are those that Foundation reads`() throws {
    let texts = [
      "0", "-0", "1.08", "611.59", "120057.13950000001", "1e3", "-2.5E-3", "123456789012345678", "0.1",
      "33.33",
      "9007199254740993", "1e22", "1.7976931348623157e308", "4.9e-324", "0.30000000000000004", "639.9999999",
    ]
    for text in texts {
      let bytes = Array(text.utf8)
      let number = try bytes.withUnsafeBufferPointer { buffer in
        var stream = JSONStream(buffer)
        return try stream.number()
      }
      #expect(number.bitPattern == Double(text)?.bitPattern, "\(text)")
    }
  }

  // MARK: VOC

  @Test func `VOC's boxes count from 0 and have sizes; classes are sorted over all files`() throws {
    let scratch = try Scratch()
    let data = try open(AnnotatedSample.voc, scratch)
    #expect(data.classNames == ["ant", "cat & cow", "dog"] && !data.hasMasks)
    #expect(
      (0..<3).map { data.train.entry($0).name } == [
        "JPEGImages/b.JPG", "JPEGImages/a.jpg", "JPEGImages/c.png",
      ])
    let objects = try data.train.image(1, .objects).objects
    #expect(objects.map(\.label) == [2, 1] && objects.allSatisfy { !$0.isCrowd })
    #expect(objects[0].box == Box(x: 0, y: 1, width: 48, height: 39) && objects[0].area == 48 * 39)
    #expect(objects[1].box == Box(x: 2.5, y: 3, width: 17.75, height: 27))
    // Corners that coincide are a slip; a box that reaches a pixel beyond is clipped.
    #expect(try data.train.image(0, .objects).trainingObjects().dropped == [.point: 1])
    #expect(try data.test.image(0, .objects).objects[0].box == Box(x: 0, y: 0, width: 48, height: 40))
    let training = try TrainingImages(data.train, classNames: data.classNames)
    #expect(training.split.places == [1] && training.dropped == [.point: 1, .emptyImage: 2])
    #expect(
      training.notes.last == "The training set of voc-xml has no object of 1 class (ant): "
        + "a detector learns never to find one.")
  }

  @Test func `a damaged file of VOC is refused with file and line`() throws {
    func check(_ path: String, _ text: String?, _ words: String..., line: Int = #line) throws {
      let found = try problem(AnnotatedSample.voc.with(path, text.map { Array($0.utf8) }))
      for word in words { #expect(found.contains(word), "line \(line): \(word): \(found)") }
    }
    let xml = "Annotations/a.xml"
    func boxed(_ box: String...) -> String {
      String(decoding: AnnotatedSample.vocXML(AnnotatedSample.vocObject("dog", box)), as: UTF8.self)
    }
    try check(xml, boxed("9", "1", "8", "4"), xml, "line 7", "xmax >= xmin", "9.0 to 8.0")
    try check(xml, boxed("1", "1", "50", "4"), "a box within 48 × 40 pixels", "to 50.0")
    try check(xml, boxed("-1", "1", "5", "4"), "a box within")
    try check(xml, boxed("1", "1", "5", "x4"), "a number in ymax", "'x4'")
    try check(xml, boxed("1", "nan", "5", "4"), "a number in ymin")
    try check(xml, boxed("1", "1", "5", "4").replacing("<name>dog</name>", with: ""), "a name", "none")
    try check(xml, boxed("1", "1", "5", "4").replacing("size>", with: "sise>"), "an element size", "none")
    try check(xml, boxed("1", "1", "5", "4").replacing("</object>", with: ""), "</object>")
    try check(xml, "<!DOCTYPE a [<!ENTITY b \"c\">]><annotation/>", "line 1", "declarations")
    try check(xml, "<annotation>&b;</annotation>", "other entities are not read")
    try check(xml, "<annotation a=b/>", "a value in quotes")
    try check(xml, "<annotation><!-- </annotation>", "the end '-->' of a comment")
    try check(xml, String(repeating: "<a>", count: 40), "at most 32 levels")
    try check(xml, "<other/>", "an element annotation")
    try check(xml, "<annotation/><annotation/>", "the end of the file")
    try check(xml, nil, "train.txt", "image a (line 2)", "Annotations/a.xml")
    try check("ImageSets/Main/train.txt", "a\nb\na\n", "line 3", "which line 1 has")
    try check("ImageSets/Main/train.txt", "a 1\n", "line 1", "one identifier", "'a 1'")
    try check("ImageSets/Main/train.txt", "../a\n", "line 1", "one identifier")
    try check("ImageSets/Main/test.txt", nil, "test.txt", "cannot be read")
    try check("JPEGImages/a.png", "x", "two images 'a'")
  }

  @Test(.enabled(if: Available.hasData("bccd-mini"), "60 photographs of blood cells are read"))
  func `the sample of BCCD has the images, objects and slips that its own account tells`() throws {
    let folder = try #require(Fixtures.images).appending(path: "bccd-mini").path
    let located = try AnnotatedCatalog.locate("voc-xml:\(folder)").spec
    let data = try AnnotatedCatalog.open(located)
    #expect(data.classNames == ["Platelets", "RBC", "WBC"])
    #expect(data.train.count == 42 && data.test.count == 18)
    func counts(_ split: AnnotatedSplit) throws -> [Int] {
      try (0..<split.count).reduce(into: [0, 0, 0]) { counts, index in
        for object in try split.image(index, .objects).objects { counts[object.label] += 1 }
      }
    }
    #expect(try counts(data.train) == [32 + 8, 351 + 154, 32 + 12] && counts(data.test) == [21, 199, 17])
    let training = try TrainingImages(data.train, classNames: data.classNames)
    #expect(training.dropped == [.point: 2] && training.split.count == 42)
    #expect(training.objects.reduce(0, +) == 589 - 2)
    let image = try data.train.image(0, [.pixels, .objects])
    #expect(image.height == 480 && image.width == 640 && image.pixels.count == 3 * 480 * 640)
  }

  // MARK: Label maps

  @Test func `labels become outputs, and what is not judged becomes 255`() throws {
    func outputs(_ sample: AnnotatedSample, _ reading: AnnotatedReading = .init()) throws -> [[UInt8]] {
      let scratch = try Scratch()
      try sample.write(to: scratch)
      let spec = try AnnotatedCatalog.locate(sample.text(scratch.path)).spec
      let data = try AnnotatedCatalog.open(spec, reading)
      #expect(data.semanticNames.count == AnnotatedCatalog.classes(of: spec, .segmentation, reading))
      return try [data.train, data.test].flatMap { split in
        try (0..<split.count).map { Array(try split.image($0, .semantics).semantics.prefix(4)) }
      }
    }
    #expect(
      try outputs(AnnotatedSample.cityscapes) == [[2, 2, 2, 2], [0, 255, 18, 13], [1, 255, 1, 255]])
    #expect(try outputs(AnnotatedSample.ade20k) == [[149, 149, 149, 149], [255, 0, 255, 0], [6, 7, 8, 6]])
    #expect(
      try outputs(AnnotatedSample.cocoStuff) == [[0, 12, 181, 255], [91, 91, 91, 91], [10, 12, 10, 12]])
    #expect(
      try outputs(AnnotatedSample.cocoStuff, .init(stuffIDs: .used))
        == [[0, 11, 170, 255], [80, 80, 80, 80], [10, 11, 10, 11]])
  }

  @Test func `classes have the names of the file beside the images, else numbers`() throws {
    func names(_ sample: AnnotatedSample, _ reading: AnnotatedReading = .init()) throws -> [String] {
      let scratch = try Scratch()
      try sample.write(to: scratch)
      return try AnnotatedCatalog.open(
        AnnotatedCatalog.locate(sample.text(scratch.path)).spec, reading
      ).semanticNames
    }
    let info =
      "Idx\tRatio\tTrain\tVal\tStuff\tName\r\n1\t0.16\t11664\t1172\t1\twall\r\n"
      + "2\t0.11\t6046\t612\t1\tbuilding, edifice   \n150\t0\t1\t1\t0\tflag\n\n"
    let ade = try names(AnnotatedSample.ade20k.with("objectInfo150.txt", Array(info.utf8)))
    #expect(ade.prefix(3) == ["wall", "building", "class 3"] && ade.last == "flag" && ade.count == 150)
    #expect(try names(AnnotatedSample.ade20k).first == "class 1")
    // Numbers of the file are those of labels plus 1; 11 never occurs.
    let text = Array("0: unlabeled\n1: person\n12: street sign\n14: parking meter\n182: wood\n".utf8)
    let stuff = AnnotatedSample.cocoStuff.with("labels.txt", text)
    let raw = try names(stuff)
    #expect([0, 1, 13, 181].map { raw[$0] } == ["person", "class 1", "parking meter", "wood"])
    let used = try names(stuff, .init(stuffIDs: .used))
    #expect(used.count == 171 && used[0] == "person" && used[12] == "parking meter" && used[170] == "wood")
    let bad = try problem(AnnotatedSample.cocoStuff.with("labels.txt", Array("1: person\nbicycle\n".utf8)))
    #expect(
      bad.contains("labels.txt") && bad.contains("line 2") && bad.contains("a number, a colon"), "\(bad)")
  }

  @Test func `label files that are no maps of known values are refused with the pixel`() throws {
    let label = "annotations/training/ADE_train_2.png"
    func check(_ bytes: [UInt8]?, _ words: String..., line: Int = #line) throws {
      let text = try problem(AnnotatedSample.ade20k.with(label, bytes))
      for word in [label] + words { #expect(text.contains(word), "line \(line): \(word): \(text)") }
    }
    var values = [UInt8](repeating: 3, count: 48 * 40)
    values[2 * 48 + 5] = 151
    try check(
      PNGFile.encoded(values, height: 40, width: 48, channels: 1),
      "values from 0 to 150", "the value 151 at column 5, row 2")
    try check(AnnotatedSample.png(1), "gray or palette", "RGB pixels of 8 bits")
    try check(AnnotatedSample.picture(1), "JPEG")
    try check(AnnotatedSample.labels([1], width: 40, height: 48), "40 × 48 pixels", "48 × 40 pixels")
    try check(Array(AnnotatedSample.labels([1]).dropLast(30)), "ends early")
    try check(nil, "no such file")
    try check([], "an empty file")
    var flipped = AnnotatedSample.labels([1, 2, 3])
    flipped[flipped.count - 30] ^= 0xFF
    try check(flipped, "a PNG of 8 bits or fewer")
    let stuff = try problem(
      AnnotatedSample.cocoStuff.with(
        "stuffthingmaps/val2017/000000000139.png", AnnotatedSample.labels([11])))
    #expect(stuff.contains("the value 11 at column 0, row 0") && stuff.contains("171 classes"))
    let streets = try problem(
      AnnotatedSample.cityscapes.with(
        "gtFine/val/koeln/koeln_0_1_gtFine_labelIds.png", AnnotatedSample.labels([34])))
    #expect(streets.contains("values from 0 to 33") && streets.contains("the value 34"))
  }

  @Test func `images with a side below 32 are refused for segmentation and not trained on by detectors`()
    throws
  {
    let small = AnnotatedSample.ade20k
      .with("images/training/ADE_train_2.jpg", AnnotatedSample.picture(2, width: 31))
      .with("annotations/training/ADE_train_2.png", AnnotatedSample.labels([1], width: 31))
    let text = try problem(small)
    #expect(text.contains("sides of at least 32 pixels") && text.contains("31 × 40"))
    var image = AnnotatedImage(AnnotatedEntry(id: 0, name: "x", height: 31, width: 64))
    image.objects = [
      AnnotatedObject(
        id: 1, label: 0, box: Box(x: 1, y: 1, width: 9, height: 9), area: 81, isCrowd: false)
    ]
    let split = AnnotatedSplit("the training set of x", OneImage(image: image), places: [0])
    #expect {
      try TrainingImages(split, classNames: ["a"])
    } throws: {
      "\($0)".contains("1 image with a side below 32 pixels")
    }
  }

  private struct OneImage: AnnotatedSource {
    let image: AnnotatedImage
    var count: Int { 1 }
    func entry(_ place: Int) -> AnnotatedEntry { image.entry }
    func image(_ place: Int, _ parts: AnnotatedParts) -> AnnotatedImage { image }
  }

  /// Palettes and pixels of one, two and four bits, as libpng's own command would write them.
  @Test func `labels with a palette or fewer bits are read as they are written`() throws {
    for (name, isRead) in [("palette.png", true), ("gray.png", true), ("colour.png", false)] {
      let path = Fixtures.committed.appending(path: "images/\(name)").path
      let map = try? LabelMap(DataFile(reading: path).bytes)
      #expect((map != nil) == isRead, "\(name)")
    }
    // 5 × 2 pixels of two bits: 0 1 2 3 0 and 3 3 3 3 1, in a palette of four colours.
    let map = try LabelMap(Self.fourColours)
    #expect(map.values == [0, 1, 2, 3, 0, 3, 3, 3, 3, 1] && map.size == PixelSize(height: 2, width: 5))
  }

  /// Written by Python's `zlib` and `struct` by hand.
  private static let fourColours: [UInt8] = [
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 5, 0, 0, 0, 2, 2, 3, 0, 0, 0, 237,
    4, 254, 206, 0, 0, 0, 12, 80, 76, 84, 69, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 220, 76, 56, 156, 0, 0, 0,
    14, 73, 68, 65, 84, 120, 156, 99, 144, 102, 96, 248, 239, 0, 0, 2, 203, 1, 91, 213, 191, 255, 173, 0, 0,
    0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
  ]

  // MARK: Export

  @Test func `what is exported reads back as what was generated`() throws {
    var spec = try AnnotatedCatalog.locate("synthetic-shapes-64x80-4").spec
    spec.trainImages = 20
    spec.testImages = 3
    let generated = try AnnotatedCatalog.open(spec)
    let scratch = try Scratch()
    var sample = AnnotatedSample(name: "coco-json", classes: 4, train: 20, test: 3, files: [:])
    try CocoExport(generated, name: spec.name).files { sample.files[$0] = $1 }
    #expect(sample.files.count == 2 * 23 + 2)
    let read = try open(sample, scratch)
    #expect(read.classNames == generated.classNames && read.hasMasks)
    for (a, b) in [(generated.train, read.train), (generated.test, read.test)] {
      #expect(a.count == b.count)
      for index in 0..<a.count {
        let first = try a.image(index, [.pixels, .masks, .semantics])
        let second = try b.image(index, [.pixels, .masks])
        #expect(first.pixels == second.pixels && first.objects == second.objects)
        #expect(first.entry.id == second.entry.id)
        let folder = b.title.contains("test") ? "val" : "train"
        let labels = try LabelMap(try #require(sample.files["labels/\(folder)/\(second.entry.name)"]))
        #expect(labels.values == first.semantics)
      }
    }
  }
}
