internal import CKernels

extension Tensor {
  /// Those that keep 0 at 0 work in the blocked layout, whose padding they leave as it is.
  private func unary(_ op: k_unary_op) -> Tensor {
    let layout = [K_RELU, K_RELU6, K_TANH, K_SQUARE, K_CLAMP01].contains(op) ? layout : .plain
    let x = elements(layout)
    let output = Tensor(shape, precision, layout) {
      k_unary(precision.kernel, op, x.base, $0, layout.count(shape))
    }
    // Most slopes follow from the result, which the next operation keeps anyway.
    let kept = op == K_LOG || op == K_SQUARE ? detached : output
    return output.recorded(from: [self]) { upstream in
      [upstream.slope(of: op, at: kept, layout)]
    }.moved(with: [self]) { _, tangents in
      // The Jacobian of an elementwise function is diagonal: one kernel applies it forwards and backwards.
      OperationTangent(
        tangents[0]?.slope(of: op, at: kept.detached, layout),
        bend: curvature(of: op, at: kept.detached, moving: tangents[0]))
    }
  }

  /// Self times the derivative of `op`, which follows from what the operation kept.
  private func slope(of op: k_unary_op, at kept: Tensor, _ layout: Layout) -> Tensor {
    let (kept, factors) = (kept.elements(layout), elements(layout))
    return Tensor(shape, precision, layout) {
      k_unary_pullback(precision.kernel, op, kept.base, factors.base, $0, layout.count(shape))
    }
  }

  /// A gradient times the second derivative of `op` and the tangent; nil for piecewise linear functions.
  private func curvature(
    of op: k_unary_op, at kept: Tensor, moving tangent: Tensor?
  ) -> (@Sendable (Tensor) -> [Tensor?])? {
    guard let tangent else { return nil }
    let second: Tensor
    switch op {
    case K_SQUARE: second = tangent * 2
    case K_EXP: second = tangent * kept
    case K_LOG: second = -(tangent / kept.square())
    case K_ROOT: second = tangent / (kept * kept.square()) * -0.25
    case K_SIGMOID: second = tangent * kept * kept.affine(-1, 1) * kept.affine(-2, 1)
    case K_TANH: second = tangent * kept * kept.square().affine(-1, 1) * -2
    default: return nil
    }
    return { [$0 * second] }
  }

  /// max(x, 0). The gradient at 0 is 0.
  package func relu() -> Tensor { unary(K_RELU) }
  /// min(max(x, 0), 6). The gradient at 0 and at 6 is 0.
  package func relu6() -> Tensor { unary(K_RELU6) }
  /// 1 / (1 + exp(-x)).
  package func sigmoid() -> Tensor { unary(K_SIGMOID) }
  package func tanh() -> Tensor { unary(K_TANH) }
  package func exp() -> Tensor { unary(K_EXP) }
  /// The natural logarithm.
  package func log() -> Tensor { unary(K_LOG) }
  package func square() -> Tensor { unary(K_SQUARE) }
  package func squareRoot() -> Tensor { unary(K_ROOT) }
  /// min(max(x, 0), 1).
  package func clampedToUnit() -> Tensor { unary(K_CLAMP01) }
}
