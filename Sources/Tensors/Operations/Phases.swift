extension Tensor {
  /// Maps taken apart: phase (a, b) has the pixels (a + i step, b + j step). A convolution with a dilation of
  /// `step` is a plain one of each phase.
  ///
  /// - Input: `[batch, channels, height, width]`. Output: `[step² batch, channels, ⌈height / step⌉,
  ///   ⌈width / step⌉]`, all samples of phase (0, 0) first, zeros where a phase has no pixel.
  func phases(by step: Extent) -> Tensor {
    .computed(from: [self]) {
      Primitives.phases(self, by: step)
    } pullback: { [shape] upstream in
      [upstream.joined(by: step, shape)]
    }.moved(with: self) { $0.phases(by: step) }
  }

  /// The maps whose phases these are.
  ///
  /// - Parameter shape: of the maps. The phases may have more rows and columns than
  ///   they need: those are left.
  func joined(by step: Extent, _ shape: Shape) -> Tensor {
    .computed(from: [self]) {
      Primitives.joinedPhases(self, by: step, shape)
    } pullback: { [own = self.shape] upstream in
      let phases = upstream.phases(by: step)
      let (rows, columns) = (own[2] - phases.shape[2], own[3] - phases.shape[3])
      return [phases.padded(bottom: rows, right: columns)]
    }.moved(with: self) { $0.joined(by: step, shape) }
  }

  /// A convolution with a dilation, phase by phase; nil where the fast path takes none of that shape.
  ///
  /// The padding is a multiple of the dilation, so that each phase is padded alike. Taps that meet
  /// padding alone are left out: on maps no larger than the dilation, all but the middle ones. Phases
  /// of less than four columns would be computed pixel by pixel: there, what all taps read becomes
  /// channels of a 1 × 1 convolution.
  func convolvedByPhases(
    _ weight: Tensor, bias: Tensor?, padding: Extent, dilation: Extent, groups: Int,
    _ choice: ConvolutionChoice
  ) -> Tensor? {
    guard choice != .reference, precision == .single, dilation != 1,
      padding.height % dilation.height == 0, padding.width % dilation.width == 0
    else { return nil }
    let kernel = Extent(weight.shape[2], weight.shape[3])
    let idle = (
      height: Self.idleTaps(shape[2], kernel.height, padding.height, dilation.height),
      width: Self.idleTaps(shape[3], kernel.width, padding.width, dilation.width)
    )
    if idle != (0, 0) {
      let met = weight.sliced(axis: 2, from: idle.height, to: kernel.height - idle.height)
        .sliced(axis: 3, from: idle.width, to: kernel.width - idle.width)
      return conv2D(
        met, bias: bias,
        padding: Extent(
          padding.height - idle.height * dilation.height, padding.width - idle.width * dilation.width),
        dilation: Extent(
          met.shape[2] == 1 ? 1 : dilation.height, met.shape[3] == 1 ? 1 : dilation.width),
        groups: groups, by: choice)
    }
    let window = Window(
      over: shape[2], shape[3], kernel: kernel, stride: 1, padding: padding, dilation: dilation)
    if groups == 1, window.outWidth < 4 * dilation.width {
      let filters = weight.reshaped([weight.shape[0], weight.shape[1] * window.taps, 1, 1])
      return columns(window).conv2D(filters, bias: bias, by: choice)
    }
    let output: Shape = [shape[0], weight.shape[0], window.outHeight, window.outWidth]
    return phases(by: dilation).conv2D(
      weight, bias: bias,
      padding: Extent(padding.height / dilation.height, padding.width / dilation.width), groups: groups,
      by: choice
    ).joined(by: dilation, output)
  }

  /// What each output pixel of a convolution reads, as channels of that pixel.
  private func columns(_ window: Window) -> Tensor {
    .computed(from: [self]) {
      Primitives.columns(self, window)
    } pullback: { [shape] upstream in
      [Primitives.columnsPullback(upstream, window, shape)]
    }.moved(with: self) { $0.columns(window) }
  }

  /// How many taps at each end of a filter meet no pixel, wherever it is put.
  private static func idleTaps(_ size: Int, _ taps: Int, _ padding: Int, _ dilation: Int) -> Int {
    let outputs = size + 2 * padding - dilation * (taps - 1)
    // At the last output a tap of the first half has come furthest into the map.
    return (0..<taps / 2).prefix { $0 * dilation - padding + outputs - 1 < 0 }.count
  }
}
