internal import CKernels

extension Tensor {
  /// x Φ(x) with the error function, not its tanh approximation (Hendrycks and Gimpel 2016).
  package func gelu() -> Tensor {
    .computed(shape, from: [self]) {
      k_gelu(precision.kernel, storage.base, $0, count)
    } pullback: { [x = detached] upstream in
      [x.geluSlope(times: upstream)]
    }.moved(with: [self]) { x, tangents in
      guard let tangent = tangents[0] else { return OperationTangent(nil) }
      // The second derivative is φ(x) (2 - x²).
      let density = (x[0].square() * -0.5).exp() * 0.398_942_280_401_432_7
      let second = tangent * density * x[0].square().affine(-1, 2)
      return OperationTangent(x[0].geluSlope(times: tangent)) { [$0 * second] }
    }
  }

  private func geluSlope(times factor: Tensor) -> Tensor {
    Tensor(shape, precision) {
      k_gelu_pullback(precision.kernel, storage.base, factor.storage.base, $0, count)
    }
  }
}
