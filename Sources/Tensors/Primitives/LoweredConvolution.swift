internal import CKernels

/// One convolution's sizes and its passes by lowering to matrix products, a few rows of an image at a time,
/// so that their columns stay in
/// the cache. One filter a channel (depthwise) runs as a direct loop.
struct LoweredConvolution: Sendable {
  let batch: Int
  let channels: Int
  let outputs: Int
  let groups: Int
  let window: Window
  let precision: Precision

  /// What the columns of a tile may take: a part of a second-level cache, which also holds their copy inside
  /// of OpenBLAS.
  private static let tileByteCount = 128 << 10

  private var size: Int { precision.byteCount }
  private var inPlane: Int { window.inPlane }
  private var outPlane: Int { window.outPlane }
  private var taps: Int { window.taps }
  /// Input and output channels of a group.
  private var groupInputs: Int { channels / groups }
  private var groupOutputs: Int { outputs / groups }
  /// Elements of a group's filter, and rows of its columns.
  private var depth: Int { groupInputs * taps }
  private var isDepthwise: Bool { groups == channels && outputs == channels && groups > 1 }
  /// A 1 × 1 kernel on every pixel reads the image as it lies.
  private var needsColumns: Bool {
    taps != 1 || window.stride != 1 || window.padding != 0
  }

  func forward(_ x: Tensor, _ weight: Tensor) -> Tensor {
    Tensor([batch, outputs, window.outHeight, window.outWidth], precision) {
      forward(x.storage.base, weight.storage.base, $0)
    }
  }

  /// The gradients that are asked for.
  func gradients(
    _ x: Tensor, _ weight: Tensor, _ dy: Tensor, wantsInput: Bool, wantsWeight: Bool
  ) -> (dx: Tensor?, dweight: Tensor?) {
    let dx = wantsInput ? Tensor.unfilled(x.shape, precision) : nil
    let dweight = wantsWeight ? Tensor.unfilled(weight.shape, precision) : nil
    backward(x.storage.base, weight.storage.base, dy.storage.base, dx?.storage.base, dweight?.storage.base)
    return (dx, dweight)
  }

  private func forward(_ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    if isDepthwise { return depthwise(x, weight, y, window) }
    forEachTile(of: x, groupInputs, window) { sample, group, pixels, columns in
      BLAS.multiply(
        precision, weight + filter(group), columns,
        into: y + output(sample, group) + pixels.lowerBound * size,
        rowC: outPlane, m: groupOutputs, n: pixels.count, k: depth)
    }
  }

  /// Writes the gradients that are asked for. Sums over samples, and over pixels within a sample, run in
  /// ascending order.
  private func backward(
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
    window.withKernelWindow { window in
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
      return window.withKernelWindow {
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
  private var mirrored: Window? {
    let reach = Extent(
      window.dilation.height * (window.kernel.height - 1), window.dilation.width * (window.kernel.width - 1))
    guard needsColumns, window.stride == 1, window.padding.height <= reach.height,
      window.padding.width <= reach.width
    else { return nil }
    return Window(
      height: window.outHeight, width: window.outWidth, outHeight: window.height, outWidth: window.width,
      kernel: window.kernel, stride: 1,
      padding: Extent(reach.height - window.padding.height, reach.width - window.padding.width),
      dilation: window.dilation)
  }

  /// Both gradients from the same columns of dy: with stride 1, dx = turned filters × columns and turned
  /// dweight = x × columnsᵀ.
  private func both(
    _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ dy: UnsafeRawPointer, _ dx: UnsafeMutableRawPointer,
    _ dweight: UnsafeMutableRawPointer, _ mirrored: Window
  ) {
    let turned = TensorStorage(byteCount: outputs * depth * size)
    let gradient = TensorStorage(byteCount: outputs * depth * size)
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
        precision, x + first, rowA: inPlane, columns, transposingB: true, into: gradient.base + filter(group),
        m: groupInputs, n: groupOutputs * taps, k: pixels.count, keep: sample > 0 || pixels.lowerBound > 0)
    }
    for group in 0..<groups {
      k_turn_filters(
        precision.kernel, gradient.base + filter(group), dweight + filter(group), groupInputs, groupOutputs,
        taps
      )
    }
  }

  private func depthwise(
    _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ window: Window
  ) {
    let scratch = scratch(window)
    window.withKernelWindow {
      k_depthwise(precision.kernel, x, weight, y, scratch.base, batch, channels, $0)
    }
  }

  /// Room for a padded plane and a vector behind it.
  private func scratch(_ window: Window) -> TensorStorage {
    let plane =
      (window.height + 2 * window.padding.height)
      * (window.width + 2 * window.padding.width)
    return TensorStorage(byteCount: (plane + 8 * window.stride.width) * size)
  }

  /// Lowers images `[batch, groups × channels, height, width]` tile by tile: some rows of the output at a
  /// time, whose columns
  /// `[channels × taps, pixels]` are lent to `body`; sample by sample, group by group, from the top.
  private func forEachTile(
    of images: UnsafeRawPointer, _ channels: Int, _ window: Window,
    _ body: (_ sample: Int, _ group: Int, _ pixels: Range<Int>, _ columns: UnsafeRawPointer) -> Void
  ) {
    let plane = channels * window.height * window.width * size
    let (height, width) = (window.outHeight, window.outWidth)
    let rows =
      needsColumns ? min(height, max(1, Self.tileByteCount / (channels * taps * width * size))) : height
    let columns = needsColumns ? TensorStorage(byteCount: channels * taps * rows * width * size) : nil
    window.withKernelWindow { kernel in
      for sample in 0..<batch {
        for group in 0..<groups {
          let image = images + (sample * groups + group) * plane
          for top in stride(from: 0, to: height, by: rows) {
            let count = min(rows, height - top)
            if let columns { k_im2col(precision.kernel, image, columns.base, channels, kernel, top, count) }
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
