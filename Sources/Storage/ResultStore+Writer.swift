import GRDB
import Synchronization
import Specs

extension ResultStore {
  /// Takes the store for this process: raises its generation, after which no transaction of an earlier holder
  /// is committed any more.
  ///
  /// - Precondition: the caller holds the store's lease, as far as locks are seen.
  /// - Parameter isForced: also from a process of this host that lives.
  /// - Throws: `StoreError.held` where a process of this host has it that lives: then it lost its lease,
  ///   because somebody removed the file.
  package func claim(evenFromLiving isForced: Bool = false) throws(StoreError) {
    let holder = Holder(identity: .current, since: 0)
    let generation = try write { db in
      let row = try Row.fetchOne(db, sql: "SELECT id, generation, holder FROM writer")
      let old = row.map { StoredRow("writer", $0) }
      if !isForced, let other = try old.flatMap({ Self.holder(try $0.text("holder")) }),
        other.identity != ProcessIdentity.current, other.identity.isAlive == true
      {
        throw StoreError.held(self.path, by: other)
      }
      let generation = try (old?.integer("generation") ?? 0) + 1
      try db.execute(
        sql: """
          INSERT INTO writer (id, generation, holder) VALUES (1, ?, ?)
          ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, holder = excluded.holder
          """, arguments: [generation, String(decoding: holder.canonicalBytes, as: UTF8.self)])
      return generation
    }
    self.generation.withLock { $0 = generation }
  }

  /// Gives the store back: nobody takes this process for its holder any more.
  package func release() throws(StoreError) {
    guard generation.withLock({ $0 }) != nil else { return }
    try write { db in try db.execute(sql: "UPDATE writer SET holder = ''") }
    generation.withLock { $0 = nil }
  }

  /// Refuses a transaction of a process that lost the store to another one.
  func fence(_ db: Database) throws {
    guard let mine = generation.withLock({ $0 }) else { return }
    let select = try db.cachedStatement(sql: "SELECT id, generation, holder FROM writer")
    guard let row = try Row.fetchOne(select).map({ StoredRow("writer", $0) }) else {
      throw StoreError.superseded(path, by: nil)
    }
    guard try row.integer("generation") == mine else {
      throw StoreError.superseded(path, by: Self.holder(try row.text("holder")))
    }
  }

  private static func holder(_ text: String) -> Holder? {
    guard let json = try? JSONReader.read(Array(text.utf8)).value else { return nil }
    return try? Holder(json, at: "holder")
  }
}
