import GRDB
import Specs

extension ResultStore {
  /// Gives a sweep another name. Its runs are the same: they belong to keys.
  ///
  /// - Throws: `StoreError.unknownSweep`, `StoreError.otherSweep` where the name is taken.
  package func renameSweep(_ name: String, to other: String) throws(StoreError) {
    _ = try sweep(name)
    try write { db in
      let taken = try Int.fetchOne(db, sql: "SELECT count(*) FROM sweep WHERE name = ?", arguments: [other])
      guard taken == 0 else { throw StoreError.otherSweep(self.path, name: other) }
      try db.execute(sql: "UPDATE sweep SET name = ? WHERE name = ?", arguments: [other, name])
      if let id = try Int.fetchOne(db, sql: "SELECT id FROM sweep WHERE name = ?", arguments: [other]) {
        try self.writeDigest(ofSweep: id, db)
      }
    }
  }

  /// Forgets a sweep. Its runs stay until `gc` finds that no sweep reaches them.
  ///
  /// - Throws: `StoreError.unknownSweep`.
  package func removeSweep(_ name: String) throws(StoreError) {
    _ = try sweep(name)
    try write { db in try db.execute(sql: "DELETE FROM sweep WHERE name = ?", arguments: [name]) }
  }
}
