import CNettle

/// The SHA-256 of bytes that come in pieces, such as those of a file that is larger than the memory.
package final class StreamHasher {
  private var context = sha256_ctx()

  package init() { nettle_sha256_init(&context) }

  package func append(_ bytes: some Collection<UInt8>) {
    let isDone: Void? = bytes.withContiguousStorageIfAvailable {
      nettle_sha256_update(&context, $0.count, $0.baseAddress)
    }
    if isDone == nil { append(Array(bytes)) }
  }

  /// Of all that was appended; nothing may be appended afterwards.
  package func finished() -> ContentKey {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
    nettle_sha256_digest(&context, digest.count, &digest)
    return ContentKey(digest: digest)!
  }
}
