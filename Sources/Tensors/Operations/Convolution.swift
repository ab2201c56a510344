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
  ///   - choice: how; in double precision, and where the fast path has no kernel, always the reference path.
  package func conv2D(
    _ weight: Tensor, bias: Tensor? = nil, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1,
    groups: Int = 1, by choice: ConvolutionChoice = .reference
  ) -> Tensor {
    precondition(shape.rank == 4 && weight.shape.rank == 4, "\(shape) by \(weight.shape)")
    precondition(
      weight.shape[1] * groups == shape[1] && weight.shape[0] % groups == 0,
      "\(shape) by \(weight.shape) in \(groups) groups")
    if let fast = FastConvolution(
      self, weight.shape, stride: stride, padding: padding, dilation: dilation, groups: groups, choice)
    {
      return convolved(fast, weight, bias: bias)
    }
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
      let slope = wantsInput ? Tensor.unfilled(x.shape, x.precision) : nil
      let slopeWeight = wantsWeight ? Tensor.unfilled(weight.shape, x.precision) : nil
      plan.backward(
        x.storage.base, weight.storage.base, dy.storage.base, slope?.storage.base, slopeWeight?.storage.base)
      return [slope, slopeWeight]
    }.moved(with: [self, weight]) { x, tangents in
      // Bilinear: the data gradient reads the weight, the weight gradient the data.
      OperationTangent(
        Tensors.sum(
          tangents[0].map {
            $0.conv2D(
              x[1], stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice)
          },
          tangents[1].map {
            x[0].conv2D($0, stride: stride, padding: padding, dilation: dilation, groups: groups, by: choice)
          })
      ) { [wantsInput = node != nil, wantsWeight = weight.node != nil] dy in
        let slope = wantsInput && tangents[1] != nil ? Tensor.unfilled(x[0].shape, dy.precision) : nil
        let slopeWeight = wantsWeight && tangents[0] != nil ? Tensor.unfilled(x[1].shape, dy.precision) : nil
        plan.backward(
          (tangents[0] ?? x[0]).storage.base, (tangents[1] ?? x[1]).storage.base, dy.storage.base,
          slope?.storage.base, slopeWeight?.storage.base)
        return [slope, slopeWeight]
      }
    }
    return bias.map { product.adding(channel: $0) } ?? product
  }
}

/// One convolution's sizes and its passes by lowering to matrix products, a few rows of an image at a time, so that their columns stay in
/// the cache. One filter a channel (depthwise) runs as a direct loop.
private struct ConvolutionPlan: @unchecked Sendable {
  // `@unchecked Sendable`: immutable; `k_window` is a C struct of integers.
  let batch: Int
  let channels: Int
  let outputs: Int
  let groups: Int
  var window: k_window
  let precision: Precision

  /// What the columns of a tile may take: a part of a second-level cache, which also holds their copy inside of OpenBLAS.
  private static let tileByteCount = 128 << 10

  private var size: Int { precision.byteCount }
  private var inPlane: Int { window.height * window.width }
  private var outPlane: Int { window.out_height * window.out_width }
  private var taps: Int { window.kernel.0 * window.kernel.1 }
  /// Input and output channels of a group.
  private var groupInputs: Int { channels / groups }
  private var groupOutputs: Int { outputs / groups }
  /// Elements of a group's filter, and rows of its columns.
  private var depth: Int { groupInputs * taps }
  private var isDepthwise: Bool { groups == channels && outputs == channels && groups > 1 }
  /// A 1 × 1 kernel on every pixel reads the image as it lies.
  private var needsColumns: Bool {
    taps != 1 || window.stride != (1, 1) || window.padding != (0, 0)
  }

  func forward(_ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    if isDepthwise { return depthwise(x, weight, y, window) }
    forEachTile(of: x, groupInputs, window) { sample, group, pixels, columns in
      BLAS.multiply(
        precision, weight + filter(group), columns,
        into: y + output(sample, group) + pixels.lowerBound * size,
        rowC: outPlane, m: groupOutputs, n: pixels.count, k: depth)
    }
  }

  /// Writes the gradients that are asked for. Sums over samples, and over pixels within a sample, run in ascending order.
  func backward(
    _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ dy: UnsafeRawPointer, _ dx: UnsafeMutableRawPointer?,
    _ dweight: UnsafeMutableRawPointer?
  ) {
    if batch == 0, let dweight { return k_fill(precision.kernel, 0, dweight, outputs * depth) }
    if let dx, let dweight, !isDepthwise, let mirrored {
      return both(x, weight, dy, dx, dweight, mirrored)
    }
    if let dx { data(dy, weight, dx) }
    if let dweight { self.weight(x, dy, dweight) }
  }

  private func data(_ dy: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ dx: UnsafeMutableRawPointer) {
    if isDepthwise, let mirrored {
      let turned = TensorStorage(byteCount: outputs * taps * size)
      k_turn_filters(precision.kernel, weight, turned.base, 1, channels, taps)
      return depthwise(dy, turned.base, dx, mirrored)
    }
    withUnsafePointer(to: window) { window in
      if isDepthwise { return k_depthwise_data(precision.kernel, dy, weight, dx, batch, channels, window) }
      let columns = needsColumns ? TensorStorage(byteCount: depth * outPlane * size) : nil
      for sample in 0..<batch {
        for group in 0..<groups {
          let image = dx + input(sample, group)
          BLAS.multiply(
            precision, weight + filter(group), transposingA: true, dy + output(sample, group),
            into: columns?.base ?? image, m: depth, n: outPlane, k: groupOutputs)
          if let columns { k_col2im(precision.kernel, columns.base, image, groupInputs, window) }
        }
      }
    }
  }

  private func weight(_ x: UnsafeRawPointer, _ dy: UnsafeRawPointer, _ dweight: UnsafeMutableRawPointer) {
    if isDepthwise {
      let scratch = scratch(window)
      return withUnsafePointer(to: window) {
        k_depthwise_weight(precision.kernel, x, dy, dweight, scratch.base, batch, channels, $0)
      }
    }
    forEachTile(of: x, groupInputs, window) { sample, group, pixels, columns in
      BLAS.multiply(
        precision, dy + output(sample, group) + pixels.lowerBound * size, rowA: outPlane, columns,
        transposingB: true,
        into: dweight + filter(group), m: groupOutputs, n: depth, k: pixels.count,
        keep: sample > 0 || pixels.lowerBound > 0)
    }
  }

  /// The window by which dx is a convolution of dy with the filters turned; nil where there is none.
  private var mirrored: k_window? {
    let reach = (window.dilation.0 * (window.kernel.0 - 1), window.dilation.1 * (window.kernel.1 - 1))
    guard needsColumns, window.stride == (1, 1), window.padding.0 <= reach.0, window.padding.1 <= reach.1
    else {
      return nil
    }
    return k_window(
      height: window.out_height, width: window.out_width, out_height: window.height, out_width: window.width,
      kernel: window.kernel, stride: (1, 1),
      padding: (reach.0 - window.padding.0, reach.1 - window.padding.1),
      dilation: window.dilation)
  }

  /// Both gradients from the same columns of dy: with stride 1, dx = turned filters × columns and turned dweight = x × columnsᵀ.
  private func both(
    _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ dy: UnsafeRawPointer, _ dx: UnsafeMutableRawPointer,
    _ dweight: UnsafeMutableRawPointer, _ mirrored: k_window
  ) {
    let turned = TensorStorage(byteCount: outputs * depth * size)
    let slope = TensorStorage(byteCount: outputs * depth * size)
    for group in 0..<groups {
      k_turn_filters(
        precision.kernel, weight + filter(group), turned.base + filter(group), groupOutputs, groupInputs, taps
      )
    }
    forEachTile(of: dy, groupOutputs, mirrored) { sample, group, pixels, columns in
      let first = input(sample, group) + pixels.lowerBound * size
      BLAS.multiply(
        precision, turned.base + filter(group), columns, into: dx + first, rowC: inPlane, m: groupInputs,
        n: pixels.count, k: groupOutputs * taps)
      BLAS.multiply(
        precision, x + first, rowA: inPlane, columns, transposingB: true, into: slope.base + filter(group),
        m: groupInputs, n: groupOutputs * taps, k: pixels.count, keep: sample > 0 || pixels.lowerBound > 0)
    }
    for group in 0..<groups {
      k_turn_filters(
        precision.kernel, slope.base + filter(group), dweight + filter(group), groupInputs, groupOutputs, taps
      )
    }
  }

  private func depthwise(
    _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ window: k_window
  ) {
    let scratch = scratch(window)
    withUnsafePointer(to: window) {
      k_depthwise(precision.kernel, x, weight, y, scratch.base, batch, channels, $0)
    }
  }

  /// Room for a padded plane and a vector behind it.
  private func scratch(_ window: k_window) -> TensorStorage {
    let plane = (window.height + 2 * window.padding.0) * (window.width + 2 * window.padding.1)
    return TensorStorage(byteCount: (plane + 8 * window.stride.1) * size)
  }

  /// Lowers images `[batch, groups × channels, height, width]` tile by tile: some rows of the output at a time, whose columns
  /// `[channels × taps, pixels]` are lent to `body`; sample by sample, group by group, from the top.
  private func forEachTile(
    of images: UnsafeRawPointer, _ channels: Int, _ window: k_window,
    _ body: (_ sample: Int, _ group: Int, _ pixels: Range<Int>, _ columns: UnsafeRawPointer) -> Void
  ) {
    let plane = channels * window.height * window.width * size
    let (height, width) = (window.out_height, window.out_width)
    let rows =
      needsColumns ? min(height, max(1, Self.tileByteCount / (channels * taps * width * size))) : height
    let columns = needsColumns ? TensorStorage(byteCount: channels * taps * rows * width * size) : nil
    withUnsafePointer(to: window) { window in
      for sample in 0..<batch {
        for group in 0..<groups {
          let image = images + (sample * groups + group) * plane
          for top in stride(from: 0, to: height, by: rows) {
            let count = min(rows, height - top)
            if let columns { k_im2col(precision.kernel, image, columns.base, channels, window, top, count) }
            body(
              sample, group, (top * width)..<((top + count) * width),
              columns.map { UnsafeRawPointer($0.base) } ?? image)
          }
        }
      }
    }
  }

  /// Byte offsets of a sample's or of the filters' part that belongs to a group.
  private func input(_ sample: Int, _ group: Int) -> Int {
    (sample * channels + group * groupInputs) * inPlane * size
  }

  private func output(_ sample: Int, _ group: Int) -> Int {
    (sample * outputs + group * groupOutputs) * outPlane * size
  }

  private func filter(_ group: Int) -> Int { group * groupOutputs * depth * size }
}
