/// A box by two opposite corners, in pixels: left, top, right, bottom. Width is right - left, without a + 1.
package struct Corners: Hashable, Sendable {
  package var x1: Double
  package var y1: Double
  package var x2: Double
  package var y2: Double

  package init(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) {
    self.x1 = x1
    self.y1 = y1
    self.x2 = x2
    self.y2 = y2
  }

  package var width: Double { x2 - x1 }
  package var height: Double { y2 - y1 }
  package var area: Double { width * height }

  /// Moved into a picture of this size.
  package func clipped(height: Double, width: Double) -> Corners {
    Corners(min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height))
  }

  /// With coordinates that single precision has.
  package var roundedToSingle: Corners {
    Corners(Double(Float(x1)), Double(Float(y1)), Double(Float(x2)), Double(Float(y2)))
  }

  /// Pixels that both boxes cover.
  package func intersection(with other: Corners) -> Double {
    let across = min(x2, other.x2) - max(x1, other.x1)
    let down = min(y2, other.y2) - max(y1, other.y1)
    return max(across, 0) * max(down, 0)
  }

  /// Intersection over union; 0 where neither box has an area.
  package func overlap(with other: Corners) -> Double {
    let shared = intersection(with: other)
    let ratio = shared / (area + other.area - shared)
    return ratio.isNaN ? 0 : ratio
  }

  /// Intersection over union of every pair, row by row.
  ///
  /// - Returns: `rows.count × columns.count` values. Each is computed once, because
  ///   matching compares equal bits.
  package static func overlaps(_ rows: [Corners], _ columns: [Corners]) -> [Double] {
    rows.flatMap { row in columns.map { row.overlap(with: $0) } }
  }
}
