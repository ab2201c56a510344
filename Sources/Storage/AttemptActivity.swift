#if canImport(Glibc)
  import Glibc
#endif

/// Whether somebody may still be at work on an attempt, as far as its files tell.
package enum AttemptActivity: Hashable, Sendable {
  case ended(ExitNote)
  case working
  /// Its worker is gone and nobody saw how: a kill, a lost node.
  case lost
}

extension AttemptFolder {
  /// Heartbeats come every `beatSeconds`; this many of them missed mean that the worker is gone.
  package static let beatSeconds = 15.0
  package static let patience = 4 * beatSeconds

  /// One look at the files, which a stopped process, a sleep of the machine or a clock that was set can
  /// deceive: who ends workers watches them for a while besides (`ClusterSweep`).
  ///
  /// - Parameter clock: `StoreFolder.clock()` of the same moment, so that no two machines' clocks are
  ///   compared.
  package func activity(clock: Double, patience: Double = AttemptFolder.patience) -> AttemptActivity {
    if let note = exitNote { return .ended(note) }
    if let isAlive = holder?.identity.isAlive { return isAlive ? .working : .lost }
    // On another host, or claimed a moment ago: the folder itself is as old as the claim.
    guard let beat = lastSign else { return .lost }
    return clock - beat < patience ? .working : .lost
  }

  /// When it last gave a sign of life, by the clock of the file system: its claim counts as one.
  package var lastSign: Double? { Self.changed(heartbeat) ?? Self.changed(path) }

  /// Seconds since 1970 by the clock of the file system.
  static func changed(_ path: String) -> Double? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9
  }
}

extension StoreFolder {
  /// What time the file system has that the store lies on: that of a file touched now.
  package func clock() throws(FileError) -> Double {
    let probe = "\(path)/\(StoreNames.clock(ProcessIdentity.current.host))"
    try AtomicFile.writeSynced([], to: probe)
    defer { unlink(probe) }
    guard let now = AttemptFolder.changed(probe) else { throw FileError("read", probe) }
    return now
  }
}
