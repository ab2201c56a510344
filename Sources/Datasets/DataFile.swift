import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// A file of a dataset, read whole.
struct DataFile: Sendable {
  let path: String
  /// What the published dataset calls it: the last component of the path, unless it was renamed or unpacked.
  let name: String
  let bytes: [UInt8]

  /// - Parameter name: nil for the last component of `path`.
  init(path: String, name: String? = nil, bytes: [UInt8]) {
    self.path = path
    self.name = name ?? path.split(separator: "/").last.map(String.init) ?? path
    self.bytes = bytes
  }

  /// The same file under another name.
  func named(_ name: String) -> DataFile { DataFile(path: path, name: name, bytes: bytes) }

  /// - Throws: for what is no regular file, without waiting for whoever might write into it.
  init(reading path: String) throws(DatasetError) {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .unreadable(file: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      throw .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(file: path, reason: "it is not a regular file")
    }
    var failure: Int32 = 0
    let size = Int(status.st_size)
    guard size <= Self.limit else {
      throw .unreadable(file: path, reason: "it has \(size) bytes, and at most \(Self.limit) are read")
    }
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      while initialized < size {
        let count = read(file, buffer.baseAddress! + initialized, size - initialized)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = errno }
        if count <= 0 { break }
        initialized += count
      }
    }
    guard failure == 0 else { throw .unreadable(file: path, reason: String(cString: strerror(failure))) }
    self.init(path: path, bytes: bytes)
  }

  /// Bytes: more than any file that is read whole has.
  static let limit = 1 << 31

  /// The first bytes of a regular file, at most `count`.
  static func beginning(of path: String, count: Int) throws(DatasetError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .unreadable(file: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: count)
    var got = read(file, &bytes, count)
    while got < 0, errno == EINTR { got = read(file, &bytes, count) }
    guard got >= 0 else { throw .unreadable(file: path, reason: String(cString: strerror(errno))) }
    return Array(bytes.prefix(got))
  }

  /// Some bytes of a regular file; fewer where it ends before.
  static func piece(of path: String, at offset: Int, count: Int) throws(DatasetError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .unreadable(file: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while initialized < count {
        let got = pread(
          file, buffer.baseAddress! + initialized, count - initialized, off_t(offset + initialized))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        initialized += got
      }
    }
    guard failure == 0 else { throw .unreadable(file: path, reason: String(cString: strerror(failure))) }
    return bytes
  }

  /// Size in bytes and time of the last change in nanoseconds; nil where there is no such file.
  static func stamp(_ path: String) -> (size: Int, time: Int)? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return (Int(status.st_size), status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec)
  }

  static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  func malformed(_ offset: Int, expected: String, found: String) -> DatasetError {
    .malformed(file: path, offset: offset, expected: expected, found: found)
  }
}

extension DataFile {
  /// Names and contents of files, in the order in which they are read; folders do not matter.
  static func digest(of files: [DataFile]) -> ContentKey {
    var hasher = ContentHasher()
    for file in files {
      hasher.field("file", file.name)
      hasher.field("content", ContentKey(hashing: file.bytes))
    }
    return hasher.finished()
  }
}
