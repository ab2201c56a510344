/// A specification that does not read as one: which member, and what was expected there.
public struct SpecError: Error, Equatable, CustomStringConvertible {
  /// Members from the outside in, such as `method.options`.
  public let path: String
  /// What should be there, as a phrase.
  public let expected: String

  /// A member by its path, and a phrase that follows "should be".
  public init(path: String, expected: String) {
    self.path = path
    self.expected = expected
  }

  public var description: String {
    "\(path.isEmpty ? "The specification" : "'\(path)'") should be \(expected)."
  }
}

/// Reads the members of an object that the program wrote: strict, every complaint with its path.
public struct SpecObject: Sendable {
  private let members: [String: JSONValue]
  private let path: String

  /// - Throws: `SpecError` for a value that is no object.
  public init(_ value: JSONValue, at path: String = "") throws(SpecError) {
    guard let members = value.object else { throw SpecError(path: path, expected: "an object") }
    self.members = members
    self.path = path
  }

  /// The member, or nil where it is absent or null.
  public subscript(name: String) -> JSONValue? {
    members[name].flatMap { $0 == .null ? nil : $0 }
  }

  /// A member's path, for complaints.
  public func path(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// A member that is a text.
  public func string(_ name: String) throws(SpecError) -> String { try required(name, "a string", \.string) }
  /// A member that is a whole number.
  public func integer(_ name: String) throws(SpecError) -> Int {
    try required(name, "an integer", \.integer)
  }
  /// A member that is a number.
  public func number(_ name: String) throws(SpecError) -> DecimalNumber {
    try required(name, "a number", \.number)
  }
  /// A member that is true or false.
  public func bool(_ name: String) throws(SpecError) -> Bool { try required(name, "true or false", \.bool) }
  /// A member that is a list.
  public func array(_ name: String) throws(SpecError) -> [JSONValue] {
    try required(name, "a list", \.array)
  }

  /// A member that is an object, read with its path.
  public func object(_ name: String) throws(SpecError) -> SpecObject {
    try SpecObject(required(name, "an object") { $0 }, at: path(name))
  }

  /// A member that is a key of 64 hexadecimal digits.
  public func key(_ name: String) throws(SpecError) -> ContentKey {
    try required(name, "64 hexadecimal digits") { $0.string.flatMap { ContentKey($0) } }
  }

  /// nil where the member is absent.
  public func optional<Value>(
    _ name: String, _ read: (SpecObject) throws(SpecError) -> (String) throws(SpecError) -> Value
  ) throws(SpecError) -> Value? {
    self[name] == nil ? nil : try read(self)(name)
  }

  private func required<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(SpecError) -> Value {
    guard let value = members[name].flatMap(read) else {
      throw SpecError(path: path(name), expected: expected)
    }
    return value
  }
}

/// Writes one JSON object member by member, in the canonical form of `CanonicalJSON`: the caller names
/// members in ascending order.
public struct ObjectWriter: Sendable {
  private var isFirst = true
  #if DEBUG
    private var last = ""
  #endif

  /// Begins an object.
  public init(to bytes: inout [UInt8]) { bytes.append(UInt8(ascii: "{")) }

  /// Appends a member whose value is written by a closure.
  public mutating func member(_ name: String, to bytes: inout [UInt8], _ value: (inout [UInt8]) -> Void) {
    #if DEBUG
      precondition(isFirst || last < name, "members in ascending order: \(last), \(name)")
      last = name
    #endif
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
    CanonicalJSON.append(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    value(&bytes)
  }

  /// Appends a member, or nothing for nil.
  public mutating func member(_ name: String, _ value: JSONValue?, to bytes: inout [UInt8]) {
    guard let value else { return }
    member(name, to: &bytes) { CanonicalJSON.append(value, to: &$0) }
  }

  /// Appends a whole number.
  public mutating func member(_ name: String, _ value: Int, to bytes: inout [UInt8]) {
    member(name, to: &bytes) { CanonicalJSON.append(DecimalNumber(value), to: &$0) }
  }

  /// Ends the object.
  public func end(_ bytes: inout [UInt8]) { bytes.append(UInt8(ascii: "}")) }
}

/// A value with one canonical JSON form, from which it can be read again.
public protocol CanonicallyEncodable: Hashable, Sendable {
  /// Appends the canonical form. Two equal values append equal bytes.
  func append(to bytes: inout [UInt8])
  /// Reads the canonical form, parsed.
  init(_ json: JSONValue, at path: String) throws(SpecError)
}

extension CanonicallyEncodable {
  /// The canonical form by itself.
  public var canonicalBytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }
}
