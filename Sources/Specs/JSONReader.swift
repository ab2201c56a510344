/// A JSON value that knows where it stands in its text.
package struct JSONNode: Sendable {
  package enum Kind: Sendable {
    case null
    case bool(Bool)
    /// `isInteger`: written without point and exponent.
    case number(DecimalNumber, isInteger: Bool)
    case string(String)
    case array([JSONNode])
    case object([Member])
  }

  package struct Member: Sendable {
    package let name: String
    /// Byte offset of the name.
    package let offset: Int
    package let value: JSONNode
  }

  package let kind: Kind
  /// Byte offset of the first character.
  package let offset: Int

  /// The value without its places.
  package var value: JSONValue {
    switch kind {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .number(let number, _): .number(number)
    case .string(let text): .string(text)
    case .array(let nodes): .array(nodes.map(\.value))
    case .object(let members): .object(Dictionary(members.map { ($0.name, $0.value.value) }) { $1 })
    }
  }
}

/// A text that is not JSON, with the place.
package struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
  /// From 1; the column counts characters.
  package let line: Int
  package let column: Int
  package let problem: String

  package var description: String { "\(line):\(column): \(problem)" }
}

/// Reads strict JSON in UTF-8 and, where allowed, `//` and `/* */` comments and trailing commas. Refuses
/// duplicate names, and nesting that would exhaust the stack.
package struct JSONReader {
  /// Levels of brackets; grids and records need ten.
  package static let deepest = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private let allowsComments: Bool
  private var at = 0

  package static func read(_ bytes: [UInt8], allowsComments: Bool = false) throws(JSONSyntaxError) -> JSONNode
  {
    let outcome = bytes.withUnsafeBufferPointer { buffer -> Result<JSONNode, JSONSyntaxError> in
      var reader = JSONReader(bytes: buffer, allowsComments: allowsComments)
      do throws(JSONSyntaxError) { return .success(try reader.document()) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// Line and column of a byte offset, both from 1; the column counts characters.
  package static func place(of offset: Int, in bytes: some Collection<UInt8>) -> (line: Int, column: Int) {
    let before = Array(bytes.prefix(offset))
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (line, String(decoding: before[start...], as: UTF8.self).count + 1)
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, allowsComments: Bool) {
    self.bytes = bytes
    self.allowsComments = allowsComments
  }

  private mutating func document() throws(JSONSyntaxError) -> JSONNode {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw error("a byte order mark; save the file as UTF-8 without one")
    }
    try checkUTF8()
    try skipSpace()
    let node = try value(depth: 0)
    try skipSpace()
    guard at == bytes.count else { throw error("text after the end of the value") }
    return node
  }

  private func checkUTF8() throws(JSONSyntaxError) {
    // ASCII, which nearly every file is, needs no decoding.
    guard bytes.contains(where: { $0 >= 0x80 }) else { return }
    var decoder = UTF8()
    var consumed = 0
    var iterator = bytes.makeIterator()
    while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): consumed += UTF8.width(scalar)
      case .emptyInput: return
      case .error: throw error("bytes that are not UTF-8; save the file as UTF-8", at: consumed)
      }
    }
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    let start = at
    guard let byte = peek() else { throw error("expected a value, but the text ends") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return JSONNode(kind: .string(try string()), offset: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t") where take("true"): return JSONNode(kind: .bool(true), offset: start)
    case UInt8(ascii: "f") where take("false"): return JSONNode(kind: .bool(false), offset: start)
    case UInt8(ascii: "n") where take("null"): return JSONNode(kind: .null, offset: start)
    default: throw error("expected a value, found \(character())")
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    let start = at
    try open(depth)
    var members: [JSONNode.Member] = []
    var names: Set<String> = []
    while peek() != UInt8(ascii: "}") {
      let offset = at
      guard peek() == UInt8(ascii: "\"") else {
        throw error("expected a name in quotes, found \(character())")
      }
      let name = try string()
      guard names.insert(name).inserted else {
        throw error("the name \"\(name)\" appears twice in this object", at: offset)
      }
      try skipSpace()
      guard peek() == UInt8(ascii: ":") else { throw error("no ':' after the name \"\(name)\"") }
      at += 1
      try skipSpace()
      members.append(JSONNode.Member(name: name, offset: offset, value: try value(depth: depth + 1)))
      try next(before: UInt8(ascii: "}"), opened: start)
    }
    at += 1
    return JSONNode(kind: .object(members), offset: start)
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    let start = at
    try open(depth)
    var values: [JSONNode] = []
    while peek() != UInt8(ascii: "]") {
      values.append(try value(depth: depth + 1))
      try next(before: UInt8(ascii: "]"), opened: start)
    }
    at += 1
    return JSONNode(kind: .array(values), offset: start)
  }

  private mutating func open(_ depth: Int) throws(JSONSyntaxError) {
    guard depth < Self.deepest else { throw error("more than \(Self.deepest) nested brackets") }
    at += 1
    try skipSpace()
  }

  /// After an element: a comma and another one, or the end.
  private mutating func next(before end: UInt8, opened start: Int) throws(JSONSyntaxError) {
    try skipSpace()
    if peek() == end { return }
    guard let byte = peek() else {
      let place = Self.place(of: start, in: bytes)
      throw error("the text ends, but the bracket of \(place.line):\(place.column) is still open")
    }
    guard byte == UInt8(ascii: ",") else {
      throw error("expected ',' or '\(Character(UnicodeScalar(end)))', found \(character())")
    }
    let comma = at
    at += 1
    try skipSpace()
    if peek() == end, !allowsComments { throw error("a comma before the closing bracket", at: comma) }
    if peek() == nil { throw error("the text ends after a comma") }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONNode {
    let start = at
    while let byte = peek(), Self.isNumeric(byte) { at += 1 }
    let text = bytes[start..<at]
    guard let number = DecimalNumber(utf8: text) else {
      throw error(
        "\(String(decoding: text, as: UTF8.self)) is not a JSON number of up to 18 digits below 1.8e308",
        at: start)
    }
    let isInteger = !text.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
    return JSONNode(kind: .number(number, isInteger: isInteger), offset: start)
  }

  static func isNumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    let start = at
    at += 1
    let plain = at
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { at += 1 }
    if peek() == UInt8(ascii: "\"") {
      at += 1
      return String(decoding: bytes[plain..<(at - 1)], as: UTF8.self)
    }
    var text = Array(bytes[plain..<at])
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20: throw error("a control character inside a string")
      default:
        text.append(byte)
        at += 1
      }
    }
    throw error("a string without an end", at: start)
  }

  private mutating func escape() throws(JSONSyntaxError) -> Character {
    let start = at
    at += 1
    guard let byte = peek() else { throw error("a string without an end", at: start) }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(UnicodeScalar(byte))
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try hexadecimal(start)
      if let scalar = UnicodeScalar(unit) { return Character(scalar) }
      guard unit < 0xDC00, take("\\u") else { throw error("half of a surrogate pair", at: start) }
      let second = try hexadecimal(start)
      guard (0xDC00...0xDFFF).contains(second),
        let scalar = UnicodeScalar(0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00))
      else { throw error("half of a surrogate pair", at: start) }
      return Character(scalar)
    default: throw error("an unknown escape", at: start)
    }
  }

  private mutating func hexadecimal(_ start: Int) throws(JSONSyntaxError) -> UInt32 {
    guard at + 4 <= bytes.count,
      let unit = UInt32(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16),
      bytes[at] != UInt8(ascii: "+")
    else { throw error("\\u without four hexadecimal digits", at: start) }
    at += 4
    return unit
  }

  private mutating func skipSpace() throws(JSONSyntaxError) {
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): at += 1
      case UInt8(ascii: "/") where allowsComments: try skipComment()
      default: return
      }
    }
  }

  private mutating func skipComment() throws(JSONSyntaxError) {
    let start = at
    if take("//") {
      while let byte = peek(), byte != UInt8(ascii: "\n") { at += 1 }
    } else if take("/*") {
      while !take("*/") {
        guard at < bytes.count else { throw error("a comment without an end", at: start) }
        at += 1
      }
    } else {
      throw error("expected a value, found '/'")
    }
  }

  private func peek() -> UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard at + count <= bytes.count, memoryEqual(word, count) else { return false }
    at += count
    return true
  }

  private func memoryEqual(_ word: StaticString, _ count: Int) -> Bool {
    (0..<count).allSatisfy { bytes[at + $0] == word.utf8Start[$0] }
  }

  /// The character at the current place in quotes, for a message.
  private func character() -> String {
    guard at < bytes.count else { return "the end of the text" }
    let text = String(decoding: bytes[at..<min(at + 8, bytes.count)], as: UTF8.self)
    return "'\(text.first.map(String.init) ?? "?")'"
  }

  private func error(_ problem: String, at offset: Int? = nil) -> JSONSyntaxError {
    let place = Self.place(of: offset ?? at, in: bytes)
    return JSONSyntaxError(line: place.line, column: place.column, problem: problem)
  }
}
