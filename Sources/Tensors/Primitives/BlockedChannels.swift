internal import CKernels

// Maps in the blocked layout, image by image on as many threads as there are.

extension Shape {
  fileprivate var blocks: Int { Layout.blocks(self[1]) }
  fileprivate var pixels: Int { inner(of: 1) }
  fileprivate func channels(_ count: Int) -> Shape { [self[0], count, self[2], self[3]] }
}

extension Primitives {
  /// Some channels of x.
  static func channels(_ x: Tensor, _ range: Range<Int>) -> Tensor {
    let device = Device.current
    let shape = x.shape
    let from = x.blocks
    return Tensor(shape.channels(range.count), .single, .blocked) { y in
      device.forEachRange(shape[0]) { first, end in
        let scratch = TensorStorage(floats: 256 * (shape.blocks + 2), in: device.pool)
        device.kernels.pointee.copy_channels(
          from.floats, shape[1], range.lowerBound, y.floats, range.count, shape.pixels, scratch.floats, first,
          end)
      }
    }
  }

  /// The channels of a, then those of b.
  static func joinChannels(_ a: Tensor, _ b: Tensor) -> Tensor {
    let device = Device.current
    let shape = a.shape
    let width = b.shape[1]
    let blocks = shape.blocks + b.shape.blocks
    let x = a.blocks
    let y = b.blocks
    return Tensor(shape.channels(shape[1] + width), .single, .blocked) { z in
      device.forEachRange(shape[0]) { first, end in
        let scratch = TensorStorage(floats: 256 * blocks, in: device.pool)
        device.kernels.pointee.join_channels(
          x.floats, shape[1], y.floats, width, z.floats, shape.pixels, scratch.floats, first, end)
      }
    }
  }

  /// Channel 2 c is channel c of a, 2 c + 1 that of b.
  static func interleave(_ a: Tensor, _ b: Tensor) -> Tensor {
    let device = Device.current
    let shape = a.shape
    let x = a.blocks
    let y = b.blocks
    return Tensor(shape.channels(2 * shape[1]), .single, .blocked) { z in
      device.forEachRange(shape[0]) {
        device.kernels.pointee.interleave(x.floats, y.floats, z.floats, shape[1], shape.pixels, $0, $1)
      }
    }
  }

  /// The other way.
  static func deinterleave(_ z: Tensor) -> (Tensor, Tensor) {
    let device = Device.current
    let shape = z.shape.channels(z.shape[1] / 2)
    let from = z.blocks
    let a = Tensor.unfilled(shape, .single, .blocked)
    let b = Tensor.unfilled(shape, .single, .blocked)
    device.forEachRange(shape[0]) {
      device.kernels.pointee.deinterleave(
        from.floats, a.blocks.floats, b.blocks.floats, shape[1], shape.pixels, $0, $1)
    }
    return (a, b)
  }

  /// The first and the second half of the channels of `interleave(a, b)`, in one pass; `back` is the other
  /// way.
  static func shuffleHalves(_ a: Tensor, _ b: Tensor, back: Bool = false) -> (Tensor, Tensor) {
    let device = Device.current
    let shape = a.shape
    let x0 = a.blocks
    let x1 = b.blocks
    let low = Tensor.unfilled(shape, .single, .blocked)
    let high = Tensor.unfilled(shape, .single, .blocked)
    let kernels = device.kernels.pointee
    let pass = back ? kernels.unshuffle_halves : kernels.shuffle_halves
    device.forEachRange(shape[0]) { first, end in
      let scratch = TensorStorage(floats: 32 * shape.blocks * Layout.lanes, in: device.pool)
      pass(
        x0.floats, x1.floats, low.blocks.floats, high.blocks.floats, shape[1], shape.pixels, scratch.floats,
        first, end)
    }
    return (low, high)
  }

  /// Channel c goes to `order[c]`.
  static func permuteBlockedChannels(_ x: Tensor, _ order: [Int]) -> Tensor {
    let from = x.blocks
    return Tensor(x.shape, .single, .blocked) {
      kb_permute_channels(
        from.floats, $0.floats, order.map(Int32.init), x.shape[1], x.shape[0], x.shape.pixels)
    }
  }

  /// The mean over positions: `[batch, channels]`.
  static func pixelMeans(_ x: Tensor) -> Tensor {
    let device = Device.current
    let shape = x.shape
    let from = x.blocks
    let rows = TensorStorage(floats: shape[0] * shape.blocks * Layout.lanes)
    device.forEachRange(shape[0]) {
      device.kernels.pointee.pixel_means(from.floats, rows.floats, shape.blocks, shape.pixels, $0, $1)
    }
    return unblocked(rows, shape)
  }

  /// - Parameter shape: of the maps.
  static func pixelMeansPullback(_ gradient: Tensor, _ shape: Shape) -> Tensor {
    let device = Device.current
    let rows = blockedRows(gradient)
    return Tensor(shape, .single, .blocked) { dx in
      device.forEachRange(shape[0]) {
        device.kernels.pointee.spread_means(rows.floats, dx.floats, shape.blocks, shape.pixels, $0, $1)
      }
    }
  }

  /// A matrix `[batch, channels]` with each row padded to whole blocks.
  static func blockedRows(_ rows: Tensor) -> TensorStorage {
    let blocked = TensorStorage(floats: rows.shape[0] * rows.shape.blocks * Layout.lanes)
    kb_block(rows.storage.floats, blocked.floats, rows.shape[0], rows.shape[1], 1)
    return blocked
  }

  private static func unblocked(_ rows: TensorStorage, _ shape: Shape) -> Tensor {
    Tensor([shape[0], shape[1]], .single) { kb_unblock(rows.floats, $0.floats, shape[0], shape[1], 1) }
  }

  /// Maps times one gate a sample and channel, as `blockedRows` makes them.
  static func gate(_ x: Tensor, _ rows: TensorStorage) -> Tensor {
    let device = Device.current
    let shape = x.shape
    let from = x.blocks
    return Tensor(shape, .single, .blocked) { y in
      device.forEachRange(shape[0]) {
        device.kernels.pointee.gate(from.floats, rows.floats, y.floats, shape.blocks, shape.pixels, $0, $1)
      }
    }
  }

  /// The gradient of the gates, `[batch, channels]`.
  static func gatePullback(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let device = Device.current
    let shape = x.shape
    let maps = x.blocks
    let upstream = gradient.blocks
    let sums = TensorStorage(floats: shape[0] * shape.blocks * Layout.lanes)
    device.forEachRange(shape[0]) {
      device.kernels.pointee.gate_gradient(
        maps.floats, upstream.floats, sums.floats, shape.blocks, shape.pixels, $0, $1)
    }
    return unblocked(sums, shape)
  }

  /// Bilinear interpolation, half-pixel centres: the bits of `Resizing.bilinear`.
  static func resizeBlocked(_ x: Tensor, _ height: Int, _ width: Int) -> Tensor {
    let device = Device.current
    let shape = x.shape
    let from = x.blocks
    return Tensor([shape[0], shape[1], height, width], .single, .blocked) { y in
      device.forEachRange(shape[0] * shape.blocks) {
        device.kernels.pointee.bilinear(from.floats, y.floats, shape[2], shape[3], height, width, $0, $1)
      }
    }
  }

  /// - Parameter shape: of the maps that were resized.
  static func resizeBlockedPullback(_ gradient: Tensor, _ shape: Shape) -> Tensor {
    let device = Device.current
    let upstream = gradient.blocks
    let (height, width) = (gradient.shape[2], gradient.shape[3])
    return Tensor(shape, .single, .blocked) { dx in
      device.forEachRange(shape[0] * shape.blocks) {
        device.kernels.pointee.bilinear_pullback(
          upstream.floats, dx.floats, shape[2], shape[3], height, width, $0, $1)
      }
    }
  }
}
