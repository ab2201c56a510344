internal import Specs
package import Tensors

/// Which view of an image an epoch shows: what may change from epoch to epoch, and who decides it.
///
/// Fixed views are those of the image, whatever the run: view `v` of image `i` is drawn from the stream
/// ("view", v, i) of seed 0, so that what a teacher says of them serves every run of every seed, and the
/// views of a smaller K are the first ones of a larger. Which of them an epoch shows is the run's own choice,
/// drawn from the stream ("view.choice", epoch, image) of its seed: runs of different seeds stay independent
/// in the order and the choice of views, and share the K crops themselves.
package enum ViewPlan: Hashable, Sendable {
  /// A new view each epoch, from the run's seed.
  case fresh
  /// One of `count` views, at least 1.
  case fixed(count: Int)

  /// - Parameter views: K as in a run's specification; 0 for fresh ones.
  package init(views: Int) { self = views > 0 ? .fixed(count: views) : .fresh }

  /// The number of the view that an epoch shows of each image; nil where views are fresh.
  package func choice(_ positions: [Int], seed: Int, epoch: Int) -> [Int]? {
    guard case .fixed(let count) = self else { return nil }
    return positions.map { position in
      var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), "view.choice", epoch, position)
      return stream.index(below: count)
    }
  }
}

extension Augmentation {
  /// Fixed views of images, one each: `[indices.count, channels, height, width]`, single, normalised.
  ///
  /// - Parameter views: the number of the view of each index, from 0.
  package func batch(of set: ImageSet, indices: [Int], views: [Int]) throws(DatasetError) -> Tensor {
    precondition(indices.count == views.count, "\(indices.count) images and \(views.count) views")
    return try batch(of: set, indices: indices) { position in
      RandomStream(seed: 0, "view", views[position], indices[position])
    }
  }
}
