import Foundation
import GRDB
import Specs

extension ResultStore {
  /// Over all of a sweep but its points, which have a digest in it.
  private static func digest(ofSweep id: Int, _ db: Database) throws -> ContentKey {
    var bytes: [UInt8] = []
    let head = try RowReader(
      db, "SELECT name, grid, canonical, columns, asked, digest, created FROM sweep WHERE id = ?", [id])
    while try head.next() { for column in 0..<7 { head.append(Int32(column), to: &bytes) } }
    let needs = try RowReader(db, "SELECT key, spec FROM need WHERE sweep = ? ORDER BY key", [id])
    while try needs.next() { for column in 0..<2 { needs.append(Int32(column), to: &bytes) } }
    return ContentKey(hashing: bytes)
  }

  func writeDigest(ofSweep id: Int, _ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO sweep_digest (sweep, digest) VALUES (?, ?)
        ON CONFLICT (sweep) DO UPDATE SET digest = excluded.digest
        """, arguments: [id, Self.digest(ofSweep: id, db).stored])
  }

  /// Sweeps that are not what was written; a sentence each.
  ///
  /// - Parameter only: the sweep that is meant; nil for all.
  func damagesOfSweeps(only: Int? = nil, _ db: Database) throws -> [String] {
    var damages: [String] = []
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT s.id, s.name, s.digest AS points, d.digest FROM sweep s LEFT JOIN sweep_digest d ON d.sweep = s.id
        WHERE ?1 IS NULL OR s.id = ?1 ORDER BY s.name
        """, arguments: [only])
    for row in rows {
      let row = StoredRow("sweep", row)
      let (id, name) = (try row.integer("id"), try row.text("name"))
      if let digest = try row.optionalKey("digest"), try digest != Self.digest(ofSweep: id, db) {
        damages.append("the sweep \(name): its grid or its head was changed after it was written")
      }
      var points: [UInt8] = []
      let reader = try RowReader(
        db, "SELECT key, seed, labels FROM point WHERE sweep = ? ORDER BY ordinal", [id])
      while try reader.next() { reader.appendPoint(to: &points) }
      if ContentKey(hashing: points) != (try row.key("points")) {
        damages.append(
          "the sweep \(name): its runs, their seeds or their labels were changed after they were written")
      }
    }
    return damages
  }

  package func damagedSweeps() throws(StoreError) -> [String] { try read { try self.damagesOfSweeps($0) } }
}

extension RowReader {
  /// Key, seed and labels as `ResultStore.digest(of:_:)` takes them.
  fileprivate func appendPoint(to bytes: inout [UInt8]) {
    appendRaw(0, to: &bytes)
    withUnsafeBytes(of: integer(1).littleEndian) { bytes.append(contentsOf: $0) }
    appendRaw(2, to: &bytes)
    bytes.append(0)
  }
}
