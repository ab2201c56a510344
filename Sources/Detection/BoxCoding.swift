#if canImport(Glibc)
  internal import Glibc
#endif

/// Boxes as the four numbers that a network predicts, relative to the box that it starts from.
///
///     t = ((gx - px) / pw / dx, (gy - py) / ph / dy, ln(gw / pw) / dw, ln(gh / ph) / dh)
///
/// with centres (px, py), (gx, gy) and sizes (pw, ph), (gw, gh) of the starting box and the truth.
package struct BoxCoding: Hashable, Sendable {
  /// d: standard deviations that the four numbers are divided by.
  package var stds: [Double]
  /// Whether sizes are bounded from below too: mmdet bounds both ways, torchvision only growth.
  package var isClampedBelow: Bool

  package init(stds: [Double] = [1, 1, 1, 1], rules: DetectionRules) {
    precondition(stds.count == 4, "\(stds.count) standard deviations for four numbers")
    self.stds = stds
    isClampedBelow = rules == .mmdet
  }

  /// The most that ln of a ratio of sizes counts for: a box grows 62.5-fold at most.
  package static let bound = log(1000.0 / 16)

  /// The four numbers of a truth seen from a box.
  ///
  /// - Precondition: both boxes have an area.
  package func encoded(_ truth: Corners, from box: Corners) -> [Double] {
    let dx = (truth.x1 + truth.x2) / 2 - (box.x1 + box.x2) / 2
    let dy = (truth.y1 + truth.y2) / 2 - (box.y1 + box.y2) / 2
    return [
      dx / box.width / stds[0], dy / box.height / stds[1], log(truth.width / box.width) / stds[2],
      log(truth.height / box.height) / stds[3],
    ]
  }

  /// The box that four numbers stand for; not clipped to any image.
  package func decoded(_ deltas: some Collection<Double>, from box: Corners) -> Corners {
    var numbers = Array(deltas)
    precondition(numbers.count == 4, "\(numbers.count) numbers for a box")
    for index in 0..<4 { numbers[index] *= stds[index] }
    for index in 2..<4 {
      numbers[index] = min(numbers[index], Self.bound)
      if isClampedBelow { numbers[index] = max(numbers[index], -Self.bound) }
    }
    let x = numbers[0] * box.width + (box.x1 + box.x2) / 2
    let y = numbers[1] * box.height + (box.y1 + box.y2) / 2
    let width = exp(numbers[2]) * box.width
    let height = exp(numbers[3]) * box.height
    return Corners(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
  }
}
