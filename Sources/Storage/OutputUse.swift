import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// A published output while somebody reads it: nobody evicts it meanwhile. The kernel keeps the hold, so a
/// reader that was killed holds nothing.
package final class OutputHold: Sendable {
  private let file: Int32

  /// Marks the output as used now. Nil where it is not there, or is being evicted.
  package init?(_ stage: StageFolder) {
    let path = "\(stage.output)/\(Manifest.name)"
    file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    guard SystemCall.retrying({ flock(file, LOCK_SH | LOCK_NB) }) == 0 else {
      close(file)
      return nil
    }
    // Only the order of evictions reads it, so where it cannot be written nothing is lost.
    _ = futimens(file, nil)
  }

  deinit { close(file) }
}

extension StageFolder {
  /// Where a reader says that the output is not what was published.
  private var damageNote: String { "\(path)/damaged" }

  /// Seconds since 1970 of the output's last use, and its size in bytes; nil where there is none.
  package var use: (last: Int, bytes: Int)? {
    var status = stat()
    guard stat("\(output)/\(Manifest.name)", &status) == 0 else { return nil }
    return (Int(status.st_mtim.tv_sec), AtomicFile.bytes(in: output))
  }

  /// Removes the output, unless somebody reads it. Returns whether it is gone.
  package func evict() throws(FileError) -> Bool {
    let file = open("\(output)/\(Manifest.name)", O_RDONLY | O_CLOEXEC)
    if file >= 0 {
      defer { close(file) }
      guard SystemCall.retrying({ flock(file, LOCK_EX | LOCK_NB) }) == 0 else { return false }
      // One rename first: an output is there whole or not there.
      let aside = "\(path)/evicted"
      try AtomicFile.removeFolder(aside)
      guard rename(output, aside) == 0 || errno == ENOENT else { throw FileError("rename", output) }
      try AtomicFile.removeFolder(aside)
    } else if errno != ENOENT {
      throw FileError("read", output)
    }
    guard unlink(damageNote) == 0 || errno == ENOENT else { throw FileError("remove", damageNote) }
    return true
  }

  /// Notes that the output is damaged: the next coordinator makes it again.
  package func noteDamage(_ reason: String) throws(FileError) {
    try AtomicFile.write(Array("\(reason)\n".utf8), to: damageNote)
  }

  package var isDamageNoted: Bool { AtomicFile.exists(damageNote) }
}

extension StoreFolder {
  /// Bytes that this user may still write to the disk of the store.
  package var freeBytes: Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return 0 }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}

// MARK: Outputs that grow part by part

extension AttemptFolder {
  private var parts: String { "\(path)/parts" }

  /// Keeps a finished part of an output that is too large to be made in one go.
  package func writePart(_ name: String, _ bytes: [UInt8]) throws(FileError) {
    try AtomicFile.createFolder(parts)
    try AtomicFile.write(bytes, to: "\(parts)/\(name)")
  }

  /// The path of a part that this attempt has; nil where it has none.
  package func part(_ name: String) -> String? {
    let place = "\(parts)/\(name)"
    return AtomicFile.exists(place) ? place : nil
  }

  /// Takes over a part of an earlier attempt. The file is linked, not copied.
  package func adoptPart(_ name: String, from other: AttemptFolder) throws(FileError) {
    try AtomicFile.createFolder(parts)
    let (from, to) = ("\(other.parts)/\(name)", "\(parts)/\(name)")
    guard link(from, to) == 0 || errno == EEXIST else { throw FileError("link", from) }
  }

  /// Takes over a finished part from elsewhere on the same disk. The file is moved.
  package func takePart(_ name: String, from path: String) throws(FileError) {
    try AtomicFile.createFolder(parts)
    guard rename(path, "\(parts)/\(name)") == 0 else { throw FileError("rename", path) }
  }

  package func removeParts() throws(FileError) { try AtomicFile.removeFolder(parts) }

  /// Bytes of the output while it is not published yet.
  package var outputBytes: Int { AtomicFile.bytes(in: output) }

  /// Makes an output of the parts, in the order of their names, and of some more files; `publish` syncs them.
  package func prepareOutput(
    parts names: [String], and files: [(name: String, bytes: [UInt8])]
  ) throws(FileError) {
    try AtomicFile.removeFolder(output)
    try AtomicFile.createFolder(output)
    var entries = Manifest(files).entries
    for file in files { try AtomicFile.writeUnsynced(file.bytes, to: "\(output)/\(file.name)") }
    for name in names {
      let (from, to) = ("\(parts)/\(name)", "\(output)/\(name)")
      entries += Manifest([(name, try AtomicFile.read(from))]).entries
      guard link(from, to) == 0 else { throw FileError("link", from) }
    }
    try AtomicFile.writeUnsynced(Manifest(entries: entries).canonicalBytes, to: "\(output)/\(Manifest.name)")
  }
}

extension AtomicFile {
  /// Of the files in a folder, not of those in folders in it; 0 where there is none.
  fileprivate static func bytes(in folder: String) -> Int {
    var status = stat()
    return ((try? names(in: folder)) ?? []).reduce(0) { sum, name in
      stat("\(folder)/\(name)", &status) == 0 ? sum + Int(status.st_size) : sum
    }
  }
}
