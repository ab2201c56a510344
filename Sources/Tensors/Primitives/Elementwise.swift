internal import CKernels

extension Primitives {
  enum BinaryFunction: Sendable {
    case add, subtract, multiply, divide

    fileprivate var kernel: k_binary_op {
      switch self {
      case .add: K_ADD
      case .subtract: K_SUBTRACT
      case .multiply: K_MULTIPLY
      case .divide: K_DIVIDE
      }
    }
  }

  /// Of tensors of one shape and precision.
  static func binary(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor) -> Tensor {
    // Padding channels stay 0 under all but division.
    let layout = function == .divide ? .plain : Layout.common(a, b)
    let x = a.elements(layout)
    let y = b.elements(layout)
    return Tensor(a.shape, a.precision, layout) {
      k_binary(a.precision.kernel, function.kernel, x.base, y.base, $0, layout.count(a.shape))
    }
  }

  enum UnaryFunction: Sendable {
    case relu, relu6, sigmoid, tanh, exponential, logarithm, square, root, clampedToUnit

    fileprivate var kernel: k_unary_op {
      switch self {
      case .relu: K_RELU
      case .relu6: K_RELU6
      case .sigmoid: K_SIGMOID
      case .tanh: K_TANH
      case .exponential: K_EXP
      case .logarithm: K_LOG
      case .square: K_SQUARE
      case .root: K_ROOT
      case .clampedToUnit: K_CLAMP01
      }
    }

    /// Functions that keep 0 at 0 work in the blocked layout, whose padding they leave as it is.
    fileprivate func layout(of x: Tensor) -> Layout {
      switch self {
      case .relu, .relu6, .tanh, .square, .clampedToUnit: x.layout
      case .sigmoid, .exponential, .logarithm, .root: .plain
      }
    }

    /// Whether the derivative is computed from the argument; otherwise it follows from the result, which the
    /// next operation keeps anyway.
    var keepsArgument: Bool { self == .logarithm || self == .square }
  }

  static func unary(_ function: UnaryFunction, _ x: Tensor) -> Tensor {
    let layout = function.layout(of: x)
    let elements = x.elements(layout)
    return Tensor(x.shape, x.precision, layout) {
      k_unary(x.precision.kernel, function.kernel, elements.base, $0, layout.count(x.shape))
    }
  }

  /// The gradient times the function's derivative.
  ///
  /// - Parameter kept: the argument where the function `keepsArgument`, otherwise the result.
  static func unaryPullback(_ function: UnaryFunction, kept: Tensor, _ gradient: Tensor) -> Tensor {
    let layout = function.layout(of: kept)
    let at = kept.elements(layout)
    let factors = gradient.elements(layout)
    return Tensor(kept.shape, kept.precision, layout) {
      k_unary_pullback(
        kept.precision.kernel, function.kernel, at.base, factors.base, $0, layout.count(kept.shape))
    }
  }

  /// factor x + offset.
  static func affine(_ x: Tensor, _ factor: Double, _ offset: Double) -> Tensor {
    let layout = offset == 0 ? x.layout : .plain
    let elements = x.elements(layout)
    return Tensor(x.shape, x.precision, layout) {
      k_affine(x.precision.kernel, elements.base, factor, offset, $0, layout.count(x.shape))
    }
  }

  /// x Φ(x).
  static func gelu(_ x: Tensor) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_gelu(Device.current.kernels, x.precision.kernel, x.storage.base, $0, x.count)
    }
  }

  static func geluPullback(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    Tensor(x.shape, x.precision) {
      k_gelu_pullback(
        Device.current.kernels, x.precision.kernel, x.storage.base, gradient.storage.base, $0, x.count)
    }
  }
}
