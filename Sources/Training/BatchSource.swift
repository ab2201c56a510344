package import Datasets
package import Networks
package import Specs
package import Tensors

/// Where a run's batches come from: images in an order that depends on the epoch alone.
package protocol BatchSource: Sendable {
  var task: ImageTask { get }
  /// Positions of each batch of an epoch (from 0), all images once.
  func order(epoch: Int) -> [[Int]]
  /// Training images as the epoch shows them, `[count, channels, height, width]`, and their targets.
  ///
  /// This and the others throw where images are read now and are no longer what they were.
  func trainingBatch(_ positions: [Int], epoch: Int) throws(DatasetError) -> (
    images: Tensor, targets: any Targets
  )
  /// Training images as they are, without augmentation.
  func plainBatch(_ positions: [Int]) throws(DatasetError) -> (images: Tensor, targets: any Targets)
  /// The number of the fixed view that the epoch shows of each image; nil where views
  /// are fresh in each epoch.
  func views(_ positions: [Int], epoch: Int) -> [Int]?
  /// The images that measure the run, in batches of a fixed order.
  var evaluationOrder: [[Int]] { get }
  func evaluationBatch(_ positions: [Int]) throws(DatasetError) -> (images: Tensor, targets: any Targets)
  /// A source whose measuring images are those held out for selection; nil where none are.
  var heldOut: (any BatchSource)? { get }
}

extension BatchSource {
  package var heldOut: (any BatchSource)? { nil }
}

extension BatchSource {
  package func views(_ positions: [Int], epoch: Int) -> [Int]? { nil }
}

/// Batches of a dataset: shuffled, cropped and mirrored by streams of the run's seed.
package struct DatasetBatches: BatchSource {
  /// Large enough to keep matrix products busy, small enough for the cache.
  private static let evaluationSize = 64

  private let dataset: Dataset
  private let batchSize: Int
  private let seed: Int
  private let plan: ViewPlan
  private let augmentation: Augmentation
  /// For photographs, which take time to decode.
  private let ahead: DecodeAhead?

  /// - Parameter augmentation: of training images.
  package init(
    _ dataset: Dataset, batchSize: Int, seed: Int, plan: ViewPlan = .fresh,
    augmentation: Augmentation = .standard
  ) {
    self.dataset = dataset
    self.batchSize = batchSize
    self.seed = seed
    self.plan = plan
    self.augmentation = augmentation
    ahead = dataset.train.photographs == nil ? nil : DecodeAhead()
  }

  package var task: ImageTask { dataset.task }

  package func order(epoch: Int) -> [[Int]] {
    BatchOrder.batches(count: dataset.train.count, batchSize: batchSize, seed: seed, epoch: epoch)
  }

  package func trainingBatch(
    _ positions: [Int], epoch: Int
  ) throws(DatasetError) -> (images: Tensor, targets: any Targets) {
    let make = { @Sendable [self] (positions: [Int]) throws(DatasetError) -> Tensor in
      guard let views = views(positions, epoch: epoch) else {
        return try augmentation.batch(
          of: dataset.train, indices: positions, seed: seed, epoch: epoch)
      }
      return try augmentation.batch(of: dataset.train, indices: positions, views: views)
    }
    let images = try made(positions, epoch: epoch, order: { order(epoch: epoch) }, make)
    return (images, dataset.train.targets(positions))
  }

  package func plainBatch(_ positions: [Int]) throws(DatasetError) -> (images: Tensor, targets: any Targets) {
    (
      try Augmentation.none.batch(of: dataset.train, indices: positions),
      dataset.train.targets(positions)
    )
  }

  package func views(_ positions: [Int], epoch: Int) -> [Int]? {
    plan.choice(positions, seed: seed, epoch: epoch)
  }

  package var evaluationOrder: [[Int]] {
    BatchOrder.inOrder(count: dataset.test.count, batchSize: Self.evaluationSize)
  }

  package func evaluationBatch(_ positions: [Int]) throws(DatasetError) -> (
    images: Tensor, targets: any Targets
  ) {
    let make = { @Sendable [dataset] (positions: [Int]) throws(DatasetError) -> Tensor in
      try Augmentation.none.batch(of: dataset.test, indices: positions)
    }
    // An epoch that no training has.
    let images = try made(positions, epoch: -1, order: { evaluationOrder }, make)
    return (images, dataset.test.targets(positions))
  }

  /// A batch made now, or taken from those that were made ahead.
  private func made(
    _ positions: [Int], epoch: Int, order: () -> [[Int]],
    _ make: @escaping @Sendable ([Int]) throws(DatasetError) -> Tensor
  ) throws(DatasetError) -> Tensor {
    guard let ahead else { return try make(positions) }
    return try ahead.batch(positions, epoch: epoch, order: order, make: make)
  }

  package var heldOut: (any BatchSource)? {
    dataset.validation.map {
      DatasetBatches(Dataset(train: dataset.train, test: $0), batchSize: batchSize, seed: seed)
    }
  }
}

extension ImageSet {
  /// What the images at some positions should come out as.
  fileprivate func targets(_ positions: [Int]) -> any Targets {
    ClassTargets(positions.map { labels[$0] }, classes: task.classes)
  }
}
