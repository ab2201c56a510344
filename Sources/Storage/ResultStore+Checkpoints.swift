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
    self.kind = kind
    self.epoch = epoch
    self.step = step
    self.bytes = bytes
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

/// A checkpoint ready for the store. Equal raw bytes have one digest; how they are compressed may change with
/// the library.
struct PackedCheckpoint: Sendable {
  let kind: CheckpointKind
  let epoch: Int
  let step: Int
  let digest: ContentKey
  let size: Int
  let frame: [UInt8]

  /// - Parameter others: of the same stage; the last epoch's state is often the best one too, and is
  ///   compressed once.
  init(_ checkpoint: Checkpoint, beside others: [PackedCheckpoint] = []) {
    kind = checkpoint.kind
    epoch = checkpoint.epoch
    step = checkpoint.step
    digest = checkpoint.digest
    size = checkpoint.bytes.count
    let same = others.first { [digest] in $0.digest == digest }
    frame = same?.frame ?? Zstd.compress(ByteGroups.split(checkpoint.bytes))
  }
}

extension ResultStore {
  /// Keeps a checkpoint in place of the stage's earlier one of that kind.
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
          SELECT c.stage, c.kind, c.epoch, c.step, d.digest, d.size, length(d.frame) AS stored
          FROM checkpoint c JOIN content d ON d.id = c.content JOIN stage s ON s.id = c.stage WHERE s.key = ?
          """, arguments: [key.stored]
      ).map { try CheckpointSummary(StoredRow("checkpoint", $0)) }
    }
    return CheckpointKind.allCases.compactMap { kind in summaries.first { $0.kind == kind } }
  }

  /// Unpacks a checkpoint and compares its digest.
  /// - Throws: `StoreError.checkpointAbsent`, `StoreError.checkpointDamaged`.
  package func checkpoint(of key: ContentKey, kind: CheckpointKind) throws(StoreError) -> Checkpoint {
    let found = try read { db in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT c.stage, c.kind, c.epoch, c.step, d.digest, d.size, d.frame
          FROM checkpoint c JOIN content d ON d.id = c.content JOIN stage s ON s.id = c.stage
          WHERE s.key = ? AND c.kind = ?
          """, arguments: [key.stored, kind.rawValue])
      return try row.map { row in
        let row = StoredRow("checkpoint", row)
        return (
          content: try StoredContent(row), epoch: try row.integer("epoch"), step: try row.integer("step")
        )
      }
    }
    guard let found else { throw .checkpointAbsent(key, kind: kind) }
    do throws(ContentDamage) {
      return Checkpoint(
        kind: kind, epoch: found.epoch, step: found.step, bytes: try found.content.unpacked(),
        digest: found.content.digest)
    } catch {
      throw .checkpointDamaged(key, kind: kind, reason: error.problem)
    }
  }
}

extension CheckpointSummary {
  init(_ row: StoredRow) throws(RowDamage) {
    kind = try row.word("kind", "last, best or final")
    epoch = try row.integer("epoch", in: 0...StoredRow.epochs.upperBound)
    step = try row.integer("step")
    digest = try row.key("digest")
    size = try row.integer("size", in: StoredRow.sizes)
    storedSize = try row.integer("stored", in: StoredRow.sizes)
  }
}

/// Compressed bytes that are not what their row says.
struct ContentDamage: Error, Equatable {
  let problem: String
}

/// A row of `content`: bytes as they are compressed, with the size and the digest that they have to unpack
/// to.
struct StoredContent {
  let digest: ContentKey
  let size: Int
  let frame: Data

  init(_ row: StoredRow) throws(RowDamage) {
    digest = try row.key("digest")
    size = try row.integer("size", in: StoredRow.sizes)
    frame = try row.bytes("frame")
  }

  func unpacked() throws(ContentDamage) -> [UInt8] {
    let bytes: [UInt8]
    do {
      bytes = ByteGroups.join(try Zstd.decompress(Array(frame), limit: size))
    } catch {
      throw ContentDamage(problem: error.problem)
    }
    guard bytes.count == size else { throw ContentDamage(problem: "\(bytes.count) bytes instead of \(size)") }
    let found = ContentKey(hashing: bytes)
    guard found == digest else {
      throw ContentDamage(problem: "digest \(found.short) instead of \(digest.short)")
    }
    return bytes
  }
}
