import Foundation
import GRDB
import Specs
@testable import Storage
import TestSupport
import Testing

@Suite struct ResultStoreTests {
  private let folder: TemporaryFolder
  private let place: StoreFolder
  private let store: ResultStore

  init() throws {
    folder = try TemporaryFolder()
    place = StoreFolder(folder.path("store"))
    store = try ResultStore(at: place, .writing)
  }

  private func stage(_ name: String, kind: String = "student") -> StageRecord {
    StageRecord(key: Examples.key(name), kind: kind, title: name, spec: "{}")
  }

  private func epoch(_ number: Int, _ accuracy: Double, _ state: String = "s") -> RunRecord {
    .epoch(
      EpochRecord(
        epoch: number, step: (number + 1) * 6, metrics: Metrics(["test.acc1": accuracy, "train.loss": .nan]),
        state: Examples.key("\(state)\(number)")))
  }

  private func numbered(_ records: [RunRecord]) -> [NumberedRecord] {
    records.enumerated().map { NumberedRecord($0.offset, $0.element) }
  }

  /// All rows of all tables as text: equal stores are equal texts.
  private func dump(_ path: String) throws -> String {
    let queue = try DatabaseQueue(path: path)
    defer { try? queue.close() }
    return try queue.read { db in
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      return try tables.map { "\($0): \(try Row.fetchAll(db, sql: "SELECT * FROM \($0)"))" }.joined(
        separator: "\n")
    }
  }

  // Records

  @Test func `a sweep's programs are those that made its finished runs, the most frequent first`() throws {
    var other = Examples.provenance
    (other.commit, other.host) = ("def", "there")
    var elsewhere = other
    elsewhere.host = "elsewhere"
    let makers = [Examples.provenance, other, elsewhere, Examples.provenance]
    for (number, made) in makers.enumerated() {
      try store.register([stage("r\(number)")])
      // The last one is begun and no more.
      try store.ingest(
        numbered([.started(step: 0, made), epoch(0, 10)]),
        of: AttemptID(key: Examples.key("r\(number)"), number: 1), closing: number < 3 ? .finished : nil)
    }
    try store.saveSweep(
      SweepRecord(name: "g", grid: "", canonical: "{}", columns: [], asked: 4, created: 0),
      points: makers.indices.map { SweepPoint(key: Examples.key("r\($0)"), seed: $0, labels: []) })
    let programs = try store.programs(of: "g")
    // Hosts do not tell programs apart.
    #expect(programs.map(\.program) == [other.numerics, Examples.provenance.numerics])
    #expect(programs.map(\.runs) == [2, 1])
    #expect(throws: StoreError.unknownSweep("h", known: ["g"])) { try store.programs(of: "h") }
  }

  @Test func `a run that was proven under another program counts as that program's`() throws {
    var other = Examples.provenance
    (other.commit, other.version) = ("def", "9")
    for (name, made) in [("a", Examples.provenance), ("b", other), ("c", other)] {
      try store.register([stage(name)])
      try store.ingest(
        numbered([.started(step: 0, made), epoch(0, 10)]), of: AttemptID(key: Examples.key(name), number: 1),
        closing: .finished)
    }
    try store.saveSweep(
      SweepRecord(name: "g", grid: "", canonical: "{}", columns: [], asked: 3, created: 0),
      points: ["a", "b", "c"].map { SweepPoint(key: Examples.key($0), seed: 0, labels: []) })
    func programs() throws -> [[String]] {
      try store.outcomes(of: "g", metric: ClassificationMetrics.headline).map(\.programs)
    }
    #expect(try programs() == [[Examples.provenance.numerics], [other.numerics], [other.numerics]])
    // A verification that failed proves nothing.
    try store.seal(Examples.key("a"), Seal(at: 1, isEqual: false, epochs: 1, provenance: other))
    #expect(try Set(programs().flatMap(\.self)).count == 2)
    try store.seal(Examples.key("a"), Seal(at: 2, isEqual: true, epochs: 1, provenance: other))
    #expect(try programs() == [[other.numerics], [other.numerics], [other.numerics]])
  }

  @Test func `one executable is one program, whether its commit was known or not`() throws {
    var known = Examples.provenance
    known.commit = "abc"
    var bare = known
    bare.commit = nil
    var rebuilt = bare
    rebuilt.program = Examples.key("another executable")
    for (name, made) in [("a", known), ("b", bare), ("c", rebuilt)] {
      try store.register([stage(name)])
      try store.ingest(
        numbered([.started(step: 0, made), epoch(0, 10)]), of: AttemptID(key: Examples.key(name), number: 1),
        closing: .finished)
    }
    try store.saveSweep(
      SweepRecord(name: "g", grid: "", canonical: "{}", columns: [], asked: 3, created: 0),
      points: ["a", "b", "c"].map { SweepPoint(key: Examples.key($0), seed: 0, labels: []) })
    let outcomes = try store.outcomes(of: "g", metric: ClassificationMetrics.headline)
    #expect(
      outcomes.map(\.programs) == [known, known, rebuilt].map { [$0.numerics] })
    #expect(try store.programs(of: "g").map(\.runs) == [2, 1])
  }

  @Test func `records of a run become its curve, its attempts and its metrics`() throws {
    try store.register([stage("a")])
    let id = AttemptID(key: Examples.key("a"), number: 1)
    try store.ingest(
      numbered([
        .started(step: 0, Examples.provenance), epoch(0, 10), epoch(1, 30),
        .finished(metrics: Metrics(["steps": 12])),
      ]), of: id,
      closing: .finished)
    let curve = try store.curve(of: id.key)
    #expect(curve.map(\.epoch) == [0, 1] && curve.map(\.step) == [6, 12])
    #expect(curve.map { $0.metrics["test.acc1"] } == [10, 30])
    #expect(curve[0].metrics["train.loss"]?.isNaN == true)
    #expect(curve[1].state == Examples.key("s1"))
    #expect(try store.metrics(of: id.key)["steps"] == 12)
    let attempt = try #require(try store.attempts(of: id.key).first)
    #expect(
      attempt.provenance == Examples.provenance && attempt.outcome == .finished && attempt.firstStep == 0)
    #expect(try store.states(of: [id.key]) == [id.key: .finished])
  }

  @Test func `records taken in twice, or one by one, or in overlapping parts, count once`() throws {
    let records = numbered([
      .started(step: 0, Examples.provenance), epoch(0, 1), epoch(1, 2), epoch(2, 3),
      .finished(metrics: Metrics(["x": 1])),
    ])
    let id = AttemptID(key: Examples.key("a"), number: 1)
    func filled(_ name: String, _ parts: [[NumberedRecord]]) throws -> String {
      let place = StoreFolder(folder.path(name))
      let store = try ResultStore(at: place, .writing)
      try store.register([stage("a")])
      for part in parts { try store.ingest(part, of: id) }
      try store.close()
      return try dump(place.database)
    }
    let once = try filled("once", [records])
    #expect(try filled("twice", [records, records]) == once)
    #expect(try filled("single", records.map { [$0] }) == once)
    #expect(try filled("overlap", [Array(records[0..<3]), Array(records[1..<4]), records]) == once)
  }

  @Test func `what an epoch cost stands beside its results`() throws {
    try store.register([stage("a")])
    let key = Examples.key("a")
    let record = EpochRecord(
      epoch: 0, step: 6, metrics: Metrics(["test.acc1": 10]), state: Examples.key("s"),
      measured: Metrics(["measured.seconds": 1.5]))
    try store.ingest(numbered([.epoch(record)]), of: AttemptID(key: key, number: 1))
    #expect(try store.curve(of: key) == [record])
    #expect(try store.run(of: key)?.epochs == [record])
  }

  @Test func `a later attempt replaces the epochs that it repeats`() throws {
    try store.register([stage("a")])
    let key = Examples.key("a")
    try store.ingest(numbered([epoch(0, 1, "old"), epoch(1, 2, "old")]), of: AttemptID(key: key, number: 1))
    try store.ingest(
      numbered([.started(step: 6, Examples.provenance), epoch(1, 5, "new")]),
      of: AttemptID(key: key, number: 2))
    #expect(try store.curve(of: key).map(\.state) == [Examples.key("old0"), Examples.key("new1")])
    #expect(try store.attempts(of: key).map(\.firstStep) == [0, 6])
  }

  @Test func `reports of several stages are taken in together, or none of them`() throws {
    let (first, second) = (Examples.key("a"), Examples.key("b"))
    func report(_ key: ContentKey) -> AttemptReport {
      AttemptReport(AttemptID(key: key, number: 1), numbered([epoch(0, 1)]), closing: .finished)
    }
    #expect(throws: StoreError.unknownStage(second)) {
      try store.ingest([report(first), report(second)], registering: [stage("a")])
    }
    #expect(try store.stages().isEmpty)
    #expect(
      try store.ingest([report(first), report(second)], registering: [stage("a"), stage("b")]) == [[], []])
    #expect(try store.states(of: [first, second]) == [first: .finished, second: .finished])
    #expect(try store.curve(of: second).count == 1)
  }

  @Test func `records of a stage that nobody registered change nothing`() throws {
    let key = Examples.key("unknown")
    #expect(throws: StoreError.unknownStage(key)) {
      try store.ingest(numbered([epoch(0, 1)]), of: AttemptID(key: key, number: 1))
    }
    #expect(throws: StoreError.unknownStage(key)) { try store.setState(.finished, of: key) }
    #expect(try store.stages().isEmpty)
  }

  @Test func `registering a stage again keeps its state`() throws {
    try store.register([stage("a"), stage("b")])
    let failure = FailureRecord(cause: .diverged, reason: "not finite", epoch: 2, step: 14)
    try store.setState(.failed(failure), of: Examples.key("a"))
    try store.setState(.blocked(reason: "teacher failed"), of: Examples.key("b"))
    try store.register([stage("a"), stage("b")])
    #expect(
      try store.states(of: ["a", "b", "c"].map(Examples.key)) == [
        Examples.key("a"): .failed(failure), Examples.key("b"): .blocked(reason: "teacher failed"),
      ])
    try store.setState(.open, of: Examples.key("a"))
    #expect(try store.states(of: [Examples.key("a")]).values.first == .open)
  }

  @Test func `stages are found by the beginning of their keys`() throws {
    try store.register((0..<40).map { stage("\($0)") })
    let keys = (0..<40).map { Examples.key("\($0)") }.sorted()
    #expect(try store.stages().map(\.stage.key) == keys)
    for digits in [1, 2, 64] {
      let prefix = String(keys[7].description.prefix(digits))
      #expect(
        try store.stages(withPrefix: prefix).map(\.stage.key)
          == keys.filter { $0.description.hasPrefix(prefix) })
    }
    #expect(try store.stages(withPrefix: "%").isEmpty)
    #expect(try store.stages(withPrefix: "' OR 1 --").isEmpty)
  }

  @Test func `estimates are means`() throws {
    for seconds in [1.0, 2, 6] { try store.measured(seconds, of: "topic") }
    let estimate = try #require(try store.estimates()["topic"])
    #expect(abs(estimate.seconds - 3) < 1e-12 && estimate.count == 3)
  }

  // Sweeps

  private func sweep(_ name: String = "g") -> SweepRecord {
    SweepRecord(
      name: name, grid: "{}", canonical: "{}", columns: ["student", "method"], asked: 9, created: 77)
  }

  private func point(_ name: String, _ seed: Int) -> SweepPoint {
    SweepPoint(
      key: Examples.key(name), seed: seed, labels: ["resnet8", .string(name), .null, [1, ["k": 2]]])
  }

  @Test func `a sweep keeps its points and their order`() throws {
    let points = [point("c", 2), point("a", 1), point("b", 3)]
    try store.saveSweep(sweep(), points: points)
    #expect(try store.points(of: "g") == points)
    #expect(try store.sweep("g") == sweep())
    try store.saveSweep(sweep(), points: points.reversed())
    #expect(try store.points(of: "g") == points.reversed())
    try store.saveSweep(sweep("h"), points: [])
    #expect(try store.sweeps().map(\.name) == ["g", "h"])
    #expect(throws: StoreError.unknownSweep("i", known: ["g", "h"])) { try store.points(of: "i") }
  }

  @Test func `an outcome is the last epoch's value and the earliest highest`() throws {
    try store.register(["a", "b", "c"].map { stage($0) })
    try store.saveSweep(sweep(), points: [point("a", 1), point("b", 1), point("c", 1), point("d", 1)])
    try store.ingest(
      numbered([epoch(0, 5), epoch(1, 9), epoch(2, 9), epoch(3, 7)]),
      of: AttemptID(key: Examples.key("a"), number: 1), closing: .finished)
    try store.ingest(
      numbered([epoch(0, .nan), epoch(1, .nan)]), of: AttemptID(key: Examples.key("b"), number: 1))
    let outcomes = try store.outcomes(of: "g", metric: ClassificationMetrics.headline)
    #expect(outcomes.map(\.state) == [.finished, .open, .open, nil])
    #expect(outcomes[0].last?.epoch == 3 && outcomes[0].last?.value == 7)
    #expect(outcomes[0].best?.epoch == 1 && outcomes[0].best?.value == 9)
    #expect(outcomes[1].last?.value.isNaN == true && outcomes[1].best == nil)
    #expect(outcomes[2].last == nil && outcomes[3].best == nil)
    #expect(try store.outcomes(of: "g", metric: MetricDescription("none")).allSatisfy { $0.last == nil })
  }

  // Checkpoints

  private func contents() throws -> Int {
    try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM content") } ?? -1
  }

  private func put(_ bytes: [UInt8], _ kind: CheckpointKind, of name: String = "a") throws {
    try store.ingest(
      [], of: AttemptID(key: Examples.key(name), number: 1),
      checkpoints: [Checkpoint(kind: kind, epoch: 1, step: 2, bytes: bytes)])
  }

  @Test func `a checkpoint comes back, equal bytes are kept once, and what nobody needs goes`() throws {
    try store.register([stage("a"), stage("b")])
    let (one, two) = (
      [UInt8](repeating: 1, count: 1000), Array((0..<1001).map { UInt8(truncatingIfNeeded: $0 * 31) })
    )
    try put(one, .last)
    try put(one, .best)
    try put(one, .final, of: "b")
    try put([], .final)
    #expect(try contents() == 2)
    #expect(try store.checkpoint(of: Examples.key("a"), kind: .best).bytes == one)
    #expect(try store.checkpoint(of: Examples.key("a"), kind: .final).bytes == [])
    try put(two, .last)
    #expect(try contents() == 3)
    try put(two, .best)
    #expect(try contents() == 3, "b still needs the first")
    try put(two, .final, of: "b")
    #expect(try contents() == 2)
    let summaries = try store.checkpoints(of: Examples.key("a"))
    #expect(summaries.map(\.kind) == [.last, .best, .final])
    #expect(
      summaries[0].digest == ContentKey(hashing: two) && summaries[0].size == 1001
        && summaries[0].storedSize > 0)
    #expect(throws: StoreError.checkpointAbsent(Examples.key("b"), kind: .last)) {
      try store.checkpoint(of: Examples.key("b"), kind: .last)
    }
  }

  @Test func `any changed bit of a stored checkpoint is found on the read`() throws {
    try store.register([stage("a")])
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 * 7) }
    try put(bytes, .last)
    var accepted = 0
    let frame = try #require(try store.read { try Data.fetchOne($0, sql: "SELECT frame FROM content") })
    let key = Examples.key("a")
    for place in frame.indices {
      var changed = frame
      changed[place] ^= 0x10
      try store.write { try $0.execute(sql: "UPDATE content SET frame = ?", arguments: [changed]) }
      // A few bits of the frame's header mean nothing; what is accepted has to be what was written.
      do {
        #expect(try store.checkpoint(of: key, kind: .last).bytes == bytes, "byte \(place)")
        accepted += 1
      } catch {
        guard case .checkpointDamaged(key, .last, _) = error else { throw error }
      }
    }
    try store.write { try $0.execute(sql: "UPDATE content SET frame = ?", arguments: [frame]) }
    #expect(accepted <= 2)
    #expect(try store.checkpoint(of: key, kind: .last).bytes == bytes)
    // The frame is whole, but the bytes in it are others.
    let other = Data(Zstd.compress(ByteGroups.split([UInt8](repeating: 3, count: 200))))
    try store.write { try $0.execute(sql: "UPDATE content SET frame = ?", arguments: [other]) }
    #expect {
      try store.checkpoint(of: key, kind: .last)
    } throws: { "\($0)".contains("is not what was written (digest") && "\($0)".contains("--store") }
  }

  @Test func `what makes a result is taken in together or not at all`() throws {
    try store.register([stage("a")])
    let before = try dump(place.database)
    try store.write {
      try $0.execute(sql: "PRAGMA max_page_count = \(try Int.fetchOne($0, sql: "PRAGMA page_count")! + 2)")
    }
    let noise = (0..<200_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 7 ^ $0 >> 3) }
    #expect(throws: StoreError.full(place.database)) {
      try store.ingest(
        numbered([epoch(0, 1), .finished(metrics: Metrics())]),
        of: AttemptID(key: Examples.key("a"), number: 1),
        checkpoints: [Checkpoint(kind: .final, epoch: 0, step: 6, bytes: noise)], closing: .finished)
    }
    try store.close()
    #expect(try dump(place.database) == before)
  }
}

@Suite struct StoreFileTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func filled(_ name: String) throws -> StoreFolder {
    let place = StoreFolder(folder.path(name))
    let store = try ResultStore(at: place, .writing)
    try store.register([StageRecord(key: Examples.key("a"), kind: "student", title: "a", spec: "{}")])
    try store.saveSweep(
      SweepRecord(name: "g", grid: "{}", canonical: "{}", columns: ["student"], asked: 1, created: 1),
      points: [SweepPoint(key: Examples.key("a"), seed: 1, labels: ["x"])])
    try store.close()
    return place
  }

  private func error(_ body: () throws(StoreError) -> ResultStore) -> StoreError? {
    do throws(StoreError) {
      _ = try body()
      return nil
    } catch { return error }
  }

  @Test func `reading a store that is not there says how to make one and makes nothing`() throws {
    let place = StoreFolder(folder.path("none"))
    let error = error { () throws(StoreError) in try ResultStore(at: place, .reading) }
    #expect(error == .absent(place.database))
    #expect(error?.description.contains("mtkd-sweep run FILE") == true)
    #expect(try folder.names() == [])
  }

  @Test func `anything else at its place is no store and stays as it is`() throws {
    try folder.write(
      Array(
        "this is no database, but it is long enough to be looked at as if it were one ......................"
          .utf8), to: "text")
    let other = try DatabaseQueue(path: folder.path("other"))
    try other.write { try $0.execute(sql: "CREATE TABLE t (x)") }
    try other.close()
    try FileManager.default.createDirectory(atPath: folder.path("folder"), withIntermediateDirectories: false)
    for name in ["text", "other", "folder"] {
      for access in [ResultStore.Access.reading, .writing] {
        let before = try? folder.bytes(name)
        #expect(
          error { () throws(StoreError) in try ResultStore(file: folder.path(name), access) }
            == .notAStore(folder.path(name)), "\(name) \(access)")
        #expect((try? folder.bytes(name)) == before)
      }
    }
  }

  @Test func `a store of a newer program is refused, for reading and for writing`() throws {
    let place = try filled("s")
    let raw = try DatabaseQueue(path: place.database)
    try raw.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('9-from-the-future')") }
    try raw.close()
    for access in [ResultStore.Access.reading, .writing] {
      let error = error { () throws(StoreError) in try ResultStore(at: place, access) }
      #expect(error == .newer(place.database, migrations: ["9-from-the-future"]))
      #expect(error?.description.contains("Use that version") == true)
    }
  }

  @Test func `a store without any table is made by a writer, and a reader says so`() throws {
    let place = StoreFolder(folder.path("old"))
    try place.create()
    let raw = try DatabaseQueue(path: place.database)
    try raw.write { db in
      try db.execute(
        sql:
          "PRAGMA application_id = \(Migrations.applicationID); CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)"
      )
    }
    try raw.close()
    let error = error { () throws(StoreError) in try ResultStore(at: place, .reading) }
    #expect(error == .older(place.database))
    let sentence = error?.description ?? ""
    #expect(
      sentence.contains("ended halfway") && sentence.contains("mtkd-sweep run GRID")
        && sentence.contains("nothing in it is lost"), "\(sentence)")
    try ResultStore(at: place, .writing).close()
    try ResultStore(at: place, .reading).close()
  }

  @Test func `every migration is applied to an empty store and to one that stopped before it`() throws {
    let names = Migrations.migrator.migrations
    for name in names {
      let raw = try DatabaseQueue()
      try Migrations.migrator.migrate(raw, upTo: name)
      try Migrations.migrator.migrate(raw)
      #expect(try raw.read { try Migrations.migrator.completedMigrations($0) } == names)
    }
  }

  @Test func `an empty file is a store that was never written`() throws {
    try folder.write([], to: "store.sqlite")
    #expect(
      error { () throws(StoreError) in try ResultStore(at: StoreFolder(folder.path), .reading) }
        == .absent(folder.path("store.sqlite")))
    try ResultStore(at: StoreFolder(folder.path), .writing).close()
    try ResultStore(at: StoreFolder(folder.path), .reading).close()
  }

  @Test func `a damaged file is said to be damaged or still reads, and never ends the program`() throws {
    let place = try filled("s")
    let whole = try AtomicFile.read(place.database)
    for place in stride(from: 100, to: whole.count, by: 997) {
      var bytes = whole
      for offset in place..<min(place + 64, bytes.count) { bytes[offset] ^= 0xFF }
      try folder.write(bytes, to: "damaged")
      do {
        let store = try ResultStore(file: folder.path("damaged"), .reading)
        _ = try? store.outcomes(of: "g", metric: ClassificationMetrics.headline)
      } catch {
        #expect(error.description.contains("damaged"))
      }
    }
    for count in stride(from: 0, to: whole.count, by: 4096) {
      try folder.write(Array(whole.prefix(count)), to: "cut")
      do {
        _ = try ResultStore(file: folder.path("cut"), .reading).outcomes(
          of: "g", metric: ClassificationMetrics.headline)
      } catch {}
    }
  }

  @Test func `one file is all it takes on another machine`() throws {
    let place = try filled("s")
    try folder.write(try AtomicFile.read(place.database), to: "copy.sqlite")
    #expect(try AtomicFile.read("\(place.path)/store.sqlite-journal").isEmpty, "a journal that holds nothing")
    let here = try ResultStore(at: place, .reading).outcomes(of: "g", metric: ClassificationMetrics.headline)
    #expect(
      try ResultStore(file: folder.path("copy.sqlite"), .reading).outcomes(
        of: "g", metric: ClassificationMetrics.headline)
        == here)
  }

  @Test func `a commit that a kill cut in half is undone by whoever opens the store next`() throws {
    let place = try filled("s")
    let before = try ResultStore(at: place, .reading).stages().map(\.stage.key)
    let raw = try DatabaseQueue(path: place.database)
    // A small cache makes SQLite write pages of the open transaction into the file, as a long one does.
    try raw.writeWithoutTransaction { db in
      try db.execute(
        sql: "PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 2; PRAGMA cache_spill = 1; BEGIN IMMEDIATE")
      for number in 0..<400 {
        try db.execute(
          sql: "INSERT INTO stage (key, kind, title, spec, state) VALUES (?, 'student', ?, '{}', 'open')",
          arguments: [Examples.key("n\(number)").stored, String(repeating: "t", count: 500)])
      }
      for name in ["store.sqlite", "store.sqlite-journal"] {
        try folder.write(try AtomicFile.read("\(place.path)/\(name)"), to: name)
      }
      try db.execute(sql: "ROLLBACK")
    }
    try raw.close()
    #expect(try folder.bytes("store.sqlite-journal").count > 0)
    #expect(
      try folder.bytes("store.sqlite") != AtomicFile.read(place.database),
      "pages of the cut commit are in the file")
    let copy = StoreFolder(folder.path)
    #expect(try ResultStore(at: copy, .reading).stages().map(\.stage.key) == before)
    #expect(try ResultStore(at: copy, .writing).stages().map(\.stage.key) == before)
  }

  @Test func `a store whose making was cut between two steps is read, and made whole by the next writer`()
    throws
  {
    let place = try filled("s")
    let raw = try DatabaseQueue(path: place.database)
    try raw.write { db in
      let last = try #require(Migrations.migrator.migrations.last)
      try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = ?", arguments: [last])
      for table in ["verification_digest", "stage_digest", "sweep_digest", "need", "weights", "writer"] {
        try db.execute(sql: "DROP TABLE \(table)")
      }
    }
    try raw.close()
    #expect(try ResultStore(at: place, .reading).stages().count == 1)
    try ResultStore(at: place, .writing).close()
    #expect(try ResultStore(at: place, .reading).stages().count == 1)
  }

  @Test func `readers and a writer at the same time do not hinder each other`() throws {
    let place = try filled("s")
    let writer = try ResultStore(at: place, .writing)
    let reader = try ResultStore(at: place, .reading)
    for number in 0..<20 {
      try writer.register([
        StageRecord(key: Examples.key("w\(number)"), kind: "student", title: "w", spec: "{}")
      ])
      #expect(try reader.stages().count == number + 2)
    }
  }

  @Test(arguments: [
    (ResultCode.SQLITE_FULL, StoreError.full("p")), (.SQLITE_READONLY, .readOnly("p")),
    (.SQLITE_PERM, .denied("p")), (.SQLITE_BUSY, .busy("p")),
    (.SQLITE_NOTADB, .notAStore("p")), (.SQLITE_CORRUPT, .damaged("p", reason: "why")),
    (.SQLITE_MISMATCH, .failed("p", reason: "why")),
  ])
  func `codes of SQLite become facts with a place and a next step`(_ code: ResultCode, _ expected: StoreError)
  {
    #expect(throws: expected) {
      try ResultStore.translating("p") { throw DatabaseError(resultCode: code, message: "why") }
    }
    #expect(expected.description.hasPrefix("p") || expected.description.contains(" p"))
  }
}
