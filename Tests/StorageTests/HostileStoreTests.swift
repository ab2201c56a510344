import Foundation
import GRDB
import Specs
@testable import Storage
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// Databases that anybody may have written.
@Suite struct HostileStoreTests {
  private let folder: TemporaryFolder
  private let place: StoreFolder

  init() throws {
    folder = try TemporaryFolder()
    place = StoreFolder(folder.path("store"))
    let store = try ResultStore(at: place, .writing)
    let key = Examples.key("a")
    try store.register([StageRecord(key: key, kind: "student", title: "a", spec: "{}")])
    try store.ingest(
      [
        .started(step: 0, Examples.provenance),
        .epoch(EpochRecord(epoch: 0, step: 6, metrics: Metrics(["test.acc1": 10]), state: Examples.key("s"))),
        .finished(metrics: Metrics(["test.acc1": 10])),
      ].enumerated().map { NumberedRecord($0.offset, $0.element) },
      of: AttemptID(key: key, number: 1),
      checkpoints: [Checkpoint(kind: .final, epoch: 0, step: 6, bytes: [1, 2, 3])], closing: .finished)
    try store.seal(key, Seal(at: 1, isEqual: true, epochs: 1, provenance: Examples.provenance))
    try store.measured(1, of: "topic")
    try store.saveSweep(
      SweepRecord(name: "g", grid: "", canonical: "{}", columns: ["method"], asked: 1, created: 0),
      points: [SweepPoint(key: key, seed: 1, labels: ["x"])])
    try store.close()
  }

  private func change(_ sql: String) throws {
    let database = try DatabaseQueue(path: place.database)
    try database.writeWithoutTransaction { db in
      // What STRICT and CHECK forbid is in a file all the same where somebody wants it there.
      try db.execute(sql: "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; \(sql)")
      // Without digests, which would notice every change before it is read.
      try db.execute(
        sql: "DELETE FROM stage_digest; DELETE FROM sweep_digest; DELETE FROM verification_digest")
    }
    try database.close()
  }

  /// Everything that a store can be asked.
  private func readAll() throws {
    let store = try ResultStore(at: place, .reading)
    let key = Examples.key("a")
    _ = try store.sweeps()
    _ = try store.points(of: "g")
    _ = try store.outcomes(of: "g", metric: ClassificationMetrics.headline)
    _ = try store.outlines(of: "g")
    _ = try store.series(of: [key], metric: "test.acc1")
    _ = try store.counts(of: "g")
    _ = try store.programs(of: "g")
    _ = try store.standings(of: "g")
    _ = try store.openStages()
    _ = try store.stages()
    _ = try store.states(of: [key])
    _ = try store.run(of: key)
    _ = try store.curve(of: key)
    _ = try store.metrics(of: key)
    _ = try store.attempts(of: key)
    _ = try store.checkpoints(of: key)
    _ = try store.checkpoint(of: key, kind: .final)
    _ = try store.seals()
    _ = try store.estimates()
    _ = try store.specs(of: [key])
    _ = try store.metricNames()
  }

  private func expectDamage(_ word: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(sourceLocation: sourceLocation) {
      try readAll()
    } throws: { error in
      guard case .damaged(_, let reason)? = error as? StoreError else { return false }
      return reason.contains(word)
    }
  }

  @Test func `the store as it was written is read`() throws { try readAll() }

  @Test(arguments: [
    ("CREATE VIEW metric2 AS SELECT 1", "a view 'metric2'"),
    ("CREATE TRIGGER boom AFTER INSERT ON stage BEGIN DELETE FROM point; END", "a trigger 'boom'"),
    ("CREATE TABLE extra (x)", "a table 'extra'"), ("DROP TABLE estimate", "table estimate is gone"),
    ("DROP TABLE estimate; CREATE TABLE estimate (topic, seconds, count)", "declared in another way"),
    (
      "DROP TABLE estimate; CREATE VIEW estimate AS SELECT 'a' AS topic, 1.0 AS seconds, 1 AS count", "a view"
    ),
  ])
  func `a schema that this program does not make is refused`(_ sql: String, _ word: String) throws {
    try change(sql)
    expectDamage(word)
    #expect(throws: StoreError.self) { try ResultStore(at: place, .writing) }
  }

  @Test(arguments: [
    ("UPDATE epoch SET epoch = 9223372036854775807", "table epoch"),
    ("UPDATE epoch SET step = -5", "table epoch"),
    ("UPDATE metric SET epoch = 9223372036854775807 WHERE epoch = 0", "table metric"),
    ("UPDATE attempt SET number = 9223372036854775807", "table attempt"),
    ("UPDATE attempt SET outcome = 'odd'", "table attempt"),
    ("UPDATE attempt SET provenance = '{}'", "table attempt"),
    ("UPDATE stage SET state = 'odd'", "table stage"),
    ("UPDATE point SET labels = '['", "JSON"),
    ("UPDATE checkpoint SET kind = 'odd'", "table checkpoint"),
    ("UPDATE content SET size = 1 << 62", "table checkpoint"),
    ("UPDATE verification SET equal = 7", "table verification"),
  ])
  func `a value out of its range is an error that names table and row`(_ sql: String, _ word: String) throws {
    try change(sql)
    expectDamage(word)
  }

  /// Types cannot be changed with SQL in strict tables, but with another declaration for a moment.
  @Test(arguments: [
    ("sweep", "asked", "'many'"), ("sweep", "name", "NULL"), ("point", "key", "'k'"),
    ("point", "seed", "NULL"),
    ("stage", "title", "x'00'"), ("stage", "key", "7"), ("attempt", "step", "'x'"),
    ("metric", "value", "'x'"),
    ("epoch", "state", "x'0102'"), ("epoch", "step", "NULL"), ("checkpoint", "epoch", "'x'"),
    ("content", "frame", "5"), ("verification", "at", "'x'"), ("estimate", "count", "'x'"),
    ("name", "name", "x'ff'"),
  ])
  func `a value of another type is an error, not the program's end`(
    _ table: String, _ column: String, _ value: String
  ) throws {
    let database = try DatabaseQueue(path: place.database)
    let sql = try database.read { db in
      try String.fetchOne(db, sql: "SELECT sql FROM sqlite_master WHERE name = ?", arguments: [table])!
    }
    let loose = sql.replacing(") STRICT", with: ")").replacing("NOT NULL", with: "").replacing(
      ", WITHOUT ROWID", with: " WITHOUT ROWID")
    func declare(_ text: String) throws {
      try database.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA writable_schema = ON")
        try db.execute(
          sql: "UPDATE sqlite_master SET sql = ? WHERE name = ?", arguments: [text, table])
        try db.execute(sql: "PRAGMA writable_schema = RESET")
      }
    }
    try declare(loose)
    try database.close()
    try change("UPDATE \(table) SET \(column) = \(value)")
    let again = try DatabaseQueue(path: place.database)
    try again.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA writable_schema = ON")
      try db.execute(sql: "UPDATE sqlite_master SET sql = ? WHERE name = ?", arguments: [sql, table])
      try db.execute(sql: "PRAGMA writable_schema = RESET")
    }
    try again.close()
    #expect {
      try readAll()
    } throws: { error in
      if case .damaged? = error as? StoreError { true } else { false }
    }
  }

  @Test func `what is no regular file is not opened`() throws {
    try FileManager.default.removeItem(atPath: place.database)
    #expect(mkfifo(place.database, 0o644) == 0)
    for access in [ResultStore.Access.reading, .writing] {
      #expect(throws: StoreError.notRegular(place.database, kind: "a FIFO")) {
        try ResultStore(at: place, access)
      }
    }
  }

  @Test func `a journal that names another file is not followed`() throws {
    let mark: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
    try folder.write([1, 2, 3], to: "precious")
    try folder.write(
      mark + Array("../precious".utf8) + [0, 0, 0, 11, 0, 0, 0, 0] + mark, to: "store/store.sqlite-journal")
    #expect(throws: StoreError.self) { try ResultStore(at: place, .reading) }
    #expect(throws: StoreError.self) { try ResultStore(at: place, .writing) }
    #expect(try folder.bytes("precious") == [1, 2, 3])
  }

  @Test func `a store without the newest tables is read as if they were empty`() throws {
    let newer = [
      "verification_digest", "verification", "stage_digest", "sweep_digest", "need", "weights", "writer",
    ]
    let database = try DatabaseQueue(path: place.database)
    try database.writeWithoutTransaction { db in
      try db.execute(sql: newer.map { "DROP TABLE \($0);" }.joined())
      try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier <> '1-sweeps-stages-results'")
    }
    try database.close()
    let store = try ResultStore(at: place, .reading)
    #expect(try store.seals().isEmpty)
    #expect(try store.curve(of: Examples.key("a")).count == 1)
    try store.close()
    _ = try ResultStore(at: place, .writing)
    #expect(try ResultStore(at: place, .reading).seals().isEmpty)
  }
}
