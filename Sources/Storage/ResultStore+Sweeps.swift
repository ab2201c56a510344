import Foundation
import GRDB
package import Specs

/// A grid as it was last run, and when.
package struct SweepRecord: Hashable, Sendable {
  package var name: String
  /// The file's text, comments and all.
  package var grid: String
  /// What was read from it, in the canonical encoding.
  package var canonical: String
  /// Names of the labels that its points carry, such as `student`, `method`, `alpha`.
  package var columns: [String]
  /// Runs as the grid spells them, shared ones counted each time.
  package var asked: Int
  /// Seconds since 1970.
  package var created: Int

  package init(name: String, grid: String, canonical: String, columns: [String], asked: Int, created: Int) {
    self.name = name
    self.grid = grid
    self.canonical = canonical
    self.columns = columns
    self.asked = asked
    self.created = created
  }
}

/// A distinct run of a sweep.
package struct SweepPoint: Hashable, Sendable {
  /// Of the stage that makes its result.
  package var key: ContentKey
  package var seed: Int
  /// Beside the sweep's columns; null where the run's method does not read the value.
  package var labels: [JSONValue]

  package init(key: ContentKey, seed: Int, labels: [JSONValue]) {
    self.key = key
    self.seed = seed
    self.labels = labels
  }
}

/// What there is of a point's result.
package struct PointOutcome: Hashable, Sendable {
  package let point: SweepPoint
  /// nil where the run has never been started.
  package let state: StageState?
  /// Value of the metric after the last epoch that is there, and that epoch, from 0.
  package let last: EpochValue?
  /// The best value of the metric, and the earliest epoch that has it.
  package let best: EpochValue?
  /// The metric at the epoch of the highest validation accuracy, the earliest if several; nil where there is no such thing.
  package let validated: EpochValue?
  /// What trained the epochs that are there, as `Provenance.numerics` says, in the order of the attempts; usually one.
  package let programs: [String]

  package struct EpochValue: Hashable, Sendable {
    package let epoch: Int
    /// Not a number where the run reported none.
    package let value: Double
  }
}

extension ResultStore {
  /// Writes a sweep, in place of one of the same name. Points keep their order. Results are not touched: they belong to keys.
  package func saveSweep(_ sweep: SweepRecord, points: [SweepPoint]) throws(StoreError) {
    let labels = Self.encoded(points)
    let digest = Self.digest(of: points, labels)
    let columns = CanonicalJSON.text(of: .array(sweep.columns.map { .string($0) }))
    try write { db in
      let old = try Row.fetchOne(
        db, sql: "SELECT id, digest FROM sweep WHERE name = ?", arguments: [sweep.name])
      try db.execute(
        sql: """
          INSERT INTO sweep (name, grid, canonical, columns, asked, digest, created) VALUES (?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET grid = excluded.grid, canonical = excluded.canonical,
            columns = excluded.columns, asked = excluded.asked, digest = excluded.digest, created = excluded.created
          """,
        arguments: [sweep.name, sweep.grid, sweep.canonical, columns, sweep.asked, digest, sweep.created])
      // A grid that asks for the same runs, as most calls of `run` do, leaves its points alone.
      if let old, try StoredRow("sweep", old).bytes("digest") == digest { return }
      let id = try Int64.fetchOne(db, sql: "SELECT id FROM sweep WHERE name = ?", arguments: [sweep.name])
      try db.execute(sql: "DELETE FROM point WHERE sweep = ?", arguments: [id])
      let insert = try RowWriter(
        db, "INSERT INTO point (sweep, ordinal, key, seed, labels) VALUES (?, ?, ?, ?, ?)")
      for (ordinal, point) in points.enumerated() {
        insert.bind(1, Int(id ?? 0))
        insert.bind(2, ordinal)
        insert.bind(4, point.seed)
        try point.key.withDigest { key in
          try labels[ordinal].withUnsafeBytes { text in
            insert.bind(3, blob: key)
            insert.bind(5, text: text)
            try insert.run()
          }
        }
      }
    }
  }

  /// The labels of each point as JSON; neighbours often share theirs.
  private static func encoded(_ points: [SweepPoint]) -> [[UInt8]] {
    var (last, text): ([JSONValue]?, [UInt8]) = (nil, [])
    return points.map { point in
      if last != point.labels { (last, text) = (point.labels, CanonicalJSON.bytes(of: .array(point.labels))) }
      return text
    }
  }

  private static func digest(of points: [SweepPoint], _ labels: [[UInt8]]) -> Data {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(points.count * 120)
    for (point, labels) in zip(points, labels) {
      point.key.withDigest { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: point.seed.littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: labels)
      bytes.append(0)
    }
    return ContentKey(hashing: bytes).stored
  }

  /// By name.
  package func sweeps() throws(StoreError) -> [SweepRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM sweep ORDER BY name").map {
        try self.sweep(StoredRow("sweep", $0))
      }
    }
  }

  package func sweep(_ name: String) throws(StoreError) -> SweepRecord {
    try read { db in
      guard let row = try Row.fetchOne(db, sql: "SELECT * FROM sweep WHERE name = ?", arguments: [name])
      else {
        let known = try String.fetchAll(db, sql: "SELECT name FROM sweep ORDER BY name")
        throw StoreError.unknownSweep(name, known: known)
      }
      return try self.sweep(StoredRow("sweep", row))
    }
  }

  private func sweep(_ row: StoredRow) throws -> SweepRecord {
    SweepRecord(
      name: try row.text("name"), grid: try row.text("grid"), canonical: try row.text("canonical"),
      columns: try json(row.text("columns")).array?.compactMap(\.string) ?? [],
      asked: try row.integer("asked"), created: try row.integer("created"))
  }

  /// The distinct runs of a sweep, in the order of its plan.
  package func points(of sweep: String) throws(StoreError) -> [SweepPoint] {
    _ = try self.sweep(sweep)
    return try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT p.key, p.ordinal, p.seed, p.labels FROM point p JOIN sweep s ON s.id = p.sweep
          WHERE s.name = ? ORDER BY p.ordinal
          """, arguments: [sweep])
      var points: [SweepPoint] = []
      try StoredRow.each("point", rows) { points.append(try self.point($0)) }
      return points
    }
  }

  /// The distinct runs of a sweep in the order of its plan, each with what there is of its result.
  ///
  /// - Parameters:
  ///   - metric: such as `test.acc1`.
  ///   - isHigherBetter: which value of the metric is the best one.
  package func outcomes(
    of sweep: String, metric: String, isHigherBetter: Bool = true
  ) throws(StoreError) -> [PointOutcome] {
    _ = try self.sweep(sweep)
    return try read { db in
      func id(of name: String) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT id FROM name WHERE name = ?", arguments: [name])
      }
      let (name, validation) = (try id(of: metric), try id(of: "validation.acc1"))
      let makers = try db.makeStatement(
        sql: """
          SELECT provenance FROM attempt a WHERE stage = ? AND provenance IS NOT NULL
            AND EXISTS (SELECT 1 FROM epoch e WHERE e.stage = a.stage AND e.attempt = a.number)
          ORDER BY number
          """)
      let validated = try db.makeStatement(
        sql: """
          SELECT m.stage, m.epoch, m.value FROM metric v
          JOIN metric m ON m.stage = v.stage AND m.epoch = v.epoch AND m.name = ?
          WHERE v.stage = ? AND v.name = ? AND v.epoch >= 0 AND v.value IS NOT NULL
          ORDER BY v.value DESC, v.epoch LIMIT 1
          """)
      var numerics: [String: String] = [:]
      let last = try db.makeStatement(
        sql: """
          SELECT stage, epoch, value FROM metric WHERE stage = ? AND name = ? AND epoch >= 0
          ORDER BY epoch DESC LIMIT 1
          """)
      let best = try db.makeStatement(
        sql: """
          SELECT stage, epoch, value FROM metric
          WHERE stage = ? AND name = ? AND epoch >= 0 AND value IS NOT NULL
          ORDER BY value \(isHigherBetter ? "DESC" : "ASC"), epoch LIMIT 1
          """)
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT p.key, p.seed, p.labels, t.id, t.state, t.cause, t.reason, t.epoch, t.step
          FROM point p JOIN sweep s ON s.id = p.sweep LEFT JOIN stage t ON t.key = p.key
          WHERE s.name = ? ORDER BY p.ordinal
          """, arguments: [sweep])
      var outcomes: [PointOutcome] = []
      try StoredRow.each("point", rows) { row in
        let stage = try row.optionalInteger("id")
        func value(_ statement: Statement) throws -> PointOutcome.EpochValue? {
          guard let stage, let name else { return nil }
          return try Row.fetchOne(statement, arguments: [stage, name]).map {
            try PointOutcome.EpochValue(StoredRow("metric", $0))
          }
        }
        var (programs, chosen): ([String], PointOutcome.EpochValue?) = ([], nil)
        if let stage {
          for text in try String.fetchAll(makers, arguments: [stage]) {
            let program = try numerics[text] ?? self.provenance(text).numerics
            numerics[text] = program
            if !programs.contains(program) { programs.append(program) }
          }
        }
        if let stage, let name, let validation {
          chosen = try Row.fetchOne(validated, arguments: [name, stage, validation]).map {
            try PointOutcome.EpochValue(StoredRow("metric", $0))
          }
        }
        outcomes.append(
          PointOutcome(
            point: try self.point(row), state: stage == nil ? nil : try StageState(row),
            last: try value(last),
            best: try value(best), validated: chosen, programs: programs))
      }
      return outcomes
    }
  }

  func point(_ row: StoredRow) throws -> SweepPoint {
    SweepPoint(
      key: try row.key("key"), seed: try row.integer("seed", in: .min ... .max),
      labels: try json(row.text("labels")).array ?? [])
  }

  /// Reads what an attempt said of its program and machine.
  func provenance(_ text: String) throws(StoreError) -> Provenance {
    do {
      return try Provenance(json(text), at: "provenance")
    } catch let error as StoreError {
      throw error
    } catch {
      throw .damaged(path, reason: "table attempt: \(error)")
    }
  }

  /// Reads what this program wrote; anything else is damage.
  func json(_ text: String) throws(StoreError) -> JSONValue {
    do {
      return try JSONReader.read(Array(text.utf8)).value
    } catch {
      throw .damaged(path, reason: "a text that should be JSON: \(error)")
    }
  }
}

extension PointOutcome.EpochValue {
  init(_ row: StoredRow) throws(RowDamage) {
    self.init(
      epoch: try row.integer("epoch", in: 0...StoredRow.epochs.upperBound), value: try row.number("value"))
  }
}
