/// The width of a tensor's elements: 32 bits for training, 64 for gradient checks and reference values.
public enum Precision: String, Hashable, Sendable, Codable {
  case single, double

  public var byteCount: Int { self == .single ? 4 : 8 }
}

/// An immutable array of numbers, perhaps with the record of how it was computed.
///
/// Elements are seen in row-major order. Feature maps may lie in memory as the fast kernels want them (see
/// `Layout`): an operation that has no such
/// kernel reads `storage`, a row-major copy, and is right without knowing.
///
/// A tensor that no leaf leads to records nothing, so there is no mode to enter for evaluation.
public struct Tensor: Sendable {
  /// Extents, outermost axis first.
  public let shape: Shape
  /// Of the elements.
  public let precision: Precision
  let layout: Layout
  /// In this layout.
  private var memory: TensorStorage
  let node: GradientNode?

  init(
    shape: Shape, precision: Precision, layout: Layout = .plain, storage: TensorStorage, node: GradientNode?
  ) {
    self.shape = shape
    self.precision = precision
    self.layout = layout
    memory = storage
    self.node = node
  }

  /// The elements in row-major order. Belongs to this tensor, and lives as long.
  var storage: TensorStorage { elements(.plain) }

  /// The elements in a layout. Belongs to this tensor, and lives as long.
  func elements(_ layout: Layout) -> TensorStorage {
    if layout == self.layout { return memory }
    switch layout {
    case .plain:
      return memory.form(.plain, byteCount: Layout.plain.byteCount(shape, precision)) {
        Primitives.unblock(memory, shape, to: $0)
      }
    case .blocked:
      return memory.form(.blocked(shape), byteCount: Layout.blocked.byteCount(shape, precision)) {
        Primitives.block(memory, shape, to: $0)
      }
    }
  }

  /// The same values under another record.
  func with(node: GradientNode?) -> Tensor {
    Tensor(shape: shape, precision: precision, layout: layout, storage: memory, node: node)
  }

  /// A constant whose elements `fill` writes, all of them; in the blocked layout also the zeros of channels
  /// that pad the last block.
  init(
    _ shape: Shape, _ precision: Precision, _ layout: Layout = .plain, fill: (UnsafeMutableRawPointer) -> Void
  ) {
    let storage = TensorStorage(byteCount: layout.byteCount(shape, precision))
    fill(storage.base)
    self.init(shape: shape, precision: precision, layout: layout, storage: storage, node: nil)
  }

  /// A constant that its maker writes before anybody else sees it.
  package static func unfilled(_ shape: Shape, _ precision: Precision) -> Tensor {
    unfilled(shape, precision, .plain)
  }

  static func unfilled(_ shape: Shape, _ precision: Precision, _ layout: Layout) -> Tensor {
    Tensor(shape, precision, layout) { _ in }
  }

  /// Values in row-major order, rounded once where the tensor is single.
  public init(_ values: [Double], _ shape: Shape, _ precision: Precision = .single) {
    precondition(values.count == shape.count, "\(values.count) values for \(shape)")
    self.init(shape, precision) { base in
      values.withUnsafeBufferPointer {
        Primitives.convert($0.baseAddress, .double, to: base, precision, count: values.count)
      }
    }
  }

  /// Values in row-major order, single.
  public init(_ values: [Float], _ shape: Shape) {
    precondition(values.count == shape.count, "\(values.count) values for \(shape)")
    self.init(shape, .single) { base in
      values.withUnsafeBytes {
        base.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(base), byteCount: $0.count)
      }
    }
  }

  /// Little-endian elements as they lie in a file; the address needs no alignment.
  package init(bytes: UnsafeRawBufferPointer, _ shape: Shape, _ precision: Precision) {
    precondition(bytes.count == shape.count * precision.byteCount, "\(bytes.count) bytes for \(shape)")
    self.init(shape, precision) { base in
      if let from = bytes.baseAddress { base.copyMemory(from: from, byteCount: bytes.count) }
    }
  }

  /// One value everywhere.
  public static func full(_ value: Double, _ shape: Shape, _ precision: Precision = .single) -> Tensor {
    Primitives.filled(value, shape, precision)
  }

  /// 0 everywhere.
  public static func zeros(_ shape: Shape, _ precision: Precision = .single) -> Tensor {
    full(0, shape, precision)
  }
}

extension Tensor {
  /// Elements.
  public var count: Int { shape.count }

  /// A copy of the elements.
  public var doubles: [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let to = buffer.baseAddress {
        Primitives.convert(storage.base, precision, to: to, .double, count: count)
      }
      initialized = count
    }
  }

  /// A copy of the elements, rounded where the tensor is double.
  public var floats: [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let to = buffer.baseAddress {
        Primitives.convert(storage.base, precision, to: to, .single, count: count)
      }
      initialized = count
    }
  }

  /// The only element.
  public var scalar: Double {
    precondition(count == 1, "a scalar of \(shape)")
    return doubles[0]
  }

  /// The elements as little-endian bytes.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeRawBufferPointer(start: storage.base, count: count * precision.byteCount))
    }
  }

  /// The same values as a leaf, whose gradient can be asked for.
  public func leaf() -> Tensor { with(node: GradientNode(inputs: [], pullback: nil)) }

  /// The same values as a constant: no gradient flows through.
  public var detached: Tensor { with(node: nil) }

  /// The square root of the sum of squares.
  public var l2Norm: Double { doubles.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// Whether no element is infinite or not a number.
  public var isFinite: Bool { Primitives.isFinite(self) }

  /// A constant of the same values in another precision.
  public func converted(to precision: Precision) -> Tensor {
    if precision == self.precision { return detached }
    return Tensor(shape, precision) {
      Primitives.convert(storage.base, self.precision, to: $0, precision, count: count)
    }
  }

  /// Adds another constant, in place where nobody else holds the elements.
  mutating func accumulate(_ other: Tensor) {
    guard node == nil, layout == other.layout, isKnownUniquelyReferenced(&memory) else {
      self = self + other
      return
    }
    memory.forgetForms()
    Primitives.accumulate(other.memory.base, into: memory.base, precision, count: layout.count(shape))
  }

  /// Lends the elements, row-major, for change in place, after a copy where anybody else holds them. The
  /// result is a constant.
  mutating func mutate(_ body: (UnsafeMutableRawPointer) -> Void) {
    if node != nil || layout != .plain {
      self = Tensor(shape: shape, precision: precision, storage: storage, node: nil)
    }
    if isKnownUniquelyReferenced(&memory) {
      memory.forgetForms()
    } else {
      let copy = TensorStorage(byteCount: memory.byteCount)
      copy.base.copyMemory(from: memory.base, byteCount: memory.byteCount)
      memory = copy
    }
    body(memory.base)
  }
}
