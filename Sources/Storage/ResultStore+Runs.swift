import Foundation
import GRDB
package import Specs

/// All that the store knows of one run, checkpoints' bytes excepted.
package struct StoredRun: Sendable {
  package let stage: StageRecord
  package let state: StageState
  /// In ascending order, each with all of its metrics.
  package let epochs: [EpochRecord]
  /// The metrics of the whole stage.
  package let totals: Metrics
  package let attempts: [AttemptSummary]
  package let checkpoints: [CheckpointSummary]
}

extension ResultStore {
  /// One run in one look at the file, so that it is consistent in itself while others write; nil for a run
  /// that was never registered.
  package func run(of key: ContentKey) throws(StoreError) -> StoredRun? {
    let found = try read { db in
      let row = try Row.fetchOne(
        db.cachedStatement(
          sql: "SELECT id, key, kind, title, spec, state, cause, reason, epoch, step FROM stage WHERE key = ?"
        ),
        arguments: [key.stored])
      return try row.map { row in
        let row = StoredRow("stage", row)
        let id = Int64(try row.integer("id"))
        let metrics = try self.metrics(ofStage: id, db)
        return (
          stage: try StageRecord(row), state: try StageState(row),
          epochs: try self.epochs(ofStage: id, metrics, db), totals: Metrics(metrics[-1] ?? [:])
        )
      }
    }
    guard let found else { return nil }
    return StoredRun(
      stage: found.stage, state: found.state, epochs: found.epochs, totals: found.totals,
      attempts: try attempts(of: key), checkpoints: try checkpoints(of: key))
  }

  /// By epoch, then name; epoch -1 holds the numbers of the whole stage.
  private func metrics(ofStage id: Int64, _ db: Database) throws -> [Int: [String: Double]] {
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT m.stage, m.epoch, n.name, m.value FROM metric m JOIN name n ON n.id = m.name WHERE m.stage = ?
          """), arguments: [id])
    return try Self.metricsByEpoch(rows)
  }

  private func epochs(ofStage id: Int64, _ metrics: [Int: [String: Double]], _ db: Database) throws
    -> [EpochRecord]
  {
    let rows = try Row.fetchCursor(
      db.cachedStatement(sql: "SELECT stage, epoch, step, state FROM epoch WHERE stage = ? ORDER BY epoch"),
      arguments: [id])
    var epochs: [EpochRecord] = []
    try StoredRow.each("epoch", rows) { epochs.append(try EpochRecord($0, metrics)) }
    return epochs
  }
}

/// A run of a sweep without its numbers.
package struct RunOutline: Sendable {
  package let point: SweepPoint
  /// nil where the run was never registered.
  package let title: String?
  package let state: StageState?
  package let attempts: [AttemptSummary]
  /// Epochs that are there, and the digest of the state after the last of them.
  package let epochs: Int
  package let lastState: ContentKey?
  /// Digest of the final weights and all that belongs to them.
  package let final: ContentKey?
}

extension ResultStore {
  /// The runs of a sweep in the order of its plan: a few queries for all of them, whatever their number.
  package func outlines(of sweep: String) throws(StoreError) -> [RunOutline] {
    let id = try id(ofSweep: sweep)
    return try read { db in
      let attempts = try self.attempts(ofSweep: id, db)
      var epochs: [Int: (count: Int, state: ContentKey)] = [:]
      let ends = try Row.fetchCursor(
        db,
        sql: """
          SELECT e.stage, count(*) AS number, max(e.epoch), e.state
          FROM epoch e WHERE e.stage IN (\(Self.stagesOfSweep)) GROUP BY e.stage
          """, arguments: [id])
      try StoredRow.each("epoch", ends) { row in
        epochs[try row.integer("stage")] = (try row.integer("number"), try row.key("state"))
      }
      var finals: [Int: ContentKey] = [:]
      let checkpoints = try Row.fetchCursor(
        db,
        sql: """
          SELECT k.stage, c.digest FROM checkpoint k JOIN content c ON c.id = k.content
          WHERE k.kind = 'final' AND k.stage IN (\(Self.stagesOfSweep))
          """, arguments: [id])
      try StoredRow.each("checkpoint", checkpoints) { row in
        finals[try row.integer("stage")] = try row.key("digest")
      }
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT p.key, p.seed, p.labels, t.id, t.title, t.state, t.cause, t.reason, t.epoch, t.step
          FROM point p LEFT JOIN stage t ON t.key = p.key WHERE p.sweep = ? ORDER BY p.ordinal
          """, arguments: [id])
      var outlines: [RunOutline] = []
      try StoredRow.each("point", rows) { row in
        let stage = try row.optionalInteger("id")
        let end = stage.flatMap { epochs[$0] }
        outlines.append(
          RunOutline(
            point: try self.point(row), title: try row.optionalText("title"),
            state: stage == nil ? nil : try StageState(row),
            attempts: stage.flatMap { attempts[$0] } ?? [], epochs: end?.count ?? 0, lastState: end?.state,
            final: stage.flatMap { finals[$0] }))
      }
      return outlines
    }
  }

  /// The values of one metric, run by run in the order of the keys, epoch by epoch; not a number where the
  /// run reported none.
  package func series(of keys: [ContentKey], metric: String) throws(StoreError) -> [[PointOutcome.EpochValue]]
  {
    try read { db in
      guard let name = try Int64.fetchOne(db, sql: "SELECT id FROM name WHERE name = ?", arguments: [metric])
      else { return keys.map { _ in [] } }
      let select = try db.makeStatement(
        sql: """
          SELECT m.stage, m.epoch, m.value FROM stage t JOIN metric m ON m.stage = t.id
          WHERE t.key = ? AND m.name = ? AND m.epoch >= 0 ORDER BY m.epoch
          """)
      return try keys.map { key in
        let values = try Row.fetchCursor(select, arguments: [key.stored, name])
        var series: [PointOutcome.EpochValue] = []
        try StoredRow.each("metric", values) { series.append(try PointOutcome.EpochValue($0)) }
        return series
      }
    }
  }

  /// The same of all runs of a sweep, in the order of the plan.
  package func series(of sweep: String, metric: String) throws(StoreError) -> [[PointOutcome.EpochValue]] {
    try series(of: points(of: sweep).map(\.key), metric: metric)
  }

  /// Names of the metrics that some epoch of the store has, in their order.
  package func metricNames() throws(StoreError) -> [String] {
    try read { db in try String.fetchAll(db, sql: "SELECT name FROM name ORDER BY name") }
  }

  private static let stagesOfSweep =
    "SELECT t.id FROM point p JOIN stage t ON t.key = p.key WHERE p.sweep = ?"

  private func id(ofSweep name: String) throws(StoreError) -> Int64 {
    let id = try read { db in
      try Int64.fetchOne(db, sql: "SELECT id FROM sweep WHERE name = ?", arguments: [name])
    }
    guard let id else { throw .unknownSweep(name, known: try sweeps().map(\.name)) }
    return id
  }

  private func attempts(ofSweep id: Int64, _ db: Database) throws -> [Int: [AttemptSummary]] {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT stage, number, step, provenance, outcome, reason FROM attempt
        WHERE stage IN (\(Self.stagesOfSweep)) ORDER BY stage, number
        """, arguments: [id])
    var attempts: [Int: [AttemptSummary]] = [:]
    // Thousands of runs were made by a handful of programs.
    var known: [String: Provenance] = [:]
    try StoredRow.each("attempt", rows) { row in
      let text = try row.optionalText("provenance")
      var provenance = text.flatMap { known[$0] }
      if let text, provenance == nil {
        provenance = try self.provenance(text)
        known[text] = provenance
      }
      attempts[try row.integer("stage"), default: []].append(
        try AttemptSummary(row, provenance: provenance))
    }
    return attempts
  }
}

/// How many runs of a sweep are in which state.
package struct StateCounts: Hashable, Sendable {
  package var finished = 0
  package var diverged = 0
  package var failed = 0
  package var blocked = 0
  package var open = 0

  package init() {}
  package var all: Int { finished + diverged + failed + blocked + open }
}

extension ResultStore {
  package func counts(of sweep: String) throws(StoreError) -> StateCounts {
    let id = try id(ofSweep: sweep)
    return try read { db in
      var counts = StateCounts()
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT t.state, t.cause, count(*) AS number FROM point p LEFT JOIN stage t ON t.key = p.key
          WHERE p.sweep = ? GROUP BY t.state, t.cause
          """, arguments: [id])
      try StoredRow.each("stage", rows) { row in
        let cause = try row.optionalText("cause")
        let count = try row.integer("number")
        switch try row.optionalText("state") {
        case "finished": counts.finished += count
        case "failed" where cause == "diverged": counts.diverged += count
        case "failed": counts.failed += count
        case "blocked": counts.blocked += count
        default: counts.open += count
        }
      }
      return counts
    }
  }

  /// The programs that trained a sweep's finished runs, as `Provenance.numerics` says, each with the number
  /// of those runs: the most frequent first. A run that two programs trained counts for both.
  package func programs(of sweep: String) throws(StoreError) -> [(program: String, runs: Int)] {
    let id = try id(ofSweep: sweep)
    return try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT a.provenance, count(DISTINCT a.stage) AS runs FROM point p
          JOIN stage t ON t.key = p.key AND t.state = 'finished' JOIN attempt a ON a.stage = t.id
          WHERE p.sweep = ? AND a.provenance IS NOT NULL
            AND EXISTS (SELECT 1 FROM epoch e WHERE e.stage = a.stage AND e.attempt = a.number)
          GROUP BY a.provenance
          """, arguments: [id])
      var made: [(provenance: Provenance, runs: Int)] = []
      try StoredRow.each("attempt", rows) { row in
        made.append((try self.provenance(row.text("provenance")), try row.integer("runs")))
      }
      let commits = Provenance.commits(of: made.map(\.provenance))
      var counts: [String: Int] = [:]
      for (provenance, runs) in made { counts[provenance.numerics(commits: commits), default: 0] += runs }
      return counts.map { (program: $0.key, runs: $0.value) }.sorted {
        ($1.runs, $0.program) < ($0.runs, $1.program)
      }
    }
  }

  /// Stages that are neither done nor given up, in the order of their keys.
  package func openStages() throws(StoreError) -> [StageRecord] {
    try read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT key, kind, title, spec FROM stage WHERE state = 'open' ORDER BY key")
      var stages: [StageRecord] = []
      try StoredRow.each("stage", rows) { stages.append(try StageRecord($0)) }
      return stages
    }
  }
}
