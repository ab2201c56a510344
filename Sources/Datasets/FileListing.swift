#if canImport(Glibc)
  import Glibc
#endif

/// Names in folders, as bytes: a file name need not be UTF-8.
enum FileListing {
  struct Entry: Sendable {
    /// The name's bytes.
    let bytes: [UInt8]
    /// Nil where the bytes are not UTF-8.
    var text: String? { String(validating: bytes, as: UTF8.self) }
    var isHidden: Bool { bytes.first == UInt8(ascii: ".") }

    /// For messages: bytes that are not UTF-8 as `\xE4`.
    var shown: String {
      if let text { return text }
      return bytes.reduce(into: "") { shown, byte in
        if (32..<127).contains(byte) {
          shown.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
          shown += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
      }
    }
  }

  /// All names but `.` and `..`, byte by byte in ascending order.
  ///
  /// - Throws: where the folder cannot be opened, or its listing ends in an error.
  static func entries(_ folder: String) throws(DatasetError) -> [Entry] {
    guard let handle = opendir(folder) else {
      throw .unreadable(file: folder, reason: String(cString: strerror(errno)))
    }
    defer { closedir(handle) }
    var entries: [Entry] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else { break }
      let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if bytes != Array(".".utf8), bytes != Array("..".utf8) { entries.append(Entry(bytes: bytes)) }
    }
    let failure = errno
    guard failure == 0 else { throw .unreadable(file: folder, reason: String(cString: strerror(failure))) }
    return entries.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  enum Kind: Sendable {
    case folder, file, other
  }

  /// What an entry is, links followed; nil for a link that leads to nothing or round in a circle.
  ///
  /// - Throws: where the system does not say.
  static func kind(of entry: Entry, in folder: String) throws(DatasetError) -> Kind? {
    let path = Array(folder.utf8) + [UInt8(ascii: "/")] + entry.bytes + [0]
    var status = stat()
    let failed = path.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { stat($0.baseAddress!, &status) } != 0
    }
    if failed, errno == ENOENT || errno == ELOOP { return nil }
    guard !failed else {
      throw .unreadable(file: "\(folder)/\(entry.shown)", reason: String(cString: strerror(errno)))
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .folder
    case S_IFREG: return .file
    default: return .other
    }
  }

  /// Device and inode of a folder: the same whatever path leads to it.
  static func identity(_ folder: String) throws(DatasetError) -> [UInt64] {
    var status = stat()
    guard stat(folder, &status) == 0 else {
      throw .unreadable(file: folder, reason: String(cString: strerror(errno)))
    }
    return [UInt64(status.st_dev), UInt64(status.st_ino)]
  }

  static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The path without links; the path itself where that cannot be said.
  static func real(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let current = getcwd(nil, 0) else { return path }
    defer { free(current) }
    return "\(String(cString: current))/\(path)"
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
