internal import COpenBLAS
internal import CKernels

/// The matrix products, and what the library says of itself. The only file that knows OpenBLAS.
package enum BLAS {
  /// One thread a process: runs are what is parallel, and bits must not depend on a thread count.
  package static func useOneThread() { _ = isSingleThreaded }

  private static let isSingleThreaded: Bool = {
    openblas_set_num_threads(1)
    return true
  }()

  /// Such as `OpenBLAS 0.3.21 Haswell`: the kernel decides bits.
  package static var description: String { "\(version) \(kernel)" }

  /// Such as `OpenBLAS 0.3.21`.
  package static var version: String {
    let configuration = openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS"
    return configuration.split(separator: " ").prefix(2).joined(separator: " ")
  }

  /// What the library computes with in this process, such as `Haswell`.
  package static var kernel: String { openblas_get_corename().map { String(cString: $0) } ?? "unknown" }

  /// c [m, n] = a b + keep c, row-major, where a is [m, k] ([k, m] when transposed) and b is [k, n] ([n, k]
  /// when
  /// transposed).
  ///
  /// - Parameters:
  ///   - rowA, rowC: elements from one row of a or c to the next, where these are parts of wider matrices.
  static func multiply(
    _ precision: Precision, _ a: UnsafeRawPointer, transposingA aT: Bool = false, rowA: Int? = nil,
    _ b: UnsafeRawPointer, transposingB bT: Bool = false, into c: UnsafeMutableRawPointer, rowC: Int? = nil,
    m: Int, n: Int, k: Int, keep: Bool = false
  ) {
    useOneThread()
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
      precondition(rowC == nil || rowC == n, "an empty sum into a part of a matrix")
      if !keep { k_fill(precision.kernel, 0, c, m * n) }
      return
    }
    let ta = aT ? CblasTrans : CblasNoTrans
    let tb = bT ? CblasTrans : CblasNoTrans
    let lda = Int32(rowA ?? (aT ? m : k))
    let ldb = Int32(bT ? k : n)
    let ldc = Int32(rowC ?? n)
    let (m, n, k) = (Int32(m), Int32(n), Int32(k))
    switch precision {
    case .single:
      cblas_sgemm(
        CblasRowMajor, ta, tb, m, n, k, 1, a.assumingMemoryBound(to: Float.self), lda,
        b.assumingMemoryBound(to: Float.self), ldb, keep ? 1 : 0, c.assumingMemoryBound(to: Float.self), ldc)
    case .double:
      cblas_dgemm(
        CblasRowMajor, ta, tb, m, n, k, 1, a.assumingMemoryBound(to: Double.self), lda,
        b.assumingMemoryBound(to: Double.self), ldb, keep ? 1 : 0, c.assumingMemoryBound(to: Double.self), ldc
      )
    }
  }
}
