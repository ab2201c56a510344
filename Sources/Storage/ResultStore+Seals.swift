import Foundation
import GRDB
package import Specs

/// That a run was executed again from its recorded inputs, and what came of it.
package struct Seal: Hashable, Sendable {
  /// Seconds since 1970.
  package var at: Int
  /// Whether every epoch's state and metrics and every checkpoint were the same, bit for bit.
  package var isEqual: Bool
  /// Epochs compared.
  package var epochs: Int
  /// What executed it again.
  package var provenance: Provenance

  package init(at: Int, isEqual: Bool, epochs: Int, provenance: Provenance) {
    self.at = at
    self.isEqual = isEqual
    self.epochs = epochs
    self.provenance = provenance
  }
}

extension ResultStore {
  /// Records the outcome of a verification; the newest of a run counts.
  package func seal(_ key: ContentKey, _ seal: Seal) throws(StoreError) {
    try write { db in
      guard
        let stage = try Int64.fetchOne(db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [key.stored])
      else { throw StoreError.unknownStage(key) }
      try db.execute(
        sql: """
          INSERT INTO verification (stage, at, equal, epochs, provenance) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (stage, at) DO UPDATE SET equal = excluded.equal, epochs = excluded.epochs, provenance = excluded.provenance
          """,
        arguments: [
          stage, seal.at, seal.isEqual, seal.epochs,
          String(decoding: seal.provenance.canonicalBytes, as: UTF8.self),
        ])
    }
  }

  /// The newest seal of every stage that has one.
  package func seals() throws(StoreError) -> [ContentKey: Seal] {
    try read { db in
      var seals: [ContentKey: Seal] = [:]
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT s.key, v.at, v.equal, v.epochs, v.provenance FROM verification v JOIN stage s ON s.id = v.stage
          ORDER BY v.at
          """)
      try StoredRow.each("verification", rows) { row in
        seals[try row.key("key")] = Seal(
          at: try row.integer("at"), isEqual: try row.flag("equal"), epochs: try row.integer("epochs"),
          provenance: try self.provenance(row.text("provenance")))
      }
      return seals
    }
  }
}
