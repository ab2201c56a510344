import CZlib
import Foundation
import Specs
import TestSupport

@testable import Datasets

/// A small dataset of a kind, made by a test.
struct SampleDataset: Sendable {
  /// As a grid names it, without its folder.
  let name: String
  let task: ImageTask
  let train: Int
  let test: Int
  /// Files by their paths below the folder; empty for a kind without files.
  let files: [String: [UInt8]]

  func write(to scratch: borrowing Scratch) throws {
    for (path, bytes) in files { try write(bytes, path, to: scratch) }
  }

  func write(_ bytes: [UInt8], _ path: String, to scratch: borrowing Scratch) throws {
    let url = URL(filePath: "\(scratch.path)/\(path)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  /// What a grid writes.
  func text(_ folder: String) -> String { files.isEmpty ? name : "\(name):\(folder)" }
}

extension SampleDataset {
  /// One of each kind of the catalog, by the kind's name.
  static let all: [String: SampleDataset] = [
    "synthetic": SampleDataset(
      name: "synthetic-2x6x5-3", task: ImageTask(channels: 2, height: 6, width: 5, classes: 3),
      train: SyntheticTask.trainImages, test: SyntheticTask.testImages, files: [:]),
    "fashion-mnist": idx(named: "fashion-mnist", side: 4), "idx": idx(named: "idx", side: 32),
    "cifar10": SampleDataset(
      name: "cifar10", task: ImageTask(channels: 3, height: 32, width: 32, classes: 10), train: 5, test: 2,
      files: [
        "data_batch_1.bin": cifar10([3, 9, 0]), "data_batch_2.bin": cifar10([1, 2]),
        "test_batch.bin": cifar10([7, 7]),
      ]),
    "cifar100": SampleDataset(
      name: "cifar100", task: ImageTask(channels: 3, height: 32, width: 32, classes: 100), train: 2, test: 1,
      files: [
        "train.bin": record([10, 49], 1) + record([4, 0], 2), "test.bin": record([4, 0], 3),
      ]),
    "imagefolder": SampleDataset(
      name: "imagefolder-16", task: ImageTask(channels: 3, height: 16, width: 16, classes: 2), train: 4,
      test: 2,
      files: photographs(classes: ["ant", "bee"])),
    "imagenet": SampleDataset(
      name: "imagenet", task: ImageTask(channels: 3, height: 224, width: 224, classes: 1000), train: 2000,
      test: 1000, files: photographs(classes: (0..<1000).map { String(format: "n%08d", $0) })),
  ]

  static func idx(named name: String, side: Int) -> SampleDataset {
    func images(_ count: Int) -> [UInt8] {
      IDXTests.images(
        [UInt8(count), UInt8(side), UInt8(side)], (0..<count * side * side).map { UInt8($0 & 255) })
    }
    return SampleDataset(
      name: name, task: ImageTask(channels: 1, height: side, width: side, classes: name == "idx" ? 3 : 10),
      train: 3, test: 2,
      files: [
        IDX.names[0]: images(3), IDX.names[1]: IDXTests.images([3], name == "idx" ? [0, 1, 2] : [0, 1, 9]),
        IDX.names[2]: images(2), IDX.names[3]: IDXTests.images([2], [2, 0]),
      ])
  }

  /// A record of CIFAR: labels, then pixels that differ from seed to seed.
  static func record(_ labels: [UInt8], _ seed: Int) -> [UInt8] {
    labels + (0..<3072).map { UInt8(truncatingIfNeeded: $0 * 7 + seed * 31) }
  }

  static func cifar10(_ labels: [UInt8]) -> [UInt8] {
    labels.enumerated().flatMap { record([$0.element], $0.offset + Int($0.element)) }
  }

  static func photograph(_ seed: Int) -> [UInt8] {
    JPEG.encoded((0..<24 * 20 * 3).map { UInt8(($0 * 3 + seed * 41) & 255) }, width: 24, height: 20)
  }

  /// Two for training and one for measuring of each class.
  static func photographs(classes: [String]) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    let seen = (0..<8).map(photograph)
    let unseen = (8..<12).map(photograph)
    for (label, name) in classes.enumerated() {
      files["train/\(name)/a.jpg"] = seen[2 * label % 8]
      files["train/\(name)/b.jpg"] = seen[(2 * label + 1) % 8]
      files["val/\(name)/c.jpg"] = unseen[label % 4]
    }
    return files
  }

  /// The Python version of some records, as Python 2 pickled it: protocol 2, byte
  /// strings, NumPy's array of bytes.
  static func pickled(_ records: [UInt8], labels keys: [String]) -> [UInt8] {
    let size = keys.count + 3072
    let count = records.count / size
    func short(_ text: String) -> [UInt8] { [0x55, UInt8(text.utf8.count)] + Array(text.utf8) }
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
    func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    let pixels = (0..<count).flatMap { records[($0 * size + keys.count)..<($0 + 1) * size] }
    var bytes: [UInt8] =
      [0x80, 2, 0x7d, 0x71, 1, 0x28] + short("batch_label") + [0x71, 2] + short("batch 1 of 5")
    for (place, key) in keys.enumerated() {
      bytes += short(key) + [0x5d, 0x71, UInt8(3 + place), 0x28]
      for image in 0..<count { bytes += [0x4b, records[image * size + place]] }
      bytes += [0x65]
    }
    bytes += short("data") + global("numpy.core.multiarray", "_reconstruct") + global("numpy", "ndarray")
    bytes +=
      [0x4b, 0, 0x85] + short("b") + [0x87, 0x52, 0x28, 0x4b, 1, 0x4d] + [
        UInt8(count & 255), UInt8(count >> 8),
      ]
    bytes +=
      [0x4d, 0, 12, 0x86] + global("numpy", "dtype") + short("u1") + [
        0x4b, 0, 0x4b, 1, 0x87, 0x52, 0x28, 0x4b, 3,
      ]
    bytes +=
      short("|") + [
        0x4e, 0x4e, 0x4e, 0x4a, 255, 255, 255, 255, 0x4a, 255, 255, 255, 255, 0x4b, 0, 0x74, 0x62,
      ]
    bytes += [0x89, 0x54] + word(pixels.count) + pixels + [0x74, 0x62]
    return bytes + [0x75, 0x2e]
  }

  static func tar(_ members: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    var archive: [UInt8] = []
    for (name, bytes) in members {
      var header = [UInt8](repeating: 0, count: 512)
      func put(_ text: String, at offset: Int) {
        for (place, byte) in text.utf8.enumerated() { header[offset + place] = byte }
      }
      put(name, at: 0)
      put("0000644\0", at: 100)
      put(
        String(repeating: "0", count: 11 - String(bytes.count, radix: 8).count)
          + String(bytes.count, radix: 8), at: 124)
      put("00000000000", at: 136)
      put("        0", at: 148)
      put("ustar\0" + "00", at: 257)
      let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
      put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
      archive += header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
    return archive + [UInt8](repeating: 0, count: 1024)
  }
}
