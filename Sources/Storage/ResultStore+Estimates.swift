import GRDB

/// How long some work took here, on average.
package struct Estimate: Hashable, Sendable {
  /// CPU seconds of one unit of the topic's work.
  package let seconds: Double
  /// Measurements in the mean.
  package let count: Int
}

extension ResultStore {
  /// Adds a measurement. Estimates serve forecasts; no result depends on them. Once there are twenty, older
  /// ones fade, so that a faster program or another machine is learned.
  ///
  /// - Parameters:
  ///   - seconds: CPU seconds of one unit of work.
  ///   - topic: what was done, such as `student epoch {"family":…}`; the caller's business.
  package func measured(_ seconds: Double, of topic: String) throws(StoreError) {
    try measured([(topic, seconds)])
  }

  /// Several measurements in one transaction.
  package func measured(_ measurements: [(topic: String, seconds: Double)]) throws(StoreError) {
    try write { db in try self.measured(measurements, db) }
  }

  func measured(_ measurements: [(topic: String, seconds: Double)], _ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO estimate (topic, seconds, count) VALUES (?, ?, 1)
        ON CONFLICT (topic) DO UPDATE
        SET seconds = (seconds * min(count, 19) + excluded.seconds) / (min(count, 19) + 1), count = count + 1
        """)
    for (topic, seconds) in measurements { try statement.execute(arguments: [topic, seconds]) }
  }

  package func estimates() throws(StoreError) -> [String: Estimate] {
    try read { db in
      var estimates: [String: Estimate] = [:]
      let rows = try Row.fetchCursor(db, sql: "SELECT topic, seconds, count FROM estimate")
      try StoredRow.each("estimate", rows) { row in
        estimates[try row.text("topic")] = Estimate(
          seconds: try row.number("seconds"), count: try row.integer("count"))
      }
      return estimates
    }
  }
}
