internal import CKernels

// Operations of plain maps again, for maps in the blocked layout.

extension Tensor {
  private var blockCount: Int { Layout.blocks(shape[1]) }
  private var pixelCount: Int { shape.inner(of: 1) }

  /// Channels from ..< to.
  func channels(_ from: Int, _ to: Int) -> Tensor {
    let whole = shape
    return copiedChannels(from, to).recorded(from: [self]) { dy in
      let edges = [from, whole[1] - to].map { Tensor.zeroMap([whole[0], $0, whole[2], whole[3]]) }
      return [Tensor.joined([edges[0], dy, edges[1]].filter { $0.shape[1] > 0 })]
    }
  }

  private static func zeroMap(_ shape: Shape) -> Tensor {
    Tensor(shape, .single, .blocked) { k_fill(K_SINGLE, 0, $0, Layout.blocked.count(shape)) }
  }

  private func copiedChannels(_ from: Int, _ to: Int) -> Tensor {
    let (shape, pixelCount) = (shape, pixelCount)
    let x = blocks
    return Tensor([shape[0], to - from, shape[2], shape[3]], .single, .blocked) { y in
      FastKernels.forEachRange(shape[0]) { first, end in
        let scratch = TensorStorage(floats: 256 * (Layout.blocks(shape[1]) + 2))
        FastKernels.current.copy_channels(
          x.floats, shape[1], from, y.floats, to - from, pixelCount, scratch.floats, first, end)
      }
    }
  }

  /// The channels of all parts, one after the other.
  static func joinedChannels(_ parts: [Tensor]) -> Tensor {
    let widths = parts.map { $0.shape[1] }
    return joined(parts.map(\.detached)).recorded(from: parts) { dy in
      var from = 0
      return widths.map { width in
        defer { from += width }
        return dy.sliced(axis: 1, from: from, to: from + width)
      }
    }
  }

  private static func joined(_ parts: [Tensor]) -> Tensor {
    parts[1...].reduce(parts[0]) { a, b in
      let (shape, blocks) = (a.shape, a.blockCount + b.blockCount)
      let (x, y) = (a.blocks, b.blocks)
      return Tensor([shape[0], shape[1] + b.shape[1], shape[2], shape[3]], .single, .blocked) { z in
        FastKernels.forEachRange(shape[0]) { first, end in
          let scratch = TensorStorage(floats: 256 * blocks)
          FastKernels.current.join_channels(
            x.floats, shape[1], y.floats, b.shape[1], z.floats, shape.inner(of: 1), scratch.floats, first, end
          )
        }
      }
    }
  }

  /// Channel 2 c is channel c of a, 2 c + 1 that of b: concatenation and a shuffle in two groups at once.
  static func interleavedBlocks(_ a: Tensor, _ b: Tensor) -> Tensor {
    let (shape, pixels) = (a.shape, a.pixelCount)
    let (x, y) = (a.blocks, b.blocks)
    let both: Shape = [shape[0], 2 * shape[1], shape[2], shape[3]]
    return Tensor(both, .single, .blocked) { z in
      FastKernels.forEachRange(shape[0]) {
        FastKernels.current.interleave(x.floats, y.floats, z.floats, shape[1], pixels, $0, $1)
      }
    }.recorded(from: [a, b]) { dz in
      let slope = dz.blocks
      let parts = (Tensor.unfilled(shape, .single, .blocked), Tensor.unfilled(shape, .single, .blocked))
      FastKernels.forEachRange(shape[0]) {
        FastKernels.current.deinterleave(
          slope.floats, parts.0.blocks.floats, parts.1.blocks.floats, shape[1], pixels, $0, $1)
      }
      return [parts.0, parts.1]
    }
  }

  /// `interleavedBlocks`, split in the middle: one pass each way.
  static func shuffledHalvesOfBlocks(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
    typealias Pass = (
      _ x: (Tensor, Tensor), _ y: (Tensor, Tensor), _ scratch: TensorStorage, _ first: Int, _ end: Int
    ) -> Void
    let (shape, pixels) = (a.shape, a.pixelCount)
    @Sendable func moved(_ x: (Tensor, Tensor), by pass: Pass) -> (Tensor, Tensor) {
      let y = (Tensor.unfilled(shape, .single, .blocked), Tensor.unfilled(shape, .single, .blocked))
      FastKernels.forEachRange(shape[0]) { first, end in
        let scratch = TensorStorage(floats: 32 * Layout.blocks(shape[1]) * Layout.lanes)
        pass(x, y, scratch, first, end)
      }
      return y
    }
    let halves = moved((a, b)) { x, y, scratch, first, end in
      FastKernels.current.shuffle_halves(
        x.0.blocks.floats, x.1.blocks.floats, y.0.blocks.floats, y.1.blocks.floats, shape[1], pixels,
        scratch.floats, first, end)
    }
    let recorded = recorded([halves.0, halves.1], from: [a, b]) { slopes in
      let slopes = (slopes[0] ?? zeroMap(shape), slopes[1] ?? zeroMap(shape))
      let (da, db) = moved(slopes) { x, y, scratch, first, end in
        FastKernels.current.unshuffle_halves(
          x.0.blocks.floats, x.1.blocks.floats, y.0.blocks.floats, y.1.blocks.floats, shape[1], pixels,
          scratch.floats, first, end)
      }
      return [da, db]
    }
    return (recorded[0], recorded[1])
  }

  /// Channel a × (C / groups) + b goes to b × groups + a.
  func shuffledBlocks(groups: Int) -> Tensor {
    let (channels, each) = (shape[1], shape[1] / groups)
    let order = (0..<channels).map { Int32($0 % each * groups + $0 / each) }
    let x = blocks
    return Tensor(shape, .single, .blocked) {
      kb_permute_channels(x.floats, $0.floats, order, channels, shape[0], pixelCount)
    }.recorded(from: [self]) {
      [$0.channelShuffle(groups: each)]
    }
  }

  /// The mean over positions: `[batch, channels]`.
  func pixelMeans() -> Tensor {
    let (shape, blockCount, pixelCount) = (shape, blockCount, pixelCount)
    let x = blocks
    let rows = TensorStorage(floats: shape[0] * blockCount * Layout.lanes)
    FastKernels.forEachRange(shape[0]) {
      FastKernels.current.pixel_means(x.floats, rows.floats, blockCount, pixelCount, $0, $1)
    }
    return Tensor([shape[0], shape[1]], .single) {
      kb_unblock(rows.floats, $0.floats, shape[0], shape[1], 1)
    }.recorded(from: [self]) { dy in
      let rows = dy.blockedRows
      return [
        Tensor(shape, .single, .blocked) { dx in
          FastKernels.forEachRange(shape[0]) {
            FastKernels.current.spread_means(rows.floats, dx.floats, blockCount, pixelCount, $0, $1)
          }
        }
      ]
    }
  }

  /// A matrix `[batch, channels]` with each row padded to whole blocks.
  private var blockedRows: TensorStorage {
    let rows = TensorStorage(floats: shape[0] * Layout.blocks(shape[1]) * Layout.lanes)
    kb_block(storage.floats, rows.floats, shape[0], shape[1], 1)
    return rows
  }

  /// Times one gate a sample and channel, `[batch, channels]`.
  func gatingBlocks(_ gates: Tensor) -> Tensor {
    let (shape, blockCount, pixelCount) = (shape, blockCount, pixelCount)
    @Sendable func gated(_ x: TensorStorage, _ rows: TensorStorage) -> Tensor {
      Tensor(shape, .single, .blocked) { y in
        FastKernels.forEachRange(shape[0]) {
          FastKernels.current.gate(x.floats, rows.floats, y.floats, blockCount, pixelCount, $0, $1)
        }
      }
    }
    let rows = gates.blockedRows
    return gated(blocks, rows).recorded(from: [self, gates]) { [x = detached] dy in
      let (maps, slope) = (x.blocks, dy.blocks)
      let sums = TensorStorage(floats: shape[0] * blockCount * Layout.lanes)
      FastKernels.forEachRange(shape[0]) {
        FastKernels.current.gate_slope(maps.floats, slope.floats, sums.floats, blockCount, pixelCount, $0, $1)
      }
      let dgates = Tensor([shape[0], shape[1]], .single) {
        kb_unblock(sums.floats, $0.floats, shape[0], shape[1], 1)
      }
      return [gated(slope, rows), dgates]
    }
  }

  /// Bilinear interpolation, half-pixel centres: the bits of the plain one.
  func bilinearBlocks(_ height: Int, _ width: Int) -> Tensor {
    let (shape, planes) = (shape, shape[0] * blockCount)
    let x = blocks
    let resized = Tensor([shape[0], shape[1], height, width], .single, .blocked) { y in
      FastKernels.forEachRange(planes) {
        FastKernels.current.bilinear(x.floats, y.floats, shape[2], shape[3], height, width, $0, $1)
      }
    }
    return resized.recorded(from: [self]) { dy in
      let slope = dy.blocks
      return [
        Tensor(shape, .single, .blocked) { dx in
          FastKernels.forEachRange(planes) {
            FastKernels.current.bilinear_pullback(
              slope.floats, dx.floats, shape[2], shape[3], height, width, $0, $1)
          }
        }
      ]
    }
  }

  /// The sum of each channel over batch and positions, `[channels]`: per image in single precision, images in double, ascending.
  func channelSums() -> Tensor {
    if layout == .plain { return sumKeeping(axis: 1) }
    let rows = pixelMeans() * Double(pixelCount)
    return rows.sumKeeping(axis: 1)
  }
}
