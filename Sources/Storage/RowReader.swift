import GRDB
import GRDBSQLite

/// The rows of one query read by the hundred thousand, as `RowWriter` writes them: without the boxes that
/// GRDB's rows need.
///
/// Values that are read are valid until the next row.
final class RowReader {
  private let db: Database
  /// Keeps the compiled statement alive.
  private let owner: Statement
  private let statement: SQLiteStatement

  /// - Parameter arguments: of the query's places.
  init(_ db: Database, _ sql: String, _ arguments: [Int] = []) throws {
    self.db = db
    owner = try db.cachedStatement(sql: sql)
    statement = owner.sqliteStatement
    sqlite3_reset(statement)
    for (place, argument) in arguments.enumerated() {
      sqlite3_bind_int64(statement, Int32(place + 1), Int64(argument))
    }
  }

  deinit { sqlite3_reset(statement) }

  /// Whether there is a row more.
  func next() throws -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code:
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
    }
  }

  /// 0 for what is no integer; `append` tells types apart.
  func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }

  /// Appends a value with its type and, where that varies, its length: different values are different bytes.
  func append(_ column: Int32, to bytes: inout [UInt8]) {
    let type = sqlite3_column_type(statement, column)
    bytes.append(UInt8(truncatingIfNeeded: type))
    switch type {
    case SQLITE_INTEGER: Self.append(UInt64(bitPattern: sqlite3_column_int64(statement, column)), to: &bytes)
    case SQLITE_FLOAT: Self.append(sqlite3_column_double(statement, column).bitPattern, to: &bytes)
    case SQLITE_NULL: break
    default:
      // As UTF-8 where it is a text.
      let start = sqlite3_column_blob(statement, column)
      let count = Int(sqlite3_column_bytes(statement, column))
      Self.append(UInt64(count), to: &bytes)
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
    }
  }

  /// Appends the bytes of a text or of bytes as they are.
  func appendRaw(_ column: Int32, to bytes: inout [UInt8]) {
    let start = sqlite3_column_blob(statement, column)
    let count = Int(sqlite3_column_bytes(statement, column))
    bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
  }

  static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
