internal import CKernels

/// Computations on constants, forwards and backwards: the only code of the engine that calls C. They check
/// nothing and record nothing; shapes, preconditions and gradients belong to the operations above them.
enum Primitives {}

extension Precision {
  var kernel: k_precision { self == .single ? K_SINGLE : K_DOUBLE }
}

// Memory as it is, of one precision each.

extension Primitives {
  static func fill(_ y: UnsafeMutableRawPointer, _ precision: Precision, with value: Double, count: Int) {
    k_fill(precision.kernel, value, y, count)
  }

  /// A constant of one value everywhere, in channels that pad the last block as well.
  static func filled(
    _ value: Double, _ shape: Shape, _ precision: Precision, _ layout: Layout = .plain
  ) -> Tensor {
    Tensor(shape, precision, layout) { k_fill(precision.kernel, value, $0, layout.count(shape)) }
  }

  /// y = x, rounded where y is the narrower one.
  static func convert(
    _ x: UnsafeRawPointer?, _ from: Precision, to y: UnsafeMutableRawPointer, _ to: Precision, count: Int
  ) {
    k_convert(from.kernel, x, to.kernel, y, count)
  }

  /// y += factor x.
  static func accumulate(
    _ x: UnsafeRawPointer, times factor: Double = 1, into y: UnsafeMutableRawPointer, _ precision: Precision,
    count: Int
  ) {
    k_accumulate(precision.kernel, x, factor, y, count)
  }

  /// x = factor x.
  static func scale(
    _ x: UnsafeMutableRawPointer, by factor: Double, _ precision: Precision, count: Int
  ) {
    k_affine(precision.kernel, x, factor, 0, x, count)
  }

  /// Whether no element is infinite or not a number.
  static func isFinite(_ x: Tensor) -> Bool { k_is_finite(x.precision.kernel, x.storage.base, x.count) != 0 }

  /// Row-major maps `[batch, channels, pixels…]` to the blocked layout.
  static func block(_ plain: TensorStorage, _ shape: Shape, to blocked: UnsafeMutableRawPointer) {
    kb_block(plain.floats, blocked.floats, shape[0], shape[1], shape.inner(of: 1))
  }

  /// The other way.
  static func unblock(_ blocked: TensorStorage, _ shape: Shape, to plain: UnsafeMutableRawPointer) {
    kb_unblock(blocked.floats, plain.floats, shape[0], shape[1], shape.inner(of: 1))
  }
}
