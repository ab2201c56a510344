internal import CKernels

extension Tensor {
  /// The largest value of each cell of `adaptiveAveragePool2D`; the gradient goes to the first of equal values.
  package func adaptiveMaxPool2D(height: Int, width: Int) -> Tensor {
    precondition(shape.rank == 4 && height > 0 && width > 0, "\(shape) to \(height) × \(width)")
    let (planes, h, w, size) = (shape[0] * shape[1], shape[2], shape[3], height * width)
    var index = [Int32](repeating: 0, count: planes * size)
    let output = Tensor([shape[0], shape[1], height, width], precision) {
      k_adaptive_max_pool(precision.kernel, storage.base, $0, &index, planes, h, w, height, width)
    }
    return output.recorded(from: [self]) { [shape, index] upstream in
      [
        Tensor(shape, upstream.precision) {
          k_scatter(upstream.precision.kernel, upstream.storage.base, index, $0, planes, h * w, size)
        }
      ]
    }
  }
}
