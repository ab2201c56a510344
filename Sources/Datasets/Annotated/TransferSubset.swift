import Specs
import Tensors

/// Subsets of annotated images: those with the smallest number that a stream of their own gives them, in the
/// order of the files. They are the same for all seeds, and a larger subset holds every smaller one.
enum TransferSubset {
  /// Places in ascending order.
  ///
  /// - Parameter split: 0 for training images, 1 for those of the test.
  static func places(_ count: Int, of all: Int, split: Int) -> [Int] {
    count == all ? Array(0..<all) : ranked(all, split: split).prefix(count).sorted()
  }

  private static func ranked(_ all: Int, split: Int) -> [Int] {
    (0..<all).map { image -> (word: UInt64, image: Int) in
      var stream = RandomStream(seed: 1, "transfer/subset", split, image)
      return (stream.next(), image)
    }.sorted { $0 < $1 }.map(\.image)
  }

  /// Training images, and the validation images that were taken out before.
  static func train(
    _ spec: DatasetSpec, of all: Int
  ) throws(DatasetError) -> (train: [Int], validation: [Int]?) {
    let held = spec.validationImages
    let asked = (spec.trainImages ?? 1) + held
    guard asked <= all else {
      let key = held == 0 ? "trainImages" : "trainImages with validationImages"
      throw .tooFew(name: "the training set of \(spec.name)", key: key, asked: asked, present: all)
    }
    guard held > 0 else { return (places(spec.trainImages ?? all, of: all, split: 0), nil) }
    let order = ranked(all, split: 0)
    let rest = order.dropFirst(held)
    return (rest.prefix(spec.trainImages ?? rest.count).sorted(), order.prefix(held).sorted())
  }

  static func test(_ spec: DatasetSpec, of all: Int) throws(DatasetError) -> [Int] {
    guard let count = spec.testImages else { return Array(0..<all) }
    guard count <= all else {
      throw .tooFew(name: "the test set of \(spec.name)", key: "testImages", asked: count, present: all)
    }
    return places(count, of: all, split: 1)
  }
}
