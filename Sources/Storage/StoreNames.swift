import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// Names of what the program writes for a while and removes itself, unless it is killed: one list for those
/// who write and for `gc`.
package enum StoreNames {
  /// A file that is written beside its place and renamed into it.
  static func aside(_ path: String) -> String { "\(path).\(getpid()).aside" }

  /// A file that tells the clock of the file system.
  static func clock(_ host: String) -> String { "clock.\(host).\(getpid())" }

  /// A file that is locked to see whether a second process sees it.
  static func lockProbe(_ host: String) -> String { "lock-probe.\(host).\(getpid())" }

  /// A folder in which runs are executed again.
  package static var verification: String { "verify.\(getpid())" }

  /// A database on its way from an archive into a store.
  package static var unpacked: String { "unarchived.\(getpid())" }

  /// A database on its way into an archive, beside it.
  package static func packing(_ archive: String) -> String { "\(archive).\(getpid()).packing" }

  /// The database that `rebuild` makes, beside the one whose place it takes.
  package static func rebuilt(_ database: String) -> String { "\(database).rebuilt" }

  /// The copy that `backup` writes, beside its place.
  static func copying(_ path: String) -> String { "\(path).\(getpid()).copying" }

  /// SQLite's own files beside a database.
  package static let companions = ["-journal", "-wal", "-shm"]

  /// Whether a name in a store's folder, or below it, is one of the above or of SQLite's for a database of
  /// one of them; and the process that wrote it, where the name says so.
  static func litter(_ name: String) -> (isLitter: Bool, process: Int32?) {
    var bare = Substring(name)
    for ending in companions where bare.hasSuffix(ending) { bare = bare.dropLast(ending.count) }
    // A commit of several databases at once is noted in a file of this name: `store.sqlite-mj0A1B2C3D4`.
    if let mark = bare.firstRange(of: "-mj"), bare[mark.upperBound...].allSatisfy(\.isHexDigit) {
      return (true, nil)
    }
    if bare == "store.sqlite.rebuilt" { return (true, nil) }
    let parts = bare.split(separator: ".", omittingEmptySubsequences: false)
    func number(_ place: Int) -> Int32? { parts.indices.contains(place) ? Int32(parts[place]) : nil }
    switch (parts.first, parts.last) {
    case (_, "aside"?), (_, "packing"?), (_, "copying"?): return (true, number(parts.count - 2))
    case ("verify"?, _) where parts.count == 2, ("unarchived"?, _) where parts.count == 2:
      return (number(1) != nil, number(1))
    case ("clock"?, _) where parts.count > 2, ("lock-probe"?, _) where parts.count > 2:
      return (number(parts.count - 1) != nil, number(parts.count - 1))
    default: return (false, nil)
    }
  }
}

/// A file or a folder that a killed process left.
package struct Litter: Hashable, Sendable {
  package let path: String
  package let bytes: Int
}

extension StoreFolder {
  /// What killed processes left in the folder, in the order of the paths. What belongs to a process that is
  /// alive is left out, and what is younger than a day where only another host could tell.
  ///
  /// - Parameter clock: `clock()` of the same moment.
  package func litter(clock: Double) throws(FileError) -> [Litter] {
    var found: [Litter] = []
    func look(in folder: String, _ depth: Int) throws(FileError) {
      for name in try AtomicFile.names(in: folder) {
        let place = "\(folder)/\(name)"
        let (isLitter, process) = StoreNames.litter(name)
        if isLitter {
          let isInUse = process.map { kill($0, 0) == 0 || errno == EPERM } ?? false
          let isYoung = AttemptFolder.changed(place).map { clock - $0 < 86_400 } ?? false
          // Without a number it is SQLite's or a rebuild's, which only the holder of the lease makes: whoever
          // asks.
          if process == nil || !isInUse && (!isYoung || isHere(name)) {
            found.append(Litter(path: place, bytes: AtomicFile.size(orBelow: place)))
          }
        } else if depth > 0, AtomicFile.isRealFolder(place) {
          try look(in: place, depth - 1)
        }
      }
    }
    // Down to the files of an attempt's output: stages/KEY/attempts/N/output.
    try look(in: path, 5)
    return found.sorted { $0.path < $1.path }
  }

  /// Whether this host wrote it: names that say no host are of processes of the host that has the lease, or
  /// its workers.
  private func isHere(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    return parts.first != "clock" && parts.first != "lock-probe"
      || parts.dropFirst().dropLast().joined(separator: ".") == ProcessIdentity.current.host
  }

  package func remove(_ litter: [Litter]) throws(FileError) {
    for item in litter {
      if AtomicFile.isRealFolder(item.path) {
        try AtomicFile.removeFolder(item.path)
      } else {
        try AtomicFile.removeFile(item.path)
      }
    }
  }
}
