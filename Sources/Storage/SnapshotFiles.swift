#if canImport(Glibc)
  import Glibc
#endif

/// All that a run needs to go on from a step, as its trainer encoded it.
package struct Snapshot: Sendable {
  package let step: Int
  package let bytes: [UInt8]

  package init(step: Int, bytes: [UInt8]) {
    self.step = step
    self.bytes = bytes
  }
}

/// The snapshots of an attempt: `snapshot-STEP.zst` and `best-STEP.zst`, compressed and checked when they are
/// read.
///
/// The two newest snapshots stay, so that damage to one costs an interval and not the run, and every best
/// state that one of the two could need.
package struct SnapshotFiles: Hashable, Sendable {
  enum Kind: String { case snapshot, best }

  let folder: String

  /// Where a run stands; removes what this makes useless.
  package func write(_ snapshot: Snapshot) throws(FileError) {
    try write(snapshot, .snapshot)
    let kept = Array(try files(.snapshot).prefix(2))
    for old in try files(.snapshot).dropFirst(2) { try remove(old.path) }
    let oldest = kept.last?.step ?? 0
    let bests = try files(.best)
    if let needed = bests.firstIndex(where: { $0.step <= oldest }) {
      for old in bests[(needed + 1)...] { try remove(old.path) }
    }
  }

  /// The state after the best epoch so far.
  package func writeBest(_ snapshot: Snapshot) throws(FileError) { try write(snapshot, .best) }

  /// Removes all of them, where nobody goes on from them.
  func removeAll() throws(FileError) {
    for file in try files(.snapshot) + files(.best) { try remove(file.path) }
  }

  private func write(_ snapshot: Snapshot, _ kind: Kind) throws(FileError) {
    let digits = String(snapshot.step)
    let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    let frame = Zstd.compress(ByteGroups.split(snapshot.bytes))
    try AtomicFile.write(frame, to: "\(folder)/\(kind.rawValue)-\(padded).zst")
  }

  /// The newest first.
  func files(_ kind: Kind) throws(FileError) -> [(step: Int, path: String)] {
    let prefix = "\(kind.rawValue)-"
    let found = try AtomicFile.names(in: folder).compactMap { name -> (step: Int, path: String)? in
      guard name.hasPrefix(prefix), name.hasSuffix(".zst"),
        let step = Int(name.dropFirst(prefix.count).dropLast(4))
      else { return nil }
      return (step, "\(folder)/\(name)")
    }
    return found.sorted { $0.step > $1.step }
  }

  /// - Throws: `FileError`, or `ZstdError` for a damaged one.
  static func read(_ path: String) throws -> [UInt8] {
    ByteGroups.join(try Zstd.decompress(try AtomicFile.read(path)))
  }

  private func remove(_ path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
  }
}
