import CCrypto

/// A SHA-256 digest that names what was hashed: a stage by its specification, a file by its bytes.
package struct ContentKey: Hashable, Sendable {
  /// Four words of 64 bits, the digest's bytes in big-endian order.
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// - Parameter digest: 32 bytes.
  package init?(digest: some Collection<UInt8>) {
    guard digest.count == 32 else { return nil }
    var words: [UInt64] = [0, 0, 0, 0]
    for (index, byte) in digest.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
    self.words = (words[0], words[1], words[2], words[3])
  }

  /// The digest of some bytes.
  package init(hashing bytes: UnsafeRawBufferPointer) {
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &digest)
    self.init(digest: digest)!
  }

  package init(hashing bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { ContentKey(hashing: $0) }
  }

  /// Reads 64 hexadecimal digits, as `description` writes them.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count == 64 else { return nil }
    var digits: [UInt8] = []
    for character in text.utf8 {
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(character - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(character - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    self.init(digest: stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
  }

  /// The 32 bytes.
  package var digest: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in
      stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
    }
  }

  /// The first 8 bytes as a big-endian number: a checksum of small pieces.
  package var word: UInt64 { words.0 }

  /// The first ten digits: enough to tell the runs of a store apart at a glance.
  package var short: String { String(description.prefix(10)) }

  package static func == (a: ContentKey, b: ContentKey) -> Bool { a.words == b.words }
  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension ContentKey: CustomStringConvertible {
  /// 64 hexadecimal digits in lower case.
  package var description: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

extension ContentKey: Comparable {
  package static func < (a: ContentKey, b: ContentKey) -> Bool { a.words < b.words }
}

/// Digests named fields, each length-prefixed, so that no two lists of fields share their bytes.
package struct ContentHasher: Sendable {
  private var bytes: [UInt8] = []

  package init() {}

  package mutating func field(_ name: StaticString, _ value: some Collection<UInt8>) {
    name.withUTF8Buffer { append($0) }
    append(value)
  }

  package mutating func field(_ name: StaticString, _ value: String) { field(name, Array(value.utf8)) }

  package mutating func field(_ name: StaticString, _ key: ContentKey) { field(name, key.digest) }

  package func finished() -> ContentKey { ContentKey(hashing: bytes) }

  private mutating func append(_ value: some Collection<UInt8>) {
    withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: value)
  }
}
