package import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// The folder that `--store` names.
///
///     store.sqlite              see ResultStore
///     lease                     see Lease
///     stages/KEY/spec.json      what the key was made of
///     stages/KEY/attempts/N/    one attempt
///     stages/KEY/output/        the finished output: there whole, or not there
package struct StoreFolder: Hashable, Sendable {
  package let path: String

  /// - Parameter path: as the user typed it; messages show it like that.
  package init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  package var database: String { "\(path)/store.sqlite" }
  package var lease: String { "\(path)/lease" }
  package var stages: String { "\(path)/stages" }

  package func create() throws(FileError) { try AtomicFile.createDurableFolder(stages) }

  /// Keys of the stages that have a folder: begun here, whatever became of them.
  package func begun() throws(FileError) -> Set<ContentKey> {
    Set(try AtomicFile.names(in: stages).compactMap { ContentKey($0) })
  }

  package func stage(_ key: ContentKey) -> StageFolder { StageFolder(path: "\(stages)/\(key)", key: key) }
}

/// All that is on disk of one stage.
package struct StageFolder: Hashable, Sendable {
  package let path: String
  package let key: ContentKey

  package var spec: String { "\(path)/spec.json" }
  package var output: String { "\(path)/output" }
  private var attemptsFolder: String { "\(path)/attempts" }

  /// Makes the folder and writes what the key was made of, if it does not lie there yet as it should. It
  /// survives a loss of power from `keepSpec` on: before, whoever begins the stage once more writes it again.
  package func create(spec bytes: [UInt8]) throws(FileError) {
    try AtomicFile.createFolder(attemptsFolder)
    if (try? AtomicFile.read(spec)) != bytes { try AtomicFile.replace(bytes, at: spec) }
  }

  /// Syncs what the key was made of, before there is a result of it.
  package func keepSpec() throws(FileError) {
    try AtomicFile.sync(file: spec)
    try AtomicFile.sync(folder: path)
  }

  /// Makes an attempt's records and all names on the way to them survive a loss of power, before anybody is
  /// told how it ended.
  package func keep(_ attempt: AttemptFolder) throws(FileError) {
    try AtomicFile.sync(
      files: [spec, attempt.records],
      folders: [attempt.path, attemptsFolder, path, AtomicFile.folder(of: path)])
  }

  /// In ascending order of their numbers.
  package func attempts() throws(FileError) -> [AttemptFolder] {
    let numbers = try AtomicFile.names(in: attemptsFolder).compactMap { Int($0) }.sorted()
    return numbers.map { AttemptFolder(path: "\(attemptsFolder)/\($0)", number: $0) }
  }

  /// A new, empty attempt, numbered after the last one, from 1. Whoever works at an earlier one stops.
  package func newAttempt() throws(FileError) -> AttemptFolder {
    try AtomicFile.createFolder(attemptsFolder)
    var number = (try attempts().last?.number ?? 0) + 1
    while true {
      if let attempt = try make(number) { return attempt }
      number += 1
    }
  }

  /// The attempt of that number; nil where it is there already. Of all who try, on all hosts, one succeeds.
  func make(_ number: Int) throws(FileError) -> AttemptFolder? {
    let path = "\(attemptsFolder)/\(number)"
    guard mkdir(path, 0o755) == 0 else {
      if errno == EEXIST { return nil }
      throw FileError("make the folder", path)
    }
    return AttemptFolder(path: path, number: number)
  }

  private var leave: String { "\(path)/left-alone" }

  /// Whether tasks that have the stage on their list pass it over.
  package var isLeftAlone: Bool { AtomicFile.exists(leave) }

  /// Lets tasks pass the stage over that have not begun with it, or takes that back.
  package func setLeftAlone(_ isLeft: Bool) throws(FileError) {
    if isLeft {
      try AtomicFile.writeSynced([], to: leave)
    } else if isLeftAlone {
      try AtomicFile.removeFile(leave)
    }
  }

  /// Whether there is an output, without a look into it.
  package var isPublished: Bool { AtomicFile.isFolder(output) }

  /// The finished output; nil where the stage has none.
  package func published() throws(OutputError) -> PublishedOutput? {
    AtomicFile.isFolder(output) ? try PublishedOutput(output) : nil
  }

  /// Makes an attempt's output that of the stage: there whole, or not there, and with the attempt's records.
  /// Where another attempt was first, its output stays and this one is removed: both hold the same by the
  /// promise of the key.
  ///
  /// - Throws: `Contradiction` where they do not; then both stay.
  package func publish(_ attempt: AttemptFolder) throws {
    let files = try AtomicFile.names(in: attempt.output).map { "\(attempt.output)/\($0)" }
    // Each name on the way to the output and to its records, or a loss of power takes all that lies below it.
    try AtomicFile.sync(
      files: files + [spec, attempt.records],
      folders: [attempt.output, attempt.path, attemptsFolder, AtomicFile.folder(of: path)])
    if rename(attempt.output, output) != 0 {
      guard errno == ENOTEMPTY || errno == EEXIST else { throw FileError("rename", attempt.output) }
      let (first, second) = (try PublishedOutput(output), try PublishedOutput(attempt.output))
      let differing = first.differences(from: second)
      guard differing.isEmpty else { throw Contradiction(key: key, path: attempt.output, names: differing) }
      try AtomicFile.removeFolder(attempt.output)
    }
    try AtomicFile.sync(folder: path)
  }

  /// Removes the snapshots of an attempt whose output is published, and those of others that are over:
  /// whoever makes the stage again begins at its beginning.
  package func dropSnapshots(after attempt: AttemptFolder) throws(FileError) {
    for other in try attempts() where other == attempt || other.isOver { try other.snapshots.removeAll() }
  }

  /// Moves aside all that attempts left, output included, because some of it is not what was written: the
  /// stage is made again from its beginning. The attempts' numbers stay taken.
  package func setAside() throws(FileError) {
    func free(_ name: String) -> String {
      var number = 1
      while AtomicFile.exists("\(path)/damaged-\(name)-\(number)") { number += 1 }
      return "\(path)/damaged-\(name)-\(number)"
    }
    for attempt in try attempts() where attempt.exitNote != ExitNote.setAside {
      guard rename(attempt.path, free("\(attempt.number)")) == 0 else {
        throw FileError("rename", attempt.path)
      }
      if let empty = try make(attempt.number) { try empty.close(ExitNote.setAside) }
    }
    if isPublished { guard rename(output, free("output")) == 0 else { throw FileError("rename", output) } }
    try AtomicFile.sync(folder: path)
  }

  /// The newest snapshot of any attempt that unpacks, with the paths of damaged ones that were passed over.
  package func newestSnapshot() throws(FileError) -> (snapshot: Snapshot?, damaged: [String]) {
    try newest(.snapshot, upTo: .max)
  }

  /// The numerics profiles under which earlier attempts wrote the snapshots that are there, in the order of
  /// their numbers.
  package func profilesOfSnapshots() throws -> [String] {
    try attempts().compactMap { attempt in
      guard try !attempt.snapshots.files(.snapshot).isEmpty else { return nil }
      var reader = RecordReader(attempt.records)
      for case .started(_, let made) in try reader.next().map(\.record) { return made.profile }
      return nil
    }
  }

  /// The newest best state not younger than `step`: what a run that goes on from there would have had.
  package func newestBest(upTo step: Int) throws(FileError) -> (snapshot: Snapshot?, damaged: [String]) {
    try newest(.best, upTo: step)
  }

  private func newest(
    _ kind: SnapshotFiles.Kind, upTo step: Int
  ) throws(FileError) -> (snapshot: Snapshot?, damaged: [String]) {
    var candidates: [(step: Int, path: String)] = []
    for attempt in try attempts().reversed() {
      candidates += try attempt.snapshots.files(kind).filter { $0.step <= step }
    }
    // The sort keeps the later attempt first among equal steps only because it is told to.
    let ordered = candidates.enumerated().sorted {
      ($0.element.step, $1.offset) > ($1.element.step, $0.offset)
    }
    var damaged: [String] = []
    for (_, file) in ordered {
      do {
        return (Snapshot(step: file.step, bytes: try SnapshotFiles.read(file.path)), damaged)
      } catch let error as FileError where !error.isAbsent {
        throw error
      } catch {
        damaged.append(file.path)
      }
    }
    return (nil, damaged)
  }
}

/// One attempt at a stage: what its worker writes, and nobody else.
package struct AttemptFolder: Hashable, Sendable {
  package let path: String
  package let number: Int

  package var records: String { "\(path)/records.jsonl" }
  package var log: String { "\(path)/log" }
  package var heartbeat: String { "\(path)/heartbeat" }
  package var claim: String { "\(path)/claim" }
  /// How the worker ended, as its parent saw it.
  package var exit: String { "\(path)/exit.json" }
  /// Its presence asks the worker to write a snapshot and leave, where no signal reaches it.
  private var stop: String { "\(path)/stop" }
  package var isStopWanted: Bool { AtomicFile.exists(stop) }
  package func askToStop() throws(FileError) { try AtomicFile.writeSynced([], to: stop) }

  /// Where the output grows until it is published.
  package var output: String { "\(path)/output" }
  package var snapshots: SnapshotFiles { SnapshotFiles(folder: path) }

  /// Says who works here, and makes the first heartbeat.
  ///
  /// - Parameter job: what a cluster calls the job that the worker runs in.
  package func claim(now: Int, job: String? = nil) throws(FileError) {
    try AtomicFile.replace(Holder(identity: .current, since: now, job: job).canonicalBytes, at: claim)
    try AtomicFile.replace([], at: heartbeat)
  }

  /// nil where nobody has claimed the attempt.
  package var holder: Holder? { Holder.read(claim) }

  /// Shows that the worker lives.
  package func beat() throws(FileError) {
    guard utimensat(AT_FDCWD, heartbeat, nil, 0) == 0 else { throw FileError("touch", heartbeat) }
  }

  /// When the last heartbeat was, by the clock of the file system: to be compared with other heartbeats only.
  /// Nil before the first.
  package var beatTime: Double? { Self.changed(heartbeat) }

  /// Writes the files of the output and their manifest; `publish` syncs them. What an earlier call left is
  /// removed first.
  package func prepareOutput(_ files: [(name: String, bytes: [UInt8])]) throws(FileError) {
    try AtomicFile.removeFolder(output)
    try AtomicFile.createFolder(output)
    for file in files { try AtomicFile.writeUnsynced(file.bytes, to: "\(output)/\(file.name)") }
    try AtomicFile.writeUnsynced(Manifest(files).canonicalBytes, to: "\(output)/\(Manifest.name)")
  }
}
