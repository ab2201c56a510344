extension Tensor {
  /// factor × the sum over all axes but one: `[extent of axis]`.
  func sumKeeping(axis: Int, factor: Double = 1) -> Tensor {
    .computed(from: [self]) {
      Primitives.sum(self, keeping: axis, factor: factor)
    } pullback: { [shape] upstream in
      [Primitives.spread(upstream, along: axis, of: shape, factor: factor)]
    }.moved(with: self) { $0.sumKeeping(axis: axis, factor: factor) }
  }

  /// The sum of all elements, shape `[]`.
  public func sum() -> Tensor { reshaped([1, count]).sumKeeping(axis: 0).reshaped([]) }

  /// The mean of all elements, shape `[]`.
  public func mean() -> Tensor {
    reshaped([1, count]).sumKeeping(axis: 0, factor: 1 / Double(count)).reshaped([])
  }

  /// The mean over all but the first axis: `[batch]`.
  public func rowMeans() -> Tensor { sumKeeping(axis: 0, factor: 1 / Double(shape.inner(of: 0))) }

  /// The sum over all but the first axis: `[batch]`.
  public func rowSums() -> Tensor { sumKeeping(axis: 0) }

  /// The sum over one axis, which is dropped.
  public func sum(axis: Int) -> Tensor { reduced(axis: axis, factor: 1) }

  /// The mean over one axis, which is dropped.
  public func mean(axis: Int) -> Tensor { reduced(axis: axis, factor: 1 / Double(shape[axis])) }

  private func reduced(axis: Int, factor: Double) -> Tensor {
    .computed(from: [self]) {
      Primitives.sum(self, over: axis, factor: factor)
    } pullback: { [shape] upstream in
      [Primitives.spread(upstream, over: axis, of: shape, factor: factor)]
    }.moved(with: self) { $0.reduced(axis: axis, factor: factor) }
  }
}
