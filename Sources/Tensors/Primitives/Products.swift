internal import CKernels

/// The sizes of a product of two matrices, each transposed first where asked: `[m, k]` times `[k, n]`.
struct ProductSizes: Sendable {
  let m: Int
  let n: Int
  let k: Int
  let transposesFirst: Bool
  let transposesSecond: Bool

  /// - Parameters:
  ///   - first, second: extents of the matrices, as they are before they are transposed.
  init(
    _ first: (rows: Int, columns: Int), transposed aT: Bool, _ second: (rows: Int, columns: Int),
    transposed bT: Bool
  ) {
    m = aT ? first.columns : first.rows
    k = aT ? first.rows : first.columns
    n = bT ? second.rows : second.columns
    transposesFirst = aT
    transposesSecond = bT
    precondition(
      k == (bT ? second.columns : second.rows),
      "\(first)\(aT ? "ᵀ" : "") times \(second)\(bT ? "ᵀ" : "")")
  }
}

extension Primitives {
  /// A product of matrices, plus a row `[n]` where one is given.
  ///
  /// In single precision every element is one chain of multiply-adds with k ascending. Unlike OpenBLAS that
  /// gives
  /// a row the same bits whatever the other rows are and on whichever processor: a teacher's outputs for a
  /// sample
  /// do not depend on its batch. Double precision is OpenBLAS's.
  ///
  /// - Parameter isKept: b is a parameter, whose panels stay with it until it changes.
  static func product(
    _ a: Tensor, _ b: Tensor, _ sizes: ProductSizes, adding row: Tensor?, isKept: Bool
  ) -> Tensor {
    let device = Device.current
    return Tensor([sizes.m, sizes.n], a.precision) { c in
      guard a.precision == .single else {
        BLAS.multiply(
          a.precision, a.storage.base, transposingA: sizes.transposesFirst, b.storage.base,
          transposingB: sizes.transposesSecond, into: c, m: sizes.m, n: sizes.n, k: sizes.k)
        if let row { k_add_middle(a.precision.kernel, c, row.storage.base, c, sizes.m, sizes.n, 1) }
        return
      }
      let x = a.storage
      let panels = panels(of: b.storage, sizes, isKept: isKept)
      let bias = row.map { UnsafePointer($0.storage.floats) }
      // From one row of a to the next, and from one element of a row to the next.
      let rowStep = sizes.transposesFirst ? 1 : sizes.k
      let columnStep = sizes.transposesFirst ? sizes.m : 1
      device.forEachRange(sizes.m) { first, end in
        let scratch = TensorStorage(floats: kb_product_scratch(sizes.n, sizes.k), in: device.pool)
        device.kernels.pointee.product(
          x.floats, rowStep, columnStep, panels.floats, c.floats, sizes.n, sizes.n, sizes.k, 0, bias,
          scratch.floats, first, end)
      }
    }
  }

  private static func panels(of b: TensorStorage, _ sizes: ProductSizes, isKept: Bool) -> TensorStorage {
    let device = Device.current
    let (n, k) = (sizes.n, sizes.k)
    let isTransposed = sizes.transposesSecond
    func pack(to panels: UnsafeMutablePointer<Float>) {
      device.kernels.pointee.product_pack(b.floats, isTransposed ? 1 : n, isTransposed ? k : 1, n, k, panels)
    }
    guard isKept else {
      let panels = TensorStorage(floats: kb_product_panels(n, k))
      pack(to: panels.floats)
      return panels
    }
    let form = TensorStorage.Form.panels(columns: n, transposed: isTransposed)
    return b.form(form, byteCount: 4 * kb_product_panels(n, k)) { pack(to: $0.floats) }
  }

  /// The product of each pair of matrices, by OpenBLAS: `[count, m, n]`.
  static func batchedProduct(_ a: Tensor, _ b: Tensor, _ sizes: ProductSizes) -> Tensor {
    let (m, n, k) = (sizes.m, sizes.n, sizes.k)
    let size = a.precision.byteCount
    return Tensor([a.shape[0], m, n], a.precision) { base in
      for index in 0..<a.shape[0] {
        BLAS.multiply(
          a.precision, a.storage.base + index * m * k * size, transposingA: sizes.transposesFirst,
          b.storage.base + index * k * n * size, transposingB: sizes.transposesSecond,
          into: base + index * m * n * size, m: m, n: n, k: k)
      }
    }
  }
}
