internal import CProcesses
internal import Foundation
internal import Specs
internal import Storage
internal import Sweeps
internal import Synchronization

/// A trainer's process with all that it starts: a process group of its own, which ends with this process.
final class TrainerProcess {
  /// A longer line is no record.
  private static let longestLine = 1 << 20
  /// Seconds for which a group that was told to end may take its time.
  private static let patience = 5.0
  /// Seconds for which what an ended trainer has written is still read: a process that it
  /// left may write for ever.
  private static let rest = 2.0

  private let number: Int32
  private let output: Int32
  /// The write end of its standard input. It stays open, because its end means that nobody listens any more.
  private let input: Int32
  private var unsent: ArraySlice<UInt8>
  private var pending: [UInt8] = []
  private var isOutputOver = false
  /// How the trainer ended, and when, by `now`.
  private var ended: (end: JobEnd, time: Double)?

  /// - Parameters:
  ///   - request: what it finds on its standard input.
  ///   - mark: what its environment has, and that of all that it starts, so that others find them.
  /// - Throws: `StartFailure`
  init(_ command: [String], in folder: String, saying request: [UInt8], mark: String) throws {
    // The kernel's signal at the death of the parent reaches even a program that knows nothing of us.
    let guarding = ["/usr/bin/setpriv", "/bin/setpriv"].first { (path: String) in access(path, X_OK) == 0 }
    let words = (guarding.map { [$0, "--pdeathsig", "KILL", "--"] } ?? []) + command
    var process = ChildProcess(words[0], Array(words.dropFirst()))
    process.environment = ProcessInfo.processInfo.environment
    process.environment[TrainerRemains.variable] = mark
    process.folder = folder
    process.leadsGroup = true
    let (theirs, ours) = (try Self.pipe(words[0]), try Self.pipe(words[0]))
    process.input = theirs.read
    process.output = ours.write
    defer {
      close(theirs.read)
      close(ours.write)
    }
    do throws(StartFailure) {
      number = try process.start()
    } catch {
      close(theirs.write)
      close(ours.read)
      guard error.isPassing else { throw TrainerFault(reason: "The trainer cannot be started: \(error).") }
      throw error
    }
    input = theirs.write
    output = ours.read
    unsent = request[...]
    for file in [input, output] { _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK) }
    TrainerGroup.begin(number)
  }

  private static func pipe(_ program: String) throws(StartFailure) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    let code = process_pipe(&ends)
    guard code == 0 else { throw StartFailure(executable: program, code: code) }
    return (ends[0], ends[1])
  }

  deinit {
    endGroup()
    close(input)
    close(output)
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  /// Sends a signal to the whole group.
  func signal(_ signal: Int32) { ChildProcess.signalGroup(of: number, signal) }

  /// How the trainer ended.
  /// - Precondition: `lines` has answered nil.
  var end: JobEnd {
    guard let ended else { preconditionFailure("the trainer has not ended") }
    return ended.end
  }

  /// Whole lines that have come, waiting a little for the first; nil when the trainer has ended and all is
  /// read. Its end counts, not that of its output: what it left behind may hold that open.
  ///
  /// - Parameter isAsked: whether it was asked to stop. Then others of its group may still have something to
  ///   say when a shell that started them is gone.
  func lines(isAsked: Bool) -> [String]? {
    if ended == nil, let end = ChildProcess.endIfOver(of: number) { ended = (end, Self.now) }
    if let ended, isOutputOver || (!isAsked && Self.now - ended.time > Self.rest) || isGroupGone {
      let last = isOutputOver ? [] : read(within: 0)
      guard last.isEmpty else { return last }
      defer { pending = [] }
      return pending.isEmpty ? nil : [String(decoding: pending, as: UTF8.self)]
    }
    if isOutputOver {
      // It has closed its output and goes on: nothing is to be read any more.
      usleep(50_000)
      return []
    }
    return read(within: ended == nil ? 0.2 : 0.05)
  }

  private func read(within seconds: Double) -> [String] {
    var waiting = [pollfd(fd: output, events: Int16(POLLIN), revents: 0)]
    if !unsent.isEmpty { waiting.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
    guard poll(&waiting, nfds_t(waiting.count), Int32(seconds * 1000)) > 0 else { return [] }
    if waiting.count > 1, waiting[1].revents != 0 { send() }
    guard waiting[0].revents != 0 else { return [] }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(output, &buffer, buffer.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return [] }
    guard count > 0 else {
      isOutputOver = true
      return []
    }
    pending += buffer[..<count]
    var (lines, start): ([String], Int) = ([], 0)
    while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: pending[start..<end], as: UTF8.self))
      start = end + 1
    }
    pending.removeFirst(start)
    if pending.count > Self.longestLine {
      lines.append(String(decoding: pending, as: UTF8.self))
      pending = []
    }
    return lines
  }

  private func send() {
    let count = unsent.withUnsafeBytes { write(input, $0.baseAddress!, $0.count) }
    if count > 0 { unsent = unsent.dropFirst(count) }
    // A trainer that ended before it read says so by its exit code.
    if count < 0, errno != EAGAIN, errno != EINTR { unsent = [] }
  }

  private var isGroupGone: Bool { kill(-number, 0) != 0 && errno == ESRCH }

  /// Ends what is left of the group: asked first, then at once.
  func endGroup() {
    defer { TrainerGroup.end(number) }
    for (signal, seconds) in [(SIGTERM, Self.patience), (SIGKILL, 1.0)] {
      if isOver() { return }
      self.signal(signal)
      let begin = Self.now
      while Self.now - begin < seconds {
        if isOver() { return }
        usleep(20_000)
      }
    }
  }

  /// Whether the trainer and all of its group are gone.
  private func isOver() -> Bool {
    if ended == nil, let end = ChildProcess.endIfOver(of: number) { ended = (end, Self.now) }
    return ended != nil && isGroupGone
  }
}

/// The process group of the trainer that runs now, for whoever ends this process on another thread.
enum TrainerGroup {
  private static let number = Atomic<Int32>(0)

  static func begin(_ group: Int32) { number.store(group, ordering: .releasing) }

  static func end(_ group: Int32) {
    _ = number.compareExchange(expected: group, desired: 0, ordering: .acquiringAndReleasing)
  }

  /// Ends the group at once.
  static func end() {
    let group = number.load(ordering: .acquiring)
    if group > 0 { kill(-group, SIGKILL) }
  }
}

/// Processes of a trainer whose worker is gone. They are found by a mark in their environment, which names
/// the folder of their stage by device and number, so that another name of the store changes nothing.
enum TrainerRemains {
  static let variable = "MTKD_SWEEP_TRAINER"
  private static let patience = 5.0

  /// - Returns: empty where there is no folder.
  static func mark(of stage: String) -> String {
    var status = stat()
    return stat(stage, &status) == 0 ? "\(status.st_dev):\(status.st_ino)" : ""
  }

  /// Ends all that is left of earlier attempts at a stage on this machine: asked first, then at once. Waits
  /// as long as there is something that cannot be ended, and says so.
  ///
  /// - Parameter most: seconds after which nobody waits any longer.
  static func end(of stage: String, within most: Double = .infinity, note: (String) -> Void) {
    let mark = mark(of: stage)
    var begin: Double?
    var hasSaid = false
    while true {
      let left = processes(with: mark)
      if left.isEmpty { return }
      let now = Double(DispatchTime.now().uptimeNanoseconds) * 1e-9
      let since = now - (begin ?? now)
      if since > most { return }
      if begin == nil {
        begin = now
        let numbers = left.map(String.init).joined(separator: ", ")
        note("An earlier attempt left a trainer (process \(numbers)): it is ended before this one starts.")
        for process in left { kill(process, SIGTERM) }
      } else if since > patience {
        for process in left { kill(process, SIGKILL) }
        if since > patience * 2, !hasSaid {
          hasSaid = true
          note("It does not end, so this attempt waits for it: two trainers would write into one folder.")
        }
      }
      usleep(since > patience * 2 ? 1_000_000 : 20_000)
    }
  }

  /// Numbers of the processes that have a mark in their environment, this one excepted.
  private static func processes(with mark: String) -> [Int32] {
    guard !mark.isEmpty else { return [] }
    let wanted = Array("\(variable)=\(mark)".utf8)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { process in
      guard process != getpid(), let environment = ProcessFile.read("/proc/\(process)/environ") else {
        return false
      }
      return environment.split(separator: 0).contains { $0.elementsEqual(wanted) }
    }.sorted()
  }
}

/// Files of the kernel, which have no size.
private enum ProcessFile {
  private static let most = 4 << 20

  /// - Returns: nil where it cannot be read.
  static func read(_ path: String) -> [UInt8]? {
    let file = SystemCall.retrying { open(path, O_RDONLY | O_CLOEXEC) }
    guard file >= 0 else { return nil }
    defer { close(file) }
    var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while bytes.count < most {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return bytes
  }
}
