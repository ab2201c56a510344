internal import Foundation
internal import Specs
internal import Storage

/// What an attempt's worker said, its trainer included: a file that both only append to, and
/// that may be of any size.
struct AttemptLog {
  let path: String
  /// As much of the end as a reason is looked for in.
  private static let tailBytes = 64 << 10

  init(_ path: String) { self.path = path }

  /// The last lines, the first of them perhaps without its beginning. None where there is no log.
  var lastLines: [String] {
    guard var tail = try? Self.tail(of: path, bytes: Self.tailBytes) else { return [] }
    tail = ForeignText.withoutColours(tail)
    // A sparse file is full of zeros.
    tail.removeAll { $0 < 32 && ![UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains($0) }
    return String(decoding: tail, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
  }

  /// Why the worker ended: its last line, or the message above a stack trace that is
  /// the last thing in the log.
  var lastWords: String {
    ForeignText.line(FailureMessage.last(in: lastLines) ?? "")
  }

  /// Adds a line.
  func append(_ text: String) throws(FileError) {
    let file = SystemCall.retrying { open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666) }
    guard file >= 0 else { throw FileError("write", path) }
    defer { close(file) }
    let code = SystemCall.write(Array("\(text)\n".utf8), to: file)
    guard code == 0 else { throw FileError("write", path, code: code) }
  }

  /// The end of a regular file.
  private static func tail(of path: String, bytes: Int) throws(FileError) -> [UInt8] {
    let file = SystemCall.retrying { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard file >= 0 else { throw FileError("read", path) }
    defer { close(file) }
    return try read(file, path, from: -bytes, count: bytes)
  }

  /// - Parameter offset: from the end where it is negative.
  private static func read(
    _ file: Int32, _ path: String, from offset: Int, count: Int
  ) throws(FileError) -> [UInt8] {
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw FileError("read", path)
    }
    var place = offset < 0 ? max(0, Int(status.st_size) + offset) : offset
    var bytes = [UInt8](repeating: 0, count: min(count, max(0, Int(status.st_size) - place)))
    var done = 0
    while done < bytes.count {
      let some = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress! + done, $0.count - done, place) }
      if some < 0, errno == EINTR { continue }
      guard some >= 0 else { throw FileError("read", path) }
      if some == 0 { break }
      done += some
      place += some
    }
    return Array(bytes.prefix(done))
  }

  /// Cuts the middle out of a log that is longer than `limit` bytes, and says there how much is
  /// gone: the first half of the limit stays, and the last quarter. Whoever has the file open for
  /// appending writes on behind it.
  ///
  /// What is written between the copy and the cut is lost with the middle.
  func trim(to limit: Int) throws(FileError) {
    var status = stat()
    guard stat(path, &status) == 0, Int(status.st_size) > limit else { return }
    let file = SystemCall.retrying { open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) }
    guard file >= 0 else { throw FileError("trim", path) }
    defer { close(file) }
    let tail = try Self.read(file, path, from: -(limit / 4), count: limit / 4)
    guard fstat(file, &status) == 0 else { throw FileError("trim", path) }
    let head = min(limit / 2, Int(status.st_size))
    let gone = max(0, Int(status.st_size) - head - tail.count)
    let note = Array(
      "\n\n… \(counted(gone, "byte")) cut out here: the log was longer than --log-limit.\n\n".utf8)
    guard SystemCall.retrying({ ftruncate(file, off_t(head)) }) == 0 else { throw FileError("trim", path) }
    guard lseek(file, 0, SEEK_END) >= 0 else { throw FileError("trim", path) }
    let code = SystemCall.write(note + tail, to: file)
    guard code == 0 else { throw FileError("trim", path, code: code) }
  }
}

/// Finds the message in what a program said when it died: stack traces of Swift, Python, C++, Rust, Go, Java,
/// Julia and Node put it above or below their frames.
enum FailureMessage {
  /// - Returns: nil where nothing was said.
  static func last(in lines: [String]) -> String? {
    let lines = lines.filter { !$0.allSatisfy(\.isWhitespace) }
    guard let end = lines.last else { return nil }
    // The message is the last line that announces a death, if all that follows is a trace.
    if let place = lines.lastIndex(where: isAnnouncement) {
      // Some programs announce a death in one line and tell the reason in the next.
      let isContinued = continued.contains(where: lines[place].contains) && place + 1 < lines.count
      if isTrace(lines[(place + (isContinued ? 2 : 1))...]) {
        let message = lines[place].trimmingCharacters(in: .whitespaces)
        return isContinued
          ? "\(message) \(lines[place + 1].trimmingCharacters(in: .whitespaces))" : message
      }
    }
    let plain = lines.last { !isFrame($0) } ?? end
    return plain.trimmingCharacters(in: .whitespaces)
  }

  private static let continued = ["panicked at", "terminate called"]

  private static let announcements = [
    "Fatal error:", "fatal error:", "panic:", "panicked at", "terminate called", "ERROR: AddressSanitizer",
    "ERROR: ThreadSanitizer", "Exception in thread",
  ]

  private static func isAnnouncement(_ line: String) -> Bool {
    if announcements.contains(where: line.contains) { return true }
    // `torch.OutOfMemoryError: …`, `ValueError: …`, `KeyboardInterrupt`, `ERROR: LoadError: …`.
    let word = line.prefix { $0 != ":" && $0 != " " }
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" }
    return isPlain
      && ["Error", "Exception", "Interrupt", "ERROR", "SystemExit"].contains(where: word.hasSuffix)
  }

  private static let traceBeginnings = [
    "*** Signal", "*** Program crashed", "goroutine ", "Stacktrace:", "stack backtrace:", "Backtrace:",
    "Thread 0", "Current thread ",
  ]

  /// Whether lines are nothing but a trace; also where there are none.
  private static func isTrace(_ lines: ArraySlice<String>) -> Bool {
    let begin = lines.firstIndex { line in traceBeginnings.contains(where: line.hasPrefix) }
    // What follows a beginning belongs to it: registers, images, lines of source.
    return lines[..<(begin ?? lines.endIndex)].allSatisfy(isFrame)
  }

  /// Frames, and what programs say around them.
  private static func isFrame(_ line: String) -> Bool {
    guard let first = line.first else { return true }
    if first.isWhitespace || first == "#" || first == "[" { return true }
    let words = [
      "at ", "note: ", "Aborted", "Segmentation fault", "Illegal instruction", "Trace/breakpoint trap",
      "Traceback", "Node.js v", "Backtrace", "Press space", "*** ", "Thread ", "Registers:", "Images ",
      "During handling of the above", "The above exception was", "exit status", "Execution halted",
    ]
    if words.contains(where: line.hasPrefix) { return true }
    // `0 0x000… in main`, `12 [ra] …`
    return first.isNumber && line.drop { $0.isNumber }.first == " " && line.contains("0x")
  }
}
