import GRDB
package import Specs

extension ResultStore {
  /// Where the runs of a sweep stand, in the order of its plan, without any of their numbers; nil for a run
  /// that was never registered.
  package func standings(of sweep: String) throws(StoreError) -> [(key: ContentKey, state: StageState?)] {
    _ = try self.sweep(sweep)
    return try read { db in
      let rows = try Row.fetchCursor(
        db,
        sql: """
          SELECT p.key, t.state, t.cause, t.reason, t.epoch, t.step
          FROM point p JOIN sweep s ON s.id = p.sweep LEFT JOIN stage t ON t.key = p.key
          WHERE s.name = ? ORDER BY p.ordinal
          """, arguments: [sweep])
      var standings: [(key: ContentKey, state: StageState?)] = []
      try StoredRow.each("point", rows) { row in
        let isKnown = try row.optionalText("state") != nil
        standings.append((try row.key("key"), isKnown ? try StageState(row) : nil))
      }
      return standings
    }
  }

  /// The specifications of some stages, without kind and revision; those that the store does not know are
  /// left out.
  package func specs(of keys: [ContentKey]) throws(StoreError) -> [ContentKey: JSONValue] {
    let texts = try read { db in
      let select = try db.cachedStatement(sql: "SELECT spec FROM stage WHERE key = ?")
      return try keys.compactMap { key in
        try String.fetchOne(select, arguments: [key.stored]).map { (key: key, text: $0) }
      }
    }
    var specs: [ContentKey: JSONValue] = [:]
    for (key, text) in texts {
      let document = try json(text)
      specs[key] = document.object?["spec"] ?? document
    }
    return specs
  }
}
