extension Tensor {
  /// Normalises each row of the last axis by its mean and biased variance, then scales and shifts it.
  ///
  /// - Parameters:
  ///   - weight, bias: `[extent of the last axis]`.
  ///   - epsilon: inside of the root.
  package func layerNorm(weight: Tensor, bias: Tensor, epsilon: Double) -> Tensor {
    let columns = shape[shape.rank - 1]
    let rows = shape.outer(of: shape.rank - 1)
    precondition(weight.shape == [columns] && bias.shape == [columns], "vectors of \(columns) for \(shape)")
    if [self, weight, bias].contains(where: \.isMoving) {
      return movingLayerNorm(weight, bias, epsilon, rows, columns)
    }
    precondition(weight.precision == precision && bias.precision == precision, "operands of one precision")
    let (output, statistics) = Primitives.layerNorm(self, weight: weight, bias: bias, epsilon: epsilon)
    return output.recorded(from: [self, weight, bias]) {
      [x = detached, weight = weight.detached] upstream in
      Primitives.layerNormPullback(x, weight: weight, statistics: statistics, upstream)
    }
  }

  /// The same by operations each of which knows how it moves.
  private func movingLayerNorm(
    _ weight: Tensor, _ bias: Tensor, _ epsilon: Double, _ rows: Int, _ columns: Int
  ) -> Tensor {
    let x = reshaped([rows, columns])
    let centred = x.adding(-x.rowMeans(), along: 0)
    let root = (centred.square().rowMeans() + epsilon).squareRoot()
    let unit = centred.scaled(byRow: Tensor.full(1, [rows], precision) / root)
    return unit.scaled(by: weight, along: 1).adding(bias, along: 1).reshaped(shape)
  }
}
