internal import CKernels

extension Tensor {
  /// Bilinear interpolation with half-pixel centres, corners not aligned, no antialiasing.
  package func bilinear(height: Int, width: Int) -> Tensor {
    layout == .blocked
      ? bilinearBlocks(height, width) : planewise(height, width, k_bilinear, k_bilinear_pullback)
  }

  /// The source at floor(i × in / out).
  package func nearest(height: Int, width: Int) -> Tensor {
    planewise(height, width, k_nearest, k_nearest_pullback)
  }
}
