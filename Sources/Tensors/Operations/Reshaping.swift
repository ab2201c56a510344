extension Tensor {
  /// The same elements under another shape of the same count.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) as \(shape)")
    if shape == self.shape { return self }
    let view = Tensor(shape: shape, precision: precision, storage: storage, node: nil)
    return view.recorded(from: [self]) { [old = self.shape] in [$0.reshaped(old)] }
      .moved(with: self) { $0.reshaped(shape) }
  }

  /// `[batch, everything else]`.
  public var flattenedRows: Tensor { reshaped([shape[0], shape.inner(of: 0)]) }

  /// A matrix with rows and columns exchanged.
  public func transposed() -> Tensor {
    precondition(shape.rank == 2, "a matrix, not \(shape)")
    return .computed(from: [self]) {
      Primitives.transpose(self)
    } pullback: {
      [$0.transposed()]
    }.moved(with: self) { $0.transposed() }
  }

  /// Joins tensors that agree in all other extents.
  public static func concatenated(_ parts: [Tensor], axis: Int) -> Tensor {
    let first = parts[0].shape
    var dimensions = first.dimensions
    dimensions[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let shape = Shape(dimensions)
    if axis == 1, parts.contains(where: { $0.layout == .blocked }), !parts.contains(where: \.isMoving) {
      return joinedChannels(parts)
    }
    let extents = parts.map { $0.shape[axis] }
    return .computed(from: parts) {
      Primitives.join(parts, axis: axis, shape)
    } pullback: { upstream in
      var from = 0
      return extents.map { extent in
        defer { from += extent }
        return upstream.sliced(axis: axis, from: from, to: from + extent)
      }
    }.moved(with: parts) { x, tangents in
      let changes = zip(x, tangents).map { part, tangent in tangent ?? .zeros(part.shape, part.precision) }
      return OperationTangent(concatenated(changes, axis: axis))
    }
  }

  /// The samples of all parts, one after the other, as a constant. Maps keep the layout that the first part
  /// has.
  public static func stacked(_ parts: [Tensor]) -> Tensor {
    let layout = parts[0].layout
    var dimensions = parts[0].shape.dimensions
    dimensions[0] = parts.reduce(0) { $0 + $1.shape[0] }
    return Primitives.stack(parts, Shape(dimensions), layout)
  }

  /// The elements `from ..< to` along one axis.
  public func sliced(axis: Int, from: Int, to: Int) -> Tensor {
    precondition(
      0 <= from && from <= to && to <= shape[axis], "\(from) ..< \(to) of axis \(axis) of \(shape)")
    if axis == 1, layout == .blocked, !isMoving { return channels(from, to) }
    return .computed(from: [self]) {
      Primitives.slice(self, axis: axis, from..<to)
    } pullback: { [shape] upstream in
      [Primitives.slicePullback(upstream, axis: axis, from..<to, shape)]
    }.moved(with: self) { $0.sliced(axis: axis, from: from, to: to) }
  }

  /// Maps of the same shape with their channels in turn: a 0, b 0, a 1, b 1 and so on. The same as a
  /// concatenation and
  /// a shuffle in two groups.
  package static func interleaved(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape && a.shape.rank == 4, "\(a.shape) and \(b.shape)")
    if Layout.common(a, b) == .blocked, !a.isMoving, !b.isMoving { return interleavedBlocks(a, b) }
    return concatenated([a, b], axis: 1).channelShuffle(groups: 2)
  }

  /// The first and the second half of the channels of `interleaved(a, b)`.
  package static func shuffledHalves(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
    precondition(a.shape == b.shape && a.shape.rank == 4, "\(a.shape) and \(b.shape)")
    if Layout.common(a, b) == .blocked, !a.isMoving, !b.isMoving { return shuffledHalvesOfBlocks(a, b) }
    let (half, whole) = (a.shape[1], interleaved(a, b))
    return (whole.sliced(axis: 1, from: 0, to: half), whole.sliced(axis: 1, from: half, to: 2 * half))
  }

  /// Channel a × (C / groups) + b goes to b × groups + a (ShuffleNet).
  package func channelShuffle(groups: Int) -> Tensor {
    precondition(shape.rank == 4 && shape[1] % groups == 0, "\(groups) groups of \(shape)")
    let each = shape[1] / groups
    if layout == .blocked, !isMoving { return shuffledBlocks(groups: groups) }
    let order = (0..<shape[1]).map { $0 % each * groups + $0 / each }
    return .computed(from: [self]) {
      Primitives.permuteChannels(self, order)
    } pullback: {
      [$0.channelShuffle(groups: each)]
    }.moved(with: self) { $0.channelShuffle(groups: groups) }
  }
}
