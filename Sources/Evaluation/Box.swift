/// A box by its upper left corner and its size, in pixels; COCO's form. No side has a + 1.
package struct Box: Hashable, Sendable {
  package var x: Double
  package var y: Double
  package var width: Double
  package var height: Double

  package init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// What detections and objects are compared by.
package protocol EvaluatedShape: Sendable {
  /// In pixels.
  var pixels: Double { get }
  /// Intersection over union with an object; over this shape's own area where the object is a crowd.
  func overlap(withObject object: Self, isCrowd: Bool) -> Double
}

extension Box: EvaluatedShape {
  package var pixels: Double { width * height }

  package func overlap(withObject object: Box, isCrowd: Bool) -> Double {
    let across = min(width + x, object.width + object.x) - max(x, object.x)
    let down = min(height + y, object.height + object.y) - max(y, object.y)
    guard across > 0, down > 0 else { return 0 }
    let shared = across * down
    return shared / (isCrowd ? pixels : pixels + object.pixels - shared)
  }
}

extension RunLengthMask: EvaluatedShape {
  package var pixels: Double { Double(area) }

  package func overlap(withObject object: RunLengthMask, isCrowd: Bool) -> Double {
    let shared = overlap(with: object)
    guard shared > 0 else { return 0 }
    return Double(shared) / Double(isCrowd ? area : area + object.area - shared)
  }
}
