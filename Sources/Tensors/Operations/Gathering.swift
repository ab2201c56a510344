internal import CKernels

extension Tensor {
  /// The named steps along the first axis, in the order of `indices`; repeats are allowed.
  package func rows(_ indices: [Int]) -> Tensor {
    precondition(indices.allSatisfy { 0 <= $0 && $0 < shape[0] }, "rows \(indices) of \(shape)")
    let inner = shape.inner(of: 0)
    let width = inner * precision.byteCount
    return .computed(Shape([indices.count] + shape.dimensions[1...]), from: [self]) { base in
      for (row, index) in indices.enumerated() {
        (base + row * width).copyMemory(from: storage.base + index * width, byteCount: width)
      }
    } pullback: { [shape] upstream in
      [
        Tensor(shape, upstream.precision) { base in
          k_fill(upstream.precision.kernel, 0, base, shape.count)
          for (row, index) in indices.enumerated() {
            k_accumulate(
              upstream.precision.kernel, upstream.storage.base + row * width, 1, base + index * width, inner)
          }
        }
      ]
    }.moved(with: self) { $0.rows(indices) }
  }

  /// Element `index[r]` of each row r of a matrix: `[rows]`.
  package func element(perRow index: [Int]) -> Tensor {
    precondition(shape.rank == 2 && index.count == shape[0], "\(index.count) indices for \(shape)")
    precondition(index.allSatisfy { 0 <= $0 && $0 < shape[1] }, "indices \(index) of \(shape)")
    let (rows, columns, wide) = (shape[0], shape[1], index.map(Int64.init))
    return .computed([rows], from: [self]) {
      k_pick(precision.kernel, storage.base, wide, $0, rows, columns)
    } pullback: { [shape] upstream in
      [
        Tensor(shape, upstream.precision) {
          k_pick_pullback(upstream.precision.kernel, upstream.storage.base, wide, $0, rows, columns)
        }
      ]
    }.moved(with: self) { $0.element(perRow: index) }
  }

  /// The column of the largest element of each row, the lowest on ties.
  package func largestPerRow() -> [Int] {
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
