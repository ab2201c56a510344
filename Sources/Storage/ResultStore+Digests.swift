import Foundation
import GRDB
package import Specs

/// What the tables hold of a stage that came to an end, as two digests: written in the transaction that
/// publishes the end, compared by whoever shows, copies or checks the numbers.
struct StageDigests: Hashable {
  /// Over specification, state, numbers of the whole stage, attempts and checkpoints.
  let summary: ContentKey
  /// Over all epochs: steps, states, metrics.
  let epochs: ContentKey
}

/// Which stages a query is about.
enum StageScope {
  case stage(Int)
  case sweep(Int)
  case all

  /// The end of a query, with one place for an argument where there is one.
  func condition(on column: String) -> String {
    switch self {
    case .stage: "WHERE \(column) = ?"
    case .sweep:
      "WHERE \(column) IN (SELECT t.id FROM point p JOIN stage t ON t.key = p.key WHERE p.sweep = ?)"
    case .all: ""
    }
  }

  var arguments: [Int] {
    switch self {
    case .stage(let id), .sweep(let id): [id]
    case .all: []
    }
  }
}

/// The bytes that the digests of one stage are over, while its rows are read.
private struct DigestedRows {
  var stage: [UInt8] = []
  var totals: [(name: Int, value: [UInt8])] = []
  var attempts: [UInt8] = []
  var checkpoints: [UInt8] = []
  var epochs: [UInt8] = []
  /// Metric by metric, each in the order of the epochs.
  var metrics: [(name: Int, values: [UInt8])] = []

  /// Rows of names differ from store to store, so metrics are sorted by the names themselves.
  func digests(_ names: [Int: String]) -> StageDigests {
    func named(_ id: Int) -> String { names[id] ?? "?\(id)" }
    var summary = ContentHasher()
    summary.field("stage", stage)
    for (name, value) in totals.sorted(by: { named($0.name) < named($1.name) }) {
      summary.field("total", named(name))
      summary.field("value", value)
    }
    summary.field("attempts", attempts)
    summary.field("checkpoints", checkpoints)
    var all = ContentHasher()
    all.field("epochs", epochs)
    for (name, values) in metrics.sorted(by: { named($0.name) < named($1.name) }) {
      all.field("metric", named(name))
      all.field("values", values)
    }
    return StageDigests(summary: summary.finished(), epochs: all.finished())
  }
}

extension ResultStore {
  /// The digests of stages by their rows as they are now. A query for each table, however many stages there
  /// are.
  static func digests(_ scope: StageScope, _ db: Database) throws -> [Int: StageDigests] {
    var rows: [Int: DigestedRows] = [:]
    func read(
      _ sql: String, by column: String, order: String, _ body: (RowReader, inout DigestedRows) -> Void
    )
      throws
    {
      let reader = try RowReader(
        db, "\(sql) \(scope.condition(on: column)) ORDER BY \(order)", scope.arguments)
      while try reader.next() { body(reader, &rows[reader.integer(0), default: DigestedRows()]) }
    }
    try read(
      "SELECT id, key, kind, title, spec, state, cause, reason, epoch, step FROM stage", by: "id", order: "id"
    ) { row, stage in for column in 1...9 { row.append(Int32(column), to: &stage.stage) } }
    try read(
      "SELECT stage, name, epoch, value FROM metric", by: "stage", order: "stage, name, epoch"
    ) { row, stage in
      let (name, epoch) = (row.integer(1), row.integer(2))
      if epoch == -1 {
        var value: [UInt8] = []
        row.append(3, to: &value)
        stage.totals.append((name, value))
      } else {
        if stage.metrics.last?.name != name { stage.metrics.append((name, [])) }
        let last = stage.metrics.count - 1
        row.append(2, to: &stage.metrics[last].values)
        row.append(3, to: &stage.metrics[last].values)
      }
    }
    try read(
      "SELECT stage, number, step, provenance, outcome, reason FROM attempt", by: "stage",
      order: "stage, number"
    ) { row, stage in for column in 1...5 { row.append(Int32(column), to: &stage.attempts) } }
    try read(
      "SELECT stage, epoch, step, attempt, state FROM epoch", by: "stage", order: "stage, epoch"
    ) { row, stage in for column in 1...4 { row.append(Int32(column), to: &stage.epochs) } }
    try read(
      "SELECT k.stage, k.kind, k.epoch, k.step, c.digest, c.size FROM checkpoint k JOIN content c ON c.id = k.content",
      by: "k.stage", order: "k.stage, k.kind"
    ) { row, stage in for column in 1...5 { row.append(Int32(column), to: &stage.checkpoints) } }
    var names: [Int: String] = [:]
    let known = try db.cachedStatement(sql: "SELECT id, name FROM name")
    try StoredRow.each("name", Row.fetchCursor(known)) { row in
      names[try row.integer("id")] = try row.text("name")
    }
    return rows.mapValues { $0.digests(names) }
  }

  /// The digests that were written when stages came to their ends.
  static func recordedDigests(_ scope: StageScope, _ db: Database) throws -> [Int: StageDigests] {
    let sql = "SELECT stage, summary, epochs FROM stage_digest \(scope.condition(on: "stage"))"
    var digests: [Int: StageDigests] = [:]
    let rows = try Row.fetchCursor(
      db.cachedStatement(sql: sql), arguments: StatementArguments(scope.arguments))
    try StoredRow.each("stage_digest", rows) { row in
      digests[try row.integer("stage")] = StageDigests(
        summary: try row.key("summary"), epochs: try row.key("epochs"))
    }
    return digests
  }

  /// Does something to the rows of a stage and keeps its digests in step: new ones for a stage that has its
  /// end now, none for one that is open again. What did not agree with its digests before does not afterwards
  /// either.
  func keepingDigests<Value>(
    ofStage id: Int, _ db: Database, _ body: () throws -> Value
  ) throws -> Value {
    let before = try Self.recordedDigests(.stage(id), db)[id]
    let wasChanged = try before.map { try $0 != Self.digests(.stage(id), db)[id] } ?? false
    let wasOver = try isOver(id, db)
    let value = try body()
    if try !isOver(id, db) {
      if before != nil { try db.execute(sql: "DELETE FROM stage_digest WHERE stage = ?", arguments: [id]) }
    } else if !wasChanged, before != nil || !wasOver {
      try writeDigests(ofStage: id, db)
    }
    return value
  }

  private func isOver(_ id: Int, _ db: Database) throws -> Bool {
    let select = try db.cachedStatement(
      sql: "SELECT count(*) FROM stage WHERE id = ? AND state IN ('finished', 'failed')")
    return try Int.fetchOne(select, arguments: [id]) == 1
  }

  private func writeDigests(ofStage id: Int, _ db: Database) throws {
    guard let digests = try Self.digests(.stage(id), db)[id] else { return }
    try db.cachedStatement(
      sql: """
        INSERT INTO stage_digest (stage, summary, epochs) VALUES (?, ?, ?)
        ON CONFLICT (stage) DO UPDATE SET summary = excluded.summary, epochs = excluded.epochs
        """
    ).execute(arguments: [id, digests.summary.stored, digests.epochs.stored])
  }
}

// MARK: Comparing

/// What of a store is not what was written there, and what cannot be told.
package struct DigestCheck: Sendable {
  /// A sentence for each difference.
  package var damages: [String] = []
  /// Stages that came to their end under a program that wrote no digests yet.
  package var undigested: [ContentKey] = []
}

extension ResultStore {
  /// Compares what the tables hold of stages with their digests.
  static func checkDigests(_ scope: StageScope, _ db: Database) throws -> DigestCheck {
    var check = DigestCheck()
    let recorded = try recordedDigests(scope, db)
    let found = try digests(scope, db)
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, key, title, state FROM stage \(scope.condition(on: "id")) ORDER BY key",
      arguments: StatementArguments(scope.arguments))
    try StoredRow.each("stage", rows) { row in
      let (id, key) = (try row.integer("id"), try row.key("key"))
      guard let was = recorded[id] else {
        if ["finished", "failed"].contains(try row.text("state")) { check.undigested.append(key) }
        return
      }
      let name = "\(try row.text("title")) (\(key.short))"
      if found[id]?.summary != was.summary {
        check.damages.append(
          "\(name): its specification, state, final numbers, attempts or checkpoints were changed after "
            + "they were written"
        )
      }
      if found[id]?.epochs != was.epochs {
        check.damages.append("\(name): its epochs were changed after they were written")
      }
    }
    return check
  }

  /// Refuses to show a sweep of which something was changed.
  func checkSweep(_ id: Int, _ db: Database) throws {
    var damages = try Self.checkDigests(.sweep(id), db).damages
    damages += try damagesOfSweeps(only: id, db)
    if !damages.isEmpty { throw StoreError.altered(path, damages) }
  }

  /// What the tables hold of stages beside their digests.
  ///
  /// - Parameter key: nil for all stages.
  package func checkDigests(of key: ContentKey? = nil) throws(StoreError) -> DigestCheck {
    try read { db in
      guard let key else { return try Self.checkDigests(.all, db) }
      let id = try Int.fetchOne(db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [key.stored])
      guard let id else { throw StoreError.unknownStage(key) }
      return try Self.checkDigests(.stage(id), db)
    }
  }

  /// Writes the digests of stages that have none, by what the tables hold of them now. Others stay as they
  /// are.
  package func addDigests(to keys: [ContentKey]) throws(StoreError) {
    try write { db in
      for key in keys {
        guard
          let id = try Int.fetchOne(db, sql: "SELECT id FROM stage WHERE key = ?", arguments: [key.stored]),
          try Self.recordedDigests(.stage(id), db).isEmpty, try isOver(id, db)
        else { continue }
        try writeDigests(ofStage: id, db)
      }
    }
  }
}

extension ResultStore {
  /// Of every stage that has its end, over its epochs as the tables have them now.
  func epochDigests() throws(StoreError) -> [ContentKey: ContentKey] {
    try read { db in
      let digests = try Self.digests(.all, db)
      var found: [ContentKey: ContentKey] = [:]
      let rows = try Row.fetchCursor(db, sql: "SELECT id, key FROM stage WHERE state = 'finished'")
      try StoredRow.each("stage", rows) { row in
        found[try row.key("key")] = digests[try row.integer("id")]?.epochs
      }
      return found
    }
  }
}
