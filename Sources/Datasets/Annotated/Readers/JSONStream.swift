#if canImport(Glibc)
  import Glibc
#endif

/// Strict JSON taken piece by piece from bytes, so that a file of half a gigabyte never becomes a tree of
/// values.
///
/// Every value is checked, also those that are passed over. One thing more than JSON is taken: `NaN` and
/// `Infinity`, which Python writes; whoever asked for a number says that it has to be finite, and of what.
struct JSONStream {
  /// What is wrong, and at which byte.
  struct Problem: Error {
    let offset: Int
    let expected: String
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var at: Int

  /// Levels of brackets; annotations need six.
  static let deepest = 64

  init(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int = 0) {
    self.bytes = bytes
    at = offset
  }

  /// What stands at a place, for messages.
  static func shown(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) -> String {
    guard offset < bytes.count else { return "the end of the file" }
    let piece = bytes[offset..<min(bytes.count, offset + 16)].prefix { $0 >= 32 && $0 < 127 }
    return piece.isEmpty ? "the byte \(bytes[offset])" : "'\(String(decoding: piece, as: UTF8.self))'"
  }

  func problem(_ expected: String, at offset: Int? = nil) -> Problem {
    Problem(offset: offset ?? at, expected: expected)
  }

  private mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x0A, 0x0D, 0x09: at &+= 1
      default: return
      }
    }
  }

  /// The next byte that is not space; nil at the end. It is not taken.
  mutating func peek() -> UInt8? {
    skipSpace()
    return at < bytes.count ? bytes[at] : nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    at &+= 1
    return true
  }

  mutating func end() throws(Problem) {
    if peek() != nil { throw problem("the end of the file after the value") }
  }

  /// Calls `body` at each element of an array; it has to take the element.
  ///
  /// - Returns: how many there were.
  @discardableResult
  mutating func array(
    _ body: (inout JSONStream, _ index: Int) throws(Problem) -> Void
  ) throws(Problem) -> Int {
    guard take(UInt8(ascii: "[")) else { throw problem("an array") }
    if take(UInt8(ascii: "]")) { return 0 }
    var count = 0
    while true {
      try body(&self, count)
      count &+= 1
      if take(UInt8(ascii: "]")) { return count }
      guard take(UInt8(ascii: ",")) else { throw problem("',' or ']'") }
    }
  }

  /// Calls `body` at the value of each member of an object; it has to take the value.
  ///
  /// - Parameter body: is given the bytes of the name as they are written, escapes and all.
  mutating func object(
    _ body: (inout JSONStream, _ name: Slice<UnsafeBufferPointer<UInt8>>) throws(Problem) -> Void
  ) throws(Problem) {
    guard take(UInt8(ascii: "{")) else { throw problem("an object") }
    if take(UInt8(ascii: "}")) { return }
    while true {
      guard peek() == UInt8(ascii: "\"") else { throw problem("a name in quotes") }
      let name = try stringBytes()
      guard take(UInt8(ascii: ":")) else { throw problem("':'") }
      try body(&self, name)
      if take(UInt8(ascii: "}")) { return }
      guard take(UInt8(ascii: ",")) else { throw problem("',' or '}'") }
    }
  }

  /// The bytes between the quotes of a string, as they are written.
  mutating func stringBytes() throws(Problem) -> Slice<UnsafeBufferPointer<UInt8>> {
    let start = at
    guard take(UInt8(ascii: "\"")) else { throw problem("a string") }
    let first = at
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at &+= 1
        return bytes[first..<at - 1]
      case UInt8(ascii: "\\"): at &+= 2
      case 0..<0x20: throw problem("a string without control characters")
      default: at &+= 1
      }
    }
    throw problem("a string with an end", at: start)
  }

  /// A whole number.
  mutating func integer() throws(Problem) -> Int {
    skipSpace()
    let start = at
    let value = try number()
    guard let whole = Int(exactly: value), abs(whole) < 1 << 53 else {
      throw problem("a whole number", at: start)
    }
    return whole
  }

  /// A number, rounded once; not finite where the file says `NaN` or `Infinity`.
  mutating func number() throws(Problem) -> Double {
    skipSpace()
    let start = at
    let isNegative = at < bytes.count && bytes[at] == UInt8(ascii: "-")
    if isNegative { at &+= 1 }
    var mantissa: UInt64 = 0
    var digits = 0
    var exponent = 0
    let firstDigit = at
    func digit() -> UInt64? {
      guard at < bytes.count, bytes[at] &- 48 < 10 else { return nil }
      return UInt64(bytes[at] &- 48)
    }
    while let next = digit() {
      mantissa = mantissa &* 10 &+ next
      digits &+= 1
      at &+= 1
    }
    guard digits > 0 else { return try named(isNegative: isNegative, start) }
    if digits > 1, bytes[firstDigit] == 48 { throw problem("a number without leading zeros", at: start) }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at &+= 1
      let point = at
      while let next = digit() {
        mantissa = mantissa &* 10 &+ next
        digits &+= 1
        at &+= 1
      }
      exponent = point - at
      guard at > point else { throw problem("a digit after the point") }
    }
    let isPlain = at >= bytes.count || bytes[at] | 0x20 != UInt8(ascii: "e")
    if isPlain, digits <= 15, exponent >= -22 {
      // Both are exact, so the quotient is rounded once.
      let value = exponent == 0 ? Double(mantissa) : Double(mantissa) / Self.powers[-exponent]
      return isNegative ? -value : value
    }
    if !isPlain {
      at &+= 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") { at &+= 1 }
      guard digit() != nil else { throw problem("the digits of an exponent") }
      while digit() != nil { at &+= 1 }
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    guard text.utf8.count <= 400, let value = Double(text) else { throw problem("a number", at: start) }
    return value
  }

  private mutating func named(isNegative: Bool, _ start: Int) throws(Problem) -> Double {
    for (word, value) in [("NaN", Double.nan), ("Infinity", .infinity)]
    where bytes[at...].starts(with: word.utf8) {
      at += word.utf8.count
      return isNegative ? -value : value
    }
    throw problem("a number", at: start)
  }

  private static let powers: [Double] = (0...22).map { Double("1e\($0)")! }

  /// Passes over a value.
  mutating func skip(depth: Int = 0) throws(Problem) {
    guard depth < Self.deepest else { throw problem("at most \(Self.deepest) nested brackets") }
    switch peek() {
    case UInt8(ascii: "{"): try object { (stream, _) throws(Problem) in try stream.skip(depth: depth + 1) }
    case UInt8(ascii: "["): try array { (stream, _) throws(Problem) in try stream.skip(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try stringBytes()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: _ = try number()
    }
  }

  private mutating func word(_ text: String) throws(Problem) {
    guard bytes[at...].starts(with: text.utf8) else { throw problem("a value") }
    at += text.utf8.count
  }
}
