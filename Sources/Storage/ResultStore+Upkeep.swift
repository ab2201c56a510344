import Foundation
import GRDB
package import Specs

#if canImport(Glibc)
  import Glibc
#endif

extension ResultStore {
  /// What is wrong with the file itself and with the digests in it; a sentence each.
  package func damages() throws(StoreError) -> [String] {
    try read { db in
      var damages = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
      damages += try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { row in
        "a row of \(row[0] as String? ?? "?") refers to nothing"
      }
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT d.digest, d.size, d.frame, k.kind, s.key FROM content d
          LEFT JOIN checkpoint k ON k.content = d.id LEFT JOIN stage s ON s.id = k.stage GROUP BY d.id
          """)
      try StoredRow.each("content", rows) { row in
        let owner = try row.optionalKey("key")?.short ?? "no run"
        let name = "the \(try row.optionalText("kind") ?? "orphaned") checkpoint of \(owner)"
        do {
          _ = try StoredContent(row).unpacked()
        } catch let damage as ContentDamage {
          damages.append("\(name): \(damage.problem)")
        }
      }
      damages += try Self.checkDigests(.all, db).damages
      damages += try self.damagesOfSweeps(db)
      return damages
    } + damagedSeals()
  }

  /// Forgets stages with all that belongs to them, and gives their room back.
  package func remove(_ keys: [ContentKey]) throws(StoreError) {
    try write { db in
      let delete = try db.makeStatement(sql: "DELETE FROM stage WHERE key = ?")
      for key in keys { try delete.execute(arguments: [key.stored]) }
      try db.execute(sql: "DELETE FROM content WHERE \(Self.unused)")
    }
    try giveRoomBack()
  }

  /// Leaves out every checkpoint: what remains is numbers, and what made them.
  package func dropCheckpoints() throws(StoreError) {
    try write { db in
      for id in try Int.fetchAll(db, sql: "SELECT DISTINCT stage FROM checkpoint") {
        try self.keepingDigests(ofStage: id, db) {
          try db.execute(sql: "DELETE FROM checkpoint WHERE stage = ?", arguments: [id])
        }
      }
      try db.execute(sql: "DELETE FROM content WHERE \(Self.unused)")
    }
    try giveRoomBack()
  }
}

extension ResultStore {
  /// Gives the room of removed rows back to the disk.
  private func giveRoomBack() throws(StoreError) {
    try Self.translating(path) {
      try database.writeWithoutTransaction { db in
        // VACUUM prefers SQLite's own functions, which it would not let the file's schema call. The
        // schema is known to be ours.
        try db.execute(sql: "PRAGMA trusted_schema = ON; VACUUM; PRAGMA trusted_schema = OFF")
      }
    }
  }
}

// MARK: Stores into stores

extension ResultStore {
  /// Takes stages and sweeps over from another store's file. What is finished here stays as it is; a sweep
  /// that is here under the same name has to ask for the same runs.
  ///
  /// - Parameters:
  ///   - keys: of the stages; nil for all.
  ///   - sweeps: by name; nil for all.
  /// - Throws: `StoreError.otherSweep`.
  package func merge(
    _ other: String, keys: Set<ContentKey>? = nil, sweeps: [String]? = nil
  ) throws(StoreError) {
    try Self.translating(path) {
      try database.writeWithoutTransaction { db in
        try db.execute(sql: "ATTACH ? AS a", arguments: [other])
        defer { try? db.execute(sql: "DETACH a") }
        try SchemaTrust.withhold(from: db)
        // Deferred: the other store is only read, and its writer is to go on meanwhile.
        try db.inTransaction(.deferred) {
          try self.fence(db)
          try Self.choose(keys, sweeps, db)
          if let name = try String.fetchOne(db, sql: Self.contradiction) {
            throw StoreError.otherSweep(self.path, name: name)
          }
          try db.execute(sql: Self.copy)
          let hasDigests = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM a.sqlite_master WHERE type = 'table' AND name = 'stage_digest'")
          if hasDigests == 1 { try db.execute(sql: Self.copyDigests) }
          return .commit
        }
      }
    }
  }

  private static func choose(_ keys: Set<ContentKey>?, _ sweeps: [String]?, _ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TEMP TABLE IF NOT EXISTS wanted (key BLOB PRIMARY KEY); DELETE FROM temp.wanted;
        CREATE TEMP TABLE IF NOT EXISTS grids (name TEXT PRIMARY KEY); DELETE FROM temp.grids;
        """)
    if let keys {
      for key in keys.sorted() {
        try db.execute(sql: "INSERT INTO temp.wanted VALUES (?)", arguments: [key.stored])
      }
    } else {
      try db.execute(sql: "INSERT INTO temp.wanted SELECT key FROM a.stage")
    }
    for name in try sweeps ?? String.fetchAll(db, sql: "SELECT name FROM a.sweep") {
      try db.execute(sql: "INSERT INTO temp.grids VALUES (?)", arguments: [name])
    }
  }

  private static let contradiction = """
    SELECT t.name FROM a.sweep t JOIN temp.grids g ON g.name = t.name JOIN main.sweep m ON m.name = t.name
    WHERE m.digest <> t.digest ORDER BY t.name LIMIT 1
    """

  private static let copy = """
    CREATE TEMP TABLE IF NOT EXISTS fresh (key BLOB PRIMARY KEY); DELETE FROM temp.fresh;
    INSERT INTO temp.fresh SELECT s.key FROM a.stage s JOIN temp.wanted w ON w.key = s.key
      WHERE NOT EXISTS (SELECT 1 FROM main.stage m WHERE m.key = s.key AND (m.state = 'finished' OR s.state <> 'finished'));
    INSERT OR IGNORE INTO main.name (name) SELECT name FROM a.name;
    DELETE FROM main.stage WHERE key IN (SELECT key FROM temp.fresh);
    INSERT INTO main.stage (key, kind, title, spec, state, cause, reason, epoch, step)
      SELECT key, kind, title, spec, state, cause, reason, epoch, step FROM a.stage WHERE key IN (SELECT key FROM temp.fresh);
    CREATE TEMP TABLE IF NOT EXISTS pair (old INTEGER PRIMARY KEY, new INTEGER); DELETE FROM temp.pair;
    INSERT INTO temp.pair SELECT s.id, m.id FROM a.stage s JOIN temp.fresh f ON f.key = s.key JOIN main.stage m ON m.key = s.key;
    INSERT INTO main.attempt (stage, number, ingested, step, provenance, outcome, reason)
      SELECT p.new, x.number, x.ingested, x.step, x.provenance, x.outcome, x.reason
      FROM a.attempt x JOIN temp.pair p ON p.old = x.stage;
    INSERT INTO main.metric (stage, name, epoch, value)
      SELECT p.new, n.id, x.epoch, x.value FROM a.metric x JOIN temp.pair p ON p.old = x.stage
      JOIN a.name o ON o.id = x.name JOIN main.name n ON n.name = o.name;
    INSERT INTO main.epoch (stage, epoch, step, attempt, state)
      SELECT p.new, x.epoch, x.step, x.attempt, x.state FROM a.epoch x JOIN temp.pair p ON p.old = x.stage;
    INSERT OR IGNORE INTO main.content (digest, size, frame)
      SELECT c.digest, c.size, c.frame FROM a.content c
      WHERE c.id IN (SELECT x.content FROM a.checkpoint x JOIN temp.pair p ON p.old = x.stage);
    INSERT INTO main.checkpoint (stage, kind, epoch, step, content)
      SELECT p.new, x.kind, x.epoch, x.step, m.id FROM a.checkpoint x JOIN temp.pair p ON p.old = x.stage
      JOIN a.content c ON c.id = x.content JOIN main.content m ON m.digest = c.digest;
    INSERT INTO main.verification (stage, at, equal, epochs, provenance)
      SELECT p.new, x.at, x.equal, x.epochs, x.provenance FROM a.verification x JOIN temp.pair p ON p.old = x.stage;
    INSERT OR IGNORE INTO main.sweep (name, grid, canonical, columns, asked, digest, created)
      SELECT t.name, t.grid, t.canonical, t.columns, t.asked, t.digest, t.created
      FROM a.sweep t JOIN temp.grids g ON g.name = t.name;
    INSERT OR IGNORE INTO main.point (sweep, ordinal, key, seed, labels)
      SELECT m.id, x.ordinal, x.key, x.seed, x.labels FROM a.point x JOIN a.sweep t ON t.id = x.sweep
      JOIN temp.grids g ON g.name = t.name JOIN main.sweep m ON m.name = t.name;
    DELETE FROM main.content WHERE \(unused);
    """

  /// Of contents that nothing refers to.
  private static let unused =
    "id NOT IN (SELECT content FROM checkpoint) AND id NOT IN (SELECT content FROM weights)"

  /// What only stores of this program's last migration have: read where it is there.
  private static let copyDigests = """
    INSERT OR IGNORE INTO main.stage_digest (stage, summary, epochs)
      SELECT p.new, x.summary, x.epochs FROM a.stage_digest x JOIN temp.pair p ON p.old = x.stage;
    INSERT OR IGNORE INTO main.verification_digest (stage, at, digest)
      SELECT p.new, x.at, x.digest FROM a.verification_digest x JOIN temp.pair p ON p.old = x.stage;
    INSERT OR IGNORE INTO main.need (sweep, key, spec)
      SELECT m.id, x.key, x.spec FROM a.need x JOIN a.sweep t ON t.id = x.sweep
      JOIN temp.grids g ON g.name = t.name JOIN main.sweep m ON m.name = t.name
      WHERE NOT EXISTS (SELECT 1 FROM main.sweep_digest d WHERE d.sweep = m.id);
    INSERT OR IGNORE INTO main.sweep_digest (sweep, digest)
      SELECT m.id, x.digest FROM a.sweep_digest x JOIN a.sweep t ON t.id = x.sweep
      JOIN temp.grids g ON g.name = t.name JOIN main.sweep m ON m.name = t.name;
    """

  /// Leaves out the newest snapshots of runs that have a final state: nothing goes on from them.
  ///
  /// - Parameter kinds: of stages that keep theirs.
  package func dropResumePoints(keeping kinds: [String]) throws(StoreError) {
    try write { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT s.id, s.kind FROM checkpoint k JOIN stage s ON s.id = k.stage WHERE k.kind = 'last'")
      for row in rows {
        let row = StoredRow("stage", row)
        guard try !kinds.contains(row.text("kind")) else { continue }
        let id = try row.integer("id")
        try self.keepingDigests(ofStage: id, db) {
          try db.execute(
            sql: "DELETE FROM checkpoint WHERE kind = 'last' AND stage = ?", arguments: [id])
        }
      }
      try db.execute(sql: "DELETE FROM content WHERE \(Self.unused)")
    }
    try giveRoomBack()
  }
}

// MARK: Files of weights in archives

extension ResultStore {
  /// Keeps a file of imported weights in the database.
  package func addWeights(_ bytes: [UInt8]) throws(StoreError) {
    let packed = PackedCheckpoint(Checkpoint(kind: .final, epoch: 0, step: 0, bytes: bytes))
    try write { db in
      try db.execute(
        sql: "INSERT OR IGNORE INTO content (digest, size, frame) VALUES (?, ?, ?)",
        arguments: [packed.digest.stored, packed.size, Data(packed.frame)])
      try db.execute(
        sql: "INSERT OR IGNORE INTO weights (content) SELECT id FROM content WHERE digest = ?",
        arguments: [packed.digest.stored])
    }
  }

  /// The digests of the files of weights that are in the database, in ascending order.
  package func weights() throws(StoreError) -> [ContentKey] {
    try read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT c.digest AS key FROM weights w JOIN content c ON c.id = w.content ORDER BY c.digest")
      var keys: [ContentKey] = []
      try StoredRow.each("weights", rows) { keys.append(try $0.key("key")) }
      return keys
    }
  }

  /// The bytes of a file of weights, compared with its digest; nil where it is not in the database.
  package func weights(_ digest: ContentKey) throws(StoreError) -> [UInt8]? {
    try read { db in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT c.digest, c.size, c.frame FROM weights w JOIN content c ON c.id = w.content WHERE c.digest = ?
          """, arguments: [digest.stored])
      return try row.map { row in
        let row = StoredRow("content", row)
        do {
          return try StoredContent(row).unpacked()
        } catch let damage as ContentDamage {
          throw RowDamage(table: "content", row: "digest = \(digest.short)", problem: damage.problem)
        }
      }
    }
  }
}
