import CZlib

/// Unpacks gzip files (RFC 1952). zlib compares checksum and length at the end of each member.
enum Gzip {
  /// More than any dataset of this format holds; what claims more is refused before memory is.
  static let limit = 1 << 31

  /// The content of all members. The file itself where it is no gzip file.
  static func content(of file: DataFile) throws(DatasetError) -> DataFile {
    guard file.bytes.starts(with: [0x1f, 0x8b]) else { return file }
    guard file.bytes.count < limit else {
      throw file.malformed(0, expected: "at most \(limit) bytes", found: "\(file.bytes.count)")
    }
    var output: [UInt8] = []
    var consumed = 0
    while consumed < file.bytes.count {
      consumed += try unpackMember(of: file, from: consumed, to: &output)
    }
    return DataFile(path: file.path, bytes: output)
  }

  /// Returns how many bytes the member took.
  private static func unpackMember(
    of file: DataFile, from start: Int, to output: inout [UInt8]
  ) throws(DatasetError) -> Int {
    var stream = z_stream()
    // 15 bits of window, and 16 to ask for the gzip form.
    let ready = inflateInit2_(&stream, 31, zlibVersion(), Int32(MemoryLayout<z_stream>.size))
    precondition(ready == Z_OK, "zlib does not start: \(ready)")
    defer { inflateEnd(&stream) }
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var code = Z_OK
    file.bytes.withUnsafeBufferPointer { bytes in
      stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress! + start)
      stream.avail_in = UInt32(bytes.count - start)
      chunk.withUnsafeMutableBufferPointer { chunk in
        while code == Z_OK, output.count <= limit {
          stream.next_out = chunk.baseAddress
          stream.avail_out = UInt32(chunk.count)
          code = inflate(&stream, Z_NO_FLUSH)
          output.append(contentsOf: chunk[..<(chunk.count - Int(stream.avail_out))])
        }
      }
    }
    let offset = start + Int(stream.total_in)
    if output.count > limit {
      throw file.malformed(offset, expected: "at most \(limit) bytes of content", found: "more")
    }
    switch code {
    case Z_STREAM_END: return Int(stream.total_in)
    case Z_BUF_ERROR:
      throw file.malformed(offset, expected: "more compressed data", found: "the end of the file")
    default:
      let reason = stream.msg.map { String(cString: $0) } ?? "code \(code)"
      throw file.malformed(offset, expected: "a gzip member", found: "a damaged one (\(reason))")
    }
  }
}
