internal import Specs
internal import Storage
internal import Sweeps

/// What may be kept of what teachers say.
package struct CachePolicy: Sendable {
  /// Whether it is written and read at all.
  package var isUsed: Bool
  /// Bytes; nil for half of what the disk has free, what is kept already included.
  package var limit: Int?

  package init(isUsed: Bool = true, limit: Int? = nil) {
    self.isUsed = isUsed
    self.limit = limit
  }
}

/// Keeps cached teacher outputs within their limit: it makes room by removing those that nobody has read for
/// longest and nobody needs now.
final class CacheRoom {
  private let policy: CachePolicy
  private let folder: StoreFolder
  private let store: ResultStore
  /// Bytes promised to stages that run.
  private var promised: [ContentKey: Int] = [:]

  init(_ policy: CachePolicy, _ folder: StoreFolder, _ store: ResultStore) {
    self.policy = policy
    self.folder = folder
    self.store = store
  }

  /// Promises room to a stage, if there is some or some can be made.
  ///
  /// - Parameters:
  ///   - size: bytes that it will take.
  ///   - wanted: outputs that runs of this sweep still wait for; they stay.
  func make(for key: ContentKey, bytes size: Int, wanted: Set<ContentKey>) throws -> Bool {
    var kept: [(key: ContentKey, last: Int, bytes: Int)] = []
    for (stage, _) in try store.stages() where stage.role == .helper {
      if let use = folder.stage(stage.key).use { kept.append((stage.key, use.last, use.bytes)) }
    }
    var taken = kept.reduce(0) { $0 + $1.bytes } + promised.values.reduce(0, +)
    let limit = policy.limit ?? (taken + folder.freeBytes) / 2
    for old in kept.sorted(by: { ($0.last, $0.key) < ($1.last, $1.key) })
    where taken + size > limit && !wanted.contains(old.key) && old.key != key {
      guard try folder.stage(old.key).evict() else { continue }
      try store.setState(.open, of: old.key)
      taken -= old.bytes
    }
    guard taken + size <= limit else { return false }
    promised[key] = size
    return true
  }

  /// The stage has ended; what it wrote counts by itself from here on.
  func release(_ key: ContentKey) { promised[key] = nil }
}

extension StageRequest {
  /// Bytes that the stage will leave for others, where its output is one of those that are kept only as long
  /// as there is room; else nil.
  func keptBytes() throws -> Int? {
    guard role == .helper else { return nil }
    var meter = CostMeter()
    return try stage.cost(hasHelpers: false, &meter).map { Int($0.diskBytes) }
  }
}
