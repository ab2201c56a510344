import GRDB
internal import Specs
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The results of sweeps, in one SQLite file: grids, stages, metrics, checkpoints. It alone is enough to
/// report on another machine.
///
/// One process writes, the one that has the store's `Lease`; any number read at the same time.
///
/// The journal is a rollback journal, not a write-ahead log: the file is whole between two commits, so that
/// copying that one file is enough even after a kill; a reader needs no right to write beside it; and it
/// works on network file systems. What a log would save is one sync of two for each commit, of which there
/// are a few for each stage.
package final class ResultStore: Sendable {
  package enum Access: Sendable { case reading, writing }

  let database: DatabaseQueue
  package let path: String
  /// What this process took the store with (`claim`); nil for whoever only reads, and for a database that no
  /// other process knows.
  let generation = Mutex<Int?>(nil)

  /// Opens the store of a folder; for writing, makes folder and file where they are absent.
  ///
  /// - Parameter trace: is told every statement.
  package convenience init(
    at folder: StoreFolder, _ access: Access, trace: (@Sendable (String) -> Void)? = nil
  ) throws(StoreError) {
    if access == .writing {
      do { try folder.create() } catch { throw .file(error) }
    }
    try self.init(file: folder.database, access, trace: trace)
  }

  /// Opens a store by its file, which may be a copy from anywhere.
  package init(
    file path: String, _ access: Access, trace: (@Sendable (String) -> Void)? = nil
  ) throws(StoreError) {
    self.path = path
    // SQLite would wait for the other end of a FIFO.
    for file in [path, "\(path)-journal"] {
      switch CheckedFile.kind(of: file) {
      case nil: break
      case "a folder": throw .notAStore(file)
      case let kind?: throw .notRegular(file, kind: kind)
      }
    }
    if try Self.namesAnotherFile("\(path)-journal") {
      throw .damaged(
        path,
        reason: "its journal names another file, which this program's never does: it was not written here")
    }
    if access == .reading {
      guard AtomicFile.exists(path) else { throw .absent(path) }
      try Self.rollBack(path)
    }
    database = try Self.translating(path) {
      try DatabaseQueue(path: path, configuration: Self.settings(access, trace))
    }
    try Self.translating(path) { try Self.check(database, path, access) }
  }

  /// Closes the file. Later calls fail.
  package func close() throws(StoreError) { try Self.translating(path) { try database.close() } }

  private static func settings(
    _ access: Access, _ trace: (@Sendable (String) -> Void)? = nil
  ) -> Configuration {
    var settings = Configuration()
    settings.readonly = access == .reading
    // A reader waits for a commit, the writer for a long report.
    settings.busyMode = .timeout(access == .reading ? 10 : 60)
    settings.prepareDatabase { db in
      if let trace { db.trace { trace("\($0)") } }
      try SchemaTrust.withhold(from: db)
      guard access == .writing else { return }
      // FULL: what was called finished survives a loss of power. TRUNCATE saves the journal's removal in each
      // commit.
      try db.execute(
        sql: "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000")
    }
    return settings
  }

  private static func check(_ database: DatabaseQueue, _ path: String, _ access: Access) throws {
    let migrator = Migrations.migrator
    let (mark, tables, known) = try database.read { db in
      (
        try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
        try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0,
        try migrator.appliedIdentifiers(db).sorted()
      )
    }
    let isNew = tables == 0 && (mark == 0 || mark == Migrations.applicationID)
    guard isNew || mark == Migrations.applicationID else { throw StoreError.notAStore(path) }
    let strange = try database.read { db in
      try migrator.hasBeenSuperseded(db)
        ? String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY identifier")
          .filter { !migrator.migrations.contains($0) } : []
    }
    guard strange.isEmpty else { throw StoreError.newer(path, migrations: strange) }
    if access == .reading, isNew { throw StoreError.absent(path) }
    let isPrefix = migrator.migrations.starts(with: known)
    if isPrefix, !isNew { try checkSchema(database, path, migrations: known.count) }
    switch access {
    case .reading where known.isEmpty || !isPrefix: throw StoreError.older(path)
    case .reading:
      let standIns = Migrations.standIns(beside: known)
      if !standIns.isEmpty {
        try database.writeWithoutTransaction { try $0.execute(sql: standIns) }
      }
    case .writing:
      if mark == 0 {
        try database.writeWithoutTransaction { db in
          try db.execute(sql: "PRAGMA application_id = \(Migrations.applicationID)")
        }
      }
      try migrator.migrate(database)
    }
  }

  /// Refuses a file that declares anything but the tables that this program makes: a view or a trigger of a
  /// file from elsewhere would run with every query.
  private static func checkSchema(_ database: DatabaseQueue, _ path: String, migrations: Int) throws {
    let found = try database.read(Migrations.schema)
    let expected = try Migrations.schema(ofFirst: migrations)
    if let foreign = found.subtracting(expected).min(by: { ($0.type, $0.name) < ($1.type, $1.name) }) {
      let isKnown = expected.contains { $0.type == foreign.type && $0.name == foreign.name }
      throw StoreError.damaged(
        path,
        reason: isKnown
          ? "its \(foreign.type) \(foreign.name) is declared in another way than by this program"
          : "it has a \(foreign.type) '\(foreign.name.prefix(40))', which this program never makes")
    }
    if let missing = expected.subtracting(found).map(\.name).min() {
      throw StoreError.damaged(path, reason: "its table \(missing) is gone")
    }
  }

  /// Whether a journal ends with the name of a super-journal, the note of a commit of several files. SQLite
  /// removes a file of that name when it undoes the commit, whatever it is.
  private static func namesAnotherFile(_ journal: String) throws(StoreError) -> Bool {
    let mark: [UInt8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]
    do throws(CheckedFile.Problem) {
      return try CheckedFile.tail(journal, limit: mark.count).bytes == mark
    } catch {
      if error == .system(ENOENT) { return false }
      throw .file(FileError("read", journal, error))
    }
  }

  /// Undoes a commit that a killed writer left half done, which a reading connection is not allowed to do.
  /// Where the file cannot be written either, the reading connection says what is wrong.
  private static func rollBack(_ path: String) throws(StoreError) {
    var status = stat()
    guard stat("\(path)-journal", &status) == 0, status.st_size > 0, access(path, W_OK) == 0 else { return }
    try translating(path) {
      let database = try DatabaseQueue(path: path, configuration: settings(.writing))
      _ = try database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") }
      try database.close()
    }
  }
}

// Errors

extension ResultStore {
  func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    try Self.translating(path) { try database.read(body) }
  }

  func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    try Self.translating(path) {
      try database.write { db in
        try self.fence(db)
        return try body(db)
      }
    }
  }

  /// SQLite's codes as facts with a place.
  static func translating<Value>(_ path: String, _ body: () throws -> Value) throws(StoreError) -> Value {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch let error as DatabaseError {
      let reason = error.message ?? error.resultCode.description
      switch error.resultCode {
      case .SQLITE_FULL: throw .full(path)
      case _ where error.extendedResultCode == .SQLITE_READONLY_ROLLBACK: throw .halfCommitted(path)
      case .SQLITE_READONLY: throw .readOnly(path)
      case .SQLITE_PERM, .SQLITE_AUTH: throw .denied(path)
      case .SQLITE_BUSY, .SQLITE_LOCKED: throw .busy(path)
      case .SQLITE_NOTADB: throw .notAStore(path)
      case .SQLITE_CORRUPT: throw .damaged(path, reason: reason)
      case .SQLITE_CANTOPEN: throw unopened(path, reason)
      case .SQLITE_IOERR where AtomicFile.isFolder(path): throw .notAStore(path)
      case .SQLITE_IOERR: throw errno == ENOSPC ? .full(path) : .failed(path, reason: reason)
      default: throw .failed(path, reason: reason)
      }
    } catch let error as RowDamage {
      throw .damaged(path, reason: "\(error)")
    } catch let error as RowDecodingError {
      throw .damaged(path, reason: "\(error)")
    } catch {
      throw .failed(path, reason: "\(error)")
    }
  }

  /// SQLite does not say why it could not open a file; the file system does.
  private static func unopened(_ path: String, _ reason: String) -> StoreError {
    if AtomicFile.isFolder(path) { return .notAStore(path) }
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file < 0 else {
      Glibc.close(file)
      return .failed(path, reason: reason)
    }
    switch errno {
    case EROFS: return .readOnly(path)
    case EACCES, EPERM: return .denied(path)
    case ENOSPC, EDQUOT: return .full(path)
    default: return .failed(path, reason: String(cString: strerror(errno)))
    }
  }
}
