internal import Foundation
internal import Storage
internal import Synchronization

/// Shows that a worker lives, and watches for reasons to stop: a newer attempt at its stage, and a file that
/// asks for it where no signal can.
final class Heart: Sendable {
  private static let watchSeconds = 1.0

  private let superseded = Atomic<Bool>(false)
  private let ended = Atomic<Bool>(false)

  /// Whether the stop that was asked for is for a newer attempt.
  var isSuperseded: Bool { superseded.load(ordering: .acquiring) }

  /// Beats on a thread of its own until the process or the heart ends: a long step is no
  /// reason to be taken for dead.
  ///
  /// - Parameter logLimit: bytes that the attempt's log may have.
  /// - Throws: `WorkerError.noThread`
  init(of attempt: AttemptFolder, in stage: StageFolder, stop: StopSignal, logLimit: Int) throws(WorkerError)
  {
    try BackgroundThread.start { [self] in
      let log = AttemptLog(attempt.log)
      var lastBeat = DispatchTime.now().uptimeNanoseconds
      while !ended.load(ordering: .acquiring) {
        Thread.sleep(forTimeInterval: Self.watchSeconds)
        // What cannot be read now may be readable a second later: only a listing that says so ends a worker.
        if !isSuperseded, (try? stage.isSuperseded(attempt)) == true {
          superseded.store(true, ordering: .releasing)
          stop.request()
        }
        if attempt.isStopWanted, !stop.isRequested { stop.request() }
        // A log that cannot be cut now may be cut a second later.
        try? log.trim(to: logLimit)
        let now = DispatchTime.now().uptimeNanoseconds
        guard Double(now - lastBeat) * 1e-9 >= AttemptFolder.beatSeconds else { continue }
        lastBeat = now
        try? attempt.beat()
      }
    }
  }

  func end() { ended.store(true, ordering: .releasing) }
}
