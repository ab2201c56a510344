extension Tensor {
  /// The largest value of each window; padding counts as minus infinity, and the gradient goes to the first
  /// of equal
  /// values.
  public func maxPool2D(kernel: Extent, stride: Extent, padding: Extent = 0, ceil: Bool = false) -> Tensor {
    let window = window(kernel, stride, padding, ceil)
    let (output, index) = Primitives.maxPool(self, window)
    return output.recorded(from: [self]) { [shape] upstream in
      [Primitives.scatter(upstream, index, shape)]
    }.moved(with: self) { tangent in
      let values = tangent.doubles
      let chosen = index.indices.map { values[$0 / window.outPlane * window.inPlane + Int(index[$0])] }
      return Tensor(chosen, output.shape, tangent.precision)
    }
  }

  private func window(_ kernel: Extent, _ stride: Extent, _ padding: Extent, _ ceil: Bool) -> Window {
    var window = Window(over: shape[2], shape[3], kernel: kernel, stride: stride, padding: padding)
    if ceil {
      window.outHeight = Self.ceiling(shape[2], kernel.height, stride.height, padding.height)
      window.outWidth = Self.ceiling(shape[3], kernel.width, stride.width, padding.width)
    }
    return window
  }

  /// Rounded up, except that a last window must not start in the padding behind.
  private static func ceiling(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int) -> Int {
    let steps = (size + 2 * padding - kernel + stride - 1) / stride + 1
    return (steps - 1) * stride >= size + padding ? steps - 1 : steps
  }

  /// The mean of each window, padding included in the count.
  ///
  /// - Parameter ceil: sizes are rounded up; what a last window has beyond the padding does not count.
  public func averagePool2D(kernel: Extent, stride: Extent, padding: Extent = 0, ceil: Bool = false)
    -> Tensor
  {
    let window = window(kernel, stride, padding, ceil)
    return .computed(from: [self]) {
      Primitives.averagePool(self, window)
    } pullback: { upstream in
      [Primitives.averagePoolPullback(upstream, window)]
    }.moved(with: self) { $0.averagePool2D(kernel: kernel, stride: stride, padding: padding, ceil: ceil) }
  }

  /// Output cell o covers the input rows floor(o h / oh) up to, not including, ceil((o + 1) h / oh); columns
  /// alike.
  public func adaptiveAveragePool2D(height: Int, width: Int) -> Tensor {
    resized(.adaptiveAverage, height, width)
  }

  /// The mean over positions: `[batch, channels]`.
  public func globalAveragePool() -> Tensor {
    if layout == .blocked, !isMoving { return pixelMeans() }
    return reshaped([shape[0] * shape[1], shape[2] * shape[3]]).rowMeans().reshaped([shape[0], shape[1]])
  }
}
