internal import Foundation

extension Lease {
  /// Opens a store for writing while its lease is held, and gives both back.
  ///
  ///     try Lease.holding(folder) { store in try store.setState(.open, of: key) }
  ///
  /// - Throws: `StoreError.held` where another process has the lease; what `body` throws.
  package static func holding<Value>(
    _ folder: StoreFolder, _ body: (ResultStore) throws -> Value
  ) throws -> Value {
    let lease = try Lease(of: folder, now: Int(Date.now.timeIntervalSince1970))
    return try withExtendedLifetime(lease) {
      let store = try ResultStore(at: folder, .writing)
      try store.claim()
      let value = try body(store)
      try store.release()
      try store.close()
      return value
    }
  }
}
