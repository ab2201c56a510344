extension Tensor {
  /// The named steps along the first axis, in the order of `indices`; repeats are allowed.
  public func rows(_ indices: [Int]) -> Tensor {
    precondition(indices.allSatisfy { 0 <= $0 && $0 < shape[0] }, "rows \(indices) of \(shape)")
    return .computed(from: [self]) {
      Primitives.gather(self, indices)
    } pullback: { [shape] upstream in
      [Primitives.gatherPullback(upstream, indices, shape)]
    }.moved(with: self) { $0.rows(indices) }
  }

  /// Element `index[r]` of each row r of a matrix: `[rows]`.
  public func element(perRow index: [Int]) -> Tensor {
    precondition(shape.rank == 2 && index.count == shape[0], "\(index.count) indices for \(shape)")
    precondition(index.allSatisfy { 0 <= $0 && $0 < shape[1] }, "indices \(index) of \(shape)")
    let places = index.map(Int64.init)
    return .computed(from: [self]) {
      Primitives.pick(self, places)
    } pullback: { [shape] upstream in
      [Primitives.pickPullback(upstream, places, shape)]
    }.moved(with: self) { $0.element(perRow: index) }
  }

  /// The column of the largest element of each row, the lowest on ties.
  public func largestPerRow() -> [Int] {
    let (columns, values) = (shape[1], doubles)
    return (0..<shape[0]).map { row in
      var best = 0
      for column in 1..<columns where values[row * columns + column] > values[row * columns + best] {
        best = column
      }
      return best
    }
  }
}
