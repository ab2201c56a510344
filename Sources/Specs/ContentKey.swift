import CNettle

/// A SHA-256 digest that names what was hashed: a stage by its specification, a file by its bytes.
public struct ContentKey: Hashable, Sendable {
  /// Four words of 64 bits, the digest's bytes in big-endian order.
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// - Parameter digest: 32 bytes.
  package init?(digest: some Collection<UInt8>) {
    guard digest.count == 32 else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: digest) }
    self.init(bytesOf: words)
  }

  /// - Parameter words: the digest's bytes, as they lie in memory.
  private init(bytesOf words: (UInt64, UInt64, UInt64, UInt64)) {
    self.words = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
  }

  /// The digest of some bytes.
  package init(hashing bytes: UnsafeRawBufferPointer) {
    var context = sha256_ctx()
    nettle_sha256_init(&context)
    nettle_sha256_update(&context, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { digest in
      nettle_sha256_digest(
        &context, digest.count, digest.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    self.init(bytesOf: words)
  }

  /// The digest of some bytes.
  public init(hashing bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { ContentKey(hashing: $0) }
  }

  /// Reads 64 hexadecimal digits, as `description` writes them.
  public init?(_ text: String) { self.init(hexadecimal: text.utf8) }

  /// Reads 64 hexadecimal digits, as `description` writes them.
  public init?(_ text: Substring) { self.init(hexadecimal: text.utf8) }

  private init?(hexadecimal text: some Collection<UInt8>) {
    guard text.count == 64 else { return nil }
    var digits: [UInt8] = []
    for character in text {
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(character - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(character - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    self.init(digest: stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
  }

  /// The 32 bytes.
  package var digest: [UInt8] { withDigest { [UInt8]($0) } }

  /// Lends the 32 bytes.
  package func withDigest<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
    let bytes = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    return try withUnsafeBytes(of: bytes, body)
  }

  /// The first 8 bytes as a big-endian number: a checksum of small pieces.
  package var word: UInt64 { words.0 }

  /// The first ten digits: enough to tell the runs of a store apart at a glance.
  public var short: String { String(description.prefix(10)) }

  public static func == (a: ContentKey, b: ContentKey) -> Bool { a.words == b.words }
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension ContentKey: CustomStringConvertible {
  /// 64 hexadecimal digits in lower case.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension ContentKey: Comparable {
  public static func < (a: ContentKey, b: ContentKey) -> Bool { a.words < b.words }
}

/// Digests named fields, each length-prefixed, so that no two lists of fields share their bytes.
package struct ContentHasher: Sendable {
  private var bytes: [UInt8] = []

  package init() {}

  /// Begins anew, in the same memory.
  package mutating func clear() { bytes.removeAll(keepingCapacity: true) }

  // Of one type each: generic code that another module calls goes byte by byte.
  package mutating func field(_ name: StaticString, _ value: [UInt8]) {
    name.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
    value.withUnsafeBytes { append($0) }
  }

  package mutating func field(_ name: StaticString, _ value: String) { field(name, Array(value.utf8)) }

  package mutating func field(_ name: StaticString, _ key: ContentKey) {
    name.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
    key.withDigest { append($0) }
  }

  /// The fields that another one was given.
  package mutating func fields(of other: ContentHasher) { bytes.append(contentsOf: other.bytes) }

  package func finished() -> ContentKey { ContentKey(hashing: bytes) }

  private mutating func append(_ value: UnsafeRawBufferPointer) {
    withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: value)
  }
}
