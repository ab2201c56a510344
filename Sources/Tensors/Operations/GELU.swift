extension Tensor {
  /// x Φ(x) with the error function, not its tanh approximation (Hendrycks and Gimpel 2016).
  public func gelu() -> Tensor {
    .computed(from: [self]) {
      Primitives.gelu(self)
    } pullback: { [x = detached] upstream in
      [Primitives.geluPullback(x, upstream)]
    }.moved(with: [self]) { x, tangents in
      guard let tangent = tangents[0] else { return OperationTangent(nil) }
      // The second derivative is φ(x) (2 - x²).
      let density = (x[0].square() * -0.5).exp() * 0.398_942_280_401_432_7
      let second = tangent * density * x[0].square().affine(-1, 2)
      return OperationTangent(Primitives.geluPullback(x[0], tangent)) { [$0 * second] }
    }
  }
}
