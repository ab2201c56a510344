internal import CKernels

/// A product of single-precision matrices whose every element is one chain of multiply-adds with k ascending. Unlike OpenBLAS it gives a row the
/// same bits whatever the other rows are and on whichever processor: a teacher's outputs for a sample do not depend on its batch.
private struct FastProduct {
  private let a, panels: TensorStorage
  private let m, n, k: Int
  /// From one row of a to the next, and from one element of a row to the next.
  private let steps: (row: Int, column: Int)

  /// - Parameter isKept: b is a parameter, whose panels stay with it until it changes.
  init(
    _ a: TensorStorage, transposed aT: Bool, _ b: TensorStorage, transposed bT: Bool, isKept: Bool, m: Int,
    n: Int, k: Int
  ) {
    (self.a, self.m, self.n, self.k) = (a, m, n, k)
    steps = aT ? (1, m) : (k, 1)
    func pack(to panels: UnsafeMutablePointer<Float>) {
      FastKernels.current.product_pack(b.floats, bT ? 1 : n, bT ? k : 1, n, k, panels)
    }
    if isKept {
      panels = b.form(.panels(columns: n, transposed: bT), byteCount: 4 * kb_product_panels(n, k)) {
        pack(to: $0.floats)
      }
    } else {
      panels = TensorStorage(floats: kb_product_panels(n, k))
      pack(to: panels.floats)
    }
  }

  func write(to c: UnsafeMutablePointer<Float>, adding row: TensorStorage?) {
    let bias = row.map { UnsafePointer($0.floats) }
    FastKernels.forEachRange(m) { first, end in
      let scratch = TensorStorage(floats: kb_product_scratch(n, k))
      FastKernels.current.product(
        a.floats, steps.row, steps.column, panels.floats, c, n, n, k, 0, bias, scratch.floats, first, end)
    }
  }
}

extension Tensor {
  /// The product of two matrices, each transposed first where asked, plus a row `[columns]` where one is given: the same bits as `adding(row:)`
  /// afterwards, in one pass.
  ///
  /// - Parameter isParameter: of the second factor, which is then made ready once for all products until it changes.
  package func matmul(
    _ other: Tensor, transposingSelf aT: Bool = false, transposingOther bT: Bool = false,
    adding row: Tensor? = nil, isParameter: Bool = false
  ) -> Tensor {
    precondition(shape.rank == 2 && other.shape.rank == 2, "matrices, not \(shape) and \(other.shape)")
    let (m, k) = aT ? (shape[1], shape[0]) : (shape[0], shape[1])
    let (rows, n) = bT ? (other.shape[1], other.shape[0]) : (other.shape[0], other.shape[1])
    precondition(k == rows, "\(shape)\(aT ? "ᵀ" : "") times \(other.shape)\(bT ? "ᵀ" : "")")
    precondition(row.map { $0.shape == [n] } ?? true, "a row of \(n) elements")
    return .computed([m, n], from: [self, other] + (row.map { [$0] } ?? [])) {
      let (a, b) = (storage, other.storage)
      guard precision == .single else {
        BLAS.multiply(
          precision, a.base, transposingA: aT, b.base, transposingB: bT, into: $0, m: m, n: n, k: k)
        if let row { k_add_middle(precision.kernel, $0, row.storage.base, $0, m, n, 1) }
        return
      }
      FastProduct(a, transposed: aT, b, transposed: bT, isKept: isParameter, m: m, n: n, k: k)
        .write(to: $0.floats, adding: row?.storage)
    } pullback: { [a = detached, b = other.detached, hasRow = row != nil] upstream in
      let slopes = Self.productGradients(a, b, upstream, aT, bT)
      return hasRow ? slopes + [upstream.sumKeeping(axis: 1)] : slopes
    }.moved(with: [self, other] + (row.map { [$0] } ?? [])) { x, tangents in
      func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.matmul(b, transposingSelf: aT, transposingOther: bT)
      }
      let change = Tensors.sum(tangents[0].map { product($0, x[1]) }, tangents[1].map { product(x[0], $0) })
      let shift = tangents.count > 2 ? tangents[2] : nil
      return OperationTangent(
        shift.map { (change ?? .zeros([m, n], x[0].precision)).adding(row: $0) } ?? change
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
