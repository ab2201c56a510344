import Foundation
import Specs
import TestSupport
import Tensors
import Testing

@testable import Datasets

/// What this engine shows of photographs, recorded for whoever shows them with other code:
/// `Python/tests/test_photographs.py`.
///
/// `MTKD_RECORD=photographs swift test --filter PhotographViewTests` writes the files anew.
@Suite struct PhotographViewTests {
  private static let folder = Fixtures.committed.appending(path: "photographs")
  private static let isRecording = ProcessInfo.processInfo.environment["MTKD_RECORD"] == "photographs"
  private static let side = 16
  static let names =
    PhotographTests.kinds.map { "images/\($0)" } + ["photographs/large.jpg", "photographs/strip.png"]

  /// The recorded photographs, of three classes in turn.
  ///
  /// - Parameter root: nil for one that stands in the record, wherever the repository lies.
  private static func set(root: String? = nil, _ names: [String], resize: ResizeRule? = nil) throws
    -> ImageSet
  {
    let entries = try names.map { name in
      let bytes = try Array(Data(contentsOf: Fixtures.committed.appending(path: name)))
      return Photographs.Entry(path: name, digest: ContentKey(hashing: bytes))
    }
    return ImageSet(
      task: ImageTask(channels: 3, height: side, width: side, classes: 3),
      labels: names.indices.map { $0 % 3 },
      photographs: Photographs(root: root ?? "Fixtures", entries: entries, resize: resize))
  }

  /// The bytes whose normalised values these are, exactly.
  private static func bytes(_ batch: Tensor, _ set: ImageSet) throws -> [UInt8] {
    let plane = side * side
    return try batch.doubles.enumerated().map { place, value in
      let (mean, std) = (set.mean[place / plane % 3], set.std[place / plane % 3])
      let byte = ((value * std + mean) * 255).rounded()
      try #require((0...255).contains(byte))
      #expect(Float((byte / 255 - mean) / std) == Float(value))
      return UInt8(byte)
    }
  }

  private static func compare(_ bytes: [UInt8], with name: String) throws {
    let file = folder.appending(path: name)
    if isRecording { try Data(bytes).write(to: file) }
    let recorded = try Array(Data(contentsOf: file))
    try #require(recorded.count == bytes.count, "\(name)")
    let first = zip(bytes, recorded).enumerated().first { $1.0 != $1.1 }?.offset
    #expect(first == nil, "byte \(first ?? 0) of \(name): see the comment of this suite")
  }

  @Test func `views of photographs are those that are recorded`() throws {
    let root = Fixtures.committed.path
    let usual = try Self.set(root: root, Self.names)
    let bicubic = try Self.set(
      root: root, Self.names, resize: ResizeRule(shorterSide: 20, interpolation: .bicubic))
    let all = Array(Self.names.indices)
    func fixed(_ view: Int) throws -> Tensor {
      try Augmentation.standard.batch(of: usual, indices: all, views: all.map { _ in view })
    }
    let batches = try [
      Augmentation.standard.batch(of: usual, indices: all, seed: 7, epoch: 0),
      Augmentation.standard.batch(of: usual, indices: all, seed: 7, epoch: 3),
      Augmentation.standard.batch(of: usual, indices: all, seed: -2, epoch: 1),
      fixed(0), fixed(5),
      Augmentation.colourJitter(strength: 0.4).batch(of: usual, indices: all, seed: 7, epoch: 0),
      Augmentation.colourJitter(strength: 1).batch(of: usual, indices: all, seed: 8, epoch: 2),
      Augmentation.none.batch(of: usual, indices: all),
      Augmentation.none.batch(of: bicubic, indices: all),
    ]
    try Self.compare(batches.flatMap { try Self.bytes($0, usual) }, with: "views.bin")
  }

  @Test(arguments: [
    ("index.bin", nil), ("bicubic.bin", ResizeRule(shorterSide: 20, interpolation: .bicubic)),
  ])
  func `indexes of photographs are those that are recorded`(_ name: String, _ resize: ResizeRule?) throws {
    let dataset = try Dataset(
      train: Self.set(Self.names, resize: resize),
      test: Self.set(["images/photo.jpg", "images/colour.png"], resize: resize),
      validation: Self.set(["images/gray.png"], resize: resize))
    try Self.compare(dataset.packed, with: name)
  }
}
