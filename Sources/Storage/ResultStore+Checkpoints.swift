import Foundation
import GRDB
package import Specs

/// Which of a run's states a checkpoint is.
package enum CheckpointKind: String, Hashable, Sendable, CaseIterable {
  /// The newest snapshot.
  case last
  /// After the epoch of the highest test accuracy; the earliest, if several.
  case best
  /// After the last epoch.
  case final
}

/// A state of a run, as its raw bytes.
package struct Checkpoint: Sendable {
  package let kind: CheckpointKind
  /// From 0.
  package let epoch: Int
  package let step: Int
  package let bytes: [UInt8]
  let digest: ContentKey

  /// - Parameter digest: of the bytes, where the caller knows it.
  package init(kind: CheckpointKind, epoch: Int, step: Int, bytes: [UInt8], digest: ContentKey? = nil) {
    (self.kind, self.epoch, self.step, self.bytes) = (kind, epoch, step, bytes)
    self.digest = digest ?? ContentKey(hashing: bytes)
  }
}

/// What is known of a checkpoint without unpacking it.
package struct CheckpointSummary: Hashable, Sendable {
  package let kind: CheckpointKind
  package let epoch: Int
  package let step: Int
  /// Of the raw bytes.
  package let digest: ContentKey
  /// Raw and as it lies in the store, in bytes.
  package let size: Int
  package let storedSize: Int
}

/// A checkpoint ready for the store. Equal raw bytes have one digest; how they are compressed may change with the library.
struct PackedCheckpoint: Sendable {
  let (kind, epoch, step): (CheckpointKind, Int, Int)
  let digest: ContentKey
  let size: Int
  let frame: [UInt8]

  /// - Parameter others: of the same stage; the last epoch's state is often the best one too, and is compressed once.
  init(_ checkpoint: Checkpoint, beside others: [PackedCheckpoint] = []) {
    (kind, epoch, step) = (checkpoint.kind, checkpoint.epoch, checkpoint.step)
    (digest, size) = (checkpoint.digest, checkpoint.bytes.count)
    let same = others.first { [digest] in $0.digest == digest }
    frame = same?.frame ?? Zstd.compress(ByteGroups.split(checkpoint.bytes))
  }
}

extension ResultStore {
  /// Keeps a checkpoint in place of the stage's earlier one of that kind.
  package func putCheckpoint(_ checkpoint: Checkpoint, of key: ContentKey) throws(StoreError) {
    let packed = PackedCheckpoint(checkpoint)
    try write { db in
      guard
        let stage = try Int64.fetchOne(db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [key.stored])
      else { throw StoreError.unknownStage(key) }
      try self.put(packed, stage: stage, db)
    }
  }

  func put(_ checkpoint: PackedCheckpoint, stage: Int64, _ db: Database) throws {
    let old = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT content FROM checkpoint WHERE stage = ? AND kind = ?"),
      arguments: [stage, checkpoint.kind.rawValue])
    let digest = checkpoint.digest.stored
    var content = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM content WHERE digest = ?"), arguments: [digest])
    if content == nil {
      try db.cachedStatement(sql: "INSERT INTO content (digest, size, frame) VALUES (?, ?, ?)")
        .execute(arguments: [digest, checkpoint.size, Data(checkpoint.frame)])
      content = db.lastInsertedRowID
    }
    let place = try db.cachedStatement(
      sql: """
        INSERT INTO checkpoint (stage, kind, epoch, step, content) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (stage, kind) DO UPDATE
        SET epoch = excluded.epoch, step = excluded.step, content = excluded.content
        """)
    try place.execute(
      arguments: [stage, checkpoint.kind.rawValue, checkpoint.epoch, checkpoint.step, content])
    if let old, old != content {
      let remove = try db.cachedStatement(
        sql: "DELETE FROM content WHERE id = ? AND NOT EXISTS (SELECT 1 FROM checkpoint WHERE content = ?)")
      try remove.execute(arguments: [old, old])
    }
  }

  /// Last, best, final: those that are there.
  package func checkpoints(of key: ContentKey) throws(StoreError) -> [CheckpointSummary] {
    let summaries = try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT c.kind, c.epoch, c.step, d.digest, d.size, length(d.frame) AS stored
          FROM checkpoint c JOIN content d ON d.id = c.content JOIN stage s ON s.id = c.stage WHERE s.key = ?
          """, arguments: [key.stored]
      ).compactMap { row in
        CheckpointKind(rawValue: row["kind"]).map {
          CheckpointSummary(
            kind: $0, epoch: row["epoch"], step: row["step"], digest: ContentKey(stored: row["digest"]),
            size: row["size"], storedSize: row["stored"])
        }
      }
    }
    return CheckpointKind.allCases.compactMap { kind in summaries.first { $0.kind == kind } }
  }

  /// Unpacks a checkpoint and compares its digest.
  /// - Throws: `StoreError.checkpointAbsent`, `StoreError.checkpointDamaged`.
  package func checkpoint(of key: ContentKey, kind: CheckpointKind) throws(StoreError) -> Checkpoint {
    let row = try read { db in
      try Row.fetchOne(
        db,
        sql: """
          SELECT c.epoch, c.step, d.digest, d.size, d.frame
          FROM checkpoint c JOIN content d ON d.id = c.content JOIN stage s ON s.id = c.stage
          WHERE s.key = ? AND c.kind = ?
          """, arguments: [key.stored, kind.rawValue])
    }
    guard let row else { throw .checkpointAbsent(key, kind: kind) }
    let (digest, size, frame): (Data, Int, Data) = (row["digest"], row["size"], row["frame"])
    let bytes: [UInt8]
    do {
      bytes = ByteGroups.join(try Zstd.decompress(Array(frame), limit: size))
    } catch {
      throw .checkpointDamaged(key, kind: kind, reason: error.problem)
    }
    let found = ContentKey(hashing: bytes)
    let expected = ContentKey(stored: digest)
    guard found == expected else {
      throw .checkpointDamaged(key, kind: kind, reason: "digest \(found.short) instead of \(expected.short)")
    }
    return Checkpoint(kind: kind, epoch: row["epoch"], step: row["step"], bytes: bytes, digest: found)
  }
}
