internal import Foundation
internal import Specs
internal import Storage
internal import Synchronization

/// Digests of programs, kept from call to call: to hash a program takes longer than several small stages.
///
/// A digest counts for one file as long as it is the same and unchanged: device, number, size, and the times
/// of the last change of its content and of anything about it, which no program sets back. The memory is a
/// file of the user's own, each line with a digest of its own. Where it is not there, is not the user's alone
/// to write, or has no whole line for this file, the program is hashed.
final class ProgramMemory: Sendable {
  /// The file with the lines; nil for a memory that ends with the process.
  private let path: String?
  private let youngest: Double
  /// What this process has hashed or found, by the whole mark.
  private let known = Mutex<[String: ContentKey]>([:])

  private static let limit = 1 << 16
  private static let lines = 20

  /// - Parameter youngest: a file that changed less than so many seconds ago is not remembered, because it
  ///   may change again without another time: clocks of file systems tick.
  init(path: String?, youngest: Double = 2) {
    self.path = path
    self.youngest = youngest
  }

  /// The memory of a user with these variables; it ends with the process where they name no folder.
  convenience init(environment: [String: String]) {
    func folder(_ variable: String) -> String? {
      environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    let caches = folder("XDG_CACHE_HOME") ?? folder("HOME").map { "\($0)/.cache" }
    self.init(path: caches.map { "\($0)/mtkd-sweep/programs" })
  }

  /// The digest of a program's file; nil where it cannot be read.
  func digest(of executable: String) -> ContentKey? {
    guard let mark = FileMark(executable) else { return nil }
    if let known = known.withLock({ $0[mark.whole] }) { return known }
    if let remembered = remembered(mark.whole) {
      known.withLock { $0[mark.whole] = remembered }
      return remembered
    }
    guard let digest = Self.hash(executable) else { return nil }
    // Another mark means that it changed meanwhile: then nobody knows which of the two was hashed.
    if FileMark(executable) == mark, mark.age >= youngest {
      known.withLock { $0[mark.whole] = digest }
      remember(digest, mark.whole)
    }
    return digest
  }

  /// The digest of a file's bytes, whatever a memory says.
  static func hash(_ executable: String) -> ContentKey? {
    (try? Data(contentsOf: URL(filePath: executable), options: .alwaysMapped)).map { data in
      data.withUnsafeBytes { ContentKey(hashing: $0) }
    }
  }

  // MARK: The file

  private func remembered(_ mark: String) -> ContentKey? {
    for line in whole().reversed() {
      let words = line.split(separator: " ", maxSplits: 1)
      if words.count == 2, words[1] == mark { return ContentKey(words[0]) }
    }
    return nil
  }

  /// The lines that are as they were written, without their own digests; none where anybody else may have
  /// written them.
  private func whole() -> [Substring] {
    guard let path, Self.isOwn(path), let bytes = try? CheckedFile.read(path, limit: Self.limit) else {
      return []
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
      guard let space = line.lastIndex(of: " ") else { return nil }
      let text = line[..<space]
      return ContentKey(line[line.index(after: space)...]) == ContentKey(hashing: Array(text.utf8))
        ? text : nil
    }
  }

  /// Where it cannot be written, the program is hashed the next time too, and nothing else is lost.
  private func remember(_ digest: ContentKey, _ mark: String) {
    guard let path else { return }
    let line = "\(digest) \(mark)"
    let lines = (whole().map(String.init) + [line]).suffix(Self.lines)
    let text = lines.map { "\($0) \(ContentKey(hashing: Array($0.utf8)))\n" }.joined()
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    try? AtomicFile.createFolder(folder)
    try? AtomicFile.replace(Array(text.utf8), at: path)
  }

  /// Whether a file belongs to this process's user and nobody else may write it; a link is nobody's.
  private static func isOwn(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid()
      && status.st_mode & (S_IWGRP | S_IWOTH) == 0
  }
}

/// What tells one file from another, and from itself after a change.
struct FileMark: Equatable {
  /// Device, number, size, and time of the last change of its content, in nanoseconds: the same while a
  /// program runs that is built anew, which loses its name and no byte.
  let content: String
  /// The same with the time of the last change of anything, names and times included.
  let whole: String
  /// Seconds since the last change of anything.
  let age: Double

  /// Nil where there is nothing.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    func text(_ time: timespec) -> String { "\(time.tv_sec).\(time.tv_nsec)" }
    content = "\(status.st_dev) \(status.st_ino) \(status.st_size) \(text(status.st_mtim))"
    whole = "\(content) \(text(status.st_ctim))"
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let changed = max(status.st_mtim.tv_sec, status.st_ctim.tv_sec)
    age = Double(now.tv_sec - changed)
  }

  static func == (a: FileMark, b: FileMark) -> Bool { a.whole == b.whole }
}
