import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage

/// What a store and its workers look like now, looked at once for all who watch.
actor LiveFeed {
  private let folder: StoreFolder
  private var store: (store: ResultStore, file: FileStamp)?
  private var counts: (stamp: FileStamp, sweeps: [SweepState])?
  private var open: (stamp: FileStamp, stages: [StageRecord])?
  private var known: [String: (counts: StateCounts, summary: SweepSummary)] = [:]
  private var last: (state: LiveState, at: ContinuousClock.Instant)?
  private var watchers: [Int: AsyncStream<String>.Continuation] = [:]
  private var nextWatcher = 0
  private var watch: Task<Void, Never>?

  init(_ folder: StoreFolder) { self.folder = folder }

  /// The store, as soon as there is one.
  /// - Throws: `StoreError`.
  func current() throws -> ResultStore {
    let file = FileStamp(folder.database)
    // Another file under the name, such as a rebuilt one, is another store.
    if let store, let file, file.file == store.file.file { return store.store }
    let opened = try ResultStore(at: folder, .reading)
    store = (opened, FileStamp(folder.database) ?? FileStamp())
    (counts, open, known) = (nil, nil, [:])
    return opened
  }

  /// Not older than half a second.
  func state() throws -> LiveState {
    if let last, last.at.duration(to: .now) < .milliseconds(500) { return last.state }
    let state = try look()
    last = (state, .now)
    return state
  }

  private func look() throws -> LiveState {
    let store = try current()
    let stamp = FileStamp(folder.database) ?? FileStamp()
    if counts?.stamp != stamp {
      counts = (
        stamp,
        try store.sweeps().map {
          SweepState(name: $0.name, asked: $0.asked, counts: try store.counts(of: $0.name))
        }
      )
      open = (stamp, try store.openStages())
    }
    let holder = Lease.holder(of: folder)
    return LiveState(
      stamp: stamp.description, sweeps: counts?.sweeps ?? [], holder: holder,
      running: holder == nil ? [] : try RunningStage.all(in: folder, among: open?.stages ?? []))
  }

  /// What the first page says of each sweep, by its name; looked up again only where runs have ended since.
  func summaries() throws -> [String: SweepSummary] {
    let state = try state()
    let store = try current()
    for sweep in state.sweeps where known[sweep.name]?.counts != sweep.counts {
      let record = try store.sweep(sweep.name)
      // A report that a grid asks for in vain says so on its own page.
      let best = (try? store.preferredTable(of: record))?.bestLine
      let changes = try store.points(of: sweep.name).compactMap { folder.stage($0.key).changed }
      known[sweep.name] = (
        sweep.counts, SweepSummary(best: best, changed: max(changes.max() ?? 0, record.created))
      )
    }
    return known.mapValues(\.summary)
  }

  /// Events: `change` with the store's stamp when results were added, `work` when only workers went on.
  /// The first comes at once.
  func events() -> AsyncStream<String> {
    let id = nextWatcher
    nextWatcher += 1
    // A client that reads slowly gets the newest, not a queue.
    let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
    continuation.onTermination = { [weak self] _ in
      Task { await self?.leave(id) }
    }
    continuation.yield("retry: 2000\n\n")
    watchers[id] = continuation
    if watch == nil { watch = Task { [weak self] in await self?.follow() } }
    return stream
  }

  private func leave(_ id: Int) {
    watchers[id] = nil
    if watchers.isEmpty {
      watch?.cancel()
      watch = nil
    }
  }

  private func follow() async {
    var before: LiveState?
    var pauses = 0
    while !Task.isCancelled {
      let start = ContinuousClock.now
      // A store that is not there yet, or is being replaced, is looked for again.
      if let now = try? state(), now != before {
        let kind = now.stamp == before?.stamp && now.sweeps == before?.sweeps ? "work" : "change"
        publish("event: \(kind)\ndata: \(now.stamp)\n\n")
        (before, pauses) = (now, 0)
      } else {
        pauses += 1
        // A comment shows both ends that the other still is there.
        if pauses % 15 == 0 { publish(": nothing new\n\n") }
      }
      // Looking takes at most a tenth of the time, however large the store.
      let cost = start.duration(to: .now)
      try? await Task.sleep(for: max(.seconds(1), cost * 10))
    }
  }

  private func publish(_ event: String) { for watcher in watchers.values { watcher.yield(event) } }
}

/// What is shown live.
struct LiveState: Equatable, Sendable {
  /// Changes with the store's file.
  let stamp: String
  let sweeps: [SweepState]
  let holder: Holder?
  let running: [RunningStage]
}

struct SweepState: Equatable, Sendable {
  let name: String
  let asked: Int
  let counts: StateCounts
}

/// What a sweep has come to.
struct SweepSummary: Equatable, Sendable {
  /// `mtkd-rl M=4, mini-shufflev2-01: 79.8 ± 0.2`; nil where no cell is complete.
  let best: String?
  /// Seconds since 1970 of its last result here, or of when it was planned.
  let changed: Int
}

extension StageFolder {
  /// When it was last changed, which is when its result was put there; nil where no folder is here.
  var changed: Int? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Int(status.st_mtim.tv_sec)
  }
}

/// A file as it was at one moment.
struct FileStamp: Hashable, Sendable, CustomStringConvertible {
  private(set) var file: UInt64 = 0
  private(set) var size: Int64 = 0
  private var changed: Int64 = 0

  init() {}

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (file, size) = (UInt64(status.st_ino), Int64(status.st_size))
    changed = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
  }

  var description: String { "\(file)-\(size)-\(changed)" }
}
