import GRDB

extension ResultStore {
  /// What SQLite finds wrong with its file and with the references in it; empty where all is well.
  package func integrityProblems() throws(StoreError) -> [String] {
    try read { db in
      let problems = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
      let strays = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map {
        "a row without what it refers to: \($0)"
      }
      return problems + strays
    }
  }
}
