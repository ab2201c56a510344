extension Tensor {
  /// The product of each pair of matrices: self `[count, m, k]` times other `[count, k, n]`, transposed first
  /// where asked.
  package func batchedMatmul(
    _ other: Tensor, transposingSelf aT: Bool = false, transposingOther bT: Bool = false
  ) -> Tensor {
    precondition(
      shape.rank == 3 && other.shape.rank == 3 && shape[0] == other.shape[0],
      "lists of matrices, not \(shape) and \(other.shape)")
    let sizes = ProductSizes(
      (shape[1], shape[2]), transposed: aT, (other.shape[1], other.shape[2]), transposed: bT)
    return .computed(from: [self, other]) {
      Primitives.batchedProduct(self, other, sizes)
    } pullback: { [a = detached, b = other.detached] upstream in
      Self.productGradients(a, b, upstream, aT, bT)
    }.moved(with: [self, other]) { x, tangents in
      func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.batchedMatmul(b, transposingSelf: aT, transposingOther: bT)
      }
      return OperationTangent(
        Tensors.sum(tangents[0].map { product($0, x[1]) }, tangents[1].map { product(x[0], $0) })
      ) { Self.productGradients(tangents[0], tangents[1], $0, aT, bT) }
    }
  }

  /// The gradients of the products of `a` and `b`; nil for a factor whose gradient needs one that is missing.
  private static func productGradients(
    _ a: Tensor?, _ b: Tensor?, _ upstream: Tensor, _ aT: Bool, _ bT: Bool
  ) -> [Tensor?] {
    [
      b.map { b in
        aT
          ? b.batchedMatmul(upstream, transposingSelf: bT, transposingOther: true)
          : upstream.batchedMatmul(b, transposingOther: !bT)
      },
      a.map { a in
        bT
          ? upstream.batchedMatmul(a, transposingSelf: true, transposingOther: aT)
          : a.batchedMatmul(upstream, transposingSelf: !aT)
      },
    ]
  }

  /// softmax(scale × x) over the last axis. In single precision the exponential is the kernels' own, the same
  /// bits everywhere.
  package func softmax(scale: Double) -> Tensor {
    let output = Primitives.softmax(self, scale: scale)
    @Sendable func back(_ upstream: Tensor) -> Tensor {
      Primitives.softmaxPullback(output, scale: scale, upstream)
    }
    return output.recorded(from: [self]) { [back($0)] }
      .moved(with: [self]) { _, tangents in
        let change = tangents[0].map(back)
        return OperationTangent(change, bend: change.map { output.softmaxBend(moving: $0, scale: scale) })
      }
  }

  /// The heads of each of `parts` equal parts of the features, part after part: from `[batch, tokens, parts ×
  /// heads × width]` to `parts` times
  /// `[batch × heads, tokens, width]`.
  package func splitIntoHeads(_ heads: Int, parts: Int) -> [Tensor] {
    precondition(shape.rank == 3 && shape[2] % (parts * heads) == 0, "\(heads) heads of \(shape)")
    let width = shape[2] / (parts * heads)
    if isMoving {
      return (0..<parts).map { part in
        sliced(axis: 2, from: part * heads * width, to: (part + 1) * heads * width).splitIntoHeads(heads)
      }
    }
    let split = (0..<parts).map { part in
      Primitives.splitHeads(self, heads, part: part, of: parts)
    }
    return Tensor.recorded(split, from: [self]) { [shape, precision] gradients in
      [Primitives.mergeHeads(gradients, heads, shape, precision)]
    }
  }

  /// The heads of the only part.
  private func splitIntoHeads(_ heads: Int) -> Tensor {
    .computed(from: [self]) {
      Primitives.splitHeads(self, heads, part: 0, of: 1)
    } pullback: {
      [$0.mergingHeads(heads)]
    }.moved(with: self) { $0.splitIntoHeads(heads) }
  }

  /// The other way, for one part: `[batch × heads, tokens, width]` to `[batch, tokens, heads × width]`.
  package func mergingHeads(_ heads: Int) -> Tensor {
    precondition(shape.rank == 3 && shape[0] % heads == 0, "\(heads) heads of \(shape)")
    let merged: Shape = [shape[0] / heads, shape[1], heads * shape[2]]
    return .computed(from: [self]) {
      Primitives.mergeHeads([self], heads, merged, precision)
    } pullback: { upstream in
      upstream.splitIntoHeads(heads, parts: 1)
    }.moved(with: self) { $0.mergingHeads(heads) }
  }

  /// `[batch, columns, rows]` from `[batch, rows, columns]`.
  package func swappingLastAxes() -> Tensor {
    precondition(shape.rank == 3, "a list of matrices, not \(shape)")
    return .computed(from: [self]) {
      Primitives.transpose(self)
    } pullback: {
      [$0.swappingLastAxes()]
    }.moved(with: self) { $0.swappingLastAxes() }
  }
}
