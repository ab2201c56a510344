import CCrypto

/// The SHA-256 of bytes that come in pieces, such as those of a file that is larger than the memory.
package final class StreamHasher {
  private let context: OpaquePointer

  package init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("no memory for SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  package func append(_ bytes: some Collection<UInt8>) {
    let isDone = bytes.withContiguousStorageIfAvailable {
      EVP_DigestUpdate(context, $0.baseAddress, $0.count)
    }
    if isDone == nil { append(Array(bytes)) }
    precondition(isDone != 0, "SHA-256 failed")
  }

  /// Of all that was appended; nothing may be appended afterwards.
  package func finished() -> ContentKey {
    var digest = [UInt8](repeating: 0, count: 32)
    precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "SHA-256 failed")
    return ContentKey(digest: digest)!
  }
}
