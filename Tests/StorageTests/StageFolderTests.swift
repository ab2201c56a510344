import Foundation
import GRDB
import Specs
@testable import Storage
import TestSupport
import Testing

@Suite struct StageFolderTests {
  private let folder: TemporaryFolder
  private let stage: StageFolder

  init() throws {
    folder = try TemporaryFolder()
    let store = StoreFolder(folder.path("store"))
    try store.create()
    stage = store.stage(Examples.key("stage"))
    try stage.create(spec: Array("{}".utf8))
  }

  // Attempts and output

  @Test func `attempts are numbered from one and keep their numbers`() throws {
    #expect(try stage.attempts() == [])
    #expect(try stage.newAttempt().number == 1)
    #expect(try stage.newAttempt().number == 2)
    try FileManager.default.createDirectory(
      atPath: "\(stage.path)/attempts/10", withIntermediateDirectories: false)
    try FileManager.default.createDirectory(
      atPath: "\(stage.path)/attempts/other", withIntermediateDirectories: false)
    #expect(try stage.newAttempt().number == 11)
    #expect(try stage.attempts().map(\.number) == [1, 2, 10, 11])
  }

  @Test func `a specification that does not lie there as it should is written again`() throws {
    let intact = try FileManager.default.attributesOfItem(atPath: stage.spec)[.systemFileNumber] as? Int
    try stage.create(spec: Array("{}".utf8))
    #expect(try FileManager.default.attributesOfItem(atPath: stage.spec)[.systemFileNumber] as? Int == intact)
    try AtomicFile.write([1, 2, 3], to: stage.spec)
    try stage.create(spec: Array("{}".utf8))
    #expect(try AtomicFile.read(stage.spec) == Array("{}".utf8))
  }

  @Test func `what is moved aside keeps its attempts' numbers and is nobody's work any more`() throws {
    let first = try stage.newAttempt()
    try first.prepareOutput([("a", [1])])
    try stage.publish(first)
    _ = try stage.newAttempt()
    try stage.setAside()
    #expect(try stage.published() == nil && stage.newestSnapshot().snapshot == nil)
    #expect(FileManager.default.fileExists(atPath: "\(stage.path)/damaged-output-1/a"))
    #expect(try stage.newAttempt().number == 3)
    try stage.setAside()
    #expect(FileManager.default.fileExists(atPath: "\(stage.path)/damaged-3-1"))
    #expect(try stage.attempts().map(\.number) == [1, 2, 3])
  }

  @Test func `an output is there as a whole or not at all`() throws {
    let attempt = try stage.newAttempt()
    #expect(try stage.published() == nil)
    try attempt.prepareOutput([("a", [1, 2]), ("b", [])])
    #expect(try stage.published() == nil, "prepared is not published")
    try stage.publish(attempt)
    let output = try #require(try stage.published())
    #expect(output.names == ["a", "b"])
    #expect(try output.read("a") == [1, 2])
    try output.verify()
  }

  @Test func `preparing again leaves nothing of the first time`() throws {
    let attempt = try stage.newAttempt()
    try attempt.prepareOutput([("old", [1])])
    try attempt.prepareOutput([("new", [2])])
    #expect(try AtomicFile.names(in: attempt.output) == ["manifest.json", "new"])
  }

  @Test func `where another attempt was first, its output stays, and a different one is said aloud`() throws {
    let attempts = try (0..<3).map { _ in try stage.newAttempt() }
    for (attempt, byte) in zip(attempts, [2, 2, 3] as [UInt8]) { try attempt.prepareOutput([("a", [byte])]) }
    try stage.publish(attempts[0])
    try stage.publish(attempts[1])
    #expect(!AtomicFile.exists(attempts[1].output))
    #expect(throws: Contradiction.self) { try stage.publish(attempts[2]) }
    #expect(try #require(try stage.published()).read("a") == [2])
    #expect(AtomicFile.exists(attempts[2].output), "evidence stays")
  }

  @Test func `every change of an output is noticed when it is read`() throws {
    let attempt = try stage.newAttempt()
    try attempt.prepareOutput([("a", [1, 2, 3])])
    try stage.publish(attempt)
    let output = try #require(try stage.published())
    for changed: [UInt8] in [[1, 2], [1, 2, 4], [1, 2, 3, 0], []] {
      try AtomicFile.write(changed, to: output.path(of: "a"))
      #expect { try output.read("a") } throws: { error in
        guard case .damaged(let path, _)? = error as? OutputError else { return false }
        return path == output.path(of: "a") && "\(error)".contains("run again")
      }
    }
    #expect(throws: OutputError.noFile(path: output.path(of: "b"), known: ["a"])) { try output.read("b") }
    try FileManager.default.removeItem(atPath: output.path(of: "a"))
    #expect { try output.verify() } throws: { if case .file? = $0 as? OutputError { true } else { false } }
    let manifest = output.path(of: "manifest.json")
    let bytes = try AtomicFile.read(manifest)
    for count in 0..<bytes.count {
      try AtomicFile.write(Array(bytes.prefix(count)), to: manifest)
      #expect(throws: OutputError.self) { try stage.published() }
    }
  }

  @Test func `an attempt says who works on it and when it last did`() throws {
    let attempt = try stage.newAttempt()
    #expect(attempt.holder == nil && attempt.beatTime == nil)
    try attempt.claim(now: 1_000_000)
    #expect(attempt.holder == Holder(identity: .current, since: 1_000_000))
    #expect(attempt.holder?.identity.isAlive == true)
    let first = try #require(attempt.beatTime)
    try attempt.beat()
    #expect(try #require(attempt.beatTime) >= first)
  }

  // Snapshots

  private func write(_ steps: Int..., to attempt: AttemptFolder) throws {
    for step in steps { try attempt.snapshots.write(Snapshot(step: step, bytes: Array("step \(step)".utf8))) }
  }

  @Test func `the two newest snapshots stay`() throws {
    let attempt = try stage.newAttempt()
    try write(3, 7, 20, 100, to: attempt)
    #expect(try attempt.snapshots.files(.snapshot).map(\.step) == [100, 20])
    let newest = try stage.newestSnapshot()
    #expect(
      newest.snapshot?.step == 100 && newest.snapshot?.bytes == Array("step 100".utf8) && newest.damaged == []
    )
  }

  @Test func `every best state that a snapshot could need stays`() throws {
    let attempt = try stage.newAttempt()
    func best(_ step: Int) throws {
      try attempt.snapshots.writeBest(Snapshot(step: step, bytes: [UInt8(step)]))
    }
    try best(5)
    try write(5, to: attempt)
    try best(10)
    try write(10, to: attempt)
    #expect(
      try attempt.snapshots.files(.best).map(\.step) == [10, 5],
      "the snapshot of step 5 refers to the best of step 5")
    try write(15, to: attempt)
    #expect(try attempt.snapshots.files(.best).map(\.step) == [10])
    #expect(try stage.newestBest(upTo: 12).snapshot?.bytes == [10])
    #expect(try stage.newestBest(upTo: 9).snapshot == nil)
  }

  @Test func `snapshots go once there is an output, but for those of attempts that may be at work`() throws {
    let (over, elsewhere, last) = (try stage.newAttempt(), try stage.newAttempt(), try stage.newAttempt())
    for attempt in [over, elsewhere, last] {
      try attempt.snapshots.writeBest(Snapshot(step: 10, bytes: [1]))
      try write(10, 20, to: attempt)
    }
    try over.close(ExitNote(signal: 9))
    try elsewhere.claim(now: 0)
    try last.prepareOutput([("final", [1])])
    try stage.publish(last)
    try stage.dropSnapshots(after: last)
    func left(_ attempt: AttemptFolder) throws -> Int {
      try attempt.snapshots.files(.snapshot).count + attempt.snapshots.files(.best).count
    }
    #expect(try left(over) == 0 && left(elsewhere) == 3 && left(last) == 0)
    #expect(try stage.published()?.read("final") == [1])
  }

  @Test func `a damaged snapshot is passed over and named`() throws {
    let attempt = try stage.newAttempt()
    try write(10, 20, to: attempt)
    let path = try attempt.snapshots.files(.snapshot)[0].path
    let whole = try AtomicFile.read(path)
    for count in 0..<whole.count {
      try AtomicFile.write(Array(whole.prefix(count)), to: path)
      let newest = try stage.newestSnapshot()
      #expect(newest.snapshot?.step == 10 && newest.damaged == [path], "\(count) bytes")
    }
    for file in try attempt.snapshots.files(.snapshot) { try AtomicFile.write([], to: file.path) }
    let newest = try stage.newestSnapshot()
    #expect(newest.snapshot == nil && newest.damaged.count == 2)
  }

  @Test func `the newest of any attempt counts, and of equal steps the later attempt`() throws {
    let (first, second) = (try stage.newAttempt(), try stage.newAttempt())
    try first.snapshots.write(Snapshot(step: 30, bytes: [1]))
    try second.snapshots.write(Snapshot(step: 20, bytes: [2]))
    #expect(try stage.newestSnapshot().snapshot?.bytes == [1])
    try second.snapshots.write(Snapshot(step: 30, bytes: [3]))
    #expect(try stage.newestSnapshot().snapshot?.bytes == [3])
  }

  @Test func `files that are no snapshots are left alone`() throws {
    let attempt = try stage.newAttempt()
    for name in ["snapshot-x.zst", "snapshot-5", "snapshot-5.zst.123.aside", "log"] {
      try AtomicFile.write([1], to: "\(attempt.path)/\(name)")
    }
    #expect(try stage.newestSnapshot().snapshot == nil)
    try write(1, 2, 3, to: attempt)
    #expect(try AtomicFile.names(in: attempt.path).count == 6)
  }
}

@Suite struct LeaseTests {
  private let folder: TemporaryFolder
  private let store: StoreFolder

  init() throws {
    folder = try TemporaryFolder()
    store = StoreFolder(folder.path("store"))
    try store.create()
  }

  @Test func `one holder at a time, and the other is told who`() throws {
    let lease = try Lease(of: store, now: 1_700_000_000)
    #expect { _ = try Lease(of: store, now: 0) } throws: { error in
      guard case .held(let path, let holder)? = error as? StoreError else { return false }
      return path == store.path && holder == Holder(identity: .current, since: 1_700_000_000)
        && "\(error)".contains("process \(ProcessInfo.processInfo.processIdentifier) on")
        && "\(error)".contains("2023-11-14") && "\(error)".contains("mtkd-sweep status --store \(store.path)")
    }
    #expect(Lease.holder(of: store) == Holder(identity: .current, since: 1_700_000_000))
    _ = lease
  }

  @Test func `a lease ends with its holder`() throws {
    do { _ = try Lease(of: store, now: 1) }
    let lease = try Lease(of: store, now: 2)
    #expect(Lease.holder(of: store)?.since == 2)
    withExtendedLifetime(lease) {}
  }

  @Test func `who gave the lease back is no holder, though the process lives`() throws {
    do { _ = try Lease(of: store, now: 1) }
    #expect(Lease.holder(of: store) == nil)
    #expect(try Lease.trace(of: store) == nil)
  }

  @Test func `a holder on another host is believed while it shows signs of life, and no longer`() throws {
    let holder = Holder(
      identity: ProcessIdentity(host: "elsewhere", process: 7, started: "then"), since: 5)
    try AtomicFile.write(holder.canonicalBytes, to: store.lease)
    #expect(Lease.holder(of: store) == holder)
    let error = #expect(throws: StoreError.self) { _ = try Lease(of: store, now: 6) }
    #expect(error == .held(store.path, by: holder))
    #expect(error?.description.contains("mtkd-sweep unlock --store \(store.path)") == true)
    // Its file has not been touched for longer than a holder that lives waits.
    var times = [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]
    #expect(utimes(store.lease, &times) == 0)
    #expect(Lease.holder(of: store) == nil)
    #expect(try #require(try Lease.trace(of: store)).silence > 1000)
    _ = try Lease(of: store, now: 6)
  }

  @Test func `whoever takes the store fences the one before: its transactions are not committed`() throws {
    let key = Examples.key("a")
    let first = try ResultStore(at: store, .writing)
    try first.claim()
    try first.register([StageRecord(key: key, kind: "student", title: "a", spec: "{}")])
    let second = try ResultStore(at: store, .writing)
    try second.claim()
    let error = #expect(throws: StoreError.self) { try first.setState(.finished, of: key) }
    guard case .superseded(_, let holder)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(holder?.identity == .current)
    try second.setState(.failed(FailureRecord(cause: .other, reason: "r")), of: key)
    #expect(try second.states(of: [key])[key] != .finished)
    try second.release()
  }

  @Test func `a store whose lease was deleted stays with the process that writes it`() throws {
    // Another process of this host that lives: the one that started this one.
    let parent = getppid()
    let text = try String(contentsOfFile: "/proc/\(parent)/stat", encoding: .utf8)
    let fields = text[text.lastIndex(of: ")")!...].split(separator: " ")
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    let identity = ProcessIdentity(
      host: ProcessIdentity.current.host, process: parent,
      started: "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(fields[20])")
    try #require(identity.isAlive == true)
    let writer = try ResultStore(at: store, .writing)
    try writer.claim()
    let holder = String(decoding: Holder(identity: identity, since: 0).canonicalBytes, as: UTF8.self)
    try writer.write { try $0.execute(sql: "UPDATE writer SET holder = ?", arguments: [holder]) }
    #expect(throws: StoreError.held(writer.path, by: Holder(identity: identity, since: 0))) {
      try ResultStore(at: store, .writing).claim()
    }
    // `unlock` may take it all the same.
    try Lease.takeAway(store)
    #expect(throws: StoreError.self) {
      try writer.register([]); try writer.setState(.open, of: Examples.key("a"))
    }
  }

  @Test func `a dead holder is nobody, and needs no flag`() throws {
    let me = ProcessIdentity.current
    let dead = Holder(
      identity: ProcessIdentity(host: me.host, process: me.process, started: "another start"), since: 5)
    try AtomicFile.write(dead.canonicalBytes, to: store.lease)
    #expect(Lease.holder(of: store) == nil)
    _ = try Lease(of: store, now: 6)
  }

  @Test func `a process of another host cannot be called dead`() {
    let me = ProcessIdentity.current
    #expect(me.isAlive == true)
    #expect(ProcessIdentity(host: "elsewhere", process: me.process, started: me.started).isAlive == nil)
    #expect(ProcessIdentity(host: me.host, process: 0x3FFF_FFFF, started: me.started).isAlive == false)
  }

  @Test func `a lease cut off while it was written names nobody`() throws {
    let whole = Holder(identity: .current, since: 5).canonicalBytes
    for count in 0..<whole.count {
      try AtomicFile.write(Array(whole.prefix(count)), to: store.lease)
      #expect(Lease.holder(of: store) == nil)
    }
  }
}
