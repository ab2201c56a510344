extension Tensor {
  /// The product of two matrices, each transposed first where asked.
  package func matmul(_ other: Tensor, transposingSelf aT: Bool = false, transposingOther bT: Bool = false)
    -> Tensor
  {
    precondition(shape.rank == 2 && other.shape.rank == 2, "matrices, not \(shape) and \(other.shape)")
    let (m, k) = aT ? (shape[1], shape[0]) : (shape[0], shape[1])
    let (rows, n) = bT ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
    precondition(k == rows, "\(shape)\(aT ? "ᵀ" : "") times \(other.shape)\(bT ? "ᵀ" : "")")
    return .computed([m, n], from: [self, other]) {
      BLAS.multiply(
        precision, storage.base, transposingA: aT, other.storage.base, transposingB: bT, into: $0, m: m, n: n,
        k: k)
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
