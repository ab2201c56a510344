internal import Sweeps
internal import Synchronization

/// A process identifier that is known a little later than the process is wanted.
final class ProcessBox: Sendable {
  private let state = Mutex<(identifier: Int?, wish: Bool?)>((nil, nil))

  func started(_ identifier: Int, _ executor: any Executor) {
    let wish = state.withLock { state -> Bool? in
      state.identifier = identifier
      return state.wish
    }
    if let wish { executor.stop(identifier, atOnce: wish) }
  }

  func stop(_ executor: any Executor, atOnce: Bool) {
    let identifier = state.withLock { state -> Int? in
      state.wish = atOnce
      return state.identifier
    }
    if let identifier { executor.stop(identifier, atOnce: atOnce) }
  }
}
