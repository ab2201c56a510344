/// How regions of feature maps are pooled (RoIAlign, He et al. 2017).
package struct RegionPooling: Hashable, Sendable {
  /// Cells that every region is cut into.
  package var cells: Extent
  /// From image coordinates to those of the map: 1 / stride.
  package var scale: Double
  /// Samples a cell and axis; 0 for as many as the cell has pixels, rounded up.
  package var sampling: Int
  /// Whether coordinates mean centres of pixels (mmdet), so that half a pixel is taken off; without it
  /// regions are at least one pixel of
  /// the map (torchvision's models).
  package var isAligned: Bool

  package init(cells: Extent, scale: Double, sampling: Int = 0, isAligned: Bool) {
    precondition(cells.height > 0 && cells.width > 0 && sampling >= 0, "\(cells) cells, \(sampling) samples")
    self.cells = cells
    self.scale = scale
    self.sampling = sampling
    self.isAligned = isAligned
  }
}

extension Tensor {
  /// The mean of bilinear samples of each cell of each region.
  ///
  /// - Input: maps `[batch, channels, height, width]`. Output: `[regions, channels, cells.height,
  ///   cells.width]`.
  /// - Parameter regions: image, left, top, right, bottom of each, in image coordinates; constants.
  /// - Gradients: into the maps; added region by region, cell by cell, so equal regions give equal bits.
  /// - Source: `downstream.md` 8; pytorch/vision `torchvision/csrc/ops/cpu/roi_align_kernel.cpp`.
  package func pooled(
    _ regions: [(image: Int, x1: Double, y1: Double, x2: Double, y2: Double)], _ pooling: RegionPooling
  ) -> Tensor {
    precondition(shape.rank == 4, "regions of \(shape)")
    precondition(regions.allSatisfy { (0..<shape[0]).contains($0.image) }, "a region of no image")
    let numbers = regions.flatMap { [Double($0.image), $0.x1, $0.y1, $0.x2, $0.y2] }
    return .computed(from: [self]) {
      Primitives.poolRegions(self, numbers, pooling)
    } pullback: { [shape] upstream in
      [Primitives.poolRegionsPullback(upstream, numbers, pooling, shape)]
    }
  }
}
