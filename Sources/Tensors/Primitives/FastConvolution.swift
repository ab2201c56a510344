internal import CKernels

/// One convolution's sizes and its passes in the blocked layout.
struct FastConvolution: Sendable {
  let sizes: Sizes
  let input: Shape
  let output: Shape
  let weight: Shape
  let usesWinograd: Bool

  /// `@unchecked Sendable`: an immutable C struct of integers.
  struct Sizes: @unchecked Sendable { var c: kb_convolution }

  /// Nil where the choice, the precision or the shape wants the reference path.
  init?(
    _ x: Tensor, _ weight: Shape, stride: Extent, padding: Extent, dilation: Extent = 1, groups: Int,
    _ choice: ConvolutionChoice
  ) {
    guard x.precision == .single else { return nil }
    self.init(x.shape, weight, stride: stride, padding: padding, dilation: dilation, groups: groups, choice)
  }

  /// The same for maps in single precision of this shape.
  init?(
    _ input: Shape, _ weight: Shape, stride: Extent, padding: Extent, dilation: Extent, groups: Int,
    _ choice: ConvolutionChoice
  ) {
    guard choice != .reference, dilation == 1 else { return nil }
    let window = Window(
      over: input[2], input[3], kernel: Extent(weight[2], weight[3]), stride: stride, padding: padding)
    let inner = window.kernelWindow
    let sizes = kb_convolution(
      batch: input[0], channels: input[1], outputs: weight[0], groups: groups, height: window.height,
      width: window.width, out_height: window.outHeight, out_width: window.outWidth, kernel: inner.kernel,
      stride: inner.stride, padding: inner.padding)
    guard withUnsafePointer(to: sizes, kb_takes) == 1 else { return nil }
    self.sizes = Sizes(c: sizes)
    usesWinograd = choice == .auto && withUnsafePointer(to: sizes, kb_takes_winograd) == 1
    self.input = input
    self.weight = weight
    output = [input[0], weight[0], window.outHeight, window.outWidth]
  }

  var batch: Int { input[0] }
  var isDepthwise: Bool { withUnsafePointer(to: sizes.c, kb_is_depthwise) == 1 }

  /// - Parameters:
  ///   - finish: what happens to each value before it is stored.
  ///   - moments: takes the statistics of the images, where they are wanted.
  func forward(
    _ x: Tensor, _ weight: Tensor, finish: Finish? = nil, moments: TensorStorage? = nil
  ) -> Tensor {
    let packed = packed(weight.storage, forwardWeights)
    let device = Device.current
    let pass = pass(device.kernels)
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

  /// Convolutions one after the other, each with what happens to its values. So few images pass all of them
  /// before the next ones do that what lies between stays in a core's cache.
  static func chain(_ x: Tensor, _ links: [Link]) -> Tensor {
    let device = Device.current
    let kernels = device.kernels
    let packed = links.map { $0.convolution.packed($0.weight.storage, $0.convolution.forwardWeights) }
    let last = links[links.count - 1].convolution
    let between = links.dropLast().map { $0.convolution.imageFloats($0.convolution.output) }.max() ?? 0
    let scratch = links.map(\.convolution.scratchFloats).max() ?? 0
    let (inputFloats, outputFloats) = (
      links[0].convolution.imageFloats(x.shape), last.imageFloats(last.output)
    )
    let from = x.blocks
    return Tensor(last.output, .single, .blocked) { y in
      device.forEachRange(last.batch) { first, end in
        let together = min(end - first, max(1, cachedFloats / max(1, between)))
        let maps = (0..<2).map { _ in TensorStorage(floats: together * between, in: device.pool) }
        let room = TensorStorage(floats: scratch, in: device.pool)
        for start in stride(from: first, to: end, by: together) {
          var source = UnsafePointer(from.floats + start * inputFloats)
          for (index, link) in links.enumerated() {
            let isLast = index + 1 == links.count
            let target = isLast ? y.floats + start * outputFloats : maps[index % 2].floats
            var finish = link.finish.kernel
            finish.added = finish.added.map { $0 + start * outputFloats }
            link.convolution.withSizes {
              link.convolution.pass(kernels)(
                $0, source, packed[index].floats, target, room.floats, &finish, nil, 0,
                min(together, end - start))
            }
            source = UnsafePointer(target)
          }
        }
      }
    }
  }

  /// One convolution of a chain. Only the last one's values may have something added.
  struct Link {
    let convolution: FastConvolution
    let weight: Tensor
    let finish: Finish
  }

  /// Of maps between the convolutions of a chain: what the second cache holds beside the weights.
  private static let cachedFloats = 32 << 10

  func imageFloats(_ shape: Shape) -> Int { Layout.blocked.count(shape) / shape[0] }

  var scratchFloats: Int { withSizes { usesWinograd ? kb_winograd_scratch($0) : kb_scratch($0) } }
  var forwardWeights: TensorStorage.PackedWeights { usesWinograd ? .winograd : .forward }

  typealias ForwardPass =
    @convention(c) (
      UnsafePointer<kb_convolution>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>,
      UnsafeMutablePointer<Float>, UnsafePointer<kb_finish>?, UnsafeMutablePointer<Float>?, Int, Int
    ) -> Void

  func pass(_ kernels: UnsafePointer<kb_kernels>) -> ForwardPass {
    let kernels = kernels.pointee
    return usesWinograd ? kernels.winograd : isDepthwise ? kernels.depthwise : kernels.convolve
  }

  private func data(
    _ dy: TensorStorage, _ weight: TensorStorage, to dx: UnsafeMutableRawPointer, isKept: Bool
  ) {
    let packed = packed(weight, usesWinograd ? .winogradGradient : .gradient, isKept: isKept)
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
      let packed = weightSums(c)
      forEachRange(Layout.blocks(output[1]), on: device, scratch: c) { scratch, first, end in
        pass(c, x.floats, dy.floats, packed.floats, scratch.floats, first, end)
        kb_unpack(device.kernels, c, packed.floats, dweight.floats, first, end)
      }
    }
  }

  /// Room for the packed gradient of the weights, which the kernels of the direct algorithm add to.
  func weightSums(_ c: UnsafePointer<kb_convolution>) -> TensorStorage {
    let sums = TensorStorage(floats: kb_packed(c, 0))
    if !usesWinograd { sums.floats.update(repeating: 0, count: kb_packed(c, 0)) }
    return sums
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
    // Weights with a gradient change soon: to keep what only this pass reads would be
    // memory of a network's size.
    let dx =
      wantsInput
      ? Tensor(input, .single, .blocked) {
        data(upstream, weight.storage, to: $0, isKept: !wantsWeight)
      } : nil
    return (dx, dweight)
  }

  /// Made once for weights that stay as they are; where it is not kept, for whoever asked.
  func packed(
    _ weight: TensorStorage, _ kind: TensorStorage.PackedWeights, isKept: Bool = true
  ) -> TensorStorage {
    withSizes { c in
      let gradient: Int32 = kind == .gradient || kind == .winogradGradient ? 1 : 0
      let size = kb_packed(c, gradient)
      let kernels = Device.current.kernels
      let form = TensorStorage.Form.packed(self.weight, groups: c.pointee.groups, kind)
      func made(_ byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) -> TensorStorage {
        if isKept { return weight.form(form, byteCount: byteCount, fill) }
        let made = TensorStorage(byteCount: byteCount)
        fill(made.base)
        return made
      }
      guard usesWinograd else {
        return made(4 * size) { kb_pack(kernels, c, weight.floats, $0.floats, gradient) }
      }
      return made(4 * kb_winograd_filters(c)) {
        let packed = TensorStorage(floats: size)
        kb_pack(kernels, c, weight.floats, packed.floats, gradient)
        kernels.pointee.winograd_filters(c, packed.floats, $0.floats, gradient)
      }
    }
  }

  func withSizes<Result>(_ body: (UnsafePointer<kb_convolution>) -> Result) -> Result {
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
