/// Keeps the best of boxes that overlap: non-maximum suppression.
package enum Suppression {
  /// Boxes by falling score, ties by their places; each that is kept drops later ones that overlap it by more
  /// than `threshold`. An overlap of exactly the threshold stays.
  ///
  /// - Parameters:
  ///   - groups: boxes of different groups (classes, levels) never drop each other; nil for one group.
  ///   - limit: stop after so many.
  /// - Returns: places of the kept boxes, by falling score.
  ///
  /// Throws for a score that is not a number.
  package static func kept(
    _ boxes: [Corners], scores: [Double], groups: [Int]? = nil, threshold: Double, limit: Int = .max
  ) throws(ScoreError) -> [Int] {
    precondition(boxes.count == scores.count && (groups?.count ?? boxes.count) == boxes.count)
    if let place = scores.firstIndex(where: \.isNaN) { throw ScoreError(place: place) }
    let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    let sorted = order.map { boxes[$0] }
    let areas = sorted.map(\.area)
    let classes = order.map { groups?[$0] ?? 0 }
    var isDropped = Array(repeating: false, count: order.count)
    var kept: [Int] = []
    // Of most pairs the boxes lie apart, which is seen without an area.
    let lanes = threshold >= 0 ? BoxLanes(sorted) : nil
    for (place, index) in order.enumerated() where !isDropped[place] {
      kept.append(index)
      if kept.count == limit { break }
      let (box, group) = (sorted[place], classes[place])
      var later = place
      while later + 1 < order.count {
        later += 1
        if let lanes, later % BoxLanes.width == 0 || later == place + 1 {
          later = lanes.next(near: box, from: later)
          if later >= order.count { break }
        }
        guard !isDropped[later], classes[later] == group else { continue }
        let shared = box.intersection(with: sorted[later])
        // 0 / 0, of two boxes without an area, is no overlap.
        if shared / (areas[place] + areas[later] - shared) > threshold { isDropped[later] = true }
      }
    }
    return kept
  }

  /// Places of the largest values, falling; ties by their places.
  package static func largest(_ values: [Double], _ count: Int) -> [Int] {
    Array(values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) }.prefix(count))
  }
}

/// A score that boxes cannot be ordered by.
package struct ScoreError: Error, Equatable, CustomStringConvertible {
  package let place: Int

  package init(place: Int) { self.place = place }

  package var description: String {
    "The score of box \(place) is not a number: the detector has diverged. A lower learning rate may help."
  }
}

/// The corners of boxes, side by side, so that many are compared with one at once.
private struct BoxLanes {
  static let width = 8

  private var left: [SIMD8<Double>] = []
  private var top: [SIMD8<Double>] = []
  private var right: [SIMD8<Double>] = []
  private var bottom: [SIMD8<Double>] = []

  init(_ boxes: [Corners]) {
    for first in stride(from: 0, to: boxes.count, by: Self.width) {
      // What fills the last lanes up is apart from everything.
      var (x1, y1) = (SIMD8<Double>(repeating: .infinity), SIMD8<Double>(repeating: .infinity))
      var (x2, y2) = (-x1, -y1)
      for lane in 0..<min(Self.width, boxes.count - first) {
        let box = boxes[first + lane]
        (x1[lane], y1[lane], x2[lane], y2[lane]) = (box.x1, box.y1, box.x2, box.y2)
      }
      left.append(x1)
      top.append(y1)
      right.append(x2)
      bottom.append(y2)
    }
  }

  /// The first place from `place` on whose lanes hold a box that may share pixels with `box`; behind
  /// all where there is none.
  func next(near box: Corners, from place: Int) -> Int {
    for block in place / Self.width..<left.count {
      let apart =
        (left[block] .>= box.x2) .| (right[block] .<= box.x1) .| (top[block] .>= box.y2)
        .| (bottom[block] .<= box.y1)
      if !all(apart) { return max(place, block * Self.width) }
    }
    return left.count * Self.width
  }
}
