internal import CKernels

extension Tensor {
  /// The largest value of each window; padding counts as minus infinity, and the gradient goes to the first of equal values.
  package func maxPool2D(kernel: Extent, stride: Extent, padding: Extent = 0, ceil: Bool = false) -> Tensor {
    var window = k_window(over: shape[2], shape[3], kernel: kernel, stride: stride, padding: padding)
    if ceil {
      window.out_height = Self.ceiling(shape[2], kernel.height, stride.height, padding.height)
      window.out_width = Self.ceiling(shape[3], kernel.width, stride.width, padding.width)
    }
    let (planes, inSize, outSize) = (
      shape[0] * shape[1], shape[2] * shape[3], window.out_height * window.out_width
    )
    var index = [Int32](repeating: 0, count: planes * outSize)
    let output = Tensor([shape[0], shape[1], window.out_height, window.out_width], precision) {
      k_max_pool(precision.kernel, storage.base, $0, &index, planes, &window)
    }
    return output.recorded(from: [self]) { [shape, index] upstream in
      [
        Tensor(shape, upstream.precision) {
          k_scatter(upstream.precision.kernel, upstream.storage.base, index, $0, planes, inSize, outSize)
        }
      ]
    }.moved(with: self) { tangent in
      let values = tangent.doubles
      let chosen = index.indices.map { values[$0 / outSize * inSize + Int(index[$0])] }
      return Tensor(chosen, output.shape, tangent.precision)
    }
  }

  /// Rounded up, except that a last window must not start in the padding behind.
  private static func ceiling(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int) -> Int {
    let steps = (size + 2 * padding - kernel + stride - 1) / stride + 1
    return (steps - 1) * stride >= size + padding ? steps - 1 : steps
  }

  /// The mean of each window, padding included in the count.
  ///
  /// - Parameter ceil: sizes are rounded up; what a last window has beyond the padding does not count.
  package func averagePool2D(kernel: Extent, stride: Extent, padding: Extent = 0, ceil: Bool = false)
    -> Tensor
  {
    var window = k_window(over: shape[2], shape[3], kernel: kernel, stride: stride, padding: padding)
    if ceil {
      window.out_height = Self.ceiling(shape[2], kernel.height, stride.height, padding.height)
      window.out_width = Self.ceiling(shape[3], kernel.width, stride.width, padding.width)
    }
    let planes = shape[0] * shape[1]
    return .computed([shape[0], shape[1], window.out_height, window.out_width], from: [self]) { base in
      withUnsafePointer(to: window) { k_average_pool(precision.kernel, storage.base, base, planes, $0) }
    } pullback: { [shape, rows = window.out_height, columns = window.out_width] upstream in
      var window = k_window(over: shape[2], shape[3], kernel: kernel, stride: stride, padding: padding)
      (window.out_height, window.out_width) = (rows, columns)
      return [
        Tensor(shape, upstream.precision) { base in
          withUnsafePointer(to: window) {
            k_average_pool_pullback(upstream.precision.kernel, upstream.storage.base, base, planes, $0)
          }
        }
      ]
    }.moved(with: self) { $0.averagePool2D(kernel: kernel, stride: stride, padding: padding, ceil: ceil) }
  }

  /// Output cell o covers the input rows floor(o h / oh) up to, not including, ceil((o + 1) h / oh); columns alike.
  package func adaptiveAveragePool2D(height: Int, width: Int) -> Tensor {
    planewise(height, width, k_adaptive_pool, k_adaptive_pool_pullback)
  }

  /// The mean over positions: `[batch, channels]`.
  package func globalAveragePool() -> Tensor {
    if layout == .blocked, !isMoving { return pixelMeans() }
    return reshaped([shape[0] * shape[1], shape[2] * shape[3]]).rowMeans().reshaped([shape[0], shape[1]])
  }
}

typealias PlaneFunction =
  @Sendable @convention(c) (
    k_precision, UnsafeRawPointer?, UnsafeMutableRawPointer?, Int, Int, Int, Int, Int
  ) -> Void

extension Tensor {
  /// An operation that turns each plane `[height, width]` into one of another size.
  func planewise(
    _ height: Int, _ width: Int, _ forward: PlaneFunction, _ back: @escaping PlaneFunction
  ) -> Tensor {
    precondition(shape.rank == 4 && height > 0 && width > 0, "\(shape) to \(height) × \(width)")
    let (planes, h, w) = (shape[0] * shape[1], shape[2], shape[3])
    return .computed([shape[0], shape[1], height, width], from: [self]) {
      forward(precision.kernel, storage.base, $0, planes, h, w, height, width)
    } pullback: { [shape] upstream in
      [
        Tensor(shape, upstream.precision) {
          back(upstream.precision.kernel, upstream.storage.base, $0, planes, h, w, height, width)
        }
      ]
    }.moved(with: self) { $0.planewise(height, width, forward, back) }
  }
}
