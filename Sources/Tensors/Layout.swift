/// How the elements of a tensor lie in memory.
enum Layout: Hashable, Sendable {
  /// Row-major.
  case plain
  /// `[batch][channels / 16][height × width][16]`: single-precision maps `[batch, channels, height, width]`
  /// for the fast kernels. Channels that
  /// pad the last block are 0, always.
  case blocked

  static let lanes = 16

  static func blocks(_ channels: Int) -> Int { (channels + lanes - 1) / lanes }

  /// Elements in memory, padding included.
  func count(_ shape: Shape) -> Int {
    switch self {
    case .plain: shape.count
    case .blocked: shape[0] * Self.blocks(shape[1]) * Self.lanes * shape.inner(of: 1)
    }
  }

  func byteCount(_ shape: Shape, _ precision: Precision) -> Int { count(shape) * precision.byteCount }

  /// Blocked where one of two tensors of one shape is.
  static func common(_ a: Tensor, _ b: Tensor) -> Layout {
    a.layout == .blocked || b.layout == .blocked ? .blocked : .plain
  }
}

extension Tensor {
  /// In the blocked layout.
  var blocks: TensorStorage { elements(.blocked) }
}

extension TensorStorage {
  convenience init(floats count: Int, in pool: BufferPool = Device.current.pool) {
    self.init(byteCount: count * 4, in: pool)
  }

  var floats: UnsafeMutablePointer<Float> { base.floats }
}

extension UnsafeMutableRawPointer {
  var floats: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
}
