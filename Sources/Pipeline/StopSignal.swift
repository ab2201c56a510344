internal import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A wish to stop, shared between whoever asks and whoever works. It only ever grows.
package final class StopSignal: Sendable {
  private let requests = Atomic<Int>(0)

  package init() {}

  package var isRequested: Bool { requests.load(ordering: .acquiring) > 0 }

  /// How often a stop was asked for: the second time means at once.
  package var count: Int { requests.load(ordering: .acquiring) }

  package func request() { requests.add(1, ordering: .acquiringAndReleasing) }
}

/// The stop that SIGTERM asks of a worker process. A signal handler may do little more than set a word of memory, so the
/// word is global and made before the handler is installed.
enum WorkerSignals {
  static let stop = StopSignal()

  /// SIGTERM asks for a snapshot and an end. Ctrl-C and a closing terminal reach the whole process group, but it is the coordinator
  /// that decides what they mean, so a worker ignores both.
  static func install() {
    _ = stop
    signal(SIGTERM) { _ in WorkerSignals.stop.request() }
    signal(SIGINT, SIG_IGN)
    signal(SIGHUP, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Ends the process as soon as its standard input ends, which is when the coordinator that holds the other end is gone, however it
  /// went. What is lost is the work since the last snapshot.
  static func dieWithParent() throws {
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { _ in
        var byte: UInt8 = 0
        while true {
          let count = read(STDIN_FILENO, &byte, 1)
          if count == 0 || (count < 0 && errno != EINTR) { _exit(WorkerExit.orphaned) }
        }
      }, nil)
    guard code == 0 else { throw WorkerError.cannotWatchParent(errno: code) }
    pthread_detach(thread)
  }
}
