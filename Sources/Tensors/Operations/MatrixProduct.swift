extension Tensor {
  /// The product of two matrices, each transposed first where asked.
  ///
  /// - Parameter byRow: whether each row of the result is computed alone. A library sums the rows at the edge of its tiles in another order, so
  ///   that a row's last bits depend on how many others there are; a row alone has always the same.
  package func matmul(
    _ other: Tensor, transposingSelf aT: Bool = false, transposingOther bT: Bool = false, byRow: Bool = false
  ) -> Tensor {
    precondition(!byRow || !aT, "a row of a transposed matrix does not lie together")
    precondition(shape.rank == 2 && other.shape.rank == 2, "matrices, not \(shape) and \(other.shape)")
    let (m, k) = aT ? (shape[1], shape[0]) : (shape[0], shape[1])
    let (rows, n) = bT ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
    precondition(k == rows, "\(shape)\(aT ? "ᵀ" : "") times \(other.shape)\(bT ? "ᵀ" : "")")
    return .computed([m, n], from: [self, other]) {
      let (calls, rows) = byRow ? (m, 1) : (1, m)
      for call in 0..<calls {
        BLAS.multiply(
          precision, storage.base + call * k * precision.byteCount, transposingA: aT, other.storage.base,
          transposingB: bT, into: $0 + call * n * precision.byteCount, m: rows, n: n, k: k)
      }
    } pullback: { [a = detached, b = other.detached] upstream in
      [
        aT
          ? b.matmul(upstream, transposingSelf: bT, transposingOther: true)
          : upstream.matmul(b, transposingOther: !bT),
        bT
          ? upstream.matmul(a, transposingSelf: true, transposingOther: aT)
          : a.matmul(upstream, transposingSelf: !aT),
      ]
    }
  }
}
