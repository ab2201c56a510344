import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// The right to write a store. One process has it at a time; it ends with the process, however that ends.
///
/// The kernel keeps the lock, so a holder that was killed needs no detection and no flag to get rid of. The text in the file only says
/// who it is, for those who are turned away and for `status`.
package final class Lease: Sendable {
  private let file: Int32
  private let path: String

  /// - Parameter now: seconds since 1970.
  /// - Throws: `StoreError.held` where another process holds it; `StoreError.file`.
  package init(of folder: StoreFolder, now: Int) throws(StoreError) {
    path = folder.lease
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .file(FileError("write", path)) }
    guard Self.take(file) else {
      let code = errno
      close(file)
      if code == EWOULDBLOCK { throw .held(folder.path, by: Holder.read(path)) }
      throw .file(FileError("lock", path, code: code))
    }
    let text = Holder(identity: .current, since: now).canonicalBytes
    do throws(FileError) {
      guard ftruncate(file, 0) == 0 else { throw FileError("write", path) }
      try AtomicFile.append(text, to: file, path)
    } catch {
      close(file)
      throw .file(error)
    }
  }

  /// Takes the lock. A reader that asks who holds it has it for a moment, so that is waited for.
  private static func take(_ file: Int32) -> Bool {
    for _ in 0..<10 {
      if SystemCall.retrying({ flock(file, LOCK_EX | LOCK_NB) }) == 0 { return true }
      guard errno == EWOULDBLOCK else { return false }
      usleep(10_000)
    }
    errno = EWOULDBLOCK
    return false
  }

  deinit { close(file) }

  /// Shows on other hosts that the holder lives.
  package func beat() throws(FileError) {
    guard futimens(file, nil) == 0 else { throw FileError("touch", path) }
  }

  /// Who holds a store now; nil for nobody. The lock is asked, which holds in containers and across hosts that see each
  /// other's locks; process numbers count only where the file system has none.
  package static func holder(of folder: StoreFolder) -> Holder? {
    let holder = Holder.read(folder.lease)
    let file = open(folder.lease, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return holder.flatMap { $0.identity.isAlive != false ? $0 : nil } }
    defer { close(file) }
    if SystemCall.retrying({ flock(file, LOCK_SH | LOCK_NB) }) == 0 { return nil }
    if errno == EWOULDBLOCK { return holder }
    return holder.flatMap { $0.identity.isAlive != false ? $0 : nil }
  }
}
