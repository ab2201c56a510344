extension Tensor {
  /// The gradient of a convolution with respect to its input, as an operation of its own: upsampling with
  /// learnt filters.
  ///
  /// Computed as a convolution of the input with zeros between its pixels and the filters turned.
  ///
  /// - Input: `[batch, inputs, height, width]`. Output: `[batch, outputs, oh, ow]` with
  ///   oh = (height - 1) stride - 2 padding + kernel - 1 + extra + 1.
  /// - Parameters:
  ///   - weight: `[inputs, outputs, kernel height, kernel width]`.
  ///   - bias: `[outputs]`.
  ///   - extra: rows and columns added behind, less than the stride.
  package func transposedConv2D(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0, extra: Extent = 0
  ) -> Tensor {
    precondition(shape.rank == 4 && weight.shape.rank == 4, "\(shape) by \(weight.shape)")
    precondition(weight.shape[0] == shape[1], "\(shape) by \(weight.shape)")
    let kernel = Extent(weight.shape[2], weight.shape[3])
    precondition(
      padding.height < kernel.height && padding.width < kernel.width, "a padding of less than the kernel")
    let spaced = spaced(by: stride).padded(bottom: extra.height, right: extra.width)
    return spaced.conv2D(
      weight.turned(), bias: bias,
      padding: Extent(kernel.height - 1 - padding.height, kernel.width - 1 - padding.width))
  }

  /// Zeros between the pixels: pixel (i, j) goes to (i × stride, j × stride).
  private func spaced(by stride: Extent) -> Tensor {
    if stride == 1 { return self }
    return .computed(from: [self]) {
      Primitives.space(self, by: stride)
    } pullback: { [shape] upstream in
      [Primitives.spacePullback(upstream, by: stride, shape)]
    }
  }

  /// Rows and columns of zeros behind.
  private func padded(bottom: Int, right: Int) -> Tensor {
    var padded = self
    if bottom > 0 {
      let zeros = Tensor.zeros([shape[0], shape[1], bottom, shape[3]], precision)
      padded = .concatenated([padded, zeros], axis: 2)
    }
    if right > 0 {
      let zeros = Tensor.zeros([shape[0], shape[1], padded.shape[2], right], precision)
      padded = .concatenated([padded, zeros], axis: 3)
    }
    return padded
  }

  /// Filters `[a, b, height, width]` to `[b, a, height, width]` with the taps in reverse.
  private func turned() -> Tensor {
    .computed(from: [self]) {
      Primitives.turnFilters(self)
    } pullback: {
      [$0.turned()]
    }
  }
}
