extension RunLengthMask {
  /// The pixels of an object outlined by polygons, united, as pycocotools draws them.
  ///
  /// - Parameter polygons: each `[x1, y1, x2, y2, …]` in pixels, closed by itself, of three corners or more.
  ///
  /// Throws for an odd number of coordinates, fewer than three corners, and coordinates that are not finite
  /// or far outside any picture.
  package init(height: Int, width: Int, polygons: [[Double]]) throws(MaskError) {
    guard (0...Self.longestSide).contains(height), (0...Self.longestSide).contains(width) else {
      throw MaskError.size(height: height, width: width)
    }
    var united = RunLengthMask(height: height, width: width, counts: [height * width])
    for polygon in polygons {
      united = united.union(with: try RunLengthMask(height: height, width: width, polygon: polygon))
    }
    self = united
  }

  /// Walks along the outline on a grid five times as fine, collects where it crosses the middle of a column,
  /// and toggles the mask there.
  ///
  /// Source: cocodataset/cocoapi, `common/maskApi.c`, `rleFrPoly`; in words in `downstream.md` 7.1.
  private init(height: Int, width: Int, polygon: [Double]) throws(MaskError) {
    guard polygon.count % 2 == 0 else { throw MaskError.polygon("has an odd number of coordinates") }
    guard polygon.count >= 6 else {
      throw MaskError.polygon("has \(polygon.count / 2) corners and needs at least 3")
    }
    let bound = 4 * Double(Self.longestSide)
    guard polygon.allSatisfy({ abs($0) <= bound }) else {
      throw MaskError.polygon("has a coordinate that is not finite or beyond ±\(Int(bound)) pixels")
    }
    let outline = Self.outline(polygon)
    let scale = 5.0
    var toggles: [Int] = []
    for index in 1..<max(1, outline.count) where outline[index].x != outline[index - 1].x {
      let before = outline[index - 1]
      let here = outline[index]
      let column = (Double(here.x < before.x ? here.x : here.x - 1) + 0.5) / scale - 0.5
      guard column == column.rounded(.down), column >= 0, column <= Double(width - 1) else { continue }
      let middle = (Double(min(here.y, before.y)) + 0.5) / scale - 0.5
      let row = min(max(middle, 0), Double(height)).rounded(.up)
      toggles.append(Int(column) * height + Int(row))
    }
    toggles.sort()
    toggles.append(height * width)
    var counts: [Int] = []
    var last = 0
    // Two toggles at one place undo each other: the run before goes on.
    var index = 0
    while index < toggles.count {
      let run = toggles[index] - last
      last = toggles[index]
      index += 1
      if run > 0 || counts.isEmpty {
        counts.append(run)
      } else if index < toggles.count {
        counts[counts.count - 1] += toggles[index] - last
        last = toggles[index]
        index += 1
      }
    }
    self.init(height: height, width: width, counts: counts)
  }

  /// Points of the outline on the fine grid, edge after edge, in the direction of the polygon.
  private static func outline(_ polygon: [Double]) -> [(x: Int, y: Int)] {
    let scale = 5.0
    var corners = stride(from: 0, to: polygon.count, by: 2).map {
      (x: Int(scale * polygon[$0] + 0.5), y: Int(scale * polygon[$0 + 1] + 0.5))
    }
    corners.append(corners[0])
    var points: [(x: Int, y: Int)] = []
    for (from, to) in zip(corners, corners.dropFirst()) {
      let across = abs(to.x - from.x)
      let down = abs(to.y - from.y)
      let isFlat = across >= down
      // Edges are walked from the left, or from the top where they are steep.
      let isBackward = isFlat ? from.x > to.x : from.y > to.y
      let start = isBackward ? to : from
      let end = isBackward ? from : to
      let length = max(across, down)
      if length == 0 {
        points.append(start)
        continue
      }
      let gradient =
        isFlat ? Double(end.y - start.y) / Double(across) : Double(end.x - start.x) / Double(down)
      for step in 0...length {
        let t = isBackward ? length - step : step
        if isFlat {
          points.append((start.x + t, Int(Double(start.y) + gradient * Double(t) + 0.5)))
        } else {
          points.append((Int(Double(start.x) + gradient * Double(t) + 0.5), start.y + t))
        }
      }
    }
    return points
  }
}
