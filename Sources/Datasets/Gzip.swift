import CZlib

/// Unpacks gzip files (RFC 1952). zlib compares checksum and length at the end of each member.
enum Gzip {
  /// More than any dataset of this format holds; what claims more is refused before memory is.
  static let limit = 1 << 31

  private static func isGzip(_ file: DataFile) -> Bool { file.bytes.starts(with: [0x1f, 0x8b]) }

  /// At most `count` bytes of the content, from its beginning. The file's own where it is no gzip file.
  static func beginning(of file: DataFile, count: Int) throws(DatasetError) -> DataFile {
    guard isGzip(file) else { return file }
    var output: [UInt8] = []
    _ = try unpackMember(of: file, from: 0, to: &output, enough: count)
    return DataFile(path: file.path, name: file.name, bytes: Array(output.prefix(count)))
  }

  /// How long the content is: of a gzip file what its last four bytes say, which is true of files of one
  /// member. Nil for a gzip file too short to say.
  static func length(of file: DataFile) throws(DatasetError) -> Int? {
    guard isGzip(file) else { return file.bytes.count }
    guard file.bytes.count >= 18 else { return nil }
    return file.bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// The content of all members. The file itself where it is no gzip file.
  static func content(of file: DataFile) throws(DatasetError) -> DataFile {
    guard isGzip(file) else { return file }
    guard file.bytes.count < limit else {
      throw file.malformed(0, expected: "at most \(limit) bytes", found: "\(file.bytes.count)")
    }
    var output: [UInt8] = []
    var consumed = 0
    while consumed < file.bytes.count {
      consumed += try unpackMember(of: file, from: consumed, to: &output)
    }
    return DataFile(path: file.path, name: file.name, bytes: output)
  }

  /// Returns how many bytes the member took.
  ///
  /// - Parameter enough: stop once the output has as many bytes.
  private static func unpackMember(
    of file: DataFile, from start: Int, to output: inout [UInt8], enough: Int = .max
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
        while code == Z_OK, output.count <= limit, output.count < enough {
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
    if output.count >= enough { return Int(stream.total_in) }
    switch code {
    case Z_STREAM_END: return Int(stream.total_in)
    case Z_BUF_ERROR:
      throw file.malformed(offset, expected: "more compressed data", found: "the end of the file")
    default:
      let reason = stream.msg.map { String(cString: $0) } ?? "code \(code)"
      throw file.malformed(offset, expected: "a gzip member", found: "a damaged one (\(reason))")
    }
  }

  /// The content of zlib's own form (RFC 1950), of at most 64 MiB.
  static func inflated(_ bytes: ArraySlice<UInt8>, of file: DataFile) throws(DatasetError) -> [UInt8] {
    let most = 1 << 26
    var size = max(bytes.count * 4, 1 << 12)
    while size <= most {
      var length = uLong(size)
      var output = [UInt8](repeating: 0, count: size)
      let code = bytes.withUnsafeBufferPointer {
        uncompress(&output, &length, $0.baseAddress, uLong($0.count))
      }
      if code == Z_OK { return Array(output.prefix(Int(length))) }
      guard code == Z_BUF_ERROR else { break }
      size *= 4
    }
    throw file.malformed(
      bytes.startIndex, expected: "compressed data of at most \(most) bytes", found: "other bytes")
  }
}
