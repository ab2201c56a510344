internal import CKernels

/// A convolution between two norms, a few images at a time: what it reads passes the norm before it in a
/// core's cache, and so does the gradient that comes back from the norm behind it. Neither is ever stored
/// whole. The bits are those of one pass after the other.
extension FastConvolution {
  /// - Parameters:
  ///   - pending: the norm that maps have to pass first.
  ///   - moments: takes the statistics of the images.
  func forward(_ y: Tensor, passing pending: PendingNorm, _ weight: Tensor, moments: TensorStorage) -> Tensor
  {
    let packed = packed(weight.storage, forwardWeights)
    let device = Device.current
    let kernels = device.kernels
    let pass = pass(kernels)
    let from = y.blocks
    let (inputFloats, outputFloats) = (imageFloats(input), imageFloats(output))
    let momentFloats = Layout.blocks(output[1]) * KB_MOMENT_FLOATS
    let together = max(1, Self.groupFloats / inputFloats)
    return Tensor(output, .single, .blocked) { to in
      withSizes { c in
        device.forEachRange(batch) { first, end in
          let scratch = TensorStorage(floats: scratchFloats, in: device.pool)
          let maps = TensorStorage(floats: min(together, end - first) * inputFloats, in: device.pool)
          for start in stride(from: first, to: end, by: together) {
            let count = min(together, end - start)
            pending.write(from.floats + start * inputFloats, count, to: maps.floats, kernels)
            pass(
              c, maps.floats, packed.floats, to.floats + start * outputFloats, scratch.floats, nil,
              moments.floats + start * momentFloats, 0, count)
          }
        }
      }
    }
  }

  /// The gradients that are asked for, from that of the norm behind.
  ///
  /// - Parameters:
  ///   - x: what the forward pass read; behind `pending`, where there is one.
  ///   - norm: writes the gradient of the output.
  func gradients(
    _ x: Tensor, passing pending: PendingNorm?, _ weight: Tensor, _ norm: FastNorm.Gradients,
    wantsInput: Bool,
    wantsWeight: Bool
  ) -> (dx: Tensor?, dweight: Tensor?) {
    let device = Device.current
    guard !usesWinograd, device.threads == 1 else {
      // Winograd's sums of a batch stay transformed, and several threads share the
      // output blocks of all images.
      return gradients(
        pending.map { $0(x) } ?? x, weight, norm.y, wantsInput: wantsInput, wantsWeight: wantsWeight)
    }
    let kernels = device.kernels
    let packed = wantsInput ? packed(weight.storage, .gradient, isKept: !wantsWeight) : nil
    let dx = wantsInput ? Tensor.unfilled(input, .single, .blocked) : nil
    let from = x.blocks
    let (inputFloats, outputFloats) = (imageFloats(input), imageFloats(output))
    let scratch = TensorStorage(floats: scratchFloats)
    return withSizes { c in
      let sums = wantsWeight ? weightSums(c) : nil
      let together = min(batch, max(kb_images_at_once(c), Self.groupFloats / max(inputFloats, outputFloats)))
      let dy = TensorStorage(floats: together * outputFloats)
      let read = pending.map { _ in TensorStorage(floats: together * inputFloats) }
      for start in stride(from: 0, to: batch, by: together) {
        let end = min(start + together, batch)
        norm.write(start..<end, to: dy.floats, kernels)
        if let dx, let packed {
          let pass = isDepthwise ? kernels.pointee.depthwise_data : kernels.pointee.convolve_data
          pass(
            c, dy.floats, packed.floats, dx.blocks.floats + start * inputFloats, scratch.floats, 0,
            end - start)
        }
        if let sums {
          let maps = from.floats + start * inputFloats
          if let read { pending?.write(maps, end - start, to: read.floats, kernels) }
          var group = c.pointee
          group.batch = end - start
          let pass = isDepthwise ? kernels.pointee.depthwise_weight : kernels.pointee.convolve_weight
          pass(
            &group, read?.floats ?? maps, dy.floats, sums.floats, scratch.floats, 0, Layout.blocks(output[1]))
        }
      }
      let dweight = sums.map { sums in
        Tensor(weight.shape, .single) {
          kb_unpack(kernels, c, sums.floats, $0.floats, 0, Layout.blocks(output[1]))
        }
      }
      return (dx, dweight)
    }
  }

  /// Of maps in a group: what the second cache holds beside their gradients and the weights.
  private static let groupFloats = 32 << 10
}
