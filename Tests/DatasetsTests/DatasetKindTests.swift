import Foundation
import Specs
import Tensors
import Testing

@testable import Datasets

/// What every kind of dataset owes: facts that are true, damage that is noticed, one digest wherever it lies.
@Suite struct DatasetKindTests {
  private static let names = Catalog.datasets.names

  private static func sample(_ name: String) throws -> SampleDataset {
    try #require(SampleDataset.all[name], "add a small \(name) to SampleDataset.all")
  }

  @Test(arguments: names)
  func `facts are what reading finds`(_ name: String) throws {
    let sample = try Self.sample(name)
    let scratch = try Scratch()
    try sample.write(to: scratch)
    let located = try DatasetCatalog.locate(sample.text(scratch.path))
    let facts = try #require(located.spec.facts)
    #expect(facts.imageTask == sample.task)
    #expect(facts.trainImages == sample.train && facts.testImages == sample.test)
    #expect(located.spec.digest != nil && located.missing == nil)
    var spec = located.spec
    if sample.files.isEmpty {
      spec.trainImages = 30
      spec.testImages = 10
    }
    let dataset = try DatasetCatalog.read(spec)
    #expect(dataset.task == sample.task)
    #expect(dataset.train.count == spec.trainImages ?? sample.train)
    #expect(dataset.test.count == spec.testImages ?? sample.test)
    for set in [dataset.train, dataset.test] {
      #expect(set.labels.allSatisfy { (0..<sample.task.classes).contains($0) })
      #expect(set.mean.count == sample.task.channels && set.std.allSatisfy { $0 > 0 })
      #expect(set.photographs != nil || set.pixels.count == set.count * sample.task.pixelCount)
    }
    #expect(dataset.classNames.isEmpty || dataset.classNames.count == sample.task.classes)
  }

  @Test(arguments: names)
  func `a digest does not depend on the folder, and on every byte of every file`(_ name: String) throws {
    let sample = try Self.sample(name)
    guard !sample.files.isEmpty else {
      #expect(try DatasetCatalog.locate(name).spec.digest != DatasetCatalog.locate(sample.name).spec.digest)
      return
    }
    let one = try Scratch()
    let two = try Scratch()
    try sample.write(to: one)
    try sample.write(to: two)
    let located = try DatasetCatalog.locate(sample.text(one.path)).spec
    #expect(try DatasetCatalog.locate(sample.text(two.path)).spec.digest == located.digest)
    let path = try #require(sample.files.keys.min())
    var bytes = try #require(sample.files[path])
    bytes =
      path.hasSuffix(".jpg") ? SampleDataset.photograph(777) : bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]
    try sample.write(bytes, path, to: one)
    #expect(try DatasetCatalog.locate(sample.text(one.path)).spec.digest != located.digest)
    #expect(throws: DatasetError.self) { try DatasetCatalog.read(located) }
  }

  @Test(arguments: names)
  func `a file that ends early is refused before anything is trained`(_ name: String) throws {
    let sample = try Self.sample(name)
    for path in sample.files.keys.sorted().prefix(6) {
      let scratch = try Scratch()
      try sample.write(to: scratch)
      let bytes = try #require(sample.files[path])
      try sample.write(Array(bytes.dropLast(5)), path, to: scratch)
      #expect(throws: DatasetError.self, "\(path)") { try DatasetCatalog.locate(sample.text(scratch.path)) }
    }
  }

  @Test(arguments: names)
  func `absent files are no error to find and one to read, with what to do`(_ name: String) throws {
    let sample = try Self.sample(name)
    guard !sample.files.isEmpty else { return }
    let scratch = try Scratch()
    let located = try DatasetCatalog.locate(sample.text("\(scratch.path)/nowhere"))
    #expect(located.spec.digest == nil && located.spec.facts == nil)
    #expect(try #require(located.missing).description.contains(":FOLDER"))
    #expect(throws: DatasetError.self) { try DatasetCatalog.read(located.spec) }
  }

  @Test func `a name belongs to one kind, and names that no kind reads are unknown`() throws {
    for name in Self.names + ["synthetic-1x8x8-3", "imagefolder-32-skip", "imagenet-skip"] {
      #expect(Catalog.datasets.entries.count { $0.answers(to: name) } == 1, "\(name)")
    }
    #expect(throws: UnknownName.self) { try DatasetCatalog.locate("no-such-images") }
    #expect(throws: UnknownName.self) { try DatasetCatalog.locate("synthetic-shapes-96x96-3") }
    #expect(throws: DatasetError.self) { try DatasetCatalog.locate("synthetic-3x3") }
  }

  @Test func `a dataset that lacks files says so`() throws {
    let sample = try Self.sample("cifar10")
    let scratch = try Scratch()
    try sample.write(to: scratch)
    let facts = try #require(try DatasetCatalog.locate("cifar10:\(scratch.path)").spec.facts)
    #expect(facts.lacksTrainImages && facts.isRemarkable)
    #expect(facts.summary == "10 classes, 5 + 2 images of 50000 + 10000, 2 of 5 files")
  }
}

/// Datasets as they lie on disks.
@Suite struct DatasetLayoutTests {
  private static let ten = SampleDataset.all["cifar10"]!
  private static let hundred = SampleDataset.all["cifar100"]!

  private func digest(_ name: String, _ files: [String: [UInt8]], at path: String = "") throws -> ContentKey?
  {
    let scratch = try Scratch()
    let sample = SampleDataset(name: name, task: Self.ten.task, train: 0, test: 0, files: files)
    try sample.write(to: scratch)
    let located = try DatasetCatalog.locate("\(name):\(scratch.path)\(path)").spec
    guard located.digest != nil else { return nil }
    _ = try DatasetCatalog.read(located)
    return located.digest
  }

  private static var python: [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for (name, bytes) in ten.files {
      files[String(name.dropLast(4))] = SampleDataset.pickled(bytes, labels: ["labels"])
    }
    return files
  }

  @Test func `CIFAR has one digest as binary files, as Python's and in either's archive`() throws {
    let truth = try #require(try digest("cifar10", Self.ten.files))
    #expect(try digest("cifar10", Self.python) == truth)
    let binary = SampleDataset.tar(
      Self.ten.files.sorted { $0.key < $1.key }.map { ("cifar-10-batches-bin/\($0)", $1) })
    let pickles = SampleDataset.tar(
      Self.python.sorted { $0.key < $1.key }.map { ("cifar-10-batches-py/\($0)", $1) })
    #expect(try digest("cifar10", ["cifar-10-binary.tar.gz": IDXTests.gzip(binary)]) == truth)
    #expect(try digest("cifar10", ["cifar-10-python.tar.gz": IDXTests.gzip(pickles)]) == truth)
    #expect(try digest("cifar10", ["mine.tar": pickles], at: "/mine.tar") == truth)
    #expect(try digest("cifar10", ["cifar-10-batches-py/x": []]) == nil)
    let hundred = Self.hundred.files.map {
      (String($0.key.dropLast(4)), SampleDataset.pickled($0.value, labels: ["coarse_labels", "fine_labels"]))
    }
    let found = try digest("cifar100", Dictionary(uniqueKeysWithValues: hundred))
    #expect(try found == digest("cifar100", Self.hundred.files) && found != nil)
  }

  @Test func `a pickle that would do anything else is refused, and so is one that is damaged`() throws {
    let sound = SampleDataset.pickled(SampleDataset.cifar10([1, 2]), labels: ["labels"])
    func problem(_ bytes: [UInt8]) -> String {
      do throws(DatasetError) {
        _ = try CIFARPython.binary(DataFile(path: "batch", bytes: bytes), .ten)
        return "read"
      } catch { return error.description }
    }
    #expect(problem(sound) == "read")
    let call = Array("cos\nsystem\n".utf8) + [0x55, 2] + Array("id".utf8) + [0x85, 0x52, 0x2e]
    #expect(problem([0x80, 2] + call).contains("'os.system', which is not called here"))
    #expect(problem([0x80, 2, 0x8c, 1, 65, 0x2e]).contains("instruction 0x8c"))
    #expect(problem([0x80, 2, 0x68, 9, 0x2e]).contains("remembered as 9"))
    #expect(problem([0x80, 2, 0x2e]).contains("a dictionary at the end"))
    #expect(problem([UInt8](repeating: 0x5d, count: 5000)).contains("at most 1000"))
    for end in stride(from: 0, to: sound.count, by: 61) {
      #expect(problem(Array(sound.prefix(end))) != "read")
    }
    var stream = RandomStream(seed: 5, "pickle damage")
    for _ in 0..<400 {
      var bytes = sound
      for _ in 0..<4 { bytes[stream.index(below: 200)] = UInt8(stream.index(below: 256)) }
      _ = problem(bytes)
    }
  }

  @Test func `IDX files are found under the names that they have in the wild`() throws {
    let files = SampleDataset.all["idx"]!.files
    func renamed(_ name: (String) -> String) -> [String: [UInt8]] {
      Dictionary(uniqueKeysWithValues: files.map { (name($0.key), $0.value) })
    }
    let truth = try #require(try digest("idx", files))
    let others: [[String: [UInt8]]] = [
      renamed { $0.replacing("-idx", with: ".idx") },
      renamed { "\($0)/\($0)" },
      renamed { "\($0.replacing("-idx", with: ".idx"))/\($0.replacing("-idx", with: ".idx"))" },
      renamed { "raw/\($0)" }, renamed { "MNIST/raw/\($0)" },
      renamed { "emnist-letters-\($0.replacing("t10k", with: "test"))" },
      [
        "all.tar.gz": IDXTests.gzip(
          SampleDataset.tar(files.sorted { $0.key < $1.key }.map { ("mnist/\($0)", $1) }))
      ],
    ]
    for (number, other) in others.enumerated() { #expect(try digest("idx", other) == truth, "\(number)") }
    // Two datasets in one folder are not chosen between.
    let two = renamed { "emnist-letters-\($0)" }.merging(renamed { "emnist-digits-\($0)" }) { $1 }
    #expect {
      try digest("idx", two)
    } throws: {
      "\($0)".contains("several datasets (emnist-digits-…, emnist-letters-…)")
    }
  }

  @Test func `archives that are cut, altered or no archives are refused`() throws {
    let whole = IDXTests.gzip(SampleDataset.tar(Self.ten.files.sorted { $0.key < $1.key }.map { ($0, $1) }))
    let plain = try Gzip.content(of: DataFile(path: "a", bytes: whole)).bytes
    var altered = plain
    altered[130] = 57
    for bytes in [Array(whole.dropLast(9)), Array(plain.prefix(2000)), altered, Array("no archive".utf8)] {
      #expect(throws: DatasetError.self) { try digest("cifar10", ["cifar-10-binary.tar.gz": bytes]) }
    }
  }
}
