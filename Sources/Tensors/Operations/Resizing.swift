internal import CKernels

extension Tensor {
  /// Bilinear interpolation with half-pixel centres, corners not aligned, no antialiasing.
  package func bilinear(height: Int, width: Int) -> Tensor {
    layout == .blocked && !isMoving
      ? bilinearBlocks(height, width) : planewise(height, width, k_bilinear, k_bilinear_pullback)
  }

  /// Bilinear interpolation where the corner pixels of both sizes are the same points: source i (in - 1) / (out - 1), 0 where out is 1.
  package func bilinearAligningCorners(height: Int, width: Int) -> Tensor {
    planewise(height, width, k_bilinear_corners, k_bilinear_corners_pullback)
  }

  /// The source at floor(i × (in / out)), computed in single precision as PyTorch does.
  package func nearest(height: Int, width: Int) -> Tensor {
    planewise(height, width, k_nearest, k_nearest_pullback)
  }
}
