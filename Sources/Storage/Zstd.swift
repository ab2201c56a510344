import CZstd
import Synchronization

/// Bytes that do not unpack.
package struct ZstdError: Error, Equatable, CustomStringConvertible {
  package let problem: String

  package var description: String { "The compressed data are damaged: \(problem)." }
}

/// Frames of zstd with their size and checksum in them. Level 1: higher levels gain nothing on weights.
package enum Zstd {
  /// What this program writes is smaller; what claims more is refused before memory is.
  package static let limit = 1 << 32

  package static func compress(_ bytes: [UInt8]) -> [UInt8] { compressor.withLock { $0.compress(bytes) } }

  /// Kept from frame to frame: to set one up takes longer than a small frame.
  private static let compressor = Mutex(Compressor())

  private struct Compressor: ~Copyable {
    private let context: OpaquePointer

    init() {
      guard let context = ZSTD_createCCtx() else { fatalError("out of memory for zstd") }
      self.context = context
      ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1)
      ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
      ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    func compress(_ bytes: [UInt8]) -> [UInt8] {
      [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { buffer, initialized in
        let size = bytes.withUnsafeBytes {
          ZSTD_compress2(context, buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
        }
        precondition(ZSTD_isError(size) == 0, "zstd: \(String(cString: ZSTD_getErrorName(size)))")
        initialized = size
      }
    }
  }

  /// - Throws: for anything but exactly one whole frame that declares its size, at most `limit` bytes.
  package static func decompress(_ frame: [UInt8], limit: Int = limit) throws(ZstdError) -> [UInt8] {
    let (declared, end) = frame.withUnsafeBytes { bytes in
      (
        ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count),
        ZSTD_findFrameCompressedSize(bytes.baseAddress, bytes.count)
      )
    }
    // The two highest values mean "not declared" and "no frame".
    guard declared < UInt64.max - 1 else {
      throw ZstdError(problem: "there is no frame that declares its size")
    }
    guard declared <= UInt64(limit) else { throw ZstdError(problem: "it declares \(declared) bytes") }
    guard ZSTD_isError(end) == 0 else {
      throw ZstdError(problem: String(cString: ZSTD_getErrorName(end)))
    }
    guard end == frame.count else { throw ZstdError(problem: "\(frame.count - end) bytes follow the frame") }
    var size = 0
    let content = [UInt8](unsafeUninitializedCapacity: Int(declared)) { buffer, initialized in
      size = frame.withUnsafeBytes {
        ZSTD_decompress(buffer.baseAddress, buffer.count, $0.baseAddress, $0.count)
      }
      initialized = ZSTD_isError(size) == 0 ? size : 0
    }
    guard ZSTD_isError(size) == 0 else {
      throw ZstdError(problem: String(cString: ZSTD_getErrorName(size)))
    }
    guard content.count == Int(declared) else {
      throw ZstdError(problem: "\(content.count) of \(declared) bytes")
    }
    return content
  }
}

/// The bytes of 32-bit numbers by significance: all lowest bytes, then all second ones, and so on, then what
/// does not fill a word. Weights share their high bytes, so a frame of grouped ones is a sixth smaller.
package enum ByteGroups {
  package static func split(_ bytes: [UInt8]) -> [UInt8] {
    let words = bytes.count / 4
    return permute(bytes) { from, to in
      for word in 0..<words {
        for byte in 0..<4 { to[byte &* words &+ word] = from[word &* 4 &+ byte] }
      }
    }
  }

  package static func join(_ bytes: [UInt8]) -> [UInt8] {
    let words = bytes.count / 4
    return permute(bytes) { from, to in
      for word in 0..<words {
        for byte in 0..<4 { to[word &* 4 &+ byte] = from[byte &* words &+ word] }
      }
    }
  }

  private static func permute(
    _ bytes: [UInt8], _ body: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
  ) -> [UInt8] {
    var result = bytes
    bytes.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        if let from = from.baseAddress, let to = to.baseAddress { body(from, to) }
      }
    }
    return result
  }
}
