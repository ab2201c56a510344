import Specs
import Testing

@testable import Datasets

@Suite struct SubsetTests {
  /// 30 of class 0, 20 of class 1, 4 of class 2, mixed.
  private let labels = (0..<54).map { $0 % 13 == 5 ? 2 : ($0 % 5 < 3 ? 0 : 1) }

  private func counts(_ indices: [Int]) -> [Int] {
    (0..<3).map { label in indices.count { labels[$0] == label } }
  }

  @Test func `classes differ by at most one image until one runs out`() {
    for count in 0...12 {
      let chosen = counts(Subset.split(labels, train: count, validation: 0).train)
      #expect(chosen.max()! - chosen.min()! <= 1 && chosen.reduce(0, +) == count)
    }
    #expect(counts(Subset.split(labels, train: 30, validation: 0).train)[2] == counts(Array(0..<54))[2])
  }

  @Test func `a larger subset holds every smaller one`() {
    for validation in [0, 5] {
      var last: Set<Int> = []
      for count in 0...(54 - validation) {
        let chosen = Subset.split(labels, train: count, validation: validation).train
        #expect(chosen == chosen.sorted() && chosen.count == count)
        #expect(last.isSubset(of: chosen))
        last = Set(chosen)
      }
    }
  }

  @Test func `validation shares no image with training`() {
    let split = Subset.split(labels, train: nil, validation: 17)
    #expect(split.validation.count == 17 && split.train.count == 37)
    #expect(Set(split.train + split.validation) == Set(0..<54))
    #expect(counts(split.validation).max()! - counts(split.validation).min()! <= 6)
  }

  private let images = ImageSet(
    task: ImageTask(channels: 1, height: 1, width: 1, classes: 3), labels: [0, 1, 2, 0, 1, 2],
    pixels: [0, 1, 2, 3, 4, 5], mean: [0], std: [1])

  @Test func `subsets hold the images of their labels`() throws {
    let spec = DatasetSpec(name: "idx", trainImages: 3, testImages: 3, validationImages: 3)
    let data = try Dataset(spec, train: images, test: images)
    #expect(data.train.labels.sorted() == [0, 1, 2] && data.test.labels.sorted() == [0, 1, 2])
    for set in [data.train, data.test, data.validation!] {
      #expect(zip(set.labels, set.pixels).allSatisfy { $0 == Int($1) % 3 })
    }
    #expect(Set(data.train.pixels).isDisjoint(with: data.validation!.pixels))
  }

  @Test func `more images than there are is an error with both numbers`() {
    let asks: [(DatasetSpec, String)] = [
      (DatasetSpec(name: "idx", trainImages: 7), "trainImages"),
      (DatasetSpec(name: "idx", testImages: 7), "testImages"),
      (DatasetSpec(name: "idx", trainImages: 4, validationImages: 3), "validationImages"),
    ]
    for (spec, key) in asks {
      #expect {
        try Dataset(spec, train: images, test: images)
      } throws: {
        "\($0)".contains(key) && "\($0)".contains("7") && "\($0)".contains("6")
      }
    }
  }
}
