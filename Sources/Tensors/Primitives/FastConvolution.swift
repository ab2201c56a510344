internal import CKernels

/// One convolution's sizes and its passes in the blocked layout.
struct FastConvolution: Sendable {
  private let sizes: Sizes
  let input: Shape
  let output: Shape
  private let weight: Shape
  private let usesWinograd: Bool

  /// `@unchecked Sendable`: an immutable C struct of integers.
  private struct Sizes: @unchecked Sendable { var c: kb_convolution }

  /// Nil where the choice or the shape wants the reference path.
  init?(
    _ x: Tensor, _ weight: Shape, stride: Extent, padding: Extent, dilation: Extent = 1, groups: Int,
    _ choice: ConvolutionChoice
  ) {
    guard choice != .reference, x.precision == .single, dilation == 1 else { return nil }
    let window = Window(
      over: x.shape[2], x.shape[3], kernel: Extent(weight[2], weight[3]), stride: stride, padding: padding)
    let inner = window.kernelWindow
    let sizes = kb_convolution(
      batch: x.shape[0], channels: x.shape[1], outputs: weight[0], groups: groups, height: window.height,
      width: window.width, out_height: window.outHeight, out_width: window.outWidth, kernel: inner.kernel,
      stride: inner.stride, padding: inner.padding)
    guard withUnsafePointer(to: sizes, kb_takes) == 1 else { return nil }
    self.sizes = Sizes(c: sizes)
    usesWinograd = choice == .auto && withUnsafePointer(to: sizes, kb_takes_winograd) == 1
    input = x.shape
    self.weight = weight
    output = [x.shape[0], weight[0], window.outHeight, window.outWidth]
  }

  private var batch: Int { input[0] }
  private var isDepthwise: Bool { withUnsafePointer(to: sizes.c, kb_is_depthwise) == 1 }

  /// - Parameters:
  ///   - finish: what happens to each value before it is stored.
  ///   - moments: takes the statistics of the images, where they are wanted.
  func forward(
    _ x: Tensor, _ weight: Tensor, finish: Finish? = nil, moments: TensorStorage? = nil
  ) -> Tensor {
    let packed = packed(weight.storage, usesWinograd ? .winograd : .forward)
    let device = Device.current
    let kernels = device.kernels.pointee
    let pass = usesWinograd ? kernels.winograd : isDepthwise ? kernels.depthwise : kernels.convolve
    let from = x.blocks
    return Tensor(output, .single, .blocked) { y in
      withSizes { c in
        withOptionalPointer(to: finish?.kernel) { finish in
          forEachRange(batch, on: device, scratch: c) { scratch, first, end in
            pass(c, from.floats, packed.floats, y.floats, scratch.floats, finish, moments?.floats, first, end)
          }
        }
      }
    }
  }

  private func data(_ dy: TensorStorage, _ weight: TensorStorage, to dx: UnsafeMutableRawPointer) {
    let packed = packed(weight, usesWinograd ? .winogradGradient : .gradient)
    let device = Device.current
    let kernels = device.kernels.pointee
    withSizes { c in
      if usesWinograd {
        return withUnsafePointer(to: kb_mirrored(c)) { mirrored in
          forEachRange(batch, on: device, scratch: mirrored) { scratch, first, end in
            kernels.winograd(
              mirrored, dy.floats, packed.floats, dx.floats, scratch.floats, nil, nil, first, end)
          }
        }
      }
      let pass = isDepthwise ? kernels.depthwise_data : kernels.convolve_data
      forEachRange(batch, on: device, scratch: c) { scratch, first, end in
        pass(c, dy.floats, packed.floats, dx.floats, scratch.floats, first, end)
      }
    }
  }

  /// Sums over samples ascending, then pixels or tiles.
  private func weight(_ x: TensorStorage, _ dy: TensorStorage, to dweight: UnsafeMutableRawPointer) {
    let device = Device.current
    let kernels = device.kernels.pointee
    let pass =
      usesWinograd
      ? kernels.winograd_weight : isDepthwise ? kernels.depthwise_weight : kernels.convolve_weight
    withSizes { c in
      let packed = TensorStorage(floats: kb_packed(c, 0))
      forEachRange(Layout.blocks(output[1]), on: device, scratch: c) { scratch, first, end in
        pass(c, x.floats, dy.floats, packed.floats, scratch.floats, first, end)
        kb_unpack(device.kernels, c, packed.floats, dweight.floats, first, end)
      }
    }
  }

  private func forEachRange(
    _ count: Int, on device: Device, scratch c: UnsafePointer<kb_convolution>,
    _ body: (_ scratch: TensorStorage, _ first: Int, _ end: Int) -> Void
  ) {
    let size = usesWinograd ? kb_winograd_scratch(c) : kb_scratch(c)
    device.forEachRange(count) { first, end in
      body(TensorStorage(floats: size, in: device.pool), first, end)
    }
  }

  /// The gradients that are asked for.
  func gradients(
    _ x: Tensor, _ weight: Tensor, _ dy: Tensor, wantsInput: Bool, wantsWeight: Bool
  ) -> (dx: Tensor?, dweight: Tensor?) {
    let upstream = dy.blocks
    let dweight =
      wantsWeight ? Tensor(weight.shape, .single) { self.weight(x.blocks, upstream, to: $0) } : nil
    let dx = wantsInput ? Tensor(input, .single, .blocked) { data(upstream, weight.storage, to: $0) } : nil
    return (dx, dweight)
  }

  /// Made once for weights that stay as they are.
  private func packed(_ weight: TensorStorage, _ kind: TensorStorage.PackedWeights) -> TensorStorage {
    withSizes { c in
      let gradient: Int32 = kind == .gradient || kind == .winogradGradient ? 1 : 0
      let size = kb_packed(c, gradient)
      let kernels = Device.current.kernels
      let form = TensorStorage.Form.packed(self.weight, groups: c.pointee.groups, kind)
      guard usesWinograd else {
        return weight.form(form, byteCount: 4 * size) {
          kb_pack(kernels, c, weight.floats, $0.floats, gradient)
        }
      }
      return weight.form(form, byteCount: 4 * kb_winograd_filters(c)) {
        let packed = TensorStorage(floats: size)
        kb_pack(kernels, c, weight.floats, packed.floats, gradient)
        kernels.pointee.winograd_filters(c, packed.floats, $0.floats, gradient)
      }
    }
  }

  private func withSizes<Result>(_ body: (UnsafePointer<kb_convolution>) -> Result) -> Result {
    withUnsafePointer(to: sizes.c, body)
  }
}

/// Lends a C struct that may be missing.
private func withOptionalPointer<Value, Result>(to value: Value?, _ body: (UnsafePointer<Value>?) -> Result)
  -> Result
{
  guard let value else { return body(nil) }
  return withUnsafePointer(to: value) { body($0) }
}
