package import Networks
package import Tensors

/// Training images that the student got wrong (MMKD): filled with the first batches, then overwritten at
/// random.
///
/// Holds where the images are, not the images: an augmented view is a function of its epoch and its place.
package struct HardBuffer: Sendable {
  private let capacity: Int
  package private(set) var views: [SampleView] = []

  package init(capacity: Int) { self.capacity = capacity }

  package var count: Int { views.count }

  /// Until the buffer is exactly full all images go in, and what does not fit is dropped; later those that
  /// are wrong overwrite different entries.
  ///
  /// - Returns: the overwritten entries, in the order of the images; nil while the buffer was filling.
  @discardableResult
  package mutating func add(
    _ batch: [SampleView], isWrong: [Bool], _ stream: inout RandomStream
  ) -> [Int]? {
    if views.count < capacity {
      views += batch.prefix(capacity - views.count)
      return nil
    }
    let wrong = zip(batch, isWrong).filter(\.1).map(\.0)
    let places = Array(stream.shuffled(count: capacity).prefix(wrong.count))
    for (view, place) in zip(wrong, places) { views[place] = view }
    return places
  }

  /// Different entries: their numbers in `views`.
  package func draw(_ count: Int, _ stream: inout RandomStream) -> [Int] {
    Array(stream.shuffled(count: views.count).prefix(count))
  }
}

extension HardBuffer: Snapshotting {
  package func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "epochs", views.map(\.epoch))
    snapshot.put(prefix + "samples", views.map(\.sample))
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    let epochs = try snapshot.integers(prefix + "epochs")
    let samples = try snapshot.integers(prefix + "samples")
    guard epochs.count == samples.count, epochs.count <= capacity else {
      throw SnapshotError.unexpected(
        prefix + "epochs", found: "\(epochs.count) and \(samples.count) integers",
        expected: "two lists of at most \(capacity)")
    }
    views = zip(epochs, samples).map { SampleView(epoch: $0, sample: $1) }
  }
}
