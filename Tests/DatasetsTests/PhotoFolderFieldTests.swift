import Foundation
import Specs
import Tensors
import TestSupport
import Testing

@testable import Datasets

#if canImport(Glibc)
  import Glibc
#endif

/// Folders of photographs as they lie on people's disks: nothing is left out without a word.
@Suite struct PhotoFolderFieldTests {
  private static let sample = SampleDataset.all["imagefolder"]!

  private func located(_ root: String) throws -> LocatedDataset {
    try DatasetCatalog.locate("imagefolder-16:\(root)")
  }

  private func leftOut(_ root: String) throws -> [String: Int] {
    let facts = try #require(try located(root).spec.facts)
    return Dictionary(uniqueKeysWithValues: facts.leftOut.map { ($0.reason, $0.count) })
  }

  /// Writes a file whose name need not be UTF-8.
  private func write(_ bytes: [UInt8], _ folder: String, named name: [UInt8]) throws {
    let path = Array(folder.utf8) + [47] + name + [0]
    let file = path.withUnsafeBufferPointer { path in
      path.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT, 0o644) }
    }
    try #require(file >= 0)
    defer { close(file) }
    let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    #expect(written == bytes.count)
  }

  @Test(arguments: ["Bücher", "cafe\u{301}", "写真", "a b'c", "🐝"])
  func `a path with any letters is read, and is no part of the digest`(_ name: String) throws {
    let plain = try Scratch()
    try Self.sample.write(to: plain)
    let scratch = try Scratch()
    for (path, bytes) in Self.sample.files { try Self.sample.write(bytes, "\(name)/\(path)", to: scratch) }
    let found = try located("\(scratch.path)/\(name)")
    #expect(try found.spec.digest == located(plain.path).spec.digest)
    let dataset = try DatasetCatalog.read(found.spec)
    #expect(try Augmentation.none.batch(of: dataset.train, indices: [0, 3]).shape == [2, 3, 16, 16])
    // In names of classes and files too.
    for (path, bytes) in Self.sample.files {
      try Self.sample.write(
        bytes, "inside/\(path.replacing("ant", with: name).replacing("a.jpg", with: "\(name).jpg"))",
        to: scratch)
    }
    let inside = try DatasetCatalog.read(try located("\(scratch.path)/inside").spec)
    #expect(inside.classNames.contains(name) && inside.train.count == 4)
    _ = try Augmentation.none.batch(of: inside.train, indices: [0, 1, 2, 3])
  }

  @Test
  func `a name says how pictures are resampled and cropped for measuring, and training does not change`()
    throws
  {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    func dataset(_ name: String) throws -> Dataset {
      let located = try DatasetCatalog.locate("\(name):\(scratch.path)")
      let dataset = try DatasetCatalog.read(located.spec)
      // What workers unpack is what was packed.
      let again = try Dataset(packed: dataset.packed, name: "packed")
      #expect(again.packed == dataset.packed && again.test.resize == dataset.test.resize)
      return again
    }
    let usual = try dataset("imagefolder-16")
    #expect(usual.test.resize == ResizeRule(shorterSide: 18))
    let other = try dataset("imagefolder-16-bicubic-crop0.8")
    #expect(other.test.resize == ResizeRule(shorterSide: 20, interpolation: .bicubic))
    func shown(_ set: ImageSet, _ augmentation: Augmentation = .none) throws -> [Double] {
      try augmentation.batch(of: set, indices: [0, 1]) { RandomStream(seed: 3, "view \($0)") }.doubles
    }
    #expect(try shown(other.test) != shown(usual.test))
    #expect(try shown(other.train, .standard) == shown(usual.train, .standard))
    #expect(try dataset("imagefolder-16-crop1").test.resize == ResizeRule(shorterSide: 16))
    #expect(
      try DatasetCatalog.locate("imagefolder-16-crop0.875:\(scratch.path)").spec.name
        == DatasetCatalog.locate("imagefolder-16:\(scratch.path)").spec.name)
    for name in [
      "imagefolder-16-crop2", "imagefolder-16-crop0", "imagefolder-16-cropx", "imagefolder-16-bilinear",
    ] {
      #expect(throws: DatasetError.self) { try DatasetCatalog.locate("\(name):\(scratch.path)") }
    }
  }

  @Test func `what is not among the pictures is counted by its reason`() throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    let before = try located(scratch.path).spec
    #expect(before.facts?.isRemarkable == false)
    let ant = "\(scratch.path)/train/ant"
    try write(SampleDataset.photograph(3), ant, named: [0x66, 0xE4, 0x2E, 0x6A, 0x70, 0x67])
    try write(Array("text".utf8), ant, named: Array("Thumbs.db".utf8))
    try FileManager.default.createDirectory(atPath: "\(ant)/.cache", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(
      atPath: "\(scratch.path)/train/.ipynb_checkpoints", withIntermediateDirectories: true)
    try #require(mkfifo("\(ant)/pipe.jpg", 0o644) == 0)
    try #require(symlink("nowhere", "\(ant)/gone.jpg") == 0)
    try #require(symlink(".", "\(ant)/circle") == 0)
    try #require(symlink("loop", "\(ant)/loop") == 0)
    try Self.sample.write(SampleDataset.photograph(4), "train/stray.jpg", to: scratch)
    let reasons = try leftOut(scratch.path)
    #expect(reasons["names that are not UTF-8"] == 1)
    #expect(reasons["not a picture"] == 1)
    #expect(reasons["hidden folders"] == 2)
    #expect(reasons["neither files nor folders"] == 1)
    #expect(reasons["links to nothing"] == 2)
    #expect(reasons["links to folders that were read already"] == 1)
    #expect(reasons["outside of the classes' folders"] == 1)
    let after = try located(scratch.path).spec
    #expect(after.digest == before.digest && after.facts?.trainImages == 4)
    let summary = try #require(after.facts?.summary)
    #expect(
      summary.hasPrefix("2 classes, 4 + 2 images, ")
        && summary.contains("1 left out (names that are not UTF-8)"))
  }

  @Test func `a picture without a picture's name is one, by its first bytes`() throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    try Self.sample.write(SampleDataset.photograph(50), "train/ant/0001", to: scratch)
    try Self.sample.write(SampleDataset.photograph(51), "train/ant/0002.jfif", to: scratch)
    #expect(try located(scratch.path).spec.facts?.trainImages == 6)
    #expect(try leftOut(scratch.path).isEmpty)
  }

  @Test func `pictures in both sets are counted`() throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    try Self.sample.write(Self.sample.files["train/bee/a.jpg"]!, "val/bee/again.jpg", to: scratch)
    let facts = try #require(try located(scratch.path).spec.facts)
    #expect(facts.imagesInBothSets == 1 && facts.summary == "2 classes, 4 + 3 images, 1 in both sets")
  }

  @Test func `a folder that is linked to forty times is read once`() throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    for number in 0..<40 { try #require(symlink("../ant", "\(scratch.path)/train/ant/link\(number)") == 0) }
    #expect(try located(scratch.path).spec.facts?.trainImages == 4)
    #expect(try leftOut(scratch.path) == ["links to folders that were read already": 40])
  }

  @Test func `a link out of the root and a folder that cannot be listed are refused`() throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    try #require(symlink("/etc/hostname", "\(scratch.path)/train/ant/out.jpg") == 0)
    #expect(throws: DatasetError.self) { try located(scratch.path) }
  }

  @Test func `one class is refused with what to do`() throws {
    let scratch = try Scratch()
    for (path, bytes) in Self.sample.files where path.contains("ant") {
      try Self.sample.write(bytes, path, to: scratch)
    }
    #expect {
      try located(scratch.path)
    } throws: {
      "\($0)".contains("has one class, 'ant', and a classifier needs two or more")
    }
  }

  @Test func `what -skip leaves out is counted`() throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    try Self.sample.write(Array(SampleDataset.photograph(9).dropLast(90)), "train/ant/cut.jpg", to: scratch)
    let facts = try #require(try DatasetCatalog.locate("imagefolder-16-skip:\(scratch.path)").spec.facts)
    #expect(facts.summary == "2 classes, 4 + 2 images, 1 left out (damaged)")
    #expect(facts.leftOut[0].example.hasPrefix("train/ant/cut.jpg: Premature end"))
  }

  @Test(arguments: ["val.txt", "LOC_val_solution.csv", "synset_labels.txt", "devkit"])
  func `a flat val is read with a list of its classes`(_ list: String) throws {
    let scratch = try Scratch()
    try Self.sample.write(to: scratch)
    let truth = try DatasetCatalog.read(try located(scratch.path).spec)
    for name in ["ant", "bee"] { try FileManager.default.removeItem(atPath: "\(scratch.path)/val/\(name)") }
    // In the order of names: bee, ant.
    try Self.sample.write(Self.sample.files["val/bee/c.jpg"]!, "val/val_00000001.JPEG", to: scratch)
    try Self.sample.write(Self.sample.files["val/ant/c.jpg"]!, "val/val_00000002.JPEG", to: scratch)
    #expect {
      try located(scratch.path)
    } throws: {
      "\($0)".contains("LOC_val_solution.csv, val.txt (FILE CLASS)")
    }
    switch list {
    case "val.txt": try scratch.write(Array("val_00000001.JPEG 1\nval_00000002.JPEG ant\n".utf8), list)
    case "LOC_val_solution.csv":
      try scratch.write(
        Array(
          "ImageId,PredictionString\nval_00000002,ant 1 2 3 4 \nval_00000001,bee 1 2 3 4 bee 1 1 1 1\n".utf8),
        list)
    case "synset_labels.txt": try scratch.write(Array("bee\nant\n".utf8), "val/x_synset_labels.txt")
    default:
      try scratch.write(Array("2\n1\n".utf8), "ILSVRC2012_validation_ground_truth.txt")
      #expect {
        try located(scratch.path)
      } throws: {
        "\($0)".contains("meta.mat")
      }
      return
    }
    let flat = try DatasetCatalog.read(try located(scratch.path).spec)
    #expect(flat.test.labels == [0, 1])
    #expect(flat.test.photographs?.entries.map(\.digest) == truth.test.photographs?.entries.map(\.digest))
    #expect(flat.test.photographs?.entries.map(\.path) == ["val/val_00000002.JPEG", "val/val_00000001.JPEG"])
  }

  @Test func `the devkit's numbers are names of classes by its meta file`() throws {
    let meta = try Array(Data(contentsOf: Fixtures.committed.appending(path: "datasets/meta.mat")))
    let scratch = try Scratch()
    let devkit = "ILSVRC2012_devkit_t12/data"
    for (path, bytes) in Self.sample.files where path.hasPrefix("train") {
      let name = path.replacing("ant", with: "n00000000").replacing("bee", with: "n00000001")
      try Self.sample.write(bytes, name, to: scratch)
    }
    for number in 1...3 {
      try Self.sample.write(SampleDataset.photograph(60 + number), "val/val_\(number).JPEG", to: scratch)
    }
    try Self.sample.write(
      Array("1\n2\n1\n".utf8), "\(devkit)/ILSVRC2012_validation_ground_truth.txt", to: scratch)
    try Self.sample.write(meta, "\(devkit)/meta.mat", to: scratch)
    let dataset = try DatasetCatalog.read(try located(scratch.path).spec)
    #expect(dataset.test.labels == [0, 1, 1])
    let paths = dataset.test.photographs?.entries.map(\.path)
    #expect(paths == ["val/val_2.JPEG", "val/val_1.JPEG", "val/val_3.JPEG"])
    #expect(try leftOut(scratch.path).isEmpty)
    // Damage never does more than fail.
    for end in stride(from: 0, to: meta.count, by: 7) {
      #expect(throws: DatasetError.self) {
        try DevkitMeta.synsets(DataFile(path: "meta.mat", bytes: Array(meta.prefix(end))))
      }
    }
    var stream = RandomStream(seed: 3, "meta damage")
    for _ in 0..<500 {
      var bytes = meta
      for _ in 0..<3 { bytes[stream.index(below: bytes.count)] = UInt8(stream.index(below: 256)) }
      _ = try? DevkitMeta.synsets(DataFile(path: "meta.mat", bytes: bytes))
    }
  }
}
