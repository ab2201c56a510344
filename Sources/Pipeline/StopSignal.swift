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

/// The stop that SIGTERM asks of a worker process. A signal handler may do little more than set a word of
/// memory, so the word is global and made before the handler is installed.
package enum WorkerSignals {
  static let stop = StopSignal()

  /// SIGTERM asks for a snapshot and an end. Ctrl-C and a closing terminal reach the whole process group, but
  /// it is the coordinator that decides what they mean, so a worker ignores both.
  package static func install() {
    _ = stop
    signal(SIGTERM) { _ in WorkerSignals.stop.request() }
    signal(SIGINT, SIG_IGN)
    signal(SIGHUP, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Ends the process as soon as its standard input ends, which is when the coordinator that holds the other
  /// end is gone, however it went. What is lost is the work since the last snapshot.
  static func dieWithParent() throws {
    try BackgroundThread.start {
      var byte: UInt8 = 0
      while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count == 0 || (count < 0 && errno != EINTR) {
          // A trainer does not read this pipe.
          TrainerGroup.end()
          _exit(WorkerExit.orphaned)
        }
      }
    }
  }
}

/// A thread that ends with its work or with the process.
enum BackgroundThread {
  /// - Throws: `WorkerError.noThread`
  static func start(_ work: @escaping @Sendable () -> Void) throws(WorkerError) {
    let box = Unmanaged.passRetained(Work(work))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { box in
        Unmanaged<Work>.fromOpaque(box!).takeRetainedValue().work()
        return nil
      }, box.toOpaque())
    guard code == 0 else {
      box.release()
      throw .noThread(errno: code)
    }
    pthread_detach(thread)
  }

  private final class Work: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }
}
