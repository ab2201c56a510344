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
      return damages
    }
  }

  /// Forgets stages with all that belongs to them, and gives their room back.
  package func remove(_ keys: [ContentKey]) throws(StoreError) {
    try write { db in
      let delete = try db.makeStatement(sql: "DELETE FROM stage WHERE key = ?")
      for key in keys { try delete.execute(arguments: [key.stored]) }
      try db.execute(sql: "DELETE FROM content WHERE id NOT IN (SELECT content FROM checkpoint)")
    }
    try Self.translating(path) { try database.vacuum() }
  }
}

// MARK: Stores into stores

extension ResultStore {
  /// Takes stages and sweeps over from another store's file. What is finished here stays as it is; a sweep that is here under the same name has to
  /// ask for the same runs.
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
        try db.inTransaction {
          try Self.choose(keys, sweeps, db)
          if let name = try String.fetchOne(db, sql: Self.contradiction) {
            throw StoreError.otherSweep(self.path, name: name)
          }
          try db.execute(sql: Self.copy)
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
    DELETE FROM main.content WHERE id NOT IN (SELECT content FROM main.checkpoint);
    """

  /// Leaves out the newest snapshots of runs that have a final state: nothing goes on from them.
  package func dropResumePoints(keeping kinds: [String]) throws(StoreError) {
    try write { db in
      try db.execute(
        sql: """
          DELETE FROM checkpoint WHERE kind = 'last'
            AND stage IN (SELECT id FROM stage WHERE kind NOT IN (\(kinds.map { "'\($0)'" }.joined(separator: ", "))))
          """)
      try db.execute(sql: "DELETE FROM content WHERE id NOT IN (SELECT content FROM checkpoint)")
    }
    try Self.translating(path) { try database.vacuum() }
  }
}

/// One file with all that a sweep's report needs: a store of its own behind a mark and the SHA-256 of what follows.
package enum StoreArchive {
  private static let magic = Array("mtkdarc1".utf8)

  /// Packs a store's file. - Parameter name: of the sweep, for complaints.
  package static func pack(_ database: String, to path: String) throws(FileError) {
    let bytes = try AtomicFile.read(database)
    try AtomicFile.write(magic + ContentKey(hashing: bytes).digest + bytes, to: path)
  }

  /// Writes the store that an archive holds to a file.
  /// - Throws: `StoreError.notAnArchive` for anything that is not one, whole.
  package static func unpack(_ path: String, to database: String) throws(StoreError) {
    do throws(FileError) {
      let bytes = try AtomicFile.read(path)
      guard bytes.count > 40, bytes.starts(with: magic) else {
        throw FileError("recognise", path, code: EINVAL)
      }
      guard Array(bytes[8..<40]) == ContentKey(hashing: Array(bytes[40...])).digest else {
        throw FileError("trust", path, code: EBADMSG)
      }
      try AtomicFile.write(Array(bytes[40...]), to: database)
    } catch {
      if error.code == EINVAL { throw .notAnArchive(path, reason: "it does not begin like one") }
      if error.code == EBADMSG {
        throw .notAnArchive(path, reason: "its digest is another: it was cut or changed")
      }
      throw .file(error)
    }
  }
}
