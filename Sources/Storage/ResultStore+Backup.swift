import GRDB
import GRDBSQLite

#if canImport(Glibc)
  import Glibc
#endif

extension ResultStore {
  /// Pages that are copied while the file is locked for reading; the writer waits no longer than for these.
  private static let pagesAtOnce: CInt = 8192

  /// Copies the database, whole and consistent, while others may go on writing it.
  ///
  /// Copying begins anew where the file was changed meanwhile, and the third time it is done in one piece,
  /// for which a writer waits.
  ///
  /// - Throws: `StoreError.file` where there is something at `path` already or it cannot be written.
  package func backUp(to path: String) throws(StoreError) {
    guard !AtomicFile.exists(path) else { throw .file(FileError("write", path, code: EEXIST)) }
    let aside = StoreNames.copying(path)
    func clear() throws(StoreError) {
      for ending in [""] + StoreNames.companions {
        do throws(FileError) { try AtomicFile.removeFile(aside + ending) } catch { throw .file(error) }
      }
    }
    try clear()
    do throws(StoreError) {
      try copy(to: aside)
    } catch {
      try clear()
      throw error
    }
    do throws(FileError) {
      try AtomicFile.sync(file: aside)
      // A link fails where somebody wrote a file of that name meanwhile; a rename would replace it.
      guard link(aside, path) == 0 else { throw FileError("write", path) }
      try AtomicFile.removeFile(aside)
      try AtomicFile.syncFolder(of: path)
    } catch {
      throw .file(error)
    }
    try clear()
  }

  /// How often copying begins anew before it is done in one piece.
  private static let mostTurns = 3
  /// Seconds that a commit of somebody else may take.
  private static let patience = 60.0

  private func copy(to path: String) throws(StoreError) {
    try Self.translating(path) {
      let copy = try DatabaseQueue(path: path)
      defer { try? copy.close() }
      // Without a transaction, which would keep the writer waiting until the end.
      try database.unsafeRead { source in
        try copy.writeWithoutTransaction { target in
          guard
            let backup = sqlite3_backup_init(
              target.sqliteConnection, "main", source.sqliteConnection, "main")
          else { throw DatabaseError(resultCode: target.lastErrorCode, message: target.lastErrorMessage) }
          let code = Self.steps(backup)
          sqlite3_backup_finish(backup)
          guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        }
      }
    }
  }

  /// - Returns: `SQLITE_DONE`, or what went wrong.
  private static func steps(_ backup: OpaquePointer) -> CInt {
    var (left, turns, waited) = (CInt.max, 0, 0.0)
    while true {
      let code = sqlite3_backup_step(backup, turns < mostTurns ? pagesAtOnce : -1)
      switch code {
      case SQLITE_OK:
        // More is left than before where the file was changed meanwhile.
        let now = sqlite3_backup_remaining(backup)
        if now > left { turns += 1 }
        left = now
        waited = 0
      case SQLITE_BUSY, SQLITE_LOCKED:
        guard waited < patience else { return code }
        usleep(20_000)
        waited += 0.02
      default: return code
      }
    }
  }
}
