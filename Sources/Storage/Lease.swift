@preconcurrency import Dispatch
internal import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// The right to write a store. One process has it at a time; it ends with the process, however that ends.
///
/// The kernel keeps the lock, so a holder that was killed needs no detection and no flag to get rid of. The
/// text in the file says who it is, and the file's time that it lives: both are for hosts that do not see
/// each other's locks, and for those who are turned away. Whoever takes a store raises its generation besides
/// (`ResultStore.claim`), after which nobody who held it before commits any more.
package final class Lease: Sendable {
  private let file: Int32
  private let path: String
  private let heartbeat: any DispatchSourceTimer

  /// Seconds between two signs of life, and after how many without one a holder on another host counts as
  /// gone.
  package static let beatSeconds = 15
  package static let patience = 60.0

  /// - Parameter now: seconds since 1970.
  /// - Throws: `StoreError.held` where another process holds it; `StoreError.file`.
  package init(of folder: StoreFolder, now: Int) throws(StoreError) {
    path = folder.lease
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o644)
    guard file >= 0 else { throw .file(FileError("write", path)) }
    self.file = file
    do throws(StoreError) {
      try Self.lock(file, folder)
      try Self.refuseLiving(folder)
      try Self.write(Holder(identity: .current, since: now).canonicalBytes, to: file, path)
    } catch {
      close(file)
      throw error
    }
    heartbeat = DispatchSource.makeTimerSource(queue: .global())
    heartbeat.schedule(
      deadline: .now() + .seconds(Self.beatSeconds), repeating: .seconds(Self.beatSeconds))
    // Where the file cannot be touched, hosts that see our lock are turned away all the same, and others by
    // the generation.
    heartbeat.setEventHandler { _ = futimens(file, nil) }
    heartbeat.setCancelHandler { close(file) }
    heartbeat.activate()
  }

  deinit {
    // Nobody is to take the text for a holder that lives, once this process goes on without the store.
    _ = ftruncate(file, 0)
    _ = flock(file, LOCK_UN)
    heartbeat.cancel()
  }

  /// Whoever asks who holds it locks the file for a moment, so one refusal is no answer yet.
  private static func lock(_ file: Int32, _ folder: StoreFolder) throws(StoreError) {
    for turn in 1...10 {
      if flock(file, LOCK_EX | LOCK_NB) == 0 { return }
      let code = errno
      if code == EINTR { continue }
      guard code == EWOULDBLOCK else { throw .file(FileError("lock", folder.lease, code: code)) }
      if turn < 10 { usleep(20_000) }
    }
    throw .held(folder.path, by: Holder.read(folder.lease))
  }

  /// The lock was granted; the text may be of somebody all the same whose lock is not seen here.
  private static func refuseLiving(_ folder: StoreFolder) throws(StoreError) {
    guard let holder = Holder.read(folder.lease), holder.identity != .current else { return }
    if try isLiving(holder, folder) { throw .held(folder.path, by: holder) }
  }

  private static func isLiving(_ holder: Holder, _ folder: StoreFolder) throws(StoreError) -> Bool {
    if let isAlive = holder.identity.isAlive { return isAlive }
    do throws(FileError) {
      let age = try folder.clock() - (AttemptFolder.changed(folder.lease) ?? 0)
      return age < patience
    } catch {
      throw .file(error)
    }
  }

  private static func write(_ text: [UInt8], to file: Int32, _ path: String) throws(StoreError) {
    do throws(FileError) {
      guard ftruncate(file, 0) == 0 else { throw FileError("write", path) }
      try AtomicFile.append(text, to: file, path)
    } catch {
      throw .file(error)
    }
  }

  /// Who holds a store now; nil for nobody. Asked of the lock, and only where that may not be seen of the
  /// file.
  package static func holder(of folder: StoreFolder) -> Holder? {
    guard let holder = Holder.read(folder.lease) else { return nil }
    let file = open(folder.lease, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    // Closing gives it back.
    let isFree = SystemCall.retrying { flock(file, LOCK_SH | LOCK_NB) } == 0
    if !isFree, errno == EWOULDBLOCK { return holder }
    // Process numbers count only where the file system has no locks: a container has numbers of its own.
    if let isAlive = holder.identity.isAlive { return isAlive && !isFree ? holder : nil }
    let age = AttemptFolder.changed(folder.lease).map { Double(time(nil)) - $0 } ?? .infinity
    return age < patience ? holder : nil
  }
}

extension Lease {
  /// What the file of a lease says, whether anybody holds it or not.
  package struct Trace: Sendable {
    package let holder: Holder
    /// Seconds since its last sign of life, by the clock of the file system.
    package let silence: Double
  }

  /// nil where there is no text of a holder.
  package static func trace(of folder: StoreFolder) throws(FileError) -> Trace? {
    guard let holder = Holder.read(folder.lease) else { return nil }
    let clock = try folder.clock()
    return Trace(holder: holder, silence: max(0, clock - (AttemptFolder.changed(folder.lease) ?? clock)))
  }

  /// Removes the lease of a holder that is gone and raises the generation, so that it commits nothing more if
  /// it is there after all.
  package static func takeAway(_ folder: StoreFolder) throws {
    try AtomicFile.removeFile(folder.lease)
    guard AtomicFile.exists(folder.database) else { return }
    let store = try ResultStore(at: folder, .writing)
    try store.claim(evenFromLiving: true)
    try store.release()
    try store.close()
  }
}
