extension Tensor {
  /// The largest value of each cell of `adaptiveAveragePool2D`; the gradient goes to the first of equal
  /// values.
  package func adaptiveMaxPool2D(height: Int, width: Int) -> Tensor {
    precondition(shape.rank == 4 && height > 0 && width > 0, "\(shape) to \(height) × \(width)")
    let (output, index) = Primitives.adaptiveMaxPool(self, height, width)
    return output.recorded(from: [self]) { [shape] upstream in
      [Primitives.scatter(upstream, index, shape)]
    }
  }
}
