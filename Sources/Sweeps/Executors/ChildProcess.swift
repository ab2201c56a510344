package import Specs
internal import CProcesses

#if canImport(Glibc)
  internal import Glibc
#endif

/// A process to start: its program, what it finds, and where its streams lead.
///
/// It takes no descriptor while it runs, unlike the processes of swift-subprocess: these end the program,
/// or are waited for in vain, where a process may have few descriptors (`ulimit -n`), and their waiting
/// depends on process descriptors.
///
///     var shell = ChildProcess("/bin/sh", ["-c", "exit 3"])
///     let end = ChildProcess.wait(for: try shell.start())  // .exited(3)
package struct ChildProcess: Sendable {
  /// A path, or a name that is looked up in `PATH`.
  package var executable: String
  /// Those after the program's own name.
  package var arguments: [String]
  package var environment: [String: String] = [:]
  /// Where it runs; nil for this process's folder.
  package var folder: String?
  /// Descriptors of this process that become the child's standard streams.
  package var input: Int32 = STDIN_FILENO
  package var output: Int32 = STDOUT_FILENO
  package var error: Int32 = STDERR_FILENO
  /// Whether it leads a process group of its own, which `signalGroup` reaches with all that it has started.
  package var leadsGroup = false

  package init(_ executable: String, _ arguments: [String]) {
    self.executable = executable
    self.arguments = arguments
  }

  /// Starts it with no signal blocked and SIGPIPE as usual. Signals that this process
  /// ignores besides stay ignored.
  ///
  /// - Returns: the number of the process, which somebody has to wait for.
  package func start() throws(StartFailure) -> Int32 {
    var number: pid_t = 0
    let variables = environment.map { "\($0.key)=\($0.value)" }
    let code = Self.withStrings([executable] + arguments) { words in
      Self.withStrings(variables) { variables in
        process_spawn(&number, executable, words, variables, folder, [input, output, error], leadsGroup)
      }
    }
    guard code == 0 else { throw StartFailure(executable: executable, code: code) }
    return number
  }

  /// Waits for the end of a process that this one has started, on the thread of the caller.
  package static func wait(for number: Int32) -> JobEnd {
    var status: Int32 = 0
    guard SystemCall.retrying({ waitpid(number, &status, 0) }) == number else { return lost(number) }
    return JobEnd(waitStatus: status)
  }

  /// The end of a process that this one has started; nil while it runs. Never asked
  /// again once it has answered.
  package static func endIfOver(of number: Int32) -> JobEnd? {
    var status: Int32 = 0
    switch SystemCall.retrying({ waitpid(number, &status, WNOHANG) }) {
    case number: return JobEnd(waitStatus: status)
    case 0: return nil
    default: return lost(number)
    }
  }

  /// Waits for the end of a process on a thread of its own; where none can be had, looks again and again.
  package static func end(of number: Int32) async -> JobEnd {
    let end = await withCheckedContinuation { continuation in
      let waiting = Unmanaged.passRetained(Waiting(number, continuation))
      var thread = pthread_t()
      let code = pthread_create(
        &thread, nil,
        { waiting in
          let waiting = Unmanaged<Waiting>.fromOpaque(waiting!).takeRetainedValue()
          waiting.continuation.resume(returning: ChildProcess.wait(for: waiting.number))
          return nil
        }, waiting.toOpaque())
      if code == 0 {
        pthread_detach(thread)
      } else {
        waiting.release()
        continuation.resume(returning: nil)
      }
    }
    if let end { return end }
    while true {
      if let end = endIfOver(of: number) { return end }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Sends a signal to all processes of the group that a process leads.
  package static func signalGroup(of number: Int32, _ signal: Int32) { kill(-number, signal) }

  /// Somebody else has waited for it: how it ended is not known.
  private static func lost(_ number: Int32) -> JobEnd {
    .notStarted("process \(number) is gone and nobody saw how it ended")
  }

  private static func withStrings<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  private final class Waiting: Sendable {
    let number: Int32
    let continuation: CheckedContinuation<JobEnd?, Never>

    init(_ number: Int32, _ continuation: CheckedContinuation<JobEnd?, Never>) {
      self.number = number
      self.continuation = continuation
    }
  }
}

/// A process that could not be started.
package struct StartFailure: UserError, Equatable {
  package var exitStatus: ExitStatus { isPassing ? .unavailable : .internalError }
  package let executable: String
  /// The system's number for the reason.
  package let code: Int32

  package init(executable: String, code: Int32) {
    self.executable = executable
    self.code = code
  }

  /// Whether the same start may succeed later: processes, descriptors or memory have run out.
  package var isPassing: Bool { [EAGAIN, ENOMEM, EMFILE, ENFILE].contains(code) }

  package var description: String { "\(executable): \(String(cString: strerror(code)))" }

  /// As the end of a job that never began.
  package var end: JobEnd { isPassing ? .noRoom(description) : .notStarted(description) }
}

extension JobEnd {
  /// - Parameter status: as `waitpid` gives it.
  init(waitStatus status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(Int(status >> 8 & 0xff)) : .killed(signal: Int(signal))
  }
}

/// Calls of the operating system that a signal may interrupt before they have done anything.
enum SystemCall {
  static func retrying(_ call: () -> Int32) -> Int32 {
    while true {
      let answer = call()
      if answer >= 0 || errno != EINTR { return answer }
    }
  }
}
