internal import CKernels

extension Tensor {
  private func unary(_ op: k_unary_op) -> Tensor {
    let output = Tensor(shape, precision) { k_unary(precision.kernel, op, storage.base, $0, count) }
    return output.recorded(from: [self]) { [x = detached, y = output] upstream in
      [
        Tensor(x.shape, x.precision) {
          k_unary_pullback(
            x.precision.kernel, op, x.storage.base, y.storage.base, upstream.storage.base, $0, x.count)
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
