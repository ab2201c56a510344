import Foundation
import GRDB
@testable import Pipeline
import Specs
@testable import Storage
import Sweeps
import TestSupport
import Testing

/// What upkeep keeps, removes and takes over.
@Suite struct UpkeepTests {
  /// A sweep that was stopped when its teachers had ended and none of its students had begun.
  private func interrupted() async throws -> InProcessSweep {
    let sweep = try InProcessSweep()
    let stop = StopSignal()
    let outcome = try await sweep.run(
      InProcessExecutor { _, workspace in
        let text = try? AtomicFile.read(workspace.stage.spec)
        let isStudent =
          text.map { String(decoding: $0, as: UTF8.self).contains(#""kind":"student""#) } ?? false
        guard isStudent else { return nil }
        stop.request()
        return .exited(Int(WorkerExit.stopped))
      }, until: stop)
    #expect(outcome == .stopped)
    return sweep
  }

  private func teacher(_ store: ResultStore) throws -> ContentKey {
    try #require(
      try store.stages().first { $0.stage.kind == TeacherStage.kind && $0.state == .finished }
    ).stage.key
  }

  @Test func `what an interrupted sweep still needs is no garbage`() async throws {
    let sweep = try await interrupted()
    let store = try ResultStore(at: sweep.place, .reading)
    _ = try teacher(store)
    #expect(try StoreUpkeep.garbage(sweep.place, store, withFolders: false).map(\.title) == [])
  }

  @Test func `imported weights that only runs which never began would read are kept`() async throws {
    let sweep = try await interrupted()
    let store = try ResultStore(at: sweep.place, .writing)
    let weights = WeightsFolder(sweep.place)
    let (wanted, other) = (try weights.put([1, 2, 3]), try weights.put([4]))
    let points = try store.points(of: "tiny")
    let record = try store.sweep("tiny")
    let student = try #require(try store.stages().first { $0.stage.kind == TeacherStage.kind })
    let trained = try StageRequest(document: Array(student.stage.spec.utf8)).decoded(as: TeacherStage.self)
    let imported = TeacherStage(
      TeacherSpec(
        network: trained.teacher.network,
        weights: ImportedWeights(digest: wanted, normalisation: nil, path: nil)), on: trained.dataset)
    let request = StageRequest(imported)
    try store.saveSweep(
      record, points: points,
      needs: store.needs(of: "tiny") + [
        StageNeed(key: request.key, spec: String(decoding: request.document, as: UTF8.self))
      ])
    #expect(try StoreUpkeep.unusedWeights(sweep.place, store).map(\.digest) == [other])
    // And they travel with the sweep.
    let archive = sweep.folder.path("tiny.mtkd")
    let archived = try StoreUpkeep.archive("tiny", of: store, in: sweep.place, to: archive)
    #expect(archived.weights == 1 && archived.lacks == [])
    let there = StoreFolder(sweep.folder.path("there"))
    let copy = try ResultStore(at: there, .writing)
    #expect(try StoreUpkeep.unarchive(archive, into: there, copy) == ["tiny"])
    #expect(try WeightsFolder(there).read(wanted) == [1, 2, 3])
    #expect(
      try copy.states(of: [teacher(store)]).values.map { $0 } == [.finished], "finished teachers travel")
    #expect(try copy.needs(of: "tiny") == store.needs(of: "tiny"))
    #expect(try copy.checkDigests().damages == [] && copy.damagedSweeps() == [])
  }

  @Test
  func `where an older program did not record what its runs read, nothing that they may read is garbage`()
    async throws
  {
    let sweep = try await interrupted()
    let store = try ResultStore(at: sweep.place, .writing)
    let digest = try WeightsFolder(sweep.place).put([1, 2, 3])
    // Students that never began are not even known.
    try store.write { try $0.execute(sql: "DELETE FROM need; DELETE FROM stage WHERE kind = 'student'") }
    for key in try sweep.place.stageKeys() where try store.states(of: [key]).isEmpty {
      try sweep.place.stage(key).remove()
    }
    #expect(try StoreUpkeep.garbage(sweep.place, store, withFolders: false).map(\.title) == [])
    #expect(try StoreUpkeep.unusedWeights(sweep.place, store).map(\.digest) == [])
    #expect(try WeightsFolder(sweep.place).has(digest))
  }

  @Test
  func `a rebuilt database keeps seals of runs with the same numbers, and withholds runs that lost records`()
    async throws
  {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let store = try ResultStore(at: sweep.place, .writing)
    let students = try store.stages().filter { $0.stage.kind == StudentStage.kind }.map(\.stage.key)
    for key in students {
      let made = try #require(try store.attempts(of: key).last?.provenance)
      try store.seal(key, Seal(at: 7, isEqual: true, epochs: 2, provenance: made))
    }
    try store.close()
    // One line less in the records of one of them: the first epoch's.
    let place = try #require(try sweep.place.stage(students[0]).attempts().last).records
    let lines = try AtomicFile.read(place).split(separator: UInt8(ascii: "\n"))
    let kept = lines.filter { !String(decoding: $0, as: UTF8.self).contains(#""epoch":0"#) }
    #expect(kept.count == lines.count - 1)
    try AtomicFile.write(kept.flatMap { $0 + [UInt8(ascii: "\n")] }, to: place)
    let (report, path) = try StoreUpkeep.rebuild(sweep.place)
    #expect(report.seals == 1 && report.lostSeals == 1)
    #expect(report.finished == report.stages - 1 && report.lost.count == 1)
    #expect(report.troubles.contains { $0.contains(students[0].short) && $0.contains("1 of 2 epochs") })
    try StoreUpkeep.install(path, in: sweep.place)
    let rebuilt = try ResultStore(at: sweep.place, .reading)
    #expect(try rebuilt.states(of: students)[students[0]] == .open)
    #expect(try rebuilt.seals().keys.map { $0 } == [students[1]])
    #expect(try !rebuilt.needs(of: "tiny").isEmpty, "the sweep's file says what its runs read")
  }

  @Test func `an archive that was made to harm is refused, and nothing of it is taken`() async throws {
    let sweep = try InProcessSweep()
    try await sweep.run()
    let store = try ResultStore(at: sweep.place, .reading)
    func packed(_ sql: String, redigested: Bool = true) throws -> String {
      let scratch = sweep.folder.path("scratch.sqlite")
      try AtomicFile.removeFile(scratch)
      try AtomicFile.write(AtomicFile.read(sweep.place.database), to: scratch)
      let hostile = try ResultStore(file: scratch, .writing)
      try hostile.write { db in
        try db.execute(sql: sql)
        if redigested {
          // Whoever makes an archive to harm makes its digests too.
          try db.execute(sql: "DELETE FROM stage_digest; DELETE FROM sweep_digest")
        }
      }
      try hostile.close()
      let path = sweep.folder.path("hostile.mtkd")
      try AtomicFile.removeFile(path)
      try StoreArchive.pack(scratch, to: path)
      return path
    }
    let there = StoreFolder(sweep.folder.path("there"))
    let copy = try ResultStore(at: there, .writing)
    for sql in [
      "UPDATE sweep SET name = '../../x'", "UPDATE sweep SET name = 'a' || char(27) || '[2J'",
      "CREATE VIEW w AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON stage BEGIN DELETE FROM point; END",
      "UPDATE sweep SET canonical = '{\"report\":7}'", "UPDATE sweep SET columns = '[]'",
      "UPDATE stage SET title = 'x' || char(7)", "UPDATE stage SET spec = '{}'",
      "UPDATE stage SET kind = 'odd'",
      "UPDATE attempt SET provenance = json_set(provenance, '$.host', 'x' || char(8238))",
    ] {
      let error = #expect(throws: StoreError.self, "\(sql)") {
        try StoreUpkeep.unarchive(packed(sql), into: there, copy)
      }
      guard case .notAnArchive? = error else {
        Issue.record("\(sql): \(error?.description ?? "nothing")")
        continue
      }
      #expect(try copy.stages().isEmpty && copy.sweeps().isEmpty)
    }
    #expect(throws: StoreError.self) {
      try StoreUpkeep.unarchive(
        packed("UPDATE metric SET value = 99 WHERE value > 1", redigested: false), into: there, copy)
    }
    #expect(try StoreUpkeep.unarchive(packed("SELECT 1"), into: there, copy) == ["tiny"])
    _ = store
  }

  @Test
  func `what killed processes left is found by the names that they wrote, and what lives is left alone`()
    throws
  {
    let folder = try TemporaryFolder()
    let place = StoreFolder(folder.path("store"))
    try place.create()
    let stage = place.stage(ContentKey(hashing: [1]))
    try AtomicFile.createFolder("\(stage.path)/attempts/1")
    let dead = 4_000_000
    let host = ProcessIdentity.current.host
    let left = [
      "verify.\(dead)", "unarchived.\(dead)", "unarchived.\(dead)-journal", "store.sqlite.rebuilt",
      "store.sqlite.rebuilt-journal", "store.sqlite-mj0A1B2C3D4", "clock.\(host).\(dead)",
      "x.mtkd.\(dead).packing", "x.mtkd.\(dead).packing-journal", "backup.sqlite.\(dead).copying",
    ]
    for name in left { try folder.write([1], to: "store/\(name)") }
    let inside = "stages/\(stage.key)/attempts/1/claim.\(dead).aside"
    try folder.write([1], to: "store/\(inside)")
    let kept = [
      "store.sqlite", "store.sqlite-journal", "lease", "slurm.json", "verify.\(getpid())",
      "verify.me", "store.sqlite.before-rebuild", "clock.elsewhere.\(dead)",
    ]
    for name in kept { try folder.write([1], to: "store/\(name)") }
    let litter = try place.litter(clock: place.clock())
    #expect(litter.map(\.path).sorted() == (left + [inside]).map { "\(place.path)/\($0)" }.sorted())
    try place.remove(litter)
    #expect(try Set(folder.names(in: "store")) == Set(kept + ["stages"]))
  }
}
