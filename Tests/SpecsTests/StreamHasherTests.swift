import Specs
import Testing

/// Bytes in pieces have the digest that they have as a whole, wherever they are cut.
@Suite struct StreamHasherTests {
  @Test func `pieces of any size add up to the whole`() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
    let whole = ContentKey(hashing: bytes)
    for size in 1...130 {
      let hasher = StreamHasher()
      for start in stride(from: 0, to: bytes.count, by: size) {
        hasher.append(bytes[start..<min(bytes.count, start + size)])
        hasher.append([UInt8]())
      }
      #expect(hasher.finished() == whole, "pieces of \(size)")
    }
    #expect(StreamHasher().finished() == ContentKey(hashing: []))
  }

  /// FIPS 180-2, appendix B, and the empty message.
  @Test(arguments: [
    (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ])
  func `a million letters have the published digest`(_ count: Int, _ digest: String) {
    #expect(ContentKey(hashing: [UInt8](repeating: UInt8(ascii: "a"), count: count)).description == digest)
  }
}
