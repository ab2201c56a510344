import Specs
import Testing

@testable import Datasets

@Suite struct SyntheticTests {
  @Test func `the short name means the standard size`() throws {
    let short = try DatasetCatalog.locate("synthetic")
    #expect(try short.spec == DatasetCatalog.locate("synthetic-1x16x16-10").spec)
    #expect(short.spec.digest != nil && short.missing == nil)
  }

  @Test func `images are the same everywhere and in every version`() throws {
    let spec = DatasetSpec(name: "synthetic-3x12x10-40", trainImages: 80, testImages: 40)
    let data = try DatasetCatalog.read(spec)
    #expect(ContentKey(hashing: data.train.pixels).short == "e11fbd4ef7")
    #expect(ContentKey(hashing: data.test.pixels).short == "907c881b84")
  }

  @Test func `a larger set begins with the smaller one`() throws {
    let small = try DatasetCatalog.read(
      DatasetSpec(name: "synthetic-1x8x8-3", trainImages: 30, testImages: 6))
    let large = try DatasetCatalog.read(
      DatasetSpec(name: "synthetic-1x8x8-3", trainImages: 60, testImages: 6))
    #expect(large.train.pixels.starts(with: small.train.pixels) && large.test.pixels == small.test.pixels)
    #expect((0..<3).map { label in small.train.labels.count { $0 == label } } == [10, 10, 10])
  }

  @Test func `no image occurs twice, not even across the splits`() throws {
    let spec = DatasetSpec(name: "synthetic-1x8x8-3", trainImages: 60, testImages: 60, validationImages: 60)
    let data = try DatasetCatalog.read(spec)
    let sets = [data.train, data.test, try #require(data.validation)]
    let images = sets.flatMap { set in (0..<set.count).map { Array(set.pixels[$0 * 64..<($0 + 1) * 64]) } }
    #expect(Set(images).count == 180)
  }

  @Test(arguments: [
    "synthetic-", "synthetic-1x16x16", "synthetic-1x16-10", "synthetic-0x16x16-10", "synthetic-1x3x16-10",
    "synthetic-1x16x16-1", "synthetic-1x16x16x10", "synthetic-1x16x16-10-",
    "synthetic-1x9999999999999999999x16-10",
    "synthetic-1x16x+16-10", "synthetic:folder",
  ])
  func `a name that makes no task is refused`(_ name: String) {
    #expect(throws: DatasetError.self) { try DatasetCatalog.locate(name) }
  }

  /// Neither trivial nor hopeless without any learning: the nearest training image knows much more than
  /// chance and far from all.
  @Test func `classes are visible but not obvious`() throws {
    let data = try DatasetCatalog.read(DatasetSpec(name: "synthetic", trainImages: 400, testImages: 100))
    let size = data.task.pixelCount
    var right = 0
    for test in 0..<data.test.count {
      var best = (distance: Int.max, label: -1)
      for train in 0..<data.train.count {
        let distance = data.train.pixels.withUnsafeBufferPointer { a in
          data.test.pixels.withUnsafeBufferPointer { b in
            var sum = 0
            for k in 0..<size {
              let difference = Int(a[train &* size &+ k]) &- Int(b[test &* size &+ k])
              sum &+= difference &* difference
            }
            return sum
          }
        }
        if distance < best.distance { best = (distance, data.train.labels[train]) }
      }
      if best.label == data.test.labels[test] { right += 1 }
    }
    #expect((15...60).contains(right), "\(right) of 100")
  }
}
