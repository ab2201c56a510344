/// A JSON value whose numbers are decimals, as they were written: `0.3` is three tenths, not the
/// nearest binary fraction.
///
/// Options whose type only a catalog entry knows travel in this form.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(DecimalNumber)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// Texts are equal where their bytes are: two names that differ by their Unicode normalisation are two.
  public static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.null, .null): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.number(let x), .number(let y)): return x == y
    case (.string(let x), .string(let y)): return x.hasBytes(of: y)
    case (.array(let x), .array(let y)): return x == y
    case (.object(let x), .object(let y)):
      return x.count == y.count
        && x.allSatisfy { name, value in
          guard let other = y.index(forKey: name), y[other].key.hasBytes(of: name) else { return false }
          return y[other].value == value
        }
    default: return false
    }
  }
}

extension String {
  /// Whether two texts are the same bytes. `==` calls texts equal that look alike, which identity must not.
  package func hasBytes(of other: String) -> Bool { self == other && utf8.elementsEqual(other.utf8) }
}

extension JSONValue {
  /// The text, where this is a string.
  public var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The number, where this is one.
  public var number: DecimalNumber? {
    if case .number(let number) = self { number } else { nil }
  }

  /// The number as an integer, where it is one.
  public var integer: Int? { number?.integer }

  /// True or false, where this is one of them.
  public var bool: Bool? {
    if case .bool(let flag) = self { flag } else { nil }
  }

  /// The elements, where this is a list.
  public var array: [JSONValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  /// The members, where this is an object.
  public var object: [String: JSONValue]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// What a person would call the type of this value.
  package var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .number(DecimalNumber(value)) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { $1 })
  }
}

/// The canonical text: see `CanonicalJSON`.
extension JSONValue: CustomStringConvertible {
  public var description: String { CanonicalJSON.text(of: self) }
}

extension JSONValue {
  /// The value over several lines, for people: members in the order of their names, and on
  /// one line what fits there.
  package var indented: String { indented(by: 0, on: 90) }

  private func indented(by depth: Int, on width: Int) -> String {
    let text = description
    if text.count <= width - depth { return text }
    let margin = String(repeating: " ", count: depth)
    func block(_ open: String, _ parts: [String], _ close: String) -> String {
      "\(open)\n\(parts.map { "\(margin)  \($0)" }.joined(separator: ",\n"))\n\(margin)\(close)"
    }
    switch self {
    case .array(let values) where !values.isEmpty:
      return block("[", values.map { $0.indented(by: depth + 2, on: width) }, "]")
    case .object(let members) where !members.isEmpty:
      let sorted = members.sorted { $0.key < $1.key }
      return block(
        "{", sorted.map { "\(JSONValue.string($0.key)): \($0.value.indented(by: depth + 2, on: width))" }, "}"
      )
    case .null, .bool, .number, .string, .array, .object: return text
    }
  }

  /// What a person calls a value of a grid: a word as it stands, a network as
  /// `cifar_resnet(depth=8,widths=[4,4,8])`.
  package var title: String {
    if let text = string { return text }
    guard let family = object?["family"]?.string else { return description }
    let parameters = object?.filter { $0.key != "family" }.sorted { $0.key < $1.key } ?? []
    return "\(family)(\(parameters.map { "\($0.key)=\($0.value.title)" }.joined(separator: ",")))"
  }
}
