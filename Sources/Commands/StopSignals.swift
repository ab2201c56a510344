import Specs
import CProcesses
import Foundation
import Pipeline
import Sweeps

/// Signals that ask `run` and the tasks of a batch for an end: Ctrl-C, SIGTERM, SIGHUP, SIGUSR1. They are
/// kept from the start of the process on, so that none of them ends it before somebody listens. A signal that
/// was inherited as ignored stays ignored.
enum StopSignals {
  /// Calls a function with the number of each signal, on a thread of its own.
  ///
  /// - Precondition: the process was started as `run` or `worker`.
  /// - Throws: `NoThread`.
  static func listen(_ heard: @escaping @Sendable (Int32) -> Void) throws {
    precondition(process_keeps_signals(), "signals end this process")
    let listener = Unmanaged.passRetained(Listener(heard))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { listener in
        let listener = Unmanaged<Listener>.fromOpaque(listener!).takeRetainedValue()
        while true { listener.heard(process_take_signal()) }
      }, listener.toOpaque())
    guard code == 0 else {
      listener.release()
      throw NoThread(code: code)
    }
    pthread_detach(thread)
  }

  /// Whether the loss of the terminal was declared harmless, as `nohup` does it.
  static var isHangupIgnored: Bool { process_began_ignoring(SIGHUP) }

  private final class Listener: Sendable {
    let heard: @Sendable (Int32) -> Void
    init(_ heard: @escaping @Sendable (Int32) -> Void) { self.heard = heard }
  }
}

/// The system has no thread left for this process.
struct NoThread: UserError {
  var exitStatus: ExitStatus { .unavailable }
  let code: Int32

  /// Threads that tasks need at least.
  private static let fewest = 3

  /// - Throws: `NoThread` where a few threads cannot run at the same time.
  static func check() throws {
    var (threads, code, ends): ([pthread_t], Int32, [Int32]) = ([], 0, [0, 0])
    guard process_pipe(&ends) == 0 else { return }
    for _ in 0..<fewest where code == 0 {
      var thread = pthread_t()
      code = pthread_create(
        &thread, nil,
        { end in
          var byte: UInt8 = 0
          // Until the other end of the pipe is closed.
          _ = read(Int32(Int(bitPattern: end)), &byte, 1)
          return nil
        }, UnsafeMutableRawPointer(bitPattern: Int(ends[0])))
      if code == 0 { threads.append(thread) }
    }
    close(ends[1])
    for thread in threads { pthread_join(thread, nil) }
    close(ends[0])
    if code != 0 { throw NoThread(code: code) }
  }

  var description: String {
    "Cannot start a thread: \(String(cString: strerror(code))). `ulimit -u` and the memory of this machine "
      + "or its container decide how many there may be; raise them, or end other programs."
  }
}
