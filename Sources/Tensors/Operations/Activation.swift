internal import CKernels

extension Tensor {
  private func unary(_ op: k_unary_op) -> Tensor {
    let output = Tensor(shape, precision) { k_unary(precision.kernel, op, storage.base, $0, count) }
    // Most slopes follow from the result, which the next operation keeps anyway.
    let kept = op == K_LOG || op == K_SQUARE ? detached : output
    return output.recorded(from: [self]) { upstream in
      [
        Tensor(kept.shape, kept.precision) {
          k_unary_pullback(
            kept.precision.kernel, op, kept.storage.base, upstream.storage.base, $0, kept.count)
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
