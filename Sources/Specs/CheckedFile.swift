#if canImport(Glibc)
  import Glibc
#endif

/// Reads files that may be anything: what a user names, what another program left, what a
/// store's folder was given.
///
/// Opening never waits for somebody at the other end of a FIFO and never touches a device. Only regular files
/// are read, and none that is larger than its reader expects, so that neither a FIFO nor a sparse file of a
/// terabyte hangs the program or takes its memory.
package enum CheckedFile {
  /// Why a file was not read.
  package enum Problem: Error, Equatable, CustomStringConvertible {
    /// The system's number for the reason, such as `ENOENT`.
    case system(Int32)
    /// What it is instead of a regular file, such as `a folder`.
    case notRegular(String)
    /// In bytes.
    case tooLarge(size: Int, limit: Int)

    /// A part of a sentence behind a colon, without a full stop.
    package var description: String {
      switch self {
      case .system(let code): String(cString: strerror(code))
      case .notRegular(let kind): "it is \(kind) and not a regular file"
      case .tooLarge(let size, let limit): "it has \(size) bytes, and at most \(limit) are read"
      }
    }

    /// The system's number that comes nearest.
    package var code: Int32 {
      switch self {
      case .system(let code): code
      case .notRegular("a folder"): EISDIR
      case .notRegular: EINVAL
      case .tooLarge: EFBIG
      }
    }
  }

  /// Opens a regular file for reading. The caller closes it.
  ///
  /// - Returns: the descriptor and the size in bytes.
  package static func open(_ path: String) throws(Problem) -> (descriptor: Int32, size: Int) {
    var file: Int32
    repeat {
      file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    } while file < 0 && errno == EINTR
    // A socket cannot be opened at all.
    guard file >= 0 else { throw errno == ENXIO ? .notRegular("a socket or a device") : .system(errno) }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      let code = errno
      close(file)
      throw .system(code)
    }
    if let kind = kind(status.st_mode) {
      close(file)
      throw .notRegular(kind)
    }
    return (file, Int(status.st_size))
  }

  /// The content of a regular file from `offset` on; nothing where the file is shorter.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that are read; a file with more behind `offset` is refused
  ///     before any memory is taken.
  ///   - offset: from 0.
  package static func read(_ path: String, limit: Int, from offset: Int = 0) throws(Problem) -> [UInt8] {
    let (file, whole) = try open(path)
    defer { close(file) }
    let size = max(0, whole - offset)
    guard size <= limit else { throw .tooLarge(size: size, limit: limit) }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      while initialized < size {
        let count = pread(file, buffer.baseAddress! + initialized, size - initialized, offset + initialized)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = errno }
        if count <= 0 { break }
        initialized += count
      }
    }
    guard failure == 0 else { throw .system(failure) }
    return bytes
  }

  /// The first bytes of a regular file, at most `count`.
  package static func head(_ path: String, count: Int) throws(Problem) -> [UInt8] {
    let (file, size) = try open(path)
    defer { close(file) }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: min(size, count)) { buffer, initialized in
      while initialized < buffer.count {
        let read = pread(
          file, buffer.baseAddress! + initialized, buffer.count - initialized, off_t(initialized))
        if read < 0, errno == EINTR { continue }
        if read < 0 { failure = errno }
        if read <= 0 { break }
        initialized += read
      }
    }
    guard failure == 0 else { throw .system(failure) }
    return bytes
  }

  /// The last bytes of a regular file, at most `limit`, and whether there are more before them.
  package static func tail(_ path: String, limit: Int) throws(Problem) -> (bytes: [UInt8], isCut: Bool) {
    let (file, size) = try open(path)
    close(file)
    let offset = max(0, size - limit)
    // The file may grow meanwhile, by more than the limit where its writer is fast.
    let bytes = try read(path, limit: .max, from: offset)
    return (Array(bytes.prefix(limit)), offset > 0)
  }

  /// Whether there is a regular file. Links are followed.
  package static func isRegular(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && kind(status.st_mode) == nil
  }

  /// What a path leads to that is there and no regular file, in words; nil for a
  /// regular file and for nothing.
  package static func kind(of path: String) -> String? {
    var status = stat()
    return stat(path, &status) == 0 ? kind(status.st_mode) : nil
  }

  private static func kind(_ mode: mode_t) -> String? {
    switch mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFIFO: "a FIFO"
    case S_IFCHR, S_IFBLK: "a device"
    case S_IFSOCK: "a socket"
    default: "something else"
    }
  }
}
