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
      let (kept, slope) = (kept.elements(layout), upstream.elements(layout))
      return [
        Tensor(upstream.shape, upstream.precision, layout) {
          k_unary_pullback(
            upstream.precision.kernel, op, kept.base, slope.base, $0, layout.count(upstream.shape))
        }
      ]
    }
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
