extension Tensor {
  /// Bilinear interpolation with half-pixel centres, corners not aligned, no antialiasing.
  package func bilinear(height: Int, width: Int) -> Tensor {
    layout == .blocked && !isMoving ? bilinearBlocks(height, width) : resized(.bilinear, height, width)
  }

  /// Bilinear interpolation where the corner pixels of both sizes are the same points: source i (in - 1) /
  /// (out - 1),
  /// 0 where out is 1.
  package func bilinearAligningCorners(height: Int, width: Int) -> Tensor {
    resized(.bilinearAligningCorners, height, width)
  }

  /// The source at floor(i × (in / out)), computed in single precision as PyTorch does.
  package func nearest(height: Int, width: Int) -> Tensor { resized(.nearest, height, width) }

  /// Turns each plane `[height, width]` into one of another size.
  func resized(_ resizing: Primitives.Resizing, _ height: Int, _ width: Int) -> Tensor {
    precondition(shape.rank == 4 && height > 0 && width > 0, "\(shape) to \(height) × \(width)")
    return .computed(from: [self]) {
      Primitives.resize(self, resizing, height, width)
    } pullback: { [shape] upstream in
      [Primitives.resizePullback(upstream, resizing, shape)]
    }.moved(with: self) { $0.resized(resizing, height, width) }
  }
}
