import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// Whether the file system of a store has locks that a second process sees. Where it has not, two runs may
/// write at once, and no fence heals a database whose own locks are unseen.
package enum LockProbe {
  /// The word that makes the program look at a probe: the first argument, and PATH the second.
  package static let command = "lock-probe"

  private static let seen: Int32 = 0
  private static let unseen: Int32 = 10
  private static let unknown: Int32 = 11

  /// Locks a file in the store and has a second process look at it.
  ///
  /// - Parameter program: this program's file.
  /// - Returns: nil where no second process could be started or could not tell.
  /// - Throws: `FileError` where the store's folder cannot be written.
  package static func isSeen(in folder: StoreFolder, by program: String) throws(FileError) -> Bool? {
    let path = "\(folder.path)/\(StoreNames.lockProbe(ProcessIdentity.current.host))"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw FileError("write", path) }
    defer {
      unlink(path)
      close(file)
    }
    // A file system that has no locks at all says so here.
    guard SystemCall.retrying({ flock(file, LOCK_EX | LOCK_NB) }) == 0, lock(file) else { return false }
    switch status(of: program, [command, path]) {
    case seen?: return true
    case unseen?: return false
    default: return nil
    }
  }

  /// The second process's side: tries to get both kinds of locks that are held, that of the lease and that of
  /// SQLite.
  ///
  /// - Returns: the exit code.
  package static func look(at path: String) -> Int32 {
    let file = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return unknown }
    defer { close(file) }
    if SystemCall.retrying({ flock(file, LOCK_EX | LOCK_NB) }) == 0 { return unseen }
    guard errno == EWOULDBLOCK else { return unknown }
    if lock(file) { return unseen }
    return errno == EACCES || errno == EAGAIN ? seen : unknown
  }

  /// A lock of the whole file, of the kind that SQLite uses.
  private static func lock(_ file: Int32) -> Bool {
    var range = flock()
    range.l_type = Int16(F_WRLCK)
    range.l_whence = Int16(SEEK_SET)
    return SystemCall.retrying { fcntl(file, F_SETLK, &range) } == 0
  }

  /// The exit code of a program; nil where it could not be started or was killed.
  private static func status(of program: String, _ arguments: [String]) -> Int32? {
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    guard posix_spawn(&process, program, nil, nil, &words, environ) == 0 else { return nil }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 { if errno != EINTR { return nil } }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : nil
  }
}
