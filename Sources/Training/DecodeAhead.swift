internal import Datasets
internal import Dispatch
internal import Synchronization
internal import Tensors

/// Makes the batches that a run will ask for next on other threads, while it computes.
///
/// Each batch is made by one thread from nothing but its place, and at most `depth` are under way, so no bit
/// depends on how many threads there are or which is faster.
final class DecodeAhead: Sendable {
  private static let depth = 2

  private struct Place: Hashable {
    let epoch: Int
    let first: Int
    let count: Int

    init(_ positions: [Int], _ epoch: Int) {
      self.epoch = epoch
      first = positions.first ?? -1
      count = positions.count
    }
  }

  /// A batch that is being made.
  private final class Pending: Sendable {
    private let result = Mutex<Result<Tensor, DatasetError>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    func finish(_ outcome: Result<Tensor, DatasetError>) {
      result.withLock { $0 = outcome }
      done.signal()
    }

    func wait() throws(DatasetError) -> Tensor {
      done.wait()
      return try result.withLock { $0! }.get()
    }
  }

  private struct State {
    var pending: [Place: Pending] = [:]
    /// Of the epoch in hand, and where each batch stands in it.
    var epoch: Int?
    var order: [[Int]] = []
    var places: [Place: Int] = [:]
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "decode", attributes: .concurrent)

  /// The batch at some positions of an epoch, and the next ones begun.
  ///
  /// - Parameters:
  ///   - order: all batches of the epoch.
  ///   - make: makes a batch; called on other threads. What it throws, the call throws
  ///     that asks for the batch.
  func batch(
    _ positions: [Int], epoch: Int, order: () -> [[Int]],
    make: @escaping @Sendable ([Int]) throws(DatasetError) -> Tensor
  ) throws(DatasetError) -> Tensor {
    let place = Place(positions, epoch)
    let (mine, next) = state.withLock { state -> (Pending?, [(Pending, [Int])]) in
      if state.epoch != epoch {
        (state.epoch, state.order) = (epoch, order())
        state.places = Dictionary(state.order.enumerated().map { (Place($1, epoch), $0) }) { first, _ in first
        }
      }
      let mine = state.pending.removeValue(forKey: place)
      guard let index = state.places[place] else { return (mine, []) }
      let last = min(state.order.count, index + 1 + Self.depth)
      let next = state.order[min(index + 1, last)..<last].compactMap { positions -> (Pending, [Int])? in
        let place = Place(positions, epoch)
        guard state.pending[place] == nil, state.pending.count < Self.depth else { return nil }
        let pending = Pending()
        state.pending[place] = pending
        return (pending, positions)
      }
      return (mine, next)
    }
    for (pending, positions) in next {
      queue.async { pending.finish(Result { () throws(DatasetError) in try make(positions) }) }
    }
    guard let mine else { return try make(positions) }
    return try mine.wait()
  }
}
