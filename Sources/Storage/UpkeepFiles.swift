#if canImport(Glibc)
  import Glibc
#endif
package import Specs

// What upkeep does to files: small things that the daily work never does.

extension AtomicFile {
  /// Nothing where there is none.
  package static func removeFile(_ path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError("remove", path) }
  }

  /// Renames, in place of what may be there. Nothing where there is nothing to move.
  package static func move(_ path: String, to other: String) throws(FileError) {
    guard rename(path, other) == 0 || errno == ENOENT else { throw FileError("rename", path) }
    try syncFolder(of: other)
  }

  package static func isThere(_ path: String) -> Bool { exists(path) }

  /// Bytes of a file; 0 where there is none.
  static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Bytes of a file, or of all files below a folder.
  static func size(orBelow path: String) -> Int { isRealFolder(path) ? bytes(below: path) : size(path) }

  /// Whether there is a folder itself, and no link to one.
  static func isRealFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Bytes of all files below a folder.
  static func bytes(below folder: String) -> Int {
    var status = stat()
    return ((try? names(in: folder)) ?? []).reduce(0) { sum, name in
      let path = "\(folder)/\(name)"
      guard lstat(path, &status) == 0 else { return sum }
      return sum + (status.st_mode & S_IFMT == S_IFDIR ? bytes(below: path) : Int(status.st_size))
    }
  }
}

extension StoreFolder {
  /// Where each sweep has a file.
  package var sweeps: String { "\(path)/sweeps" }

  /// The stages that have a folder, in the order of their keys.
  package func stageKeys() throws(FileError) -> [ContentKey] {
    try AtomicFile.names(in: stages).compactMap { ContentKey($0) }
  }

  package func remove() throws(FileError) { try AtomicFile.removeFolder(path) }

  /// Makes another store's stage visible in this one, for reading.
  package func lend(_ stage: StageFolder) throws(FileError) {
    guard symlink(stage.path, self.stage(stage.key).path) == 0 || errno == EEXIST else {
      throw FileError("link", stage.path)
    }
  }
}

extension StageFolder {
  package var bytes: Int { AtomicFile.bytes(below: path) }

  /// Removes all that is on disk of the stage.
  package func remove() throws(FileError) { try AtomicFile.removeFolder(path) }

  /// Makes the next attempt's number larger than one that is known elsewhere.
  package func reserveAttempts(upTo number: Int) throws(FileError) {
    try AtomicFile.createFolder("\(path)/attempts/\(number)")
  }
}

extension SnapshotFiles {
  /// Paths of snapshots that do not unpack.
  package func damaged() throws(FileError) -> [String] {
    var damaged: [String] = []
    for file in try files(.snapshot) + files(.best) {
      do { _ = try SnapshotFiles.read(file.path) } catch { damaged.append(file.path) }
    }
    return damaged
  }
}
