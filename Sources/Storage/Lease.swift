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
    guard SystemCall.retrying({ flock(file, LOCK_EX | LOCK_NB) }) == 0 else {
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

  deinit { close(file) }

  /// Shows on other hosts that the holder lives.
  package func beat() throws(FileError) {
    guard futimens(file, nil) == 0 else { throw FileError("touch", path) }
  }

  /// Who holds a store now, as far as this host can tell; nil for nobody.
  package static func holder(of folder: StoreFolder) -> Holder? {
    guard let holder = Holder.read(folder.lease), holder.identity.isAlive != false else { return nil }
    return holder
  }
}
