extension Tensor {
  /// The product of two matrices, each transposed first where asked, plus a row `[columns]` where one is
  /// given: the
  /// same bits as `adding(row:)` afterwards, in one pass.
  ///
  /// - Parameter isParameter: of the second factor, which is then made ready once for all products until it
  ///   changes.
  public func matmul(
    _ other: Tensor, transposingSelf aT: Bool = false, transposingOther bT: Bool = false,
    adding row: Tensor? = nil, isParameter: Bool = false
  ) -> Tensor {
    precondition(shape.rank == 2 && other.shape.rank == 2, "matrices, not \(shape) and \(other.shape)")
    let sizes = ProductSizes(
      (shape[0], shape[1]), transposed: aT, (other.shape[0], other.shape[1]), transposed: bT)
    precondition(row.map { $0.shape == [sizes.n] } ?? true, "a row of \(sizes.n) elements")
    return .computed(from: [self, other] + (row.map { [$0] } ?? [])) {
      Primitives.product(self, other, sizes, adding: row, isKept: isParameter)
    } pullback: { [a = detached, b = other.detached, hasRow = row != nil] upstream in
      let gradients = Self.productGradients(a, b, upstream, aT, bT)
      return hasRow ? gradients + [upstream.sumKeeping(axis: 1)] : gradients
    }.moved(with: [self, other] + (row.map { [$0] } ?? [])) { x, tangents in
      func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.matmul(b, transposingSelf: aT, transposingOther: bT)
      }
      let change = Tensors.sum(tangents[0].map { product($0, x[1]) }, tangents[1].map { product(x[0], $0) })
      let shift = tangents.count > 2 ? tangents[2] : nil
      return OperationTangent(
        shift.map { (change ?? .zeros([sizes.m, sizes.n], x[0].precision)).adding(row: $0) } ?? change
      ) { Self.productGradients(tangents[0], tangents[1], $0, aT, bT) + (tangents.count > 2 ? [nil] : []) }
    }
  }

  /// The gradients of a product of `a` and `b`; nil for a factor whose gradient needs one that is missing.
  private static func productGradients(
    _ a: Tensor?, _ b: Tensor?, _ upstream: Tensor, _ aT: Bool, _ bT: Bool
  ) -> [Tensor?] {
    [
      b.map { b in
        aT
          ? b.matmul(upstream, transposingSelf: bT, transposingOther: true)
          : upstream.matmul(b, transposingOther: !bT)
      },
      a.map { a in
        bT
          ? upstream.matmul(a, transposingSelf: true, transposingOther: aT)
          : a.matmul(upstream, transposingSelf: !aT)
      },
    ]
  }
}
