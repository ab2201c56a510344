import Foundation
import Specs
import Testing

@testable import Datasets

@Suite struct DatasetCatalogTests {
  /// A folder with a dataset of three training and two test images under `name`.
  private func fill(_ scratch: borrowing Scratch, under name: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(scratch.path)/\(name)", withIntermediateDirectories: true)
    for (file, bytes) in zip(IDX.names, IDXTests.files) { try scratch.write(bytes, "\(name)/\(file)") }
  }

  @Test func `an unknown name is told the nearest`() {
    #expect {
      try DatasetCatalog.locate("cifar1000")
    } throws: {
      "\($0)".contains("Did you mean 'cifar100'?")
    }
  }

  @Test(arguments: ["cifar10", "cifar100", "idx"])
  func `absent files are no error before they are read`(_ name: String) throws {
    let scratch = try Scratch()
    let located = try DatasetCatalog.locate("\(name):\(scratch.path)/nowhere")
    #expect(located.spec.digest == nil)
    let missing = try #require(located.missing)
    #expect("\(missing)".contains("\(scratch.path)/nowhere") && "\(missing)".contains(":FOLDER"))
    #expect {
      try DatasetCatalog.read(located.spec)
    } throws: {
      guard case DatasetError.missing(let missing) = $0 else { return false }
      return "\(missing)".contains(
        name == "cifar100" ? "train.bin" : name == "cifar10" ? "test_batch.bin" : "idx3")
    }
  }

  @Test func `folders of datasets are searched in their order, and moving one changes no digest`() throws {
    let first = try Scratch()
    let second = try Scratch()
    try fill(second, under: "fashion-mnist")
    let there = try DatasetCatalog.locate("fashion-mnist", searching: [first.path, second.path])
    #expect(there.spec.folder == "\(second.path)/fashion-mnist")
    try fill(first, under: "fashion-mnist")
    let here = try DatasetCatalog.locate("fashion-mnist", searching: [first.path, second.path])
    #expect(here.spec.folder == "\(first.path)/fashion-mnist")
    #expect(here.spec.digest == there.spec.digest && here.spec.digest != nil)
  }

  @Test func `files that changed after planning are refused`() throws {
    let scratch = try Scratch()
    try fill(scratch, under: ".")
    let spec = try DatasetCatalog.locate("idx:\(scratch.path)").spec
    #expect(try DatasetCatalog.read(spec).test.count == 2)
    var pixels = IDXTests.files[0]
    pixels[20] ^= 1
    try scratch.write(pixels, IDX.names[0])
    #expect(throws: DatasetError.changed(name: "idx", folder: scratch.path)) { try DatasetCatalog.read(spec) }
    #expect(try DatasetCatalog.locate("idx:\(scratch.path)").spec.digest != spec.digest)
  }

  @Test func `a folder in place of a file is not taken for it`() throws {
    let scratch = try Scratch()
    for name in ["train.bin", "test.bin"] {
      try FileManager.default.createDirectory(
        atPath: "\(scratch.path)/\(name)", withIntermediateDirectories: true)
    }
    #expect(try DatasetCatalog.locate("cifar100:\(scratch.path)").missing != nil)
  }

  @Test func `every entry of the catalog can be located or says what it needs`() throws {
    for kind in Catalog.datasets.entries {
      let located = try DatasetCatalog.locate(kind.name)
      #expect((located.spec.digest == nil) == (located.missing != nil), "\(kind.name)")
      #expect(!kind.summary.isEmpty)
    }
  }
}
