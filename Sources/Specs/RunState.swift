/// Where a run, or another stage, stands for good. What works on it right now is known by the run folders.
package enum RunState: Hashable, Sendable {
  /// Not done; perhaps begun.
  case open
  case finished
  /// Failed for a reason of its own: running it again would fail again.
  case failed(FailureRecord)
  /// It cannot run because an input failed. The next `run` decides anew.
  case blocked(reason: String)

  /// One word, the same in every export and on every page.
  package var word: String {
    switch self {
    case .open: "open"
    case .finished: "finished"
    case .failed(let failure): failure.cause == .diverged ? "diverged" : "failed"
    case .blocked: "blocked"
    }
  }

  /// The epoch in which it diverged, counted from 1; nil where it did not, or nobody said.
  package var divergedIn: Int? {
    guard case .failed(let failure) = self, failure.cause == .diverged else { return nil }
    return failure.epoch.map { $0 + 1 }
  }

  /// Every word, in the order in which a bar of states shows them.
  package static let words = ["finished", "diverged", "failed", "blocked", "open"]

  /// Why there is no result; nil where there is one or may still come.
  package var reason: String? {
    switch self {
    case .failed(let failure): failure.reason
    case .blocked(let reason): reason
    case .open, .finished: nil
    }
  }
}
