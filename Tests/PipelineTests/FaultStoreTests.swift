import Foundation
import GRDB
@testable import Pipeline
import Specs
@testable import Storage
import Sweeps
import TestSupport
import Testing

/// A store of which one value at a time is changed, as a disk or a person may.
@Suite struct FaultStoreTests {
  /// Columns whose values no number of a table and no run depends on.
  private static let meaningless: Set<String> = [
    // Of the database itself: nothing refers to these rows by number.
    "attempt.id", "content.id",
    // How many records were taken in; a wrong count has records taken in again, with the same outcome.
    "attempt.ingested",
    // For forecasts.
    "estimate.topic", "estimate.seconds", "estimate.count",
    // Places in a list of which only the order counts, and the order is in the digest.
    "point.ordinal",
    // Who writes now.
    "writer.id", "writer.generation", "writer.holder",
  ]

  /// Columns that stand in a report, or that it computes with.
  private static let reported = [
    "metric.value", "metric.epoch", "epoch.epoch", "stage.state", "stage.spec", "attempt.provenance",
    "point.key", "point.seed", "point.labels", "sweep.columns",
  ]

  private static let finished = Task {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let store = try ResultStore(at: sweep.place, .writing)
    let student = try #require(try store.stages().first { $0.stage.kind == StudentStage.kind }).stage.key
    let made = try #require(try store.attempts(of: student).last?.provenance)
    try store.seal(student, Seal(at: 5, isEqual: true, epochs: 2, provenance: made))
    try store.addWeights([1, 2, 3])
    try store.close()
    return sweep
  }

  /// A change of a value that is certainly one, in SQL.
  private func changes(of column: String, _ type: String) -> [String] {
    switch type {
    case "INTEGER": ["\(column) + 1"]
    case "REAL": ["\(column) + 1e-6", "NULL"]
    case "BLOB":
      [
        "CAST(x'01' || substr(\(column), 2) AS BLOB)",
        "CAST(substr(\(column), 1, length(\(column)) - 1) || x'02' AS BLOB)",
      ]
    default:
      ["replace(\(column), substr(\(column), 2, 1), substr(\(column), 2, 1) || '1')", "\(column) || ' '"]
    }
  }

  private struct Place {
    let table: String
    let column: String
    let type: String
    var name: String { "\(table).\(column)" }
  }

  private func places(_ path: String) throws -> [Place] {
    let database = try DatabaseQueue(path: path)
    defer { try? database.close() }
    return try database.read { db in
      let tables = try String.fetchAll(
        db,
        sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'grdb_migrations' ORDER BY name"
      )
      return try tables.flatMap { table in
        try Row.fetchAll(db, sql: "PRAGMA table_info(\(table))").map {
          Place(table: table, column: $0["name"], type: $0["type"])
        }
      }
    }
  }

  /// Changes one value in the first and in the last row that differ by it.
  ///
  /// - Returns: whether anything is another now.
  private func change(_ path: String, _ place: Place, to value: String, descending: Bool) throws -> Bool {
    let database = try DatabaseQueue(path: path)
    defer { try? database.close() }
    return try database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
      let keys = try Row.fetchAll(db, sql: "PRAGMA table_info(\(place.table))").filter {
        ($0["pk"] as Int) > 0
      }
      .map { $0["name"] as String }
      let order = keys.map { "\($0) \(descending ? "DESC" : "ASC")" }.joined(separator: ", ")
      let columns = keys.joined(separator: ", ")
      let condition =
        "(\(columns)) = (SELECT \(columns) FROM \(place.table) WHERE \(place.column) IS NOT NULL ORDER BY \(order) LIMIT 1)"
      let before = try Row.fetchAll(db, sql: "SELECT * FROM \(place.table)")
      do {
        try db.execute(sql: "UPDATE \(place.table) SET \(place.column) = \(value) WHERE \(condition)")
      } catch {
        // Where the table itself does not let it be, nobody can have done it this way.
        return false
      }
      return try Row.fetchAll(db, sql: "SELECT * FROM \(place.table)") != before
    }
  }

  /// Of a database alone, without the folders that it came from.
  private func isNoticed(_ folder: StoreFolder) -> Bool {
    guard let checked = try? StoreUpkeep.check(folder) else { return true }
    return !checked.damages.isEmpty || !checked.undigested.isEmpty
  }

  @Test func `every changed value is noticed, or stands in the list of those that carry no meaning`()
    async throws
  {
    let sweep = try await Self.finished.value
    let bytes = try AtomicFile.read(sweep.place.database)
    let copy = StoreFolder(try TemporaryFolderHold.shared.path("values"))
    try copy.create()
    try AtomicFile.write(bytes, to: copy.database)
    #expect(try StoreUpkeep.check(copy).damages == [], "as it was written")
    #expect(!isNoticed(copy))
    var (changed, unnoticed): (Int, Set<String>) = (0, [])
    var columns: Set<String> = []
    for place in try places(copy.database) {
      for value in changes(of: place.column, place.type) {
        for descending in [false, true] {
          try AtomicFile.write(bytes, to: copy.database)
          guard try change(copy.database, place, to: value, descending: descending) else { continue }
          changed += 1
          columns.insert(place.name)
          if !isNoticed(copy) { unnoticed.insert(place.name) }
        }
      }
    }
    #expect(unnoticed.subtracting(Self.meaningless) == [])
    #expect(changed > 100, "\(changed) changes of \(columns.count) columns")
  }

  @Test func `a report of changed numbers is refused, with the name of what was changed`() async throws {
    let sweep = try await Self.finished.value
    let bytes = try AtomicFile.read(sweep.place.database)
    let copy = StoreFolder(try TemporaryFolderHold.shared.path("report"))
    try copy.create()
    for place in try places(sweep.place.database) where Self.reported.contains(place.name) {
      for value in changes(of: place.column, place.type) {
        try AtomicFile.write(bytes, to: copy.database)
        // The last rows are those of students, which the sweep shows.
        guard try change(copy.database, place, to: value, descending: true) else { continue }
        #expect(throws: StoreError.self, "\(place.name) = \(value)") {
          try ResultStore(at: copy, .reading).outcomes(of: "tiny", metric: ClassificationMetrics.headline)
        }
      }
    }
  }

  @Test func `an older program's results get digests by their records, unless they differ`() async throws {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let store = try ResultStore(at: sweep.place, .writing)
    try store.write { try $0.execute(sql: "DELETE FROM stage_digest") }
    let keys = try store.stages().map(\.stage.key)
    #expect(try Set(StoreUpkeep.check(sweep.place).undigested) == Set(keys))
    let student = try #require(try store.stages().first { $0.stage.kind == StudentStage.kind }).stage.key
    try store.write {
      try $0.execute(
        sql:
          "UPDATE metric SET value = value + 1 WHERE epoch = 1 AND stage = (SELECT id FROM stage WHERE key = ?)",
        arguments: [student.stored])
    }
    let checked = try StoreUpkeep.check(sweep.place)
    #expect(checked.damages.contains { $0.contains(student.short) && $0.contains("its records") })
    #expect(Set(checked.repairable) == Set(keys).subtracting([student]))
    try store.addDigests(to: checked.repairable)
    #expect(try store.checkDigests().undigested == [student])
  }

  @Test func `a failed run that is tried again has no digest until it ends`() throws {
    let folder = try TemporaryFolder()
    let store = try ResultStore(at: StoreFolder(folder.path("s")), .writing)
    let key = ContentKey(hashing: [1])
    try store.register([StageRecord(key: key, kind: "student", title: "a", spec: "{}")])
    #expect(try store.checkDigests().undigested == [])
    try store.setState(.failed(FailureRecord(cause: .other, reason: "r")), of: key)
    #expect(try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM stage_digest") } == 1)
    try store.setState(.open, of: key)
    #expect(try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM stage_digest") } == 0)
    // What was changed before an attempt is noted does not become right by that.
    try store.setState(.finished, of: key)
    try store.write { try $0.execute(sql: "UPDATE stage SET title = 'b'") }
    try store.setOutcome(.died, of: AttemptID(key: key, number: 1))
    #expect(try store.checkDigests().damages.count == 1)
  }
}

/// One folder for the tests of this file.
private enum TemporaryFolderHold {
  static let shared = Result { try TemporaryFolder() }
}

extension Result where Success == TemporaryFolder {
  fileprivate func path(_ name: String) throws -> String { try get().path(name) }
}
