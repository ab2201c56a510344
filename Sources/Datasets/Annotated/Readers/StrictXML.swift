/// A strict reader of small XML files of data: elements, attributes, text, comments and the five entities
/// that XML has by itself. Declarations of documents and entities are refused, so nothing is ever expanded or
/// fetched.
struct StrictXML {
  struct Element: Sendable {
    let name: String
    /// From 1.
    let line: Int
    var children: [Element] = []
    /// The text directly in it, without space around it.
    var text = ""

    func children(_ name: String) -> [Element] { children.filter { $0.name == name } }
    func child(_ name: String) -> Element? { children.first { $0.name == name } }
  }

  struct Problem: Error {
    /// From 1.
    let line: Int
    let expected: String
    let found: String
  }

  /// Levels of elements; annotations need four.
  static let deepest = 32

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1

  static func read(_ bytes: [UInt8]) throws(Problem) -> Element {
    var reader = StrictXML(bytes: bytes)
    return try reader.document()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private func problem(_ expected: String, _ found: String? = nil) -> Problem {
    let piece = bytes[min(at, bytes.count)..<min(at + 16, bytes.count)].prefix { $0 >= 32 && $0 < 127 }
    let here =
      at >= bytes.count
      ? "the end of the file"
      : piece.isEmpty ? "the byte \(bytes[at])" : "'\(String(decoding: piece, as: UTF8.self))'"
    return Problem(line: line, expected: expected, found: found ?? here)
  }

  private mutating func advance(_ count: Int) {
    for _ in 0..<count {
      if bytes[at] == UInt8(ascii: "\n") { line += 1 }
      at += 1
    }
  }

  private func isNext(_ text: String) -> Bool { bytes[at...].starts(with: text.utf8) }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { advance(1) }
  }

  /// Passes over everything up to and including `end`.
  private mutating func skip(past end: String, _ what: String) throws(Problem) {
    let start = problem("the end '\(end)' of \(what)", "none")
    while at < bytes.count, !isNext(end) { advance(1) }
    guard at < bytes.count else { throw start }
    advance(end.utf8.count)
  }

  private mutating func document() throws(Problem) -> Element {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Problem(line: 1, expected: "text in UTF-8", found: "other bytes")
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    if isNext("<?xml") { try skip(past: "?>", "the declaration") }
    try skipMisc()
    guard isNext("<") else { throw problem("an element") }
    let root = try element(depth: 0)
    try skipMisc()
    guard at == bytes.count else { throw problem("the end of the file after the element \(root.name)") }
    return root
  }

  /// Space, comments and processing instructions between elements.
  private mutating func skipMisc() throws(Problem) {
    while true {
      skipSpace()
      if isNext("<!--") {
        try skip(past: "-->", "a comment")
      } else if isNext("<?") {
        try skip(past: "?>", "an instruction")
      } else if isNext("<!") {
        throw problem("an element; declarations of documents and entities are not read")
      } else {
        return
      }
    }
  }

  private mutating func name() throws(Problem) -> String {
    let start = at
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: ":"), 0x80...:
        at += 1
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
        guard at > start else { throw problem("a name") }
        at += 1
      default:
        guard at > start else { throw problem("a name") }
        return String(decoding: bytes[start..<at], as: UTF8.self)
      }
    }
    throw problem("'>'")
  }

  private mutating func element(depth: Int) throws(Problem) -> Element {
    guard depth < Self.deepest else { throw problem("at most \(Self.deepest) levels of elements") }
    let start = line
    advance(1)
    var element = Element(name: try name(), line: start)
    while true {
      skipSpace()
      if isNext("/>") {
        advance(2)
        return element
      }
      if isNext(">") {
        advance(1)
        break
      }
      try attribute()
    }
    var text: [UInt8] = []
    while true {
      guard at < bytes.count else {
        throw problem("the end </\(element.name)> of the element of line \(start)")
      }
      if isNext("</") {
        advance(2)
        guard try name() == element.name else { throw problem("</\(element.name)>") }
        skipSpace()
        guard isNext(">") else { throw problem("'>'") }
        advance(1)
        break
      }
      if isNext("<!--") || isNext("<?") || isNext("<!") {
        try skipMisc()
      } else if isNext("<") {
        element.children.append(try self.element(depth: depth + 1))
      } else if bytes[at] == UInt8(ascii: "&") {
        text += Array(try reference().utf8)
      } else {
        text.append(bytes[at])
        advance(1)
      }
    }
    let space: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
    let trimmed = text.drop { space.contains($0) }.reversed().drop { space.contains($0) }.reversed()
    element.text = String(decoding: Array(trimmed), as: UTF8.self)
    return element
  }

  private mutating func attribute() throws(Problem) {
    _ = try name()
    skipSpace()
    guard isNext("=") else { throw problem("'='") }
    advance(1)
    skipSpace()
    guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") else {
      throw problem("a value in quotes")
    }
    let quote = String(UnicodeScalar(bytes[at]))
    advance(1)
    try skip(past: quote, "an attribute's value")
  }

  private mutating func reference() throws(Problem) -> String {
    for (entity, text) in [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&apos;", "'")]
    where isNext(entity) {
      advance(entity.utf8.count)
      return text
    }
    throw problem("one of &lt; &gt; &amp; &quot; &apos;; other entities are not read")
  }
}
