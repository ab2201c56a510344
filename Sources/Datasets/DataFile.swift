import Specs

#if canImport(Glibc)
  import Glibc
#endif

/// A file of a dataset, read whole.
struct DataFile: Sendable {
  let path: String
  let bytes: [UInt8]

  init(path: String, bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }

  init(reading path: String) throws(DatasetError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw .unreadable(file: path, reason: String(cString: strerror(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else {
      throw .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(file: path, reason: "it is no file") }
    var failure: Int32 = 0
    let size = Int(status.st_size)
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

  /// Its last component.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

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
