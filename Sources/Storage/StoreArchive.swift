import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// One file with all that a sweep's report needs: a store of its own behind a mark and the SHA-256 of what
/// follows. Written and read piece by piece, so that it may be larger than the memory.
package enum StoreArchive {
  private static let magic = Array("mtkdarc1".utf8)
  private static let headSize = 40
  private static let pieceSize = 1 << 20

  /// Packs a store's file.
  package static func pack(_ database: String, to path: String) throws(FileError) {
    let hasher = StreamHasher()
    try pieces(of: database, from: 0) { piece throws(FileError) in hasher.append(piece) }
    let head = magic + hasher.finished().digest
    try AtomicFile.write(to: path) { file throws(FileError) in
      try AtomicFile.append(head, to: file, path)
      try pieces(of: database, from: 0) { piece throws(FileError) in
        try AtomicFile.append(piece, to: file, path)
      }
    }
  }

  /// Writes the store that an archive holds to a file that is not there yet.
  /// - Throws: `StoreError.notAnArchive` for anything that is not one, whole; then no file is left.
  package static func unpack(_ path: String, to database: String) throws(StoreError) {
    do throws(FileError) {
      let head: [UInt8]
      do throws(CheckedFile.Problem) {
        let (file, size) = try CheckedFile.open(path)
        close(file)
        guard size > headSize else { throw .system(EILSEQ) }
        head = try CheckedFile.head(path, count: headSize)
      } catch {
        throw FileError("read", path, error)
      }
      guard head.starts(with: magic) else { throw FileError("recognise", path, code: EILSEQ) }
      let hasher = StreamHasher()
      try AtomicFile.write(to: database) { file throws(FileError) in
        try pieces(of: path, from: headSize) { piece throws(FileError) in
          hasher.append(piece)
          try AtomicFile.append(piece, to: file, database)
        }
        guard Array(head[8...]) == hasher.finished().digest else {
          throw FileError("trust", path, code: EBADMSG)
        }
      }
    } catch {
      switch error.code {
      case EILSEQ: throw .notAnArchive(path, reason: "it does not begin like one")
      case EBADMSG: throw .notAnArchive(path, reason: "its digest is another: it was cut or changed")
      case EISDIR, EINVAL: throw .notAnArchive(path, reason: error.reason ?? "it is no regular file")
      default: throw .file(error)
      }
    }
  }

  private static func pieces(
    of path: String, from start: Int, _ body: ([UInt8]) throws(FileError) -> Void
  ) throws(FileError) {
    let (file, size): (Int32, Int)
    do throws(CheckedFile.Problem) {
      (file, size) = try CheckedFile.open(path)
    } catch {
      throw FileError("read", path, error)
    }
    defer { close(file) }
    var piece = [UInt8](repeating: 0, count: pieceSize)
    var offset = start
    while offset < size {
      let wanted = min(pieceSize, size - offset)
      let count = piece.withUnsafeMutableBytes { pread(file, $0.baseAddress, wanted, offset) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw FileError("read", path) }
      guard count > 0 else { throw FileError("read", path, code: EBADMSG) }
      try body(count == pieceSize ? piece : Array(piece[..<count]))
      offset += count
    }
  }
}
