import GRDB
import GRDBSQLite
import Specs

/// What a connection does before it reads a file that may be anybody's.
enum SchemaTrust {
  /// Lets the file's schema call no function that could do anything but compute, and has pages looked at
  /// before they are followed.
  ///
  /// Our own tables check JSON with `json_valid`, which SQLite 3.40 counts among the functions that could do
  /// more; so they get one here that is declared as what it is.
  static func withhold(from db: Database) throws {
    let code = sqlite3_create_function_v2(
      db.sqliteConnection, "json_valid", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nil,
      { context, _, values in
        guard let value = values?[0], sqlite3_value_type(value) != SQLITE_NULL else {
          return sqlite3_result_null(context)
        }
        let text = UnsafeRawBufferPointer(
          start: sqlite3_value_blob(value), count: Int(sqlite3_value_bytes(value)))
        sqlite3_result_int(context, (try? JSONReader.read(Array(text))) == nil ? 0 : 1)
      }, nil, nil, nil)
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
  }
}
