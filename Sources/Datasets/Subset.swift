public import Specs
import Tensors

/// Class-balanced choices of images, the same for everyone who asks for the same numbers.
///
/// Images are taken in rounds, one of each class in each round, in an order of their class that a fixed
/// stream shuffles. So a larger subset holds every smaller one, and classes differ by at most one image
/// as long as none runs out.
enum Subset {
  /// Positions in ascending order of a training and a validation set without common images.
  /// - Parameter train: nil for all that validation leaves.
  static func split(
    _ labels: [Int], train: Int?, validation: Int
  ) -> (train: [Int], validation: [Int]) {
    let classes = shuffledClasses(labels, "subset.train")
    let held = Array(rounds(over: classes.map { $0.reversed() }).prefix(validation))
    var isHeld = [Bool](repeating: false, count: labels.count)
    for index in held { isHeld[index] = true }
    let rest = rounds(over: classes).filter { !isHeld[$0] }
    return (rest.prefix(train ?? rest.count).sorted(), held.sorted())
  }

  /// Positions in ascending order.
  static func test(_ labels: [Int], count: Int) -> [Int] {
    rounds(over: shuffledClasses(labels, "subset.test")).prefix(count).sorted()
  }

  private static func shuffledClasses(_ labels: [Int], _ purpose: String) -> [[Int]] {
    var classes = [[Int]](repeating: [], count: (labels.max() ?? -1) + 1)
    for (index, label) in labels.enumerated() { classes[label].append(index) }
    return classes.enumerated().map { label, members in
      var stream = RandomStream(seed: 0, purpose, label)
      return stream.shuffled(count: members.count).map { members[$0] }
    }
  }

  private static func rounds(over classes: [[Int]]) -> [Int] {
    var order: [Int] = []
    for round in 0..<(classes.map(\.count).max() ?? 0) {
      for members in classes where round < members.count { order.append(members[round]) }
    }
    return order
  }
}

extension Dataset {
  /// The share of some images that a grid asked for: class-balanced subsets, the same for everyone who asks
  /// for the same numbers, and the validation images taken out of those for training.
  ///
  /// - Throws: `DatasetError.tooFew` where there are fewer images than asked for.
  public init(_ spec: DatasetSpec, train: ImageSet, test: ImageSet) throws(DatasetError) {
    let asked = (spec.trainImages ?? 1) + spec.validationImages
    guard asked <= train.count else {
      let key = spec.validationImages == 0 ? "trainImages" : "trainImages with validationImages"
      throw .tooFew(name: "the training set of \(spec.name)", key: key, asked: asked, present: train.count)
    }
    if let count = spec.testImages, count > test.count {
      throw .tooFew(
        name: "the test set of \(spec.name)", key: "testImages", asked: count, present: test.count)
    }
    var (chosen, held): (ImageSet, ImageSet?) = (train, nil)
    if spec.trainImages != nil || spec.validationImages > 0 {
      let split = Subset.split(train.labels, train: spec.trainImages, validation: spec.validationImages)
      chosen = train.selecting(split.train)
      if spec.validationImages > 0 { held = train.selecting(split.validation) }
    }
    let tested = spec.testImages.map { test.selecting(Subset.test(test.labels, count: $0)) } ?? test
    self.init(train: chosen, test: tested, validation: held)
  }

  /// Generated images know no upper end, so a subset is as many as asked for.
  init(_ spec: DatasetSpec, generating source: SyntheticTask) throws(DatasetError) {
    let train = spec.trainImages ?? (SyntheticTask.trainImages - spec.validationImages)
    guard train > 0 else {
      throw .tooFew(
        name: source.name, key: "validationImages", asked: spec.validationImages,
        present: SyntheticTask.trainImages - 1)
    }
    let test = spec.testImages ?? SyntheticTask.testImages
    for (key, count) in [
      ("trainImages", train), ("testImages", test), ("validationImages", spec.validationImages),
    ]
    where count > SyntheticTask.mostImages {
      throw .tooFew(name: source.name, key: key, asked: count, present: SyntheticTask.mostImages)
    }
    self.init(
      train: source.images(.train, count: train), test: source.images(.test, count: test),
      validation: spec.validationImages > 0
        ? source.images(.validation, count: spec.validationImages) : nil)
  }
}
