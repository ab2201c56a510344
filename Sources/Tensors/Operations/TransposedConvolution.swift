extension Tensor {
  /// The gradient of a convolution with respect to its input, as an operation of its own: upsampling with
  /// learnt filters.
  ///
  /// Computed as a convolution of the input with zeros between its pixels and the filters turned; on the fast
  /// path, where the windows of the output do not overlap, as a 1 × 1 convolution for each place in a window.
  ///
  /// - Input: `[batch, inputs, height, width]`. Output: `[batch, outputs, oh, ow]` with
  ///   oh = (height - 1) stride - 2 padding + kernel - 1 + extra + 1.
  /// - Parameters:
  ///   - weight: `[inputs, outputs, kernel height, kernel width]`.
  ///   - bias: `[outputs]`.
  ///   - extra: rows and columns added behind, less than the stride.
  ///   - choice: how, as for `conv2D`.
  package func transposedConv2D(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0, extra: Extent = 0,
    by choice: ConvolutionChoice = .reference
  ) -> Tensor {
    precondition(shape.rank == 4 && weight.shape.rank == 4, "\(shape) by \(weight.shape)")
    precondition(weight.shape[0] == shape[1], "\(shape) by \(weight.shape)")
    let kernel = Extent(weight.shape[2], weight.shape[3])
    precondition(
      padding.height < kernel.height && padding.width < kernel.width, "a padding of less than the kernel")
    if choice != .reference, precision == .single, kernel == stride, padding == 0, extra == 0 {
      return convolvedByPlaces(weight, bias: bias, choice)
    }
    let spaced = spaced(by: stride).padded(bottom: extra.height, right: extra.width)
    return spaced.conv2D(
      weight.turned(), bias: bias,
      padding: Extent(kernel.height - 1 - padding.height, kernel.width - 1 - padding.width))
  }

  /// Filters as large as the stride: each pixel becomes a window of its own, place by place.
  private func convolvedByPlaces(_ weight: Tensor, bias: Tensor?, _ choice: ConvolutionChoice) -> Tensor {
    let (inputs, outputs) = (weight.shape[0], weight.shape[1])
    let kernel = Extent(weight.shape[2], weight.shape[3])
    // [outputs, inputs, kernel height, kernel width], the taps in reverse.
    let turned = weight.turned()
    var places: [Tensor] = []
    for row in (0..<kernel.height).reversed() {
      for column in (0..<kernel.width).reversed() {
        let filters = turned.sliced(axis: 2, from: row, to: row + 1)
          .sliced(axis: 3, from: column, to: column + 1).reshaped([outputs, inputs, 1, 1])
        places.append(conv2D(filters, bias: bias, by: choice))
      }
    }
    return Tensor.concatenated(places, axis: 0).joined(
      by: kernel, [shape[0], outputs, shape[2] * kernel.height, shape[3] * kernel.width])
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
  func padded(bottom: Int, right: Int) -> Tensor {
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
