internal import CKernels

// Operations of plain maps again, for maps in the blocked layout.

extension Tensor {
  private var blockCount: Int { Layout.blocks(shape[1]) }
  private var pixelCount: Int { shape.inner(of: 1) }

  /// Channels from ..< to.
  func channels(_ from: Int, _ to: Int) -> Tensor {
    let shape = shape
    let part: Shape = [shape[0], to - from, shape[2], shape[3]]
    let x = blocks
    return Tensor(part, .single, .blocked) {
      Self.clear($0, part)
      kb_copy_channels(x.floats, shape[1], from, $0.floats, part[1], 0, part[1], part[0], part.inner(of: 1))
    }.recorded(from: [self]) { dy in
      let slope = dy.blocks
      return [
        Tensor(shape, .single, .blocked) {
          k_fill(K_SINGLE, 0, $0, Layout.blocked.count(shape))
          kb_copy_channels(
            slope.floats, part[1], 0, $0.floats, shape[1], from, part[1], part[0], part.inner(of: 1))
        }
      ]
    }
  }

  /// The channels of all parts, one after the other.
  static func joinedChannels(_ parts: [Tensor], _ shape: Shape) -> Tensor {
    let widths = parts.map { $0.shape[1] }
    return Tensor(shape, .single, .blocked) { y in
      clear(y, shape)
      var to = 0
      for part in parts {
        kb_copy_channels(
          part.blocks.floats, part.shape[1], 0, y.floats, shape[1], to, part.shape[1], shape[0],
          shape.inner(of: 1))
        to += part.shape[1]
      }
    }.recorded(from: parts) { dy in
      var from = 0
      return widths.map { width in
        defer { from += width }
        return dy.sliced(axis: 1, from: from, to: from + width)
      }
    }
  }

  /// Zeros where channels pad the last block; only whole images at once, because that is where they are few.
  private static func clear(_ y: UnsafeMutableRawPointer, _ shape: Shape) {
    if shape[1] % Layout.lanes != 0 { k_fill(K_SINGLE, 0, y, Layout.blocked.count(shape)) }
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

  /// The sum of each channel over batch and positions, `[channels]`: per image in single precision, images in double, ascending.
  func channelSums() -> Tensor {
    if layout == .plain { return sumKeeping(axis: 1) }
    let rows = pixelMeans() * Double(pixelCount)
    return rows.sumKeeping(axis: 1)
  }
}
