package import Specs

/// A JSON value as tests read it: what is missing is null.
package struct Value: Sendable, Equatable {
  package let json: JSONValue
  package init(_ json: JSONValue) { self.json = json }

  package subscript(name: String) -> Value { Value(json.object?[name] ?? .null) }
  package var isNull: Bool { json == .null }
  package var list: [Value] { (json.array ?? []).map(Value.init) }
  package var double: Double { json.number?.double ?? .nan }
  package var doubles: [Double] { list.map(\.double) }
  package var int: Int { json.integer ?? .min }
  package var ints: [Int] { list.map(\.int) }
  package var text: String { json.string ?? "" }
  package var bool: Bool { json.bool ?? false }
  /// All numbers of nested lists, row-major.
  package var flat: [Double] { json.array == nil ? [double] : list.flatMap(\.flat) }

  /// The extents of nested lists of one size each.
  package var shape: [Int] {
    guard let list = json.array else { return [] }
    return [list.count] + (list.first.map { Value($0).shape } ?? [])
  }
  package var keys: [String] { (json.object ?? [:]).keys.sorted() }
}
