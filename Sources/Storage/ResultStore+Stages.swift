import Foundation
import GRDB
package import Specs

/// The name of `RunState` where stages of every kind are meant.
package typealias StageState = RunState

/// A stage as its key knows it.
package struct StageRecord: Hashable, Sendable {
  package var key: ContentKey
  /// `dataset`, `teacher`, `teacher-outputs` or `student`.
  package var kind: String
  /// What a person calls it, such as `resnet8 mtkd-rl seed 2`.
  package var title: String
  /// The canonical JSON that the key was made of.
  package var spec: String

  package init(key: ContentKey, kind: String, title: String, spec: String) {
    self.key = key
    self.kind = kind
    self.title = title
    self.spec = spec
  }
}

/// One try at a stage.
package struct AttemptID: Hashable, Sendable {
  package let key: ContentKey
  /// From 1.
  package let number: Int

  package init(key: ContentKey, number: Int) {
    self.key = key
    self.number = number
  }
}

/// What is known of an attempt.
package struct AttemptSummary: Hashable, Sendable {
  package enum Outcome: String, Sendable { case running, finished, failed, stopped, died }

  package let number: Int
  /// The optimiser step it began at: 0, or that of the snapshot it went on from.
  package let firstStep: Int
  /// nil before the worker said what it is.
  package let provenance: Provenance?
  package let outcome: Outcome
  /// How it died, or why it failed.
  package let reason: String?
}

extension ResultStore {
  /// Makes stages known; those that are already keep their state.
  package func register(_ stages: [StageRecord]) throws(StoreError) {
    if stages.isEmpty { return }
    try write { db in try self.register(stages, db) }
  }

  func register(_ stages: [StageRecord], _ db: Database) throws {
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO stage (key, kind, title, spec, state) VALUES (?, ?, ?, ?, 'open') ON CONFLICT (key) DO NOTHING
        """)
    for stage in stages {
      try insert.execute(arguments: [stage.key.stored, stage.kind, stage.title, stage.spec])
    }
  }

  /// The states of those keys that the store knows.
  package func states(of keys: [ContentKey]) throws(StoreError) -> [ContentKey: StageState] {
    try read { db in
      let select = try db.cachedStatement(
        sql: "SELECT key, state, cause, reason, epoch, step FROM stage WHERE key = ?")
      var states: [ContentKey: StageState] = [:]
      states.reserveCapacity(keys.count)
      for key in keys {
        if let row = try Row.fetchOne(select, arguments: [key.stored]) {
          states[key] = try StageState(StoredRow("stage", row))
        }
      }
      return states
    }
  }

  /// Records where a stage stands. `.open` lets a failed one run once more.
  package func setState(_ state: StageState, of key: ContentKey) throws(StoreError) {
    try write { db in
      guard
        let id = try Int.fetchOne(db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [key.stored])
      else { throw StoreError.unknownStage(key) }
      try self.keepingDigests(ofStage: id, db) { try self.setState(state, of: key, db) }
    }
  }

  func setState(_ state: StageState, of key: ContentKey, _ db: Database) throws {
    let (name, failure, reason) = state.columns
    let update = try db.cachedStatement(
      sql: "UPDATE stage SET state = ?, cause = ?, reason = ?, epoch = ?, step = ? WHERE key = ?")
    try update.execute(arguments: [
      name, failure?.cause.rawValue, reason, failure?.epoch, failure?.step, key.stored,
    ])
    guard db.changesCount == 1 else { throw StoreError.unknownStage(key) }
  }

  /// The stages whose keys begin with some hexadecimal digits, in the order of their keys.
  package func stages(withPrefix prefix: String = "") throws(StoreError) -> [(
    stage: StageRecord, state: StageState
  )] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT key, kind, title, spec, state, cause, reason, epoch, step FROM stage
          WHERE substr(lower(hex(key)), 1, ?) = ? ORDER BY key
          """, arguments: [prefix.utf8.count, prefix.lowercased()])
      return try rows.map { row in
        let row = StoredRow("stage", row)
        return (try StageRecord(row), try StageState(row))
      }
    }
  }

  /// The stages with some keys, in the order of the keys; those that the store does not know are left out.
  package func records(of keys: [ContentKey]) throws(StoreError) -> [StageRecord] {
    try read { db in
      let select = try db.cachedStatement(sql: "SELECT key, kind, title, spec FROM stage WHERE key = ?")
      return try keys.compactMap { key in
        try Row.fetchOne(select, arguments: [key.stored]).map { try StageRecord(StoredRow("stage", $0)) }
      }
    }
  }

  /// Says how an attempt ended whose worker could not: it was killed, or died.
  package func setOutcome(
    _ outcome: AttemptSummary.Outcome, reason: String? = nil, of attempt: AttemptID
  ) throws(StoreError) {
    try write { db in
      guard
        let stage = try Int.fetchOne(
          db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [attempt.key.stored])
      else { throw StoreError.unknownStage(attempt.key) }
      try self.keepingDigests(ofStage: stage, db) {
        try db.execute(
          sql: "UPDATE attempt SET outcome = ?, reason = ? WHERE id = ?",
          arguments: [outcome.rawValue, reason, self.attempt(attempt, db).id])
      }
    }
  }

  /// In ascending order of their numbers.
  package func attempts(of key: ContentKey) throws(StoreError) -> [AttemptSummary] {
    try read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT a.stage, a.number, a.step, a.provenance, a.outcome, a.reason
          FROM attempt a JOIN stage s ON s.id = a.stage WHERE s.key = ? ORDER BY a.number
          """, arguments: [key.stored])
      return try rows.map { row in
        let row = StoredRow("attempt", row)
        return try AttemptSummary(row, provenance: row.optionalText("provenance").map(self.provenance))
      }
    }
  }

  /// The rows of an attempt and its stage, made where they are not there yet.
  func attempt(_ attempt: AttemptID, _ db: Database) throws -> (id: Int64, stage: Int64, ingested: Int) {
    guard
      let stage = try Int64.fetchOne(
        db.cachedStatement(sql: "SELECT id FROM stage WHERE key = ?"), arguments: [attempt.key.stored])
    else { throw StoreError.unknownStage(attempt.key) }
    let select = try db.cachedStatement(
      sql: "SELECT id, ingested FROM attempt WHERE stage = ? AND number = ?")
    if let row = try Row.fetchOne(select, arguments: [stage, attempt.number]) {
      let row = StoredRow("attempt", row)
      return (Int64(try row.integer("id")), stage, try row.integer("ingested"))
    }
    try db.cachedStatement(sql: "INSERT INTO attempt (stage, number) VALUES (?, ?)")
      .execute(arguments: [stage, attempt.number])
    return (db.lastInsertedRowID, stage, 0)
  }
}

extension StageRecord {
  init(_ row: StoredRow) throws(RowDamage) {
    self.init(
      key: try row.key("key"), kind: try row.text("kind"), title: try row.text("title"),
      spec: try row.text("spec"))
  }
}

extension AttemptSummary {
  init(_ row: StoredRow, provenance: Provenance?) throws(RowDamage) {
    number = try row.integer("number", in: StoredRow.attempts)
    firstStep = try row.integer("step")
    self.provenance = provenance
    outcome = try row.word("outcome", "the outcome of an attempt")
    reason = try row.optionalText("reason")
  }
}

extension StageState {
  init(_ joined: StoredRow) throws(RowDamage) {
    let row = StoredRow("stage", joined.row)
    let reason = try row.optionalText("reason") ?? ""
    switch try row.text("state") {
    case "finished": self = .finished
    case "failed":
      self = .failed(
        FailureRecord(
          cause: try row.optionalText("cause") == nil ? .other : row.word("cause", "the cause of a failure"),
          reason: reason, epoch: try row.optionalInteger("epoch", in: StoredRow.epochs),
          step: try row.optionalInteger("step")))
    case "blocked": self = .blocked(reason: reason)
    case "open": self = .open
    case let state: throw row.damage("state", "open, finished, failed or blocked", state.databaseValue)
    }
  }

  var columns: (state: String, failure: FailureRecord?, reason: String?) {
    switch self {
    case .open: ("open", nil, nil)
    case .finished: ("finished", nil, nil)
    case .failed(let failure): ("failed", failure, failure.reason)
    case .blocked(let reason): ("blocked", nil, reason)
    }
  }
}

extension ContentKey {
  var stored: Data { Data(digest) }

}
