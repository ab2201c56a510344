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

extension Seal {
  /// Over all of it and the stage that it is of.
  ///
  /// - Parameter text: the provenance as it is written.
  func digest(of key: ContentKey, provenance text: String) -> ContentKey {
    var hasher = ContentHasher()
    hasher.field("stage", key)
    hasher.field("at", "\(at)")
    hasher.field("equal", "\(isEqual)")
    hasher.field("epochs", "\(epochs)")
    hasher.field("provenance", text)
    return hasher.finished()
  }
}

extension ResultStore {
  /// Records the outcome of a verification; the newest of a run counts.
  package func seal(_ key: ContentKey, _ seal: Seal) throws(StoreError) {
    try write { db in try self.seal(key, seal, db) }
  }

  func seal(_ key: ContentKey, _ seal: Seal, _ db: Database) throws {
    let provenance = String(decoding: seal.provenance.canonicalBytes, as: UTF8.self)
    guard
      let stage = try Int64.fetchOne(db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [key.stored])
    else { throw StoreError.unknownStage(key) }
    try db.execute(
      sql: """
        INSERT INTO verification (stage, at, equal, epochs, provenance) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (stage, at) DO UPDATE
        SET equal = excluded.equal, epochs = excluded.epochs, provenance = excluded.provenance
        """,
      arguments: [
        stage, seal.at, seal.isEqual, seal.epochs, provenance,
      ])
    try db.execute(
      sql: """
        INSERT INTO verification_digest (stage, at, digest) VALUES (?, ?, ?)
        ON CONFLICT (stage, at) DO UPDATE SET digest = excluded.digest
        """, arguments: [stage, seal.at, seal.digest(of: key, provenance: provenance).stored])
  }

  /// Takes over the seals of another store whose stages have the same epochs and numbers here.
  ///
  /// - Returns: how many were taken over, and how many were not.
  package func keepSeals(of other: ResultStore) throws(StoreError) -> (kept: Int, lost: Int) {
    let changed = Set(try other.changedSeals())
    let theirs = try other.allSeals()
    let (old, new) = (try other.epochDigests(), try epochDigests())
    var (kept, lost) = (0, 0)
    try write { db in
      for (key, seal) in theirs {
        guard let digest = new[key], digest == old[key], !changed.contains(key) else {
          lost += 1
          continue
        }
        try self.seal(key, seal, db)
        kept += 1
      }
    }
    return (kept, lost)
  }

  private func allSeals() throws(StoreError) -> [(key: ContentKey, seal: Seal)] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT s.key, v.at, v.equal, v.epochs, v.provenance FROM verification v JOIN stage s ON s.id = v.stage
          ORDER BY s.key, v.at
          """)
      var seals: [(key: ContentKey, seal: Seal)] = []
      try StoredRow.each("verification", rows) { row in
        seals.append((try row.key("key"), try self.seal(row)))
      }
      return seals
    }
  }

  /// Seals that are not what was written; a sentence each.
  package func damagedSeals() throws(StoreError) -> [String] {
    try changedSeals().map { "a seal of \($0.short) was changed after it was written" }
  }

  private func changedSeals() throws(StoreError) -> [ContentKey] {
    try read { db in
      var changed: [ContentKey] = []
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT s.key, v.at, v.equal, v.epochs, v.provenance, d.digest FROM verification v
          JOIN stage s ON s.id = v.stage
          LEFT JOIN verification_digest d ON d.stage = v.stage AND d.at = v.at ORDER BY s.key, v.at
          """)
      try StoredRow.each("verification", rows) { row in
        let key = try row.key("key")
        guard let digest = try row.optionalKey("digest") else { return }
        if try self.seal(row).digest(of: key, provenance: row.text("provenance")) != digest {
          changed.append(key)
        }
      }
      return changed
    }
  }

  private func seal(_ row: StoredRow) throws -> Seal {
    Seal(
      at: try row.integer("at"), isEqual: try row.flag("equal"), epochs: try row.integer("epochs"),
      provenance: try provenance(row.text("provenance")))
  }

  /// The newest seal of every stage that has one.
  package func seals() throws(StoreError) -> [ContentKey: Seal] { try read { try self.newestSeals($0) } }

  func newestSeals(_ db: Database) throws -> [ContentKey: Seal] {
    var seals: [ContentKey: Seal] = [:]
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT s.key, v.at, v.equal, v.epochs, v.provenance FROM verification v JOIN stage s ON s.id = v.stage
        ORDER BY v.at
        """)
    try StoredRow.each("verification", rows) { row in
      seals[try row.key("key")] = try self.seal(row)
    }
    return seals
  }
}
