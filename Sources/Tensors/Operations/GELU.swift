internal import CKernels

extension Tensor {
  /// x Φ(x) with the error function, not its tanh approximation (Hendrycks and Gimpel 2016).
  package func gelu() -> Tensor {
    .computed(shape, from: [self]) {
      k_gelu(precision.kernel, storage.base, $0, count)
    } pullback: { [x = detached] upstream in
      [
        Tensor(x.shape, x.precision) {
          k_gelu_pullback(x.precision.kernel, x.storage.base, upstream.storage.base, $0, x.count)
        }
      ]
    }
  }
}
