import Tensors

/// In which order a run sees its training images.
package enum BatchOrder {
  /// Positions of each batch of an epoch: all images once, shuffled by (seed, epoch). The
  /// last batch may be smaller.
  package static func batches(count: Int, batchSize: Int, seed: Int, epoch: Int) -> [[Int]] {
    precondition(batchSize > 0, "batches of \(batchSize)")
    var stream = RandomStream(seed: UInt64(bitPattern: Int64(seed)), "shuffle", epoch)
    return batches(of: stream.shuffled(count: count), batchSize)
  }

  /// Positions of each batch in the order of the set, for evaluation.
  package static func inOrder(count: Int, batchSize: Int) -> [[Int]] {
    precondition(batchSize > 0, "batches of \(batchSize)")
    return batches(of: Array(0..<count), batchSize)
  }

  private static func batches(of order: [Int], _ size: Int) -> [[Int]] {
    stride(from: 0, to: order.count, by: size).map { Array(order[$0..<min(order.count, $0 + size)]) }
  }
}
