package import Specs

/// As much of JSON Schema (2020-12) as the grid's schema uses; a keyword that it does not know is reported,
/// so that none is taken for kept.
package struct SchemaEvaluator {
  private let root: JSONValue

  package init(_ schema: JSONValue) { root = schema }

  /// What is wrong with a value, the first few only; none where the schema accepts it.
  package func problems(_ value: JSONValue) -> [String] { problems(value, root, at: "$") }

  private static let annotations: Set<String> = [
    "$schema", "title", "description", "default", "$defs", "examples",
  ]

  private func problems(_ value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
    if let flag = schema.bool { return flag ? [] : ["\(path): nothing is allowed"] }
    guard let keywords = schema.object else { return ["\(path): the schema is \(schema.typeName)"] }
    var found: [String] = []
    for (keyword, argument) in keywords.sorted(by: { $0.key < $1.key })
    where !Self.annotations.contains(keyword) {
      found += check(keyword, argument, keywords, value, path)
    }
    return found
  }

  private func check(
    _ keyword: String, _ argument: JSONValue, _ schema: [String: JSONValue], _ value: JSONValue,
    _ path: String
  ) -> [String] {
    func when(_ isWrong: Bool, _ text: String) -> [String] { isWrong ? ["\(path): \(text)"] : [] }
    let count = DecimalNumber(value.array?.count ?? value.object?.count ?? 0)
    switch keyword {
    case "$ref":
      let name = argument.string!.split(separator: "/").last.map(String.init)!
      guard let target = root.object?["$defs"]?.object?[name] else {
        return ["\(path): no definition \(name)"]
      }
      return problems(value, target, at: path)
    case "type":
      let types = argument.array ?? [argument]
      return when(!types.contains { Self.isOf($0.string!, value) }, "is not of type \(argument)")
    case "const": return when(value != argument, "is not \(argument)")
    case "enum": return when(!argument.array!.contains(value), "is none of \(argument)")
    case "minimum": return when(value.number.map { $0 < argument.number! } == true, "is below \(argument)")
    case "maximum": return when(value.number.map { $0 > argument.number! } == true, "is above \(argument)")
    case "exclusiveMinimum":
      return when(value.number.map { $0 <= argument.number! } == true, "is not above \(argument)")
    case "exclusiveMaximum":
      return when(value.number.map { $0 >= argument.number! } == true, "is not below \(argument)")
    case "pattern":
      return when(value.string.map { !Self.matches($0, argument.string!) } == true, "does not match")
    case "minItems": return when(value.array != nil && count < argument.number!, "has too few items")
    case "maxItems": return when(value.array != nil && count > argument.number!, "has too many items")
    case "uniqueItems":
      return when(value.array.map { Set($0).count != $0.count } == true, "has an item twice")
    case "items":
      return (value.array ?? []).enumerated().flatMap {
        problems($0.element, argument, at: "\(path)[\($0.offset)]")
      }
    case "minProperties": return when(value.object != nil && count < argument.number!, "has too few members")
    case "required":
      let missing = argument.array!.filter { value.object?[$0.string!] == nil }
      return when(value.object != nil && !missing.isEmpty, "lacks \(missing)")
    case "properties":
      return (value.object ?? [:]).sorted { $0.key < $1.key }.flatMap { name, member in
        argument.object![name].map { problems(member, $0, at: "\(path).\(name)") } ?? []
      }
    case "additionalProperties":
      let known = schema["properties"]?.object ?? [:]
      let others = (value.object ?? [:]).filter { known[$0.key] == nil }.sorted { $0.key < $1.key }
      return others.flatMap { problems($0.value, argument, at: "\(path).\($0.key)") }
    case "anyOf":
      return when(!argument.array!.contains { problems(value, $0, at: path).isEmpty }, "fits no alternative")
    case "oneOf":
      return when(
        argument.array!.count { problems(value, $0, at: path).isEmpty } != 1,
        "does not fit exactly one alternative")
    default: return ["\(path): the keyword \(keyword) is not evaluated"]
    }
  }

  private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .string), ("array", .array),
      ("object", .object):
      true
    case ("integer", .number(let number)): number.integer != nil
    default: false
    }
  }

  private static func matches(_ text: String, _ pattern: String) -> Bool {
    // Patterns of the schema are anchored, so this is a match of the whole.
    guard let expression = try? Regex(pattern) else { return false }
    return text.contains(expression)
  }
}
