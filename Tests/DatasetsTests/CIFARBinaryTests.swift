import Foundation
import Specs
import Testing

@testable import Datasets

@Suite struct CIFARBinaryTests {
  /// A record of CIFAR-100 whose pixels count up from the fine label.
  private func record(coarse: UInt8, fine: UInt8) -> [UInt8] {
    [coarse, fine] + (0..<3072).map { UInt8(truncatingIfNeeded: $0 + Int(fine)) }
  }

  private func read(_ bytes: [UInt8]) throws -> ImageSet {
    try CIFARBinary.hundred.read([DataFile(path: "train.bin", bytes: bytes)])
  }

  @Test func `records become labels and pixels in their order`() throws {
    let set = try read(record(coarse: 10, fine: 49) + record(coarse: 4, fine: 0))
    #expect(set.labels == [49, 0])
    #expect(set.task == ImageTask(channels: 3, height: 32, width: 32, classes: 100))
    #expect(set.pixels.count == 2 * 3072)
    #expect(set.pixels[0] == 49 && set.pixels[3071] == UInt8((3071 + 49) & 255) && set.pixels[3073] == 1)
  }

  @Test func `a file that ends inside a record is refused with the offset`() throws {
    let bytes = Array((record(coarse: 10, fine: 49) + record(coarse: 4, fine: 0)).dropLast(5))
    #expect {
      try read(bytes)
    } throws: {
      guard case DatasetError.malformed("train.bin", 3074, _, _) = $0 else { return false }
      return "\($0)".contains("3069 bytes up to the end")
    }
  }

  @Test func `an empty file is refused`() throws {
    #expect(throws: DatasetError.self) { try read([]) }
  }

  @Test func `labels out of range and coarse labels of another class are refused with the offset`() throws {
    let good = record(coarse: 10, fine: 49)
    for (bad, offset) in [(record(coarse: 10, fine: 100), 3075), (record(coarse: 11, fine: 49), 3074)] {
      #expect {
        try read(good + bad)
      } throws: {
        guard case DatasetError.malformed(_, let found, _, _) = $0 else { return false }
        return found == offset
      }
    }
    #expect(throws: DatasetError.self) {
      try CIFARBinary.ten.read([DataFile(path: "data_batch_1.bin", bytes: [10] + good.dropFirst(2))])
    }
  }

  @Test(.enabled(if: RealData.has("\(RealData.folder)/cifar100/test.bin"), "CIFAR-100 is read"))
  func `real CIFAR-100 images are those of the file, byte for byte`() throws {
    let path = "\(RealData.folder)/cifar100/test.bin"
    let located = try DatasetCatalog.locate("cifar100", searching: [RealData.folder])
    #expect(located.missing == nil)
    #expect(located.spec.folder == "\(RealData.folder)/cifar100")
    let data = try DatasetCatalog.read(located.spec)
    let bytes = try Data(contentsOf: URL(filePath: path))
    #expect(data.test.count == bytes.count / 3074)
    for image in [0, 1, data.test.count - 1] {
      #expect(data.test.labels[image] == Int(bytes[image * 3074 + 1]))
      #expect(
        data.test.pixels[image * 3072..<(image + 1) * 3072].elementsEqual(
          bytes[(image * 3074 + 2)..<(image + 1) * 3074]))
    }
    #expect(Set(data.train.labels).count == 100)
  }

  @Test(.enabled(if: RealData.has("\(RealData.folder)/cifar10/test_batch.bin"), "CIFAR-10 is read"))
  func `part of CIFAR-10 reads`() throws {
    let located = try DatasetCatalog.locate("cifar10:\(RealData.folder)/cifar10/")
    let data = try DatasetCatalog.read(located.spec)
    #expect(data.train.count > 0 && data.test.count > 0)
    #expect(data.train.labels.allSatisfy { (0..<10).contains($0) })
  }
}
