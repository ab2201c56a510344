import Foundation
import GRDB
package import Specs

/// What a worker left of one attempt, ready to be taken in: its checkpoints are compressed before a
/// transaction begins.
package struct AttemptReport: Sendable {
  package let attempt: AttemptID
  let records: [NumberedRecord]
  let checkpoints: [PackedCheckpoint]
  let closing: StageState?
  let measurements: [(topic: String, seconds: Double)]

  /// - Parameters:
  ///   - records: from the attempt's first on, or those since the last report.
  ///   - closing: where the stage stands now. `.finished` is a promise: it is given together with all that
  ///     makes the result, or not at all.
  ///   - measurements: for forecasts, as `measured` takes them.
  package init(
    _ attempt: AttemptID, _ records: [NumberedRecord], checkpoints: [Checkpoint] = [],
    closing: StageState? = nil, measurements: [(topic: String, seconds: Double)] = []
  ) {
    self.attempt = attempt
    self.records = records
    self.closing = closing
    var packed: [PackedCheckpoint] = []
    for checkpoint in checkpoints { packed.append(PackedCheckpoint(checkpoint, beside: packed)) }
    self.checkpoints = packed
    self.measurements = measurements
  }

  /// Of the checkpoints, compressed.
  package var storedBytes: Int { checkpoints.reduce(0) { $0 + $1.frame.count } }
}

extension ResultStore {
  /// Takes in what workers reported, in one transaction: records, checkpoints, and where the stages stand
  /// now.
  ///
  /// A record that was taken in before is passed over, so that a coordinator that was killed may begin again
  /// at the first line. An epoch that a later attempt repeats replaces the earlier one.
  ///
  /// - Parameter stages: made known first; those that are already keep their state.
  /// - Returns: of each report the epochs whose state is not the one that an earlier attempt reported, which
  ///   the key promises it to be.
  /// - Throws: `StoreError.unknownStage` for a stage that nobody registered.
  @discardableResult
  package func ingest(
    _ reports: [AttemptReport], registering stages: [StageRecord] = []
  ) throws(StoreError) -> [[Int]] {
    if reports.isEmpty && stages.isEmpty { return [] }
    return try write { db in
      try self.register(stages, db)
      var names: [String: Int64] = [:]
      return try reports.map { try self.take($0, &names, db) }
    }
  }

  /// Takes in one attempt's report.
  @discardableResult
  package func ingest(
    _ records: [NumberedRecord], of attempt: AttemptID, checkpoints: [Checkpoint] = [],
    closing: StageState? = nil
  ) throws(StoreError) -> [Int] {
    try ingest([AttemptReport(attempt, records, checkpoints: checkpoints, closing: closing)])[0]
  }

  /// - Parameter names: the rows of metrics' names that were looked up in this transaction.
  private func take(_ report: AttemptReport, _ names: inout [String: Int64], _ db: Database) throws -> [Int] {
    try measured(report.measurements, db)
    guard
      let stage = try Int.fetchOne(
        db.cachedStatement(sql: "SELECT id FROM stage WHERE key = ?"), arguments: [report.attempt.key.stored])
    else { throw StoreError.unknownStage(report.attempt.key) }
    return try keepingDigests(ofStage: stage, db) { try put(report, &names, db) }
  }

  private func put(_ report: AttemptReport, _ names: inout [String: Int64], _ db: Database) throws -> [Int] {
    let (id, stage, ingested) = try attempt(report.attempt, db)
    let new = report.records.filter { $0.sequence >= ingested }
    var rows = try MetricRows(stage: stage, attempt: report.attempt.number, names: names, db)
    for record in new { try take(record.record, into: &rows, attempt: id, db) }
    if let last = new.last {
      try db.cachedStatement(sql: "UPDATE attempt SET ingested = ? WHERE id = ?")
        .execute(arguments: [last.sequence + 1, id])
    }
    for checkpoint in report.checkpoints { try put(checkpoint, stage: stage, db) }
    if let closing = report.closing { try setState(closing, of: report.attempt.key, db) }
    names = rows.names
    return rows.contradicted
  }

  private func take(_ record: RunRecord, into rows: inout MetricRows, attempt: Int64, _ db: Database) throws {
    switch record {
    case .started(let step, let provenance):
      try db.cachedStatement(sql: "UPDATE attempt SET step = ?, provenance = ? WHERE id = ?")
        .execute(arguments: [step, String(decoding: provenance.canonicalBytes, as: UTF8.self), attempt])
    case .epoch(let epoch): try rows.insert(epoch)
    case .finished(let metrics):
      try rows.insert(metrics, epoch: MetricRows.wholeStage)
      try setOutcome("finished", nil, attempt, db)
    case .failed(let failure): try setOutcome("failed", failure.reason, attempt, db)
    case .stopped: try setOutcome("stopped", nil, attempt, db)
    }
  }

  private func setOutcome(_ outcome: String, _ reason: String?, _ attempt: Int64, _ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE attempt SET outcome = ?, reason = ? WHERE id = ?")
      .execute(arguments: [outcome, reason, attempt])
  }

  /// The epochs of a run in their order, each with all of its metrics.
  package func curve(of key: ContentKey) throws(StoreError) -> [EpochRecord] {
    try read { db in
      let metrics = try self.metrics(of: key, db)
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT e.stage, e.epoch, e.step, e.state FROM epoch e JOIN stage s ON s.id = e.stage WHERE s.key = ?
          ORDER BY e.epoch
          """, arguments: [key.stored])
      return try rows.map { try EpochRecord(StoredRow("epoch", $0), metrics) }
    }
  }

  /// The metrics of a whole stage, which its last record held.
  package func metrics(of key: ContentKey) throws(StoreError) -> Metrics {
    try read { db in Metrics(try self.metrics(of: key, db)[MetricRows.wholeStage] ?? [:]) }
  }

  private func metrics(of key: ContentKey, _ db: Database) throws -> [Int: [String: Double]] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT m.stage, m.epoch, n.name, m.value
        FROM metric m JOIN name n ON n.id = m.name JOIN stage s ON s.id = m.stage
        WHERE s.key = ?
        """, arguments: [key.stored])
    return try Self.metricsByEpoch(rows)
  }

  /// By epoch, then name; epoch -1 holds the numbers of the whole stage.
  static func metricsByEpoch(_ rows: RowCursor) throws -> [Int: [String: Double]] {
    var metrics: [Int: [String: Double]] = [:]
    try StoredRow.each("metric", rows) { row in
      let epoch = try row.integer("epoch", in: StoredRow.epochs)
      metrics[epoch, default: [:]][try row.text("name")] = try row.number("value")
    }
    return metrics
  }
}

extension EpochRecord {
  /// - Parameter metrics: of all epochs of the stage.
  init(_ row: StoredRow, _ metrics: [Int: [String: Double]]) throws(RowDamage) {
    let epoch = try row.integer("epoch", in: 0...StoredRow.epochs.upperBound)
    self.init(
      epoch: epoch, step: try row.integer("step"), all: metrics[epoch] ?? [:], state: try row.key("state"))
  }

  /// - Parameter all: what came out and what it cost, told apart by their names.
  init(epoch: Int, step: Int, all: [String: Double], state: ContentKey) {
    func isMeasured(_ name: String) -> Bool { name.hasPrefix(Metrics.measuredPrefix) }
    self.init(
      epoch: epoch, step: step, metrics: Metrics(all.filter { !isMeasured($0.key) }), state: state,
      measured: Metrics(all.filter { isMeasured($0.key) }))
  }
}

/// Writes the numbers of one stage, through statements that are compiled once.
private struct MetricRows {
  /// Stands for an epoch where a number belongs to none.
  static let wholeStage = -1

  private let db: Database
  private let stage: Int64
  private let attempt: Int
  private let insertMetric: RowWriter
  private let insertEpoch: Statement
  private(set) var names: [String: Int64]
  private(set) var contradicted: [Int] = []

  init(stage: Int64, attempt: Int, names: [String: Int64], _ db: Database) throws {
    self.db = db
    self.stage = stage
    self.attempt = attempt
    self.names = names
    insertMetric = try RowWriter(
      db,
      """
      INSERT INTO metric (stage, name, epoch, value) VALUES (?, ?, ?, ?)
      ON CONFLICT (stage, name, epoch) DO UPDATE SET value = excluded.value
      """)
    insertEpoch = try db.cachedStatement(
      sql: """
        INSERT INTO epoch (stage, epoch, step, attempt, state) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (stage, epoch) DO UPDATE
        SET step = excluded.step, attempt = excluded.attempt, state = excluded.state
        """)
  }

  mutating func insert(_ epoch: EpochRecord) throws {
    let select = try db.cachedStatement(
      sql: "SELECT state FROM epoch WHERE stage = ? AND epoch = ? AND attempt < ?")
    if let earlier = try Data.fetchOne(select, arguments: [stage, epoch.epoch, attempt]),
      earlier != epoch.state.stored
    {
      contradicted.append(epoch.epoch)
    }
    try insertEpoch.execute(arguments: [stage, epoch.epoch, epoch.step, attempt, epoch.state.stored])
    try insert(epoch.metrics, epoch: epoch.epoch)
    try insert(epoch.measured, epoch: epoch.epoch)
  }

  mutating func insert(_ metrics: Metrics, epoch: Int) throws {
    for metric in metrics.values {
      let name = try id(of: metric.name)
      // SQLite has no not-a-number; an infinity would read as one in no table of results either.
      insertMetric.bind(1, Int(stage))
      insertMetric.bind(2, Int(name))
      insertMetric.bind(3, epoch)
      let value: Double? = metric.value.isFinite ? metric.value : nil
      insertMetric.bind(4, value)
      try insertMetric.run()
    }
  }

  private mutating func id(of name: String) throws -> Int64 {
    if let id = names[name] { return id }
    let select = try db.cachedStatement(sql: "SELECT id FROM name WHERE name = ?")
    let id: Int64
    if let known = try Int64.fetchOne(select, arguments: [name]) {
      id = known
    } else {
      try db.execute(sql: "INSERT INTO name (name) VALUES (?)", arguments: [name])
      id = db.lastInsertedRowID
    }
    names[name] = id
    return id
  }
}
