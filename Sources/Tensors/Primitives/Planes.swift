internal import CKernels

extension Window {
  var kernelWindow: k_window {
    k_window(
      height: height, width: width, out_height: outHeight, out_width: outWidth,
      kernel: (kernel.height, kernel.width), stride: (stride.height, stride.width),
      padding: (padding.height, padding.width), dilation: (dilation.height, dilation.width))
  }

  func withKernelWindow<Result>(_ body: (UnsafePointer<k_window>) -> Result) -> Result {
    withUnsafePointer(to: kernelWindow, body)
  }
}

extension Shape {
  /// Maps of another size.
  fileprivate func resized(_ height: Int, _ width: Int) -> Shape { [self[0], self[1], height, width] }
  /// Planes of maps.
  fileprivate var planes: Int { self[0] * self[1] }
}

// Planes of maps `[batch, channels, height, width]` that become planes of another size.

extension Primitives {
  /// The largest value of each window, and its place in the plane: the first of equal ones.
  static func maxPool(_ x: Tensor, _ window: Window) -> (output: Tensor, index: [Int32]) {
    var index = [Int32](repeating: 0, count: x.shape.planes * window.outPlane)
    let output = Tensor(x.shape.resized(window.outHeight, window.outWidth), x.precision) { y in
      window.withKernelWindow {
        k_max_pool(x.precision.kernel, x.storage.base, y, &index, x.shape.planes, $0)
      }
    }
    return (output, index)
  }

  /// The same for the cells of `Resizing.adaptiveAverage`.
  static func adaptiveMaxPool(_ x: Tensor, _ height: Int, _ width: Int) -> (output: Tensor, index: [Int32]) {
    var index = [Int32](repeating: 0, count: x.shape.planes * height * width)
    let output = Tensor(x.shape.resized(height, width), x.precision) {
      k_adaptive_max_pool(
        x.precision.kernel, x.storage.base, $0, &index, x.shape.planes, x.shape[2], x.shape[3], height, width)
    }
    return (output, index)
  }

  /// Adds each element to the place in its plane that `index` names; zeros elsewhere.
  static func scatter(_ gradient: Tensor, _ index: [Int32], _ shape: Shape) -> Tensor {
    Tensor(shape, gradient.precision) {
      k_scatter(
        gradient.precision.kernel, gradient.storage.base, index, $0, shape.planes, shape.inner(of: 1),
        gradient.shape.inner(of: 1))
    }
  }

  static func averagePool(_ x: Tensor, _ window: Window) -> Tensor {
    Tensor(x.shape.resized(window.outHeight, window.outWidth), x.precision) { y in
      window.withKernelWindow {
        k_average_pool(x.precision.kernel, x.storage.base, y, x.shape.planes, $0)
      }
    }
  }

  static func averagePoolPullback(_ gradient: Tensor, _ window: Window) -> Tensor {
    Tensor(gradient.shape.resized(window.height, window.width), gradient.precision) { dx in
      window.withKernelWindow {
        k_average_pool_pullback(
          gradient.precision.kernel, gradient.storage.base, dx, gradient.shape.planes, $0)
      }
    }
  }

  enum Resizing: Sendable {
    case adaptiveAverage, bilinear, bilinearAligningCorners, nearest

    fileprivate var forward:
      @convention(c) (k_precision, UnsafeRawPointer?, UnsafeMutableRawPointer?, Int, Int, Int, Int, Int) ->
        Void
    {
      switch self {
      case .adaptiveAverage: k_adaptive_pool
      case .bilinear: k_bilinear
      case .bilinearAligningCorners: k_bilinear_corners
      case .nearest: k_nearest
      }
    }

    fileprivate var back:
      @convention(c) (k_precision, UnsafeRawPointer?, UnsafeMutableRawPointer?, Int, Int, Int, Int, Int) ->
        Void
    {
      switch self {
      case .adaptiveAverage: k_adaptive_pool_pullback
      case .bilinear: k_bilinear_pullback
      case .bilinearAligningCorners: k_bilinear_corners_pullback
      case .nearest: k_nearest_pullback
      }
    }
  }

  static func resize(_ x: Tensor, _ resizing: Resizing, _ height: Int, _ width: Int) -> Tensor {
    Tensor(x.shape.resized(height, width), x.precision) {
      resizing.forward(
        x.precision.kernel, x.storage.base, $0, x.shape.planes, x.shape[2], x.shape[3], height, width)
    }
  }

  /// - Parameter shape: of the maps that were resized.
  static func resizePullback(_ gradient: Tensor, _ resizing: Resizing, _ shape: Shape) -> Tensor {
    Tensor(shape, gradient.precision) {
      resizing.back(
        gradient.precision.kernel, gradient.storage.base, $0, shape.planes, shape[2], shape[3],
        gradient.shape[2], gradient.shape[3])
    }
  }

  /// Zeros between the pixels: pixel (i, j) goes to (i × stride, j × stride).
  static func space(_ x: Tensor, by stride: Extent) -> Tensor {
    let height = (x.shape[2] - 1) * stride.height + 1
    let width = (x.shape[3] - 1) * stride.width + 1
    return Tensor(x.shape.resized(height, width), x.precision) {
      k_space(
        x.precision.kernel, x.storage.base, $0, x.shape.planes, x.shape[2], x.shape[3], stride.height,
        stride.width)
    }
  }

  /// - Parameter shape: of the maps that were spaced.
  static func spacePullback(_ gradient: Tensor, by stride: Extent, _ shape: Shape) -> Tensor {
    Tensor(shape, gradient.precision) {
      k_space_pullback(
        gradient.precision.kernel, gradient.storage.base, $0, shape.planes, shape[2], shape[3],
        stride.height, stride.width)
    }
  }
}

// Maps taken apart into phases and joined again.

extension Primitives {
  /// Phase (a, b) has the pixels (a + i × step, b + j × step); all samples of phase (0, 0) come first.
  static func phases(_ x: Tensor, by step: Extent) -> Tensor {
    let (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let shape: Shape = [
      batch * step.height * step.width, channels, (height + step.height - 1) / step.height,
      (width + step.width - 1) / step.width,
    ]
    return Tensor(shape, x.precision) {
      k_phases(
        x.precision.kernel, x.storage.base, $0, batch, channels, height, width, step.height, step.width)
    }
  }

  /// - Parameter shape: of the maps, whose phases have at least as many pixels as these need.
  static func joinedPhases(_ phases: Tensor, by step: Extent, _ shape: Shape) -> Tensor {
    Tensor(shape, phases.precision) {
      k_joined_phases(
        phases.precision.kernel, phases.storage.base, $0, shape[0], shape[1], phases.shape[2],
        phases.shape[3], shape[2], shape[3], step.height, step.width)
    }
  }
}

// What the windows of a convolution read.

extension Primitives {
  /// `[batch, channels, height, width]` to `[batch, channels × taps, oh, ow]`, zeros for padding.
  static func columns(_ x: Tensor, _ window: Window) -> Tensor {
    let channels = x.shape[1] * window.taps
    return Tensor([x.shape[0], channels, window.outHeight, window.outWidth], x.precision) { columns in
      window.withKernelWindow {
        k_im2col(x.precision.kernel, x.storage.base, columns, x.shape.planes, $0, 0, window.outHeight)
      }
    }
  }

  /// The sum of what each pixel was read for.
  static func columnsPullback(_ gradient: Tensor, _ window: Window, _ shape: Shape) -> Tensor {
    Tensor(shape, gradient.precision) { dx in
      window.withKernelWindow {
        k_col2im(gradient.precision.kernel, gradient.storage.base, dx, shape.planes, $0)
      }
    }
  }
}

// Regions of maps.

extension RegionPooling {
  fileprivate func sizes(_ shape: Shape, _ count: Int) -> k_regions {
    k_regions(
      batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], regions: count,
      pooled: (cells.height, cells.width), scale: scale, sampling: sampling, aligned: isAligned ? 1 : 0)
  }
}

extension Primitives {
  /// The mean of bilinear samples of each cell of each region: `[regions, channels, cells…]`.
  ///
  /// - Parameter regions: five numbers each: image, left, top, right, bottom in image coordinates.
  static func poolRegions(_ x: Tensor, _ regions: [Double], _ pooling: RegionPooling) -> Tensor {
    let count = regions.count / 5
    return Tensor([count, x.shape[1], pooling.cells.height, pooling.cells.width], x.precision) { y in
      withUnsafePointer(to: pooling.sizes(x.shape, count)) { sizes in
        let scratch = TensorStorage(byteCount: k_roi_align_scratch(sizes) * x.precision.byteCount)
        k_roi_align(x.precision.kernel, x.storage.base, regions, y, scratch.base, sizes)
      }
    }
  }

  /// - Parameter shape: of the maps.
  static func poolRegionsPullback(
    _ gradient: Tensor, _ regions: [Double], _ pooling: RegionPooling, _ shape: Shape
  ) -> Tensor {
    Tensor(shape, gradient.precision) { dx in
      withUnsafePointer(to: pooling.sizes(shape, regions.count / 5)) { sizes in
        let scratch = TensorStorage(byteCount: k_roi_align_scratch(sizes) * gradient.precision.byteCount)
        k_roi_align_pullback(
          gradient.precision.kernel, gradient.storage.base, regions, dx, scratch.base, sizes)
      }
    }
  }
}
