internal import CKernels

/// A height and a width.
package struct Extent: Hashable, Sendable, ExpressibleByIntegerLiteral {
  package let height: Int
  package let width: Int

  package init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
  package init(_ side: Int) { self.init(side, side) }
  package init(integerLiteral value: Int) { self.init(value) }
}

extension k_window {
  /// A window over `[…, height, width]`. Rows and columns that do not fill the last step are dropped.
  init(
    over height: Int, _ width: Int, kernel: Extent, stride: Extent, padding: Extent, dilation: Extent = 1
  ) {
    func steps(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int) -> Int {
      let room = size + 2 * padding - dilation * (kernel - 1) - 1
      precondition(room >= 0, "a window of \(kernel) over \(size) with padding \(padding)")
      return room / stride + 1
    }
    self.init(
      height: height, width: width,
      out_height: steps(height, kernel.height, stride.height, padding.height, dilation.height),
      out_width: steps(width, kernel.width, stride.width, padding.width, dilation.width),
      kernel: (kernel.height, kernel.width), stride: (stride.height, stride.width),
      padding: (padding.height, padding.width), dilation: (dilation.height, dilation.width))
  }
}

extension Tensor {
  /// Cross-correlation with zero padding.
  ///
  /// - Input: `[batch, channels, height, width]`. Output: `[batch, outputs, oh, ow]` with
  ///   oh = floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
  /// - Parameters:
  ///   - weight: `[outputs, channels / groups, kernel height, kernel width]`.
  ///   - bias: `[outputs]`.
  ///   - groups: input channels j C/g ..< (j+1) C/g feed output channels j O/g ..< (j+1) O/g.
  package func conv2D(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1,
    groups: Int = 1
  ) -> Tensor {
    precondition(shape.rank == 4 && weight.shape.rank == 4, "\(shape) by \(weight.shape)")
    precondition(
      weight.shape[1] * groups == shape[1] && weight.shape[0] % groups == 0,
      "\(shape) by \(weight.shape) in \(groups) groups")
    let window = k_window(
      over: shape[2], shape[3], kernel: Extent(weight.shape[2], weight.shape[3]), stride: stride,
      padding: padding,
      dilation: dilation)
    let plan = ConvolutionPlan(
      batch: shape[0], channels: shape[1], outputs: weight.shape[0], groups: groups, window: window,
      precision: precision)
    let outputShape: Shape = [shape[0], weight.shape[0], window.out_height, window.out_width]
    let product = Tensor.computed(outputShape, from: [self, weight]) {
      plan.forward(storage.base, weight.storage.base, $0)
    } pullback: {
      [x = detached, weight = weight.detached, wantsInput = node != nil, wantsWeight = weight.node != nil] dy
      in
      [
        wantsInput
          ? Tensor(x.shape, x.precision) { plan.data(dy.storage.base, weight.storage.base, $0) } : nil,
        wantsWeight
          ? Tensor(weight.shape, x.precision) { plan.weight(x.storage.base, dy.storage.base, $0) } : nil,
      ]
    }
    return bias.map { product.adding(channel: $0) } ?? product
  }
}

/// One convolution's sizes and its three passes by lowering to matrix products, image by image and group by group, so that the columns of
/// one image stay in the cache. One filter a channel (depthwise) runs as a direct loop.
private struct ConvolutionPlan: @unchecked Sendable {
  // `@unchecked Sendable`: immutable; `k_window` is a C struct of integers.
  let batch: Int
  let channels: Int
  let outputs: Int
  let groups: Int
  var window: k_window
  let precision: Precision

  private var size: Int { precision.byteCount }
  private var inPlane: Int { window.height * window.width }
  private var outPlane: Int { window.out_height * window.out_width }
  private var taps: Int { window.kernel.0 * window.kernel.1 }
  /// Rows of a group's columns.
  private var depth: Int { channels / groups * taps }
  private var isDepthwise: Bool { groups == channels && outputs == channels && groups > 1 }
  /// A 1 × 1 kernel on every pixel reads the image as it lies.
  private var needsColumns: Bool {
    taps != 1 || window.stride != (1, 1) || window.padding != (0, 0)
  }

  func forward(_ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    withUnsafePointer(to: window) { window in
      if isDepthwise { return k_depthwise(precision.kernel, x, weight, y, batch, channels, window) }
      let columns = needsColumns ? TensorStorage(byteCount: depth * outPlane * size) : nil
      forEachGroup { sample, group in
        let image = x + input(sample, group)
        if let columns { k_im2col(precision.kernel, image, columns.base, channels / groups, window) }
        BLAS.multiply(
          precision, weight + filter(group), UnsafeRawPointer(columns?.base) ?? image,
          into: y + output(sample, group), m: outputs / groups, n: outPlane, k: depth)
      }
    }
  }

  func data(_ dy: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ dx: UnsafeMutableRawPointer) {
    withUnsafePointer(to: window) { window in
      if isDepthwise { return k_depthwise_data(precision.kernel, dy, weight, dx, batch, channels, window) }
      let columns = needsColumns ? TensorStorage(byteCount: depth * outPlane * size) : nil
      forEachGroup { sample, group in
        let image = dx + input(sample, group)
        BLAS.multiply(
          precision, weight + filter(group), transposingA: true, dy + output(sample, group),
          into: columns?.base ?? image,
          m: depth, n: outPlane, k: outputs / groups)
        if let columns { k_col2im(precision.kernel, columns.base, image, channels / groups, window) }
      }
    }
  }

  /// Sums over samples in ascending order.
  func weight(_ x: UnsafeRawPointer, _ dy: UnsafeRawPointer, _ dweight: UnsafeMutableRawPointer) {
    withUnsafePointer(to: window) { window in
      if isDepthwise { return k_depthwise_weight(precision.kernel, x, dy, dweight, batch, channels, window) }
      if batch == 0 { return k_fill(precision.kernel, 0, dweight, outputs * depth) }
      let columns = needsColumns ? TensorStorage(byteCount: depth * outPlane * size) : nil
      forEachGroup { sample, group in
        let image = x + input(sample, group)
        if let columns { k_im2col(precision.kernel, image, columns.base, channels / groups, window) }
        BLAS.multiply(
          precision, dy + output(sample, group), UnsafeRawPointer(columns?.base) ?? image, transposingB: true,
          into: dweight + filter(group), m: outputs / groups, n: depth, k: outPlane, keep: sample > 0)
      }
    }
  }

  private func forEachGroup(_ body: (_ sample: Int, _ group: Int) -> Void) {
    for sample in 0..<batch {
      for group in 0..<groups { body(sample, group) }
    }
  }

  /// Byte offsets of a sample's or of the filters' part that belongs to a group.
  private func input(_ sample: Int, _ group: Int) -> Int {
    (sample * channels + group * (channels / groups)) * inPlane * size
  }

  private func output(_ sample: Int, _ group: Int) -> Int {
    (sample * outputs + group * (outputs / groups)) * outPlane * size
  }

  private func filter(_ group: Int) -> Int { group * (outputs / groups) * depth * size }
}
