import Specs
import Testing

@testable import Datasets

@Suite struct PackedDatasetTests {
  private func data(validation: Int = 4) throws -> Dataset {
    try DatasetCatalog.read(
      DatasetSpec(name: "synthetic-2x5x4-300", trainImages: 9, testImages: 7, validationImages: validation))
  }

  private func same(_ a: ImageSet, _ b: ImageSet) -> Bool {
    a.task == b.task && a.labels == b.labels && a.pixels == b.pixels && a.mean == b.mean && a.std == b.std
  }

  @Test(arguments: [0, 4])
  func `what was packed unpacks`(_ validation: Int) throws {
    let data = try data(validation: validation)
    let again = try Dataset(packed: data.packed, name: "data")
    #expect(same(again.train, data.train) && same(again.test, data.test))
    #expect((again.validation == nil) == (validation == 0))
    if let first = again.validation, let second = data.validation { #expect(same(first, second)) }
    #expect(again.packed == data.packed)
  }

  @Test func `cut anywhere, packed bytes are refused`() throws {
    let bytes = try data().packed
    for end in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: DatasetError.self) { try Dataset(packed: Array(bytes.prefix(end)), name: "data") }
    }
    #expect(throws: DatasetError.self) { try Dataset(packed: bytes + [0], name: "data") }
  }

  @Test func `sizes that no file can have are refused without asking for memory`() throws {
    let bytes = try data().packed
    for word in 0..<7 {
      var altered = bytes
      for byte in 0..<8 { altered[8 + 8 * word + byte] = 0x7f }
      #expect(throws: DatasetError.self) { try Dataset(packed: altered, name: "data") }
    }
  }

  @Test func `a label beyond the classes is refused with its place`() throws {
    var bytes = try data().packed
    let labels = 8 + 7 * 8 + 4 * 8
    (bytes[labels], bytes[labels + 1]) = (0xff, 0x7f)
    #expect {
      try Dataset(packed: bytes, name: "data")
    } throws: {
      guard case DatasetError.malformed("data", let offset, _, "32767") = $0 else { return false }
      return offset == labels
    }
  }
}
