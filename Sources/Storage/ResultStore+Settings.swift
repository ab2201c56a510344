import GRDB
package import Specs

extension ResultStore {
  /// The specifications of some stages, without kind and revision; those that the store does not know are left out.
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
