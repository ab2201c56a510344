/// Which object each box is to find.
package enum BoxMatch: Hashable, Sendable {
  case object(Int)
  case negative
  /// Neither near enough to be right nor far enough to be wrong: it takes no part.
  case ignored
}

/// The rule by which boxes are given objects.
///
/// | | positive / negative | low quality (from) |
/// |---|---|---|
/// | RPN | 0.7 / 0.3 | yes (0.3; torchvision 0) |
/// | RetinaNet | 0.5 / 0.4 | yes (0) |
/// | Faster R-CNN's box head | 0.5 / 0.5 | no |
/// | Mask R-CNN's box head | 0.5 / 0.5 | mmdet yes (0.5), torchvision no |
/// | Cascade heads 1, 2, 3 | 0.5, 0.6, 0.7 (both) | no |
package struct BoxMatcher: Hashable, Sendable {
  package var rules: DetectionRules
  /// From this overlap on a box belongs to its best object.
  package var positive: Double
  /// Below this overlap a box is wrong.
  package var negative: Double
  /// Where an object's best boxes belong to it even below `positive`: the least overlap for that; nil for
  /// never. torchvision has no least overlap.
  package var lowQuality: Double?

  package init(rules: DetectionRules, positive: Double, negative: Double, lowQuality: Double? = nil) {
    self.rules = rules
    self.positive = positive
    self.negative = negative
    self.lowQuality = lowQuality
  }

  /// - Parameters:
  ///   - overlaps: `[objects, boxes]`, row by row. Equal overlaps must have equal bits.
  ///   - boxes: how many.
  package func matches(_ overlaps: [Double], boxes: Int) -> [BoxMatch] {
    guard boxes > 0 else { return [] }
    precondition(overlaps.count % boxes == 0, "\(overlaps.count) overlaps for \(boxes) boxes")
    let objects = overlaps.count / boxes
    guard objects > 0 else { return Array(repeating: .negative, count: boxes) }
    // The first of equals wins.
    var best = Array(repeating: 0, count: boxes)
    for object in 1..<max(1, objects) {
      for box in 0..<boxes where overlaps[object * boxes + box] > overlaps[best[box] * boxes + box] {
        best[box] = object
      }
    }
    var matches = best.enumerated().map { box, object -> BoxMatch in
      let overlap = overlaps[object * boxes + box]
      if overlap < negative { return .negative }
      return overlap >= positive ? .object(object) : .ignored
    }
    guard let lowQuality else { return matches }
    for object in 0..<objects {
      let row = overlaps[object * boxes..<(object + 1) * boxes]
      let highest = row.max()!
      // An object that touches no box would otherwise make every box positive.
      guard highest > 0, rules == .tv || highest >= lowQuality else { continue }
      for box in 0..<boxes where row[row.startIndex + box] == highest {
        matches[box] = .object(rules == .mmdet ? object : best[box])
      }
    }
    return matches
  }
}

extension BoxMatcher {
  /// Matches boxes with objects.
  ///
  /// - Parameter taking: boxes that take part; the others are ignored, and no object's best box. Nil for all.
  package func matches(_ boxes: [Corners], _ objects: [Corners], taking: [Bool]? = nil) -> [BoxMatch] {
    guard let taking else { return matches(Corners.overlaps(objects, boxes), boxes: boxes.count) }
    let places = boxes.indices.filter { taking[$0] }
    let found = matches(Corners.overlaps(objects, places.map { boxes[$0] }), boxes: places.count)
    var all = Array(repeating: BoxMatch.ignored, count: boxes.count)
    for (place, match) in zip(places, found) { all[place] = match }
    return all
  }
}
