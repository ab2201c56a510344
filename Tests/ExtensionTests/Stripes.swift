import Datasets
import Specs
import Tensors

/// Stripes that lie or stand, with noise: 1 × 8 × 8, two classes, drawn from a seed.
struct Stripes: DatasetKind {
  let name = "stripes"
  let summary = "stripes that lie or stand, 1 × 8 × 8, 2 classes"

  private static let task = ImageTask(channels: 1, height: 8, width: 8, classes: 2)
  private static let count = (train: 200, test: 100)

  func published(_ name: String) -> DatasetFacts? {
    DatasetFacts(
      task: .classification(classes: Self.task.classes), channels: Self.task.channels,
      size: .fixed(height: Self.task.height, width: Self.task.width), trainImages: Self.count.train,
      testImages: Self.count.test)
  }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    // Raised when other images are drawn: the digest stands for them in every key.
    let version = "stripes 1"
    return LocatedDataset(
      spec: DatasetSpec(
        name: name, digest: ContentKey(hashing: Array(version.utf8)), facts: published(place.name)))
  }

  func read(_ spec: DatasetSpec, _ place: DatasetPlace) throws -> Dataset {
    try Dataset(
      spec, train: Self.images(Self.count.train, "train"), test: Self.images(Self.count.test, "test"))
  }

  private static func images(_ count: Int, _ set: String) -> ImageSet {
    let labels = (0..<count).map { $0 % 2 }
    let pixels = labels.enumerated().flatMap { index, label in
      var stream = RandomStream(seed: 0, "stripes/\(set)", index)
      let phase = stream.index(below: 2)
      return (0..<64).map { place -> UInt8 in
        let line = label == 0 ? place / 8 : place % 8
        return ((line + phase) % 2 == 0 ? 40 : 160) + UInt8(stream.index(below: 56))
      }
    }
    return ImageSet(task: task, labels: labels, pixels: pixels, mean: [0.5], std: [0.25])
  }
}
