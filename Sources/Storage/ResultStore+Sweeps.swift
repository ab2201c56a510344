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

/// A stage that runs of a sweep read, and what its key is made of: it is needed before anybody has begun it.
package struct StageNeed: Hashable, Sendable {
  package let key: ContentKey
  /// The text of its `spec.json`.
  package let spec: String

  package init(key: ContentKey, spec: String) {
    self.key = key
    self.spec = spec
  }
}

/// What there is of a point's result, as far as one metric goes.
package struct PointOutcome: Hashable, Sendable {
  package let point: SweepPoint
  /// Nil where the run has never been started.
  package let state: RunState?
  /// The last epoch that is there, from 0, and the digest of the state after it; nil before the first has
  /// ended.
  package let end: End?
  /// The value among the numbers of the whole run; not a number where it is not finite, nil where the run
  /// gave none.
  package let total: Double?
  /// The last epoch that reported the metric, and its value.
  package let last: EpochValue?
  /// The best finite value of the metric, and the earliest epoch that has it; nil where nobody said which way
  /// the metric is good.
  package let best: EpochValue?
  /// The metric at the epoch with the best validation value, the earliest if several; nil where no epoch has
  /// both.
  package let validated: EpochValue?
  /// What trained the epochs that are there, as `Provenance.numerics` says, in the order of the attempts;
  /// usually one. Where a verification has proven the same bits under a program that made more of the sweep's
  /// runs, that program.
  package fileprivate(set) var programs: [String]

  package struct EpochValue: Hashable, Sendable {
    /// From 0.
    package let epoch: Int
    /// Not a number where it is not finite.
    package let value: Double

    package init(epoch: Int, value: Double) {
      self.epoch = epoch
      self.value = value
    }
  }

  /// The run's number, by the one rule for a value that several records give: that of the whole run, else the
  /// last epoch's if that epoch reported the metric, else none.
  package var final: Double? { total ?? last.flatMap { $0.epoch == end?.epoch ? $0.value : nil } }

  package struct End: Hashable, Sendable {
    package let epoch: Int
    package let state: ContentKey
  }
}

extension ResultStore {
  /// Writes a sweep, in place of one of the same name. Points keep their order. Results are not touched: they
  /// belong to keys.
  ///
  /// - Parameter needs: the stages that its runs read; none where they are not known, as in a file of an
  ///   older program.
  package func saveSweep(
    _ sweep: SweepRecord, points: [SweepPoint], needs: [StageNeed] = []
  ) throws(StoreError) {
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
      guard let id = try Int.fetchOne(db, sql: "SELECT id FROM sweep WHERE name = ?", arguments: [sweep.name])
      else { return }
      try self.write(needs, ofSweep: id, db)
      try self.writeDigest(ofSweep: id, db)
      // A grid that asks for the same runs, as most calls of `run` do, leaves its points alone.
      if let old, try StoredRow("sweep", old).bytes("digest") == digest { return }
      try db.execute(sql: "DELETE FROM point WHERE sweep = ?", arguments: [id])
      let insert = try RowWriter(
        db, "INSERT INTO point (sweep, ordinal, key, seed, labels) VALUES (?, ?, ?, ?, ?)")
      for (ordinal, point) in points.enumerated() {
        insert.bind(1, id)
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

  static func digest(of points: [SweepPoint], _ labels: [[UInt8]]) -> Data {
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

  private func write(_ needs: [StageNeed], ofSweep id: Int, _ db: Database) throws {
    try db.execute(sql: "DELETE FROM need WHERE sweep = ?", arguments: [id])
    let insert = try db.cachedStatement(sql: "INSERT OR IGNORE INTO need (sweep, key, spec) VALUES (?, ?, ?)")
    for need in needs { try insert.execute(arguments: [id, need.key.stored, need.spec]) }
  }

  /// The stages that runs of a sweep read, begun or not, in the order of their keys; none where an older
  /// program wrote the sweep.
  package func needs(of sweep: String) throws(StoreError) -> [StageNeed] {
    try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT n.key, n.spec FROM need n JOIN sweep s ON s.id = n.sweep WHERE s.name = ? ORDER BY n.key
          """, arguments: [sweep])
      var needs: [StageNeed] = []
      try StoredRow.each("need", rows) {
        needs.append(StageNeed(key: try $0.key("key"), spec: try $0.text("spec")))
      }
      return needs
    }
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

  /// The first sweep by name that asks for a run; nil for a stage that no sweep names as its result.
  package func sweep(askingFor key: ContentKey) throws(StoreError) -> SweepRecord? {
    try read { db in
      try Row.fetchOne(
        db,
        sql: """
          SELECT * FROM sweep WHERE id IN (SELECT sweep FROM point WHERE key = ?) ORDER BY name LIMIT 1
          """, arguments: [key.stored]
      ).map { try self.sweep(StoredRow("sweep", $0)) }
    }
  }

  /// The names of all sweeps that ask for a run, in their order.
  package func sweeps(askingFor key: ContentKey) throws(StoreError) -> [String] {
    try read { db in
      try String.fetchAll(
        db,
        sql: "SELECT name FROM sweep WHERE id IN (SELECT sweep FROM point WHERE key = ?) ORDER BY name",
        arguments: [key.stored])
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
  ///   - metric: as runs report it, with the direction that decides about the best value.
  ///   - selectors: metrics that may choose a run's epoch, the preferred one first: the first that the run
  ///     recorded does.
  /// - Throws: `StoreError.altered` where something of the sweep is not what was written.
  package func outcomes(
    of sweep: String, metric: MetricDescription, selectors: [MetricDescription] = []
  ) throws(StoreError) -> [PointOutcome] {
    _ = try self.sweep(sweep)
    return try read { db in
      if let id = try Int.fetchOne(db, sql: "SELECT id FROM sweep WHERE name = ?", arguments: [sweep]) {
        try self.checkSweep(id, db)
      }
      let queries = try OutcomeQueries(db, metric, selectors)
      var made: [String: Provenance] = [:]
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT p.key, p.seed, p.labels, t.id, t.state, t.cause, t.reason, t.epoch, t.step
          FROM point p JOIN sweep s ON s.id = p.sweep LEFT JOIN stage t ON t.key = p.key
          WHERE s.name = ? ORDER BY p.ordinal
          """, arguments: [sweep])
      var outcomes: [PointOutcome] = []
      try StoredRow.each("point", rows) { row in
        let point = try self.point(row)
        guard let stage = try row.optionalInteger("id").map(Int64.init) else {
          outcomes.append(
            PointOutcome(
              point: point, state: nil, end: nil, total: nil, last: nil, best: nil, validated: nil,
              programs: []))
          return
        }
        var programs: [String] = []
        for text in try queries.programs(of: stage) {
          if made[text] == nil { made[text] = try self.provenance(text) }
          programs.append(text)
        }
        outcomes.append(
          PointOutcome(
            point: point, state: try RunState(row), end: try queries.end(of: stage),
            total: try queries.total(of: stage), last: try queries.last(of: stage),
            best: try queries.best(of: stage), validated: try queries.validated(of: stage),
            programs: programs))
      }
      return try self.countingSeals(outcomes, made, db)
    }
  }

  /// Names the programs of runs instead of their provenances' texts.
  ///
  /// A run that was executed again under another program with the same bits counts as that program's: of the
  /// programs that could have made most of the runs, the one that made or has proven a run is its only one.
  private func countingSeals(
    _ outcomes: [PointOutcome], _ made: [String: Provenance], _ db: Database
  ) throws -> [PointOutcome] {
    let commits = Provenance.commits(of: made.values)
    let names = made.mapValues { $0.numerics(commits: commits) }
    let outcomes = outcomes.map { outcome in
      var outcome = outcome
      outcome.programs = outcome.programs.reduce(into: []) { programs, text in
        if let name = names[text], !programs.contains(name) { programs.append(name) }
      }
      return outcome
    }
    guard Set(outcomes.flatMap(\.programs)).count > 1 else { return outcomes }
    let proven = try newestSeals(db).filter { $0.value.isEqual }.mapValues {
      $0.provenance.numerics(commits: commits)
    }
    var counts: [String: Int] = [:]
    for outcome in outcomes {
      var makers = outcome.programs.count == 1 ? Set(outcome.programs) : []
      if let other = proven[outcome.point.key] { makers.insert(other) }
      for maker in makers { counts[maker, default: 0] += 1 }
    }
    return outcomes.map { outcome in
      guard let other = proven[outcome.point.key], outcome.programs != [other] else { return outcome }
      let own = outcome.programs.count == 1 ? counts[outcome.programs[0], default: 0] : 0
      var outcome = outcome
      if counts[other, default: 0] > own { outcome.programs = [other] }
      return outcome
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

/// Statements that are compiled once for all runs of a sweep.
private struct OutcomeQueries {
  /// Of the metric; nil where no run of the store has it.
  private let name: Int64?
  private let provenances: Statement
  private let ends: Statement
  private let totals: Statement
  private let lasts: Statement
  private let bests: Statement?
  private let chosen: [(selector: Int64, statement: Statement)]

  init(_ db: Database, _ metric: MetricDescription, _ selectors: [MetricDescription]) throws {
    func id(of name: String) throws -> Int64? {
      try Int64.fetchOne(db, sql: "SELECT id FROM name WHERE name = ?", arguments: [name])
    }
    func order(_ isHigherBetter: Bool) -> String { isHigherBetter ? "DESC" : "ASC" }
    name = try id(of: metric.name)
    provenances = try db.makeStatement(
      sql: """
        SELECT provenance FROM attempt a WHERE stage = ? AND provenance IS NOT NULL
          AND EXISTS (SELECT 1 FROM epoch e WHERE e.stage = a.stage AND e.attempt = a.number)
        ORDER BY number
        """)
    ends = try db.makeStatement(
      sql: "SELECT stage, epoch, state FROM epoch WHERE stage = ? ORDER BY epoch DESC LIMIT 1")
    totals = try db.makeStatement(
      sql: "SELECT stage, epoch, value FROM metric WHERE stage = ? AND name = ? AND epoch = -1")
    lasts = try db.makeStatement(
      sql: """
        SELECT stage, epoch, value FROM metric WHERE stage = ? AND name = ? AND epoch >= 0
        ORDER BY epoch DESC LIMIT 1
        """)
    bests = try metric.isHigherBetter.map { isHigherBetter in
      try db.makeStatement(
        sql: """
          SELECT stage, epoch, value FROM metric
          WHERE stage = ? AND name = ? AND epoch >= 0 AND value IS NOT NULL
          ORDER BY value \(order(isHigherBetter)), epoch LIMIT 1
          """)
    }
    var chosen: [(selector: Int64, statement: Statement)] = []
    for selector in selectors {
      guard let isHigherBetter = selector.isHigherBetter, let name = try id(of: selector.name) else {
        continue
      }
      let statement = try db.makeStatement(
        sql: """
          SELECT m.stage, m.epoch, m.value FROM metric v
          JOIN metric m ON m.stage = v.stage AND m.epoch = v.epoch AND m.name = ?
          WHERE v.stage = ? AND v.name = ? AND v.epoch >= 0 AND v.value IS NOT NULL
          ORDER BY v.value \(order(isHigherBetter)), v.epoch LIMIT 1
          """)
      chosen.append((name, statement))
    }
    self.chosen = chosen
  }

  func programs(of stage: Int64) throws -> [String] { try String.fetchAll(provenances, arguments: [stage]) }

  func end(of stage: Int64) throws -> PointOutcome.End? {
    try Row.fetchOne(ends, arguments: [stage]).map { found in
      let row = StoredRow("epoch", found)
      return PointOutcome.End(
        epoch: try row.integer("epoch", in: 0...StoredRow.epochs.upperBound), state: try row.key("state"))
    }
  }

  func total(of stage: Int64) throws -> Double? {
    guard let name else { return nil }
    return try Row.fetchOne(totals, arguments: [stage, name]).map {
      try StoredRow("metric", $0).number("value")
    }
  }

  func last(of stage: Int64) throws -> PointOutcome.EpochValue? { try value(lasts, stage) }
  func best(of stage: Int64) throws -> PointOutcome.EpochValue? { try bests.flatMap { try value($0, stage) } }

  func validated(of stage: Int64) throws -> PointOutcome.EpochValue? {
    guard let name else { return nil }
    for (selector, statement) in chosen {
      if let row = try Row.fetchOne(statement, arguments: [name, stage, selector]) {
        return try Self.value(row)
      }
    }
    return nil
  }

  private func value(_ statement: Statement, _ stage: Int64) throws -> PointOutcome.EpochValue? {
    guard let name else { return nil }
    return try Row.fetchOne(statement, arguments: [stage, name]).map(Self.value)
  }

  private static func value(_ row: Row) throws -> PointOutcome.EpochValue {
    try PointOutcome.EpochValue(StoredRow("metric", row))
  }
}
