/// Keeps the best of boxes that overlap: non-maximum suppression.
package enum Suppression {
  /// Boxes by falling score, ties by their places; each that is kept drops later ones that overlap it by more than
  /// `threshold`. An overlap of exactly the threshold stays.
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
    for (place, index) in order.enumerated() where !isDropped[place] {
      kept.append(index)
      if kept.count == limit { break }
      for later in (place + 1)..<max(place + 1, order.count)
      where !isDropped[later] && classes[later] == classes[place] {
        let shared = sorted[place].intersection(with: sorted[later])
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
