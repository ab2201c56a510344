package import Tensors

/// Masks of objects inside of boxes: what a mask head is to find, and how what it found is
/// put back into a picture.
package enum MaskGeometry {
  /// What a mask head is to find in boxes: each object's bitmap, cropped at the box and resized.
  ///
  /// - Parameters:
  ///   - bitmaps: `[objects, 1, height, width]`, 0 or 1.
  ///   - boxes: with the object that each belongs to.
  ///   - side: of the result.
  /// - Returns: `[boxes, side, side]`: shares (torchvision), or 0 and 1 from a half on (mmdet).
  package static func targets(
    _ bitmaps: Tensor, _ boxes: [(box: Corners, object: Int)], side: Int, rules: DetectionRules
  ) -> Tensor {
    let pooling = RegionPooling(cells: Extent(side), scale: 1, sampling: 0, isAligned: rules == .mmdet)
    let regions = boxes.map {
      (image: $0.object, x1: $0.box.x1, y1: $0.box.y1, x2: $0.box.x2, y2: $0.box.y2)
    }
    let soft = bitmaps.detached.pooled(regions, pooling).reshaped([boxes.count, side, side])
    guard rules == .mmdet else { return soft }
    return Tensor(soft.doubles.map { $0 >= 0.5 ? 1 : 0 }, soft.shape, soft.precision)
  }

  /// A mask of probabilities, put back into a picture.
  ///
  /// mmdet samples the mask at every pixel's centre, with zeros around it. torchvision pads the mask by one,
  /// grows the box with it, cuts its corners to whole numbers and resizes. They differ by rings of pixels.
  ///
  /// - Parameters:
  ///   - mask: `side × side` probabilities, row by row.
  ///   - box: in the picture's pixels. One without an area, or outside of the picture, gives an empty mask.
  /// - Returns: `height × width` probabilities, row by row, 0 outside of the box.
  package static func pasted(
    _ mask: [Double], side: Int, box: Corners, height: Int, width: Int, rules: DetectionRules
  ) -> [Double] {
    precondition(mask.count == side * side, "\(mask.count) values for a mask of side \(side)")
    let empty = Array(repeating: 0.0, count: height * width)
    guard box.width > 0, box.height > 0 else { return empty }
    return rules == .mmdet
      ? sampled(mask, side, box, height, width) : resized(mask, side, box, height, width)
  }

  /// Whether a pixel of a pasted mask is set.
  package static func isSet(_ probability: Double, rules: DetectionRules) -> Bool {
    rules == .mmdet ? probability >= 0.5 : probability > 0.5
  }

  private static func sampled(
    _ mask: [Double], _ side: Int, _ box: Corners, _ height: Int, _ width: Int
  ) -> [Double] {
    /// The two sources of each pixel along one axis, with their shares; what lies outside of the mask is 0.
    func axis(_ count: Int, _ low: Double, _ size: Double) -> [[(place: Int, share: Double)]] {
      (0..<count).map { pixel in
        let source = (Double(pixel) + 0.5 - low) / size * Double(side) - 0.5
        guard source > -1, source < Double(side) else { return [] }
        let first = Int(source.rounded(.down))
        let share = source - Double(first)
        return [(first, 1 - share), (first + 1, share)].filter { (0..<side).contains($0.0) }
      }
    }
    let columns = axis(width, box.x1, box.width)
    var picture = Array(repeating: 0.0, count: height * width)
    for (row, ys) in axis(height, box.y1, box.height).enumerated() where !ys.isEmpty {
      for (column, xs) in columns.enumerated() {
        var sum = 0.0
        for y in ys { for x in xs { sum += y.share * x.share * mask[y.place * side + x.place] } }
        picture[row * width + column] = sum
      }
    }
    return picture
  }

  private static func resized(
    _ mask: [Double], _ side: Int, _ box: Corners, _ height: Int, _ width: Int
  ) -> [Double] {
    let padded = side + 2
    let growth = Double(padded) / Double(side) / 2
    let (x, y) = ((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)
    func whole(_ value: Double) -> Int { Int(max(min(value, 1e9), -1e9)) }
    let (left, right) = (whole(x - box.width * growth), whole(x + box.width * growth))
    let (top, bottom) = (whole(y - box.height * growth), whole(y + box.height * growth))
    let (across, down) = (right - left + 1, bottom - top + 1)
    /// The two sources of output `index` and the second one's share, of the padded mask.
    func sources(_ index: Int, _ out: Int) -> (Int, Int, Double) {
      let source = max((Double(index) + 0.5) * Double(padded) / Double(out) - 0.5, 0)
      let first = min(Int(source), padded - 1)
      return (first, min(first + 1, padded - 1), source - Double(first))
    }
    func value(_ row: Int, _ column: Int) -> Double {
      guard (1...side).contains(row), (1...side).contains(column) else { return 0 }
      return mask[(row - 1) * side + column - 1]
    }
    var picture = Array(repeating: 0.0, count: height * width)
    for row in max(top, 0)..<max(max(top, 0), min(bottom + 1, height)) {
      let (y0, y1, sy) = sources(row - top, down)
      for column in max(left, 0)..<max(max(left, 0), min(right + 1, width)) {
        let (x0, x1, sx) = sources(column - left, across)
        let upper = (1 - sx) * value(y0, x0) + sx * value(y0, x1)
        let lower = (1 - sx) * value(y1, x0) + sx * value(y1, x1)
        picture[row * width + column] = (1 - sy) * upper + sy * lower
      }
    }
    return picture
  }
}
