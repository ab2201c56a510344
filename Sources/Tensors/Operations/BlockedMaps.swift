// Operations of plain maps again, for maps in the blocked layout.

extension Tensor {
  /// Channels from ..< to.
  func channels(_ from: Int, _ to: Int) -> Tensor {
    Primitives.channels(self, from..<to).recorded(from: [self]) { [whole = shape] dy in
      let edges = [from, whole[1] - to].map { Tensor.zeroMap([whole[0], $0, whole[2], whole[3]]) }
      return [Tensor.joined([edges[0], dy, edges[1]].filter { $0.shape[1] > 0 })]
    }
  }

  private static func zeroMap(_ shape: Shape) -> Tensor { Primitives.filled(0, shape, .single, .blocked) }

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
    parts[1...].reduce(parts[0]) { Primitives.joinChannels($0, $1) }
  }

  /// Channel 2 c is channel c of a, 2 c + 1 that of b: concatenation and a shuffle in two groups at once.
  static func interleavedBlocks(_ a: Tensor, _ b: Tensor) -> Tensor {
    Primitives.interleave(a, b).recorded(from: [a, b]) { dz in
      let (da, db) = Primitives.deinterleave(dz)
      return [da, db]
    }
  }

  /// `interleavedBlocks`, split in the middle: one pass each way.
  static func shuffledHalvesOfBlocks(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
    let shape = a.shape
    let (low, high) = Primitives.shuffleHalves(a, b)
    let recorded = recorded([low, high], from: [a, b]) { gradients in
      let (da, db) = Primitives.shuffleHalves(
        gradients[0] ?? zeroMap(shape), gradients[1] ?? zeroMap(shape), back: true)
      return [da, db]
    }
    return (recorded[0], recorded[1])
  }

  /// Channel a × (C / groups) + b goes to b × groups + a.
  func shuffledBlocks(groups: Int) -> Tensor {
    let each = shape[1] / groups
    let order = (0..<shape[1]).map { $0 % each * groups + $0 / each }
    return Primitives.permuteBlockedChannels(self, order).recorded(from: [self]) {
      [$0.channelShuffle(groups: each)]
    }
  }

  /// The mean over positions: `[batch, channels]`.
  func pixelMeans() -> Tensor {
    Primitives.pixelMeans(self).recorded(from: [self]) { [shape] dy in
      [Primitives.pixelMeansPullback(dy, shape)]
    }
  }

  /// Times one gate a sample and channel, `[batch, channels]`.
  func gatingBlocks(_ gates: Tensor) -> Tensor {
    let rows = Primitives.blockedRows(gates)
    return Primitives.gate(self, rows).recorded(from: [self, gates]) { [x = detached] dy in
      let dgates = Primitives.gatePullback(x, dy)
      return [Primitives.gate(dy, rows), dgates]
    }
  }

  /// Bilinear interpolation, half-pixel centres: the bits of the plain one.
  func bilinearBlocks(_ height: Int, _ width: Int) -> Tensor {
    Primitives.resizeBlocked(self, height, width).recorded(from: [self]) { [shape] dy in
      [Primitives.resizeBlockedPullback(dy, shape)]
    }
  }

  /// The sum of each channel over batch and positions, `[channels]`: per image in single precision, images in
  /// double, ascending.
  func channelSums() -> Tensor {
    if layout == .plain { return sumKeeping(axis: 1) }
    let rows = pixelMeans() * Double(shape.inner(of: 1))
    return rows.sumKeeping(axis: 1)
  }
}
