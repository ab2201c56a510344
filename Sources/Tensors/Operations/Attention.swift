internal import CKernels

extension Tensor {
  /// The product of each pair of matrices: self `[count, m, k]` times other `[count, k, n]`, transposed first where asked.
  package func batchedMatmul(
    _ other: Tensor, transposingSelf aT: Bool = false, transposingOther bT: Bool = false
  ) -> Tensor {
    precondition(
      shape.rank == 3 && other.shape.rank == 3 && shape[0] == other.shape[0],
      "lists of matrices, not \(shape) and \(other.shape)")
    let (m, k) = aT ? (shape[2], shape[1]) : (shape[1], shape[2])
    let (rows, n) = bT ? (other.shape[2], other.shape[1]) : (other.shape[1], other.shape[2])
    precondition(k == rows, "\(shape)\(aT ? "ᵀ" : "") times \(other.shape)\(bT ? "ᵀ" : "")")
    return .computed([shape[0], m, n], from: [self, other]) { base in
      let size = precision.byteCount
      for index in 0..<shape[0] {
        BLAS.multiply(
          precision, storage.base + index * m * k * size, transposingA: aT,
          other.storage.base + index * k * n * size, transposingB: bT, into: base + index * m * n * size,
          m: m, n: n, k: k)
      }
    } pullback: { [a = detached, b = other.detached] upstream in
      [
        aT
          ? b.batchedMatmul(upstream, transposingSelf: bT, transposingOther: true)
          : upstream.batchedMatmul(b, transposingOther: !bT),
        bT
          ? upstream.batchedMatmul(a, transposingSelf: true, transposingOther: aT)
          : a.batchedMatmul(upstream, transposingSelf: !aT),
      ]
    }
  }

  /// softmax(scale × x) over the last axis. In single precision the exponential is the kernels' own, the same bits everywhere.
  package func softmax(scale: Double) -> Tensor {
    let columns = shape[shape.rank - 1]
    let rows = shape.outer(of: shape.rank - 1)
    let output = Tensor(shape, precision) {
      k_scaled_softmax(precision.kernel, storage.base, scale, $0, rows, columns)
    }
    return output.recorded(from: [self]) { [y = output] upstream in
      [
        Tensor(y.shape, y.precision) {
          k_scaled_softmax_pullback(
            y.precision.kernel, y.storage.base, scale, upstream.storage.base, $0, rows, columns)
        }
      ]
    }
  }

  /// The heads of each of `parts` equal parts of the features, part after part: from `[batch, tokens, parts × heads × width]` to `parts` times
  /// `[batch × heads, tokens, width]`.
  package func splitIntoHeads(_ heads: Int, parts: Int) -> [Tensor] {
    precondition(shape.rank == 3 && shape[2] % (parts * heads) == 0, "\(heads) heads of \(shape)")
    let (batch, tokens) = (shape[0], shape[1])
    let width = shape[2] / (parts * heads)
    let split = (0..<parts).map { part in
      Tensor([batch * heads, tokens, width], precision) {
        k_split_heads(precision.kernel, storage.base, $0, batch, tokens, parts, part, heads, width)
      }
    }
    return Tensor.recorded(split, from: [self]) { [shape, precision] slopes in
      [
        Tensor(shape, precision) {
          if slopes.contains(where: { $0 == nil }) { k_fill(precision.kernel, 0, $0, shape.count) }
          for (part, slope) in slopes.enumerated() {
            guard let slope else { continue }
            k_merge_heads(
              precision.kernel, slope.storage.base, $0, batch, tokens, parts, part, heads, width)
          }
        }
      ]
    }
  }

  /// The other way, for one part: `[batch × heads, tokens, width]` to `[batch, tokens, heads × width]`.
  package func mergingHeads(_ heads: Int) -> Tensor {
    precondition(shape.rank == 3 && shape[0] % heads == 0, "\(heads) heads of \(shape)")
    let (batch, tokens, width) = (shape[0] / heads, shape[1], shape[2])
    return .computed([batch, tokens, heads * width], from: [self]) {
      k_merge_heads(precision.kernel, storage.base, $0, batch, tokens, 1, 0, heads, width)
    } pullback: { upstream in
      upstream.splitIntoHeads(heads, parts: 1)
    }
  }

  /// `[batch, columns, rows]` from `[batch, rows, columns]`.
  package func swappingLastAxes() -> Tensor {
    precondition(shape.rank == 3, "a list of matrices, not \(shape)")
    let (batch, rows, columns) = (shape[0], shape[1], shape[2])
    return .computed([batch, columns, rows], from: [self]) {
      k_transpose(precision.kernel, storage.base, $0, batch, rows, columns)
    } pullback: {
      [$0.swappingLastAxes()]
    }
  }
}
