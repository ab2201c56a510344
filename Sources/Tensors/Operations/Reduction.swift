internal import CKernels

extension Tensor {
  /// factor × the sum over all axes but one: `[extent of axis]`.
  func sumKeeping(axis: Int, factor: Double = 1) -> Tensor {
    let (outer, middle, inner) = (shape.outer(of: axis), shape[axis], shape.inner(of: axis))
    return .computed([middle], from: [self]) {
      k_sum_to_middle(precision.kernel, storage.base, factor, $0, outer, middle, inner)
    } pullback: { [shape] upstream in
      [
        Tensor(shape, upstream.precision) {
          k_spread_middle(upstream.precision.kernel, upstream.storage.base, factor, $0, outer, middle, inner)
        }
      ]
    }.moved(with: self) { $0.sumKeeping(axis: axis, factor: factor) }
  }

  /// The sum of all elements, shape `[]`.
  package func sum() -> Tensor { reshaped([1, count]).sumKeeping(axis: 0).reshaped([]) }

  /// The mean of all elements, shape `[]`.
  package func mean() -> Tensor {
    reshaped([1, count]).sumKeeping(axis: 0, factor: 1 / Double(count)).reshaped([])
  }

  /// The mean over all but the first axis: `[batch]`.
  package func rowMeans() -> Tensor { sumKeeping(axis: 0, factor: 1 / Double(shape.inner(of: 0))) }

  /// The sum over all but the first axis: `[batch]`.
  package func rowSums() -> Tensor { sumKeeping(axis: 0) }

  /// The sum over one axis, which is dropped.
  package func sum(axis: Int) -> Tensor { reduced(axis: axis, factor: 1) }

  /// The mean over one axis, which is dropped.
  package func mean(axis: Int) -> Tensor { reduced(axis: axis, factor: 1 / Double(shape[axis])) }

  private func reduced(axis: Int, factor: Double) -> Tensor {
    let (outer, extent, inner) = (shape.outer(of: axis), shape[axis], shape.inner(of: axis))
    let rest = Shape(Array(shape.dimensions[..<axis] + shape.dimensions[(axis + 1)...]))
    return .computed(rest, from: [self]) {
      k_sum_axis(precision.kernel, storage.base, factor, $0, outer, extent, inner)
    } pullback: { [shape] upstream in
      [
        Tensor(shape, upstream.precision) {
          k_spread_axis(upstream.precision.kernel, upstream.storage.base, factor, $0, outer, extent, inner)
        }
      ]
    }.moved(with: self) { $0.reduced(axis: axis, factor: factor) }
  }
}
