import Foundation
import Specs
import Storage
import Synchronization

/// Standard error, for people. A stream that cannot be written any more never ends the program by itself.
enum Talk {
  /// Characters of a line that are shown at most: no name or reason fills a screen.
  private static let longestLine = 4 * ForeignText.longest
  private static let isUnicode = StyleOptions.isUnicode(ProcessInfo.processInfo.environment)

  private struct State: Sendable {
    /// The system's number for the reason why standard error is lost.
    var loss: Int32?
    var whenLost: (@Sendable (Int32) -> Void)?
    /// Where lines go once standard error is lost.
    var diary: RunDiary?
  }

  private static let state = Mutex(State())

  static func say(_ text: String) {
    let safe = ForeignText.screen(text).split(separator: "\n", omittingEmptySubsequences: false)
      .map { ForeignText.bounded(String($0), most: longestLine) }.joined(separator: "\n")
    let line = isUnicode ? safe : plain(safe)
    if let diary = state.withLock({ $0.loss == nil ? nil : $0.diary }) { return diary.write(line) }
    if state.withLock({ $0.loss }) != nil { return }
    let code = SystemCall.write(Array("\(line)\n".utf8), to: STDERR_FILENO)
    if code == 0 { return }
    lose(code)
    state.withLock { $0.diary }?.write(line)
  }

  /// Standard error cannot be written any more, for a reason that the system has given a number.
  static func lose(_ code: Int32) {
    let action = state.withLock { state -> (@Sendable (Int32) -> Void)? in
      guard state.loss == nil else { return nil }
      state.loss = code
      return state.whenLost
    }
    action?(code)
  }

  /// Calls a function once when standard error is lost, at once where it is lost already.
  static func whenLost(_ action: @escaping @Sendable (Int32) -> Void) {
    let loss = state.withLock { state in
      state.whenLost = action
      return state.loss
    }
    if let loss { action(loss) }
  }

  /// What is said after standard error is lost goes into a diary.
  static func goOn(in diary: RunDiary) { state.withLock { $0.diary = diary } }

  /// The same in ASCII, as far as the text is ours; names of the user's stay as they are.
  static func plain(_ text: String) -> String {
    let marks = ["…": "...", "±": "+/-", "×": "x", "≤": "<=", "≥": ">=", "–": "-", "→": "->"]
    return marks.reduce(text) { $0.replacing($1.key, with: $1.value) }
  }
}

/// Standard output, for data. A reader that has gone away is no error of ours; anything else that keeps data
/// from being written is, and the program's exit code says so (`ExitCodes.leave`).
enum Out {
  private struct State: Sendable {
    /// The system's number for the reason why standard output is lost.
    var loss: Int32?
    var diary: RunDiary?
  }

  private static let state = Mutex(State())

  /// Text for people or JSON: what a terminal could obey is made visible.
  static func put(_ text: String) {
    let text = ForeignText.screen(text)
    if let diary = state.withLock({ $0.loss == nil ? nil : $0.diary }) { return diary.write(text) }
    put(Array(text.utf8))
  }

  static func put(_ bytes: [UInt8]) {
    if state.withLock({ $0.loss }) != nil { return }
    let code = SystemCall.write(bytes, to: STDOUT_FILENO)
    if code == 0 { return }
    let diary = state.withLock { state in
      state.loss = code
      return state.diary
    }
    diary?.write(String(decoding: bytes, as: UTF8.self))
  }

  /// Why data was not written, other than that nobody reads it any more; nil where all was,
  /// or where a diary has it.
  static var failure: FileError? {
    state.withLock { state in
      guard let loss = state.loss, loss != EPIPE, state.diary == nil else { return nil }
      return FileError("write", "standard output", code: loss)
    }
  }

  /// What is put out after standard output is lost goes into a diary.
  static func goOn(in diary: RunDiary) { state.withLock { $0.diary = diary } }
}

/// What a run has to say whose streams are lost and who was told to go on without them:
/// `sweeps/NAME.log` in the store.
final class RunDiary: Sendable {
  let path: String

  init(of sweep: String, in folder: StoreFolder) { path = Self.path(of: sweep, in: folder) }

  static func path(of sweep: String, in folder: StoreFolder) -> String {
    "\(folder.path)/sweeps/\(sweep).log"
  }

  /// Appends a line with its time. What cannot be written is left out: nobody is left to be told.
  func write(_ text: String) {
    let file = SystemCall.retrying { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
    guard file >= 0 else { return }
    let end = text.hasSuffix("\n") ? "" : "\n"
    let time = TimeOfDay.local(Int(Date.now.timeIntervalSince1970))
    _ = SystemCall.write(Array("\(time) \(text)\(end)".utf8), to: file)
    close(file)
  }
}
