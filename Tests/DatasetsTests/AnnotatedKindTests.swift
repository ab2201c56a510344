import Evaluation
import Foundation
import Specs
import Testing

@testable import Datasets

/// What every kind of annotated dataset owes: facts that are true, damage that is noticed, one digest
/// wherever it lies.
@Suite struct AnnotatedKindTests {
  private static let names = Catalog.annotatedDatasets.names

  private static func sample(_ name: String) throws -> AnnotatedSample {
    try #require(AnnotatedSample.all[name], "add a small \(name) to AnnotatedSample.all")
  }

  @Test(arguments: names)
  func `facts are what reading finds`(_ name: String) throws {
    let sample = try Self.sample(name)
    let scratch = try Scratch()
    try sample.write(to: scratch)
    let located = try AnnotatedCatalog.locate(sample.text(scratch.path))
    let facts = try #require(located.spec.facts)
    #expect(facts.trainImages == sample.train && facts.testImages == sample.test)
    #expect(facts.task.classes == sample.classes && facts.channels == 3)
    #expect(located.spec.digest != nil && located.missing == nil && facts.leftOut.isEmpty)
    var spec = located.spec
    if sample.files.isEmpty { (spec.trainImages, spec.testImages) = (30, 10) }
    let data = try AnnotatedCatalog.open(spec)
    #expect(data.train.count == spec.trainImages ?? sample.train)
    #expect(data.test.count == spec.testImages ?? sample.test)
    let kind = try AnnotatedCatalog.kind(of: sample.name)
    for task in AnnotatedTask.allCases {
      let classes = task == .detection ? data.classNames.count : data.semanticNames.count
      #expect(AnnotatedCatalog.classes(of: spec, task) == (kind.tasks.contains(task) ? classes : nil))
    }
    var ids: Set<Int> = []
    for split in [data.train, data.test] {
      for index in 0..<split.count {
        let image = try split.image(index, [.pixels, .masks, .semantics])
        #expect(image.entry == split.entry(index))
        #expect(image.pixels.count == 3 * image.height * image.width)
        #expect(kind.tasks.contains(.segmentation) == !image.semantics.isEmpty)
        #expect(image.semantics.isEmpty || image.semantics.count == image.height * image.width)
        #expect(image.semantics.allSatisfy { $0 == 255 || Int($0) < data.semanticNames.count })
        // Of label maps somebody noted the values; of images alone nobody can tell.
        let outputs = image.semantics.isEmpty ? nil : Set(image.semantics).subtracting([255])
        #expect(try split.outputs(index) == outputs)
        for object in image.objects {
          #expect((0..<data.classNames.count).contains(object.label))
          if split.title == data.train.title { #expect(ids.insert(object.id).inserted) }
          let mask = try object.mask?.runs(height: image.height, width: image.width)
          #expect(mask == nil || mask?.height == image.height)
        }
        let withoutMasks = try split.image(index, .objects)
        #expect(withoutMasks.objects.map(\.box) == image.objects.map(\.box) && withoutMasks.pixels.isEmpty)
      }
    }
  }

  @Test(arguments: names)
  func `a digest does not depend on the folder, and on every file that is read`(_ name: String) throws {
    let sample = try Self.sample(name)
    guard !sample.files.isEmpty else {
      #expect(
        try AnnotatedCatalog.locate(name).spec.digest != AnnotatedCatalog.locate(sample.name).spec.digest)
      return
    }
    let one = try Scratch()
    let two = try Scratch()
    try sample.write(to: one)
    try sample.write(to: two)
    let located = try AnnotatedCatalog.locate(sample.text(one.path)).spec
    #expect(try AnnotatedCatalog.locate(sample.text(two.path)).spec.digest == located.digest)
    let read = sample.files.keys.filter { !$0.hasSuffix("_color.png") }
    for path in read.sorted() {
      let other: [UInt8]
      switch path.split(separator: ".").last {
      case "png" where path.contains("label") || path.contains("annotations") || path.contains("maps"):
        other = AnnotatedSample.labels([9])
      case "png": other = AnnotatedSample.png(77)
      case "jpg", "jpeg", "JPG": other = AnnotatedSample.picture(77)
      case "txt": continue
      default: other = try #require(sample.files[path]) + [UInt8(ascii: "\n")]
      }
      let scratch = try Scratch()
      try sample.with(path, other).write(to: scratch)
      #expect(try AnnotatedCatalog.locate(sample.text(scratch.path)).spec.digest != located.digest, "\(path)")
      var moved = located
      moved.folder = scratch.path
      #expect(throws: DatasetError.self, "\(path)") { try AnnotatedCatalog.open(moved) }
    }
  }

  @Test(arguments: names)
  func `a file that is cut or missing is refused, and its name is told`(_ name: String) throws {
    let sample = try Self.sample(name)
    for path in sample.files.keys.sorted() where !path.hasSuffix("_color.png") && !path.hasSuffix(".txt") {
      let bytes = try #require(sample.files[path])
      for damaged in [Array(bytes.dropLast(14)), nil] {
        let scratch = try Scratch()
        try sample.with(path, damaged).write(to: scratch)
        let stem = path.split(separator: "/").last?.split(separator: ".").first ?? ""
        #expect("\(path) \(damaged == nil ? "missing" : "cut")") {
          try AnnotatedCatalog.locate(sample.text(scratch.path))
        } throws: {
          // The last file of a folder was the folder's reason to be.
          $0 is DatasetError
            && ("\($0)".contains(stem) || damaged == nil && "\($0)".contains("cannot be read"))
        }
      }
    }
  }

  @Test(arguments: names)
  func `a file that changes after the dataset was opened fails the image and nothing else`(
    _ name: String
  ) throws {
    let sample = try Self.sample(name)
    guard !sample.files.isEmpty else { return }
    let scratch = try Scratch()
    try sample.write(to: scratch)
    let data = try AnnotatedCatalog.open(try AnnotatedCatalog.locate(sample.text(scratch.path)).spec)
    let file = data.test.source.entry(0).name.split(separator: "/").last.map(String.init) ?? ""
    let path = try #require(sample.files.keys.first { $0.hasSuffix(file) })
    try sample.with(path, AnnotatedSample.picture(99)).write(to: scratch)
    #expect {
      try data.test.image(0, .pixels)
    } throws: {
      "\($0)".contains(file) && "\($0)".contains("other bytes than when it was indexed")
    }
    #expect(try data.train.image(0, .pixels).pixels.count > 0)
  }

  @Test(arguments: names)
  func `absent files are no error to find and one to open, with what to do`(_ name: String) throws {
    let sample = try Self.sample(name)
    guard !sample.files.isEmpty else { return }
    let scratch = try Scratch()
    let located = try AnnotatedCatalog.locate(sample.text("\(scratch.path)/nowhere"))
    #expect(located.spec.digest == nil && located.spec.facts == nil)
    #expect(try #require(located.missing).description.contains(":FOLDER"))
    #expect(throws: DatasetError.self) { try AnnotatedCatalog.open(located.spec) }
  }

  @Test func `a name belongs to one kind, of one catalog`() throws {
    for name in Self.names + ["coco-json-skip", "ade20k-skip", "synthetic-shapes-64x64-6-h0", "voc-xml-skip"]
    {
      #expect(Catalog.annotatedDatasets.entries.count { $0.answers(to: name) } == 1, "\(name)")
      #expect(!Catalog.datasets.entries.contains { $0.answers(to: name) }, "\(name)")
    }
    for kind in Catalog.annotatedDatasets.entries {
      #expect(!kind.summary.isEmpty && !kind.tasks.isEmpty)
      let located = try AnnotatedCatalog.locate(kind.name)
      #expect((located.spec.digest == nil) == (located.missing != nil), "\(kind.name)")
    }
  }

  @Test(arguments: ["coco-json", "coco2017", "voc-xml", "cityscapes", "ade20k", "coco-stuff-164k"])
  func `with -skip, images that are absent, damaged or of another size are left out and counted`(
    _ name: String
  ) throws {
    let sample = try Self.sample(name)
    let isTrainImage = { (path: String) in
      path.contains("train") && path.contains(name == "cityscapes" ? "leftImg" : ".jpg")
        || path == "JPEGImages/a.jpg"
    }
    let path = try #require(sample.files.keys.filter(isTrainImage).min())
    let bytes = try #require(sample.files[path])
    let isPNG = path.hasSuffix(".png")
    let larger = isPNG ? AnnotatedSample.png(1, width: 64) : AnnotatedSample.picture(1, width: 64)
    for (reason, other) in [
      ("damaged", Array(bytes.dropLast(40))), ("another size", larger), ("missing", nil),
    ] {
      let scratch = try Scratch()
      try sample.with(path, other).write(to: scratch)
      #expect {
        try AnnotatedCatalog.locate("\(name):\(scratch.path)")
      } throws: {
        let text = "\($0)"
        return text.contains("\(name)-skip")
          && (reason != "another size" || text.contains("48 × 40") && text.contains("64 × 40"))
      }
      let facts = try #require(try AnnotatedCatalog.locate("\(name)-skip:\(scratch.path)").spec.facts)
      #expect(facts.trainImages == sample.train - 1 && facts.leftOut.map(\.count) == [1], "\(reason)")
      #expect(facts.leftOut.map(\.reason) == [reason] && facts.summary.contains("1 left out (\(reason))"))
    }
  }
}
