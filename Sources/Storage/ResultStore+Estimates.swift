import GRDB

/// How long some work took here, on average.
package struct Estimate: Hashable, Sendable {
  /// CPU seconds of one unit of the topic's work.
  package let seconds: Double
  /// Measurements in the mean.
  package let count: Int
}

extension ResultStore {
  /// Adds a measurement. Estimates serve forecasts; no result depends on them.
  ///
  /// - Parameters:
  ///   - seconds: CPU seconds of one unit of work.
  ///   - topic: what was done, such as `student epoch {"family":…}`; the caller's business.
  package func measured(_ seconds: Double, of topic: String) throws(StoreError) {
    try write { db in
      try db.execute(
        sql: """
          INSERT INTO estimate (topic, seconds, count) VALUES (?, ?, 1)
          ON CONFLICT (topic) DO UPDATE
          SET seconds = (seconds * count + excluded.seconds) / (count + 1), count = count + 1
          """, arguments: [topic, seconds])
    }
  }

  package func estimates() throws(StoreError) -> [String: Estimate] {
    try read { db in
      var estimates: [String: Estimate] = [:]
      for row in try Row.fetchAll(db, sql: "SELECT topic, seconds, count FROM estimate") {
        estimates[row["topic"]] = Estimate(seconds: row["seconds"], count: row["count"])
      }
      return estimates
    }
  }
}
