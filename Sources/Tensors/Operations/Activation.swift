extension Tensor {
  private func unary(_ function: Primitives.UnaryFunction) -> Tensor {
    let output = Primitives.unary(function, self)
    let kept = function.keepsArgument ? detached : output
    return output.recorded(from: [self]) { upstream in
      [Primitives.unaryPullback(function, kept: kept, upstream)]
    }.moved(with: [self]) { _, tangents in
      // The Jacobian of an elementwise function is diagonal: one kernel applies it forwards and backwards.
      OperationTangent(
        tangents[0].map { Primitives.unaryPullback(function, kept: kept, $0) },
        bend: curvature(of: function, at: kept.detached, moving: tangents[0]))
    }
  }

  /// A gradient times the second derivative of the function and the tangent; nil for piecewise linear
  /// functions.
  private func curvature(
    of function: Primitives.UnaryFunction, at kept: Tensor, moving tangent: Tensor?
  ) -> (@Sendable (Tensor) -> [Tensor?])? {
    guard let tangent else { return nil }
    let second: Tensor
    switch function {
    case .square: second = tangent * 2
    case .exponential: second = tangent * kept
    case .logarithm: second = -(tangent / kept.square())
    case .root: second = tangent / (kept * kept.square()) * -0.25
    case .sigmoid: second = tangent * kept * kept.affine(-1, 1) * kept.affine(-2, 1)
    case .tanh: second = tangent * kept * kept.square().affine(-1, 1) * -2
    default: return nil
    }
    return { [$0 * second] }
  }

  /// max(x, 0). The gradient at 0 is 0.
  public func relu() -> Tensor { unary(.relu) }
  /// min(max(x, 0), 6). The gradient at 0 and at 6 is 0.
  public func relu6() -> Tensor { unary(.relu6) }
  /// 1 / (1 + exp(-x)).
  public func sigmoid() -> Tensor { unary(.sigmoid) }
  /// The hyperbolic tangent.
  public func tanh() -> Tensor { unary(.tanh) }
  /// e to the power of each element.
  public func exp() -> Tensor { unary(.exponential) }
  /// The natural logarithm.
  public func log() -> Tensor { unary(.logarithm) }
  /// Each element times itself.
  public func square() -> Tensor { unary(.square) }
  /// The square root of each element; the gradient at 0 is infinite.
  public func squareRoot() -> Tensor { unary(.root) }
  /// min(max(x, 0), 1).
  public func clampedToUnit() -> Tensor { unary(.clampedToUnit) }
}
