internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#endif

/// The elements of a tensor: 64-byte aligned memory that goes back to a pool when nobody holds it.
///
/// `@unchecked Sendable`: written only while one owner holds it, in the closure that fills a new tensor or by an optimiser that has checked
/// that it is the only one; read only afterwards.
final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let pool: BufferPool
  /// The same values in other forms, made when first asked for and kept until these change.
  private let forms = Mutex<[Form: TensorStorage]>([:])

  /// Memory with unspecified contents.
  init(byteCount: Int) {
    self.byteCount = byteCount
    pool = .current
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

/// Buffers by size. A fresh page costs tens of times a warm one, and the steps of a run ask for the same sizes again and again, so nothing is
/// returned to the system while the pool lives.
package final class BufferPool: Sendable {
  /// Where the tensors of the current task get their memory: one pool for the process, unless a task brings its own.
  @TaskLocal package static var current = BufferPool()

  private let free = Mutex<[Int: [UInt]]>([:])
  private let fresh = Atomic<Int>(0)

  package init() {}

  deinit {
    for address in free.withLock({ $0.values.joined().map(\.self) }) {
      Glibc.free(UnsafeMutableRawPointer(bitPattern: address))
    }
  }

  /// Buffers asked of the system so far.
  package var allocations: Int { fresh.load(ordering: .relaxed) }

  /// Sizes are rounded up to whole cache lines, at least one.
  private static func size(_ byteCount: Int) -> Int { max(64, (byteCount + 63) & ~63) }

  fileprivate func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = Self.size(byteCount)
    let address = free.withLock { $0[size]?.popLast() }
    if let address { return UnsafeMutableRawPointer(bitPattern: address)! }
    fresh.add(1, ordering: .relaxed)
    guard let memory = aligned_alloc(64, size) else { fatalError("out of memory: \(size) bytes") }
    return memory
  }

  fileprivate func give(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) {
    let address = UInt(bitPattern: memory)
    free.withLock { $0[Self.size(byteCount), default: []].append(address) }
  }
}
