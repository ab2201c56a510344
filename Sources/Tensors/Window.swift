/// A height and a width.
public struct Extent: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// Rows.
  public let height: Int
  /// Columns.
  public let width: Int

  /// So many rows and columns.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }
  /// As many rows as columns.
  public init(_ side: Int) { self.init(side, side) }
  public init(integerLiteral value: Int) { self.init(value) }
}

/// A window that moves over planes `[height, width]`, in pixels.
struct Window: Hashable, Sendable {
  let height: Int
  let width: Int
  var outHeight: Int
  var outWidth: Int
  let kernel: Extent
  let stride: Extent
  let padding: Extent
  let dilation: Extent

  /// Elements of a plane, and of what it becomes.
  var inPlane: Int { height * width }
  var outPlane: Int { outHeight * outWidth }
  /// Elements of the kernel.
  var taps: Int { kernel.height * kernel.width }

  init(
    height: Int, width: Int, outHeight: Int, outWidth: Int, kernel: Extent, stride: Extent, padding: Extent,
    dilation: Extent
  ) {
    self.height = height
    self.width = width
    self.outHeight = outHeight
    self.outWidth = outWidth
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
  }

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
      outHeight: steps(height, kernel.height, stride.height, padding.height, dilation.height),
      outWidth: steps(width, kernel.width, stride.width, padding.width, dilation.width),
      kernel: kernel, stride: stride, padding: padding, dilation: dilation)
  }
}
