import Foundation
import Specs
import Storage
import Testing

/// Who may work at a stage: attempt numbers fence, heartbeats and notes tell who is gone.
@Suite struct ClaimTests {
  private let folder = FileManager.default.temporaryDirectory.appending(
    path: "mtkd-claims-\(UUID().uuidString)")
  private let store: StoreFolder
  private let stage: StageFolder

  init() throws {
    store = StoreFolder(folder.path)
    try store.create()
    stage = store.stage(ContentKey(hashing: Array("stage".utf8)))
    try stage.create(spec: Array("{}".utf8))
  }

  private func claim(after known: Int = 0, formerLives: Set<String> = []) throws -> Claim {
    try stage.claim(after: known, formerLives: formerLives, clock: store.clock())
  }

  private func granted(after known: Int = 0) throws -> AttemptFolder {
    guard case .granted(let attempt) = try claim(after: known) else {
      Issue.record("not granted")
      throw Refused()
    }
    return attempt
  }

  private struct Refused: Error {}

  /// Claims as a process of another machine would, whose life only its heartbeat shows.
  private func claimFromElsewhere(_ attempt: AttemptFolder, job: String, beat age: Double) throws {
    let holder = Holder(
      identity: ProcessIdentity(host: "elsewhere", process: 1, started: "x"), since: 0, job: job)
    try AtomicFile.write(holder.canonicalBytes, to: attempt.claim)
    try AtomicFile.write([], to: attempt.heartbeat)
    try FileManager.default.setAttributes(
      [.modificationDate: Date.now.addingTimeInterval(-age)], ofItemAtPath: attempt.heartbeat)
  }

  @Test func `of many that want a stage at once one gets it`() async throws {
    let stage = stage
    let clock = try store.clock()
    let answers = try await withThrowingTaskGroup(of: Claim.self) { group in
      for _ in 0..<32 { group.addTask { try stage.claim(clock: clock) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let winners = answers.filter { if case .granted = $0 { true } else { false } }
    #expect(winners.count == 1)
    #expect(try stage.attempts().map(\.number) == [1])
    try FileManager.default.removeItem(at: folder)
  }

  @Test func `a live attempt is left alone, a dead one is followed`() throws {
    let first = try granted()
    #expect(try claim() == .taken(by: first), "claimed a moment ago")
    try first.claim(now: 0)
    #expect(try claim() == .taken(by: first), "this process lives")
    try claimFromElsewhere(first, job: "t/1_0/0", beat: 10)
    #expect(try claim() == .taken(by: first), "a fresh heartbeat")
    try claimFromElsewhere(first, job: "t/1_0/0", beat: 120)
    #expect(try granted().number == 2)
    #expect(try stage.isSuperseded(first))
    try FileManager.default.removeItem(at: folder)
  }

  @Test func `a requeued job follows its own former life at once`() throws {
    let first = try granted()
    try claimFromElsewhere(first, job: "t/1_0/0", beat: 1)
    #expect(try claim(formerLives: ["t/1_1/0"]) == .taken(by: first))
    guard case .granted(let second) = try claim(formerLives: ["t/1_0/0"]) else { throw Refused() }
    #expect(second.number == 2)
    try FileManager.default.removeItem(at: folder)
  }

  @Test func `how an attempt ended decides whether there is another`() throws {
    let first = try granted()
    try first.close(ExitNote(code: 75))
    let second = try granted()
    try second.close(ExitNote(code: 78))
    let third = try granted()
    try third.close(ExitNote(code: 1))
    #expect(try claim() == .settled(third), "it failed for a reason of its own")
    #expect(try granted(after: 3).number == 4, "whoever handed it out knew that")
    try FileManager.default.removeItem(at: folder)
  }

  @Test func `a stage whose workers die is left after three of them`() throws {
    for number in 1...3 {
      let attempt = try granted()
      #expect(attempt.number == number)
      try attempt.close(ExitNote(signal: 11))
    }
    guard case .settled(let last) = try claim() else { throw Refused() }
    #expect(last.number == 3)
    try FileManager.default.removeItem(at: folder)
  }

  @Test func `the first output stays, an equal one goes, and a different one is said aloud`() throws {
    func finished(_ text: String) throws -> AttemptFolder {
      let attempt = try stage.newAttempt()
      try attempt.prepareOutput([("a", Array(text.utf8)), ("b", [1])])
      return attempt
    }
    let first = try finished("one")
    try stage.publish(first)
    #expect(try claim() == .finished)
    let equal = try finished("one")
    try stage.publish(equal)
    #expect(!FileManager.default.fileExists(atPath: equal.output))
    let other = try finished("two")
    let error = #expect(throws: Contradiction.self) { try stage.publish(other) }
    #expect(error?.names == ["a"])
    #expect(FileManager.default.fileExists(atPath: other.output), "kept, to be looked into")
    #expect(try stage.published()?.read("a") == Array("one".utf8))
    try FileManager.default.removeItem(at: folder)
  }

  @Test func `an epoch that two attempts saw differently is reported`() throws {
    let database = try ResultStore(at: store, .writing)
    try database.register([StageRecord(key: stage.key, kind: "student", title: "s", spec: "{}")])
    func epoch(_ number: Int, _ state: String) -> NumberedRecord {
      NumberedRecord(
        number,
        .epoch(
          EpochRecord(
            epoch: number, step: number, metrics: Metrics(), state: ContentKey(hashing: Array(state.utf8)))))
    }
    let first = try database.ingest([epoch(0, "a"), epoch(1, "b")], of: AttemptID(key: stage.key, number: 1))
    let second = try database.ingest(
      [epoch(0, "a"), epoch(1, "c")], of: AttemptID(key: stage.key, number: 2))
    #expect(first == [] && second == [1])
    try FileManager.default.removeItem(at: folder)
  }
}
