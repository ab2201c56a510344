internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// The elements of a tensor: 64-byte aligned memory that goes back to a pool when nobody holds it.
///
/// `@unchecked Sendable`: written only while one owner holds it, in the closure that fills a new tensor or by
/// an optimiser that has checked
/// that it is the only one; read only afterwards.
final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let pool: BufferPool
  /// The same values in other forms, made when first asked for and kept until these change.
  private let forms = Mutex<[Form: TensorStorage]>([:])

  /// Memory with unspecified contents.
  init(byteCount: Int, in pool: BufferPool = Device.current.pool) {
    self.byteCount = byteCount
    self.pool = pool
    base = pool.take(byteCount)
  }

  deinit { pool.give(base, byteCount) }

  /// The values in another form, which `fill` writes the first time.
  func form(_ form: Form, byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> TensorStorage {
    forms.withLock { forms in
      if let known = forms[form] { return known }
      let made = TensorStorage(byteCount: byteCount)
      fill(made.base)
      forms[form] = made
      return made
    }
  }

  /// Before the values change.
  func forgetForms() { forms.withLock { $0.removeAll() } }
}

extension TensorStorage {
  /// What a storage's values are kept as besides themselves.
  enum Form: Hashable, Sendable {
    /// Row-major, of a blocked tensor.
    case plain
    /// Blocked, of a plain tensor `[batch, channels, height, width]`.
    case blocked(Shape)
    /// The weights `[outputs, channels / groups, height, width]` of a convolution in the order of its kernel.
    case packed(Shape, groups: Int, PackedWeights)
    /// A matrix with so many columns as the second factor of a product, transposed first where that is said.
    case panels(columns: Int, transposed: Bool)
  }

  enum PackedWeights: Hashable, Sendable {
    case forward, gradient
    /// Transformed for Winograd's algorithm.
    case winograd, winogradGradient
  }
}

/// Buffers by size. A fresh page costs tens of times a warm one, and the steps of a run ask for the same
/// sizes again and again, so buffers wait for the next who asks.
///
/// Detectors ask for other sizes at every step, as many as they have regions. So sizes are rounded up to
/// eight steps between powers of two, and what has waited longest goes back to the system once all buffers
/// together are twice what was ever in use at a time.
package final class BufferPool: Sendable {
  /// The pool of the process, which devices use unless they bring their own.
  package static let shared = BufferPool()

  /// Of the system, not Swift's `Mutex`: the thread sanitizer knows its order, and with it that of all
  /// tensors whose memory comes from here.
  nonisolated(unsafe) private let lock: UnsafeMutablePointer<pthread_mutex_t>
  /// Buffers that wait, by size; touched by who has the lock, like all below.
  nonisolated(unsafe) private var free: [Int: Shelf] = [:]
  /// Bytes in use, the most that ever were, and those that wait as well.
  nonisolated(unsafe) private var used = 0
  nonisolated(unsafe) private var mostUsed = 0
  nonisolated(unsafe) private var held = 0
  nonisolated(unsafe) private var calls = 0
  private let fresh = Atomic<Int>(0)

  /// Buffers of a size, and the call that last touched one of them.
  private struct Shelf {
    var buffers: [UnsafeMutableRawPointer] = []
    var lastCall = 0
  }

  package init() {
    lock = .allocate(capacity: 1)
    guard pthread_mutex_init(lock, nil) == 0 else { fatalError("out of memory for a lock") }
  }

  deinit {
    for memory in free.values.flatMap(\.buffers) { Glibc.free(memory) }
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  private func withLock<Value>(_ body: () -> Value) -> Value {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  /// Buffers asked of the system so far.
  package var allocations: Int { fresh.load(ordering: .relaxed) }

  /// Bytes that the pool has from the system: in use, or waiting.
  package var heldByteCount: Int { withLock { held } }

  /// Sizes are rounded up to whole cache lines, at least one, and from a page on to an
  /// eighth of a power of two.
  private static func size(_ byteCount: Int) -> Int {
    let step = byteCount <= 4096 ? 64 : 1 << (Int.bitWidth - byteCount.leadingZeroBitCount - 4)
    return max(64, (byteCount + step - 1) / step * step)
  }

  fileprivate func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = Self.size(byteCount)
    let (known, idle) = withLock {
      calls += 1
      used += size
      mostUsed = max(mostUsed, used)
      if let memory = free[size]?.buffers.popLast() {
        free[size]?.lastCall = calls
        return (Optional(memory), [UnsafeMutableRawPointer]())
      }
      held += size
      return (nil, taken(beyond: 2 * mostUsed))
    }
    for memory in idle { Glibc.free(memory) }
    if let known { return known }
    fresh.add(1, ordering: .relaxed)
    guard let memory = aligned_alloc(64, size) else { fatalError("out of memory: \(size) bytes") }
    return memory
  }

  /// Takes buffers from the shelves that nobody has touched for longest, until no more
  /// than so many bytes are held.
  private func taken(beyond limit: Int) -> [UnsafeMutableRawPointer] {
    var idle: [UnsafeMutableRawPointer] = []
    while held > limit, let (size, shelf) = free.min(by: { $0.value.lastCall < $1.value.lastCall }) {
      free[size] = nil
      held -= size * shelf.buffers.count
      idle += shelf.buffers
    }
    return idle
  }

  fileprivate func give(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.size(byteCount)
    withLock {
      calls += 1
      used -= size
      free[size, default: Shelf()].buffers.append(memory)
      free[size]?.lastCall = calls
    }
  }
}
