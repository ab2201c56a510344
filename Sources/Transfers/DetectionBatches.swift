internal import Tensors

/// Which images of an epoch stand in which batch: a pure function of the seed and the epoch.
///
/// Images are taken in a shuffled order and put into the bin of their aspect; a bin that holds a group's
/// number of images gives a group. What is left at the end is joined, bin after bin. So many consecutive
/// groups are a batch; the last group and the last batch may be short. (open-mmlab/mmdetection,
/// `AspectRatioBatchSampler`, forms groups the same way.)
struct DetectionBatches: Sendable {
  /// Of each image that is trained on, the bin of its width / height.
  private let bins: [Int]
  private let groupSize: Int
  private let groupsPerBatch: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - aspects: width / height of each image.
  ///   - borders: between bins, ascending; a value on a border belongs to the bin above it.
  init(
    aspects: [Double], borders: [Double], groupSize: Int, batchSize: Int, seed: UInt64
  ) {
    bins = aspects.map { aspect in borders.count { $0 <= aspect } }
    self.groupSize = groupSize
    groupsPerBatch = batchSize / groupSize
    self.seed = seed
  }

  /// Of every batch its groups, of every group its images.
  func batches(epoch: Int) -> [[[Int]]] {
    var stream = RandomStream(seed: seed, "transfer/order", epoch)
    var open: [Int: [Int]] = [:]
    var groups: [[Int]] = []
    for index in stream.shuffled(count: bins.count) {
      open[bins[index], default: []].append(index)
      if open[bins[index]]!.count == groupSize {
        groups.append(open.removeValue(forKey: bins[index])!)
      }
    }
    let left = open.keys.sorted().flatMap { open[$0]! }
    groups += stride(from: 0, to: left.count, by: groupSize).map {
      Array(left[$0..<min($0 + groupSize, left.count)])
    }
    return stride(from: 0, to: groups.count, by: groupsPerBatch).map {
      Array(groups[$0..<min($0 + groupsPerBatch, groups.count)])
    }
  }

  var batchesPerEpoch: Int { batches(epoch: 0).count }
}
