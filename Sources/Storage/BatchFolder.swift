internal import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// One submission to a cluster, as files that any later process on any login node reads.
///
///     manifest.json   which stages; written and synced before anything is submitted
///     job.sh          what is submitted
///     number          the scheduler's number, once it has answered
///     started-I       task I began; by its worker
///     refused         tasks that ended without beginning, with node and exit code
///     void            its workers leave the work to others; why
///     over            no task of it is left
///     log-I           what task I said
package struct BatchFolder: Hashable, Sendable {
  package let path: String
  package let token: String

  package var script: String { "\(path)/job.sh" }
  private var manifestFile: String { "\(path)/manifest.json" }
  private var numberFile: String { "\(path)/number" }
  private var voidFile: String { "\(path)/void" }
  private var overFile: String { "\(path)/over" }
  private var refusedFile: String { "\(path)/refused" }
  private func startedFile(_ task: Int) -> String { "\(path)/started-\(task)" }
  package func log(_ task: Int) -> String { "\(path)/log-\(task)" }

  /// Writes what is to be submitted; whole, before the folder is of use to anybody.
  package func create(manifest: [UInt8], script text: String) throws(FileError) {
    try AtomicFile.createDurableFolder(path)
    try AtomicFile.write(Array(text.utf8), to: script)
    try AtomicFile.write(manifest, to: manifestFile)
  }

  package func manifest() throws(FileError) -> [UInt8] {
    try AtomicFile.read(manifestFile, limit: AtomicFile.textLimit)
  }

  /// The scheduler's number; nil while it is not known whether the scheduler has the batch at all.
  package var number: String? { text(numberFile) }
  package func setNumber(_ number: String) throws(FileError) {
    try AtomicFile.write(Array(number.utf8), to: numberFile)
  }

  package var voidReason: String? { text(voidFile) }
  package func makeVoid(_ reason: String) throws(FileError) {
    try AtomicFile.write(Array(reason.utf8), to: voidFile)
  }

  package var isOver: Bool { AtomicFile.exists(overFile) }
  package func setOver() throws(FileError) { try AtomicFile.write([], to: overFile) }

  /// Whoever began a task last; nil where its worker never did.
  package func starter(of task: Int) -> Holder? { Holder.read(startedFile(task)) }
  package func setStarted(_ task: Int, job: String, now: Int) throws(FileError) {
    try AtomicFile.write(
      Holder(identity: .current, since: now, job: job).canonicalBytes, to: startedFile(task))
  }

  /// Of tasks that ended without beginning: their node and exit code, as the scheduler told.
  package var refusals: [Int: (node: String, code: String)] {
    var refusals: [Int: (node: String, code: String)] = [:]
    for line in (text(refusedFile) ?? "").split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      if words.count == 3, let task = Int(words[0]) { refusals[task] = (words[1], words[2]) }
    }
    return refusals
  }

  package func setRefusals(_ refusals: [Int: (node: String, code: String)]) throws(FileError) {
    let lines = refusals.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.node) \($0.value.code)\n" }
    try AtomicFile.write(Array(lines.joined().utf8), to: refusedFile)
  }

  /// Seconds since the manifest was written, by the clock of the file system.
  package func age(clock: Double) -> Double {
    AttemptFolder.changed(manifestFile).map { max(0, clock - $0) } ?? .infinity
  }

  private func text(_ path: String) -> String? {
    (try? AtomicFile.read(path, limit: AtomicFile.textLimit)).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension StoreFolder {
  private var batchesFolder: String { "\(path)/batches" }

  package func batch(_ token: String) -> BatchFolder {
    BatchFolder(path: "\(batchesFolder)/\(token)", token: token)
  }

  /// All whose manifest is there, in the order of their names.
  package func batches() throws(FileError) -> [BatchFolder] {
    try AtomicFile.names(in: batchesFolder).map { batch($0) }
      .filter { AtomicFile.exists("\($0.path)/manifest.json") }
  }

  /// The site's options, as the last `run --site` left them here.
  package var site: String { "\(path)/slurm.json" }
}

extension StageFolder {
  private var retryFile: String { "\(path)/retry" }

  /// Attempts up to this one were forgiven: whoever counts failures begins after it.
  package var forgiven: Int {
    (try? AtomicFile.read(retryFile, limit: AtomicFile.textLimit)).flatMap {
      Int(String(decoding: $0, as: UTF8.self))
    } ?? 0
  }

  package func forgive() throws(FileError) {
    guard AtomicFile.isFolder(path) else { return }
    let last = try attempts().last?.number ?? 0
    try AtomicFile.write(Array("\(last)".utf8), to: retryFile)
  }
}
