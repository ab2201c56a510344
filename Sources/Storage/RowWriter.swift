import GRDB
import GRDBSQLite

/// One statement run for row after row by the hundred thousand: values are bound without the boxes that
/// GRDB's arguments need, which is most of the time that such a row takes.
///
/// What is bound has to live until `run` returns.
final class RowWriter {
  private let db: Database
  /// Keeps the compiled statement alive.
  private let owner: Statement
  private let statement: SQLiteStatement

  init(_ db: Database, _ sql: String) throws {
    self.db = db
    owner = try db.cachedStatement(sql: sql)
    statement = owner.sqliteStatement
  }

  /// - Parameter place: from 1.
  func bind(_ place: Int, _ value: Int) { sqlite3_bind_int64(statement, Int32(place), Int64(value)) }

  func bind(_ place: Int, _ value: Double?) {
    if let value {
      sqlite3_bind_double(statement, Int32(place), value)
    } else {
      sqlite3_bind_null(statement, Int32(place))
    }
  }

  func bind(_ place: Int, blob: UnsafeRawBufferPointer) {
    sqlite3_bind_blob(statement, Int32(place), blob.baseAddress, Int32(blob.count), nil)
  }

  /// UTF-8.
  func bind(_ place: Int, text: UnsafeRawBufferPointer) {
    sqlite3_bind_text(
      statement, Int32(place), text.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(text.count), nil)
  }

  func run() throws {
    let code = sqlite3_step(statement)
    sqlite3_reset(statement)
    guard code == SQLITE_DONE else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
  }
}
