package import Tensors

/// The truth of one image, in the coordinates of the resized image.
package struct DetectionTruth: Sendable {
  package var boxes: [Corners]
  /// From 0 to K - 1.
  package var labels: [Int]
  /// `[objects, 1, height, width]`, 0 or 1; nil where no method reads masks.
  package var masks: Tensor?

  package init(boxes: [Corners], labels: [Int], masks: Tensor? = nil) {
    precondition(boxes.count == labels.count, "\(boxes.count) boxes, \(labels.count) labels")
    self.boxes = boxes
    self.labels = labels
    self.masks = masks
  }
}

/// Images that are padded to one size and normalised together in losses.
package struct DetectionGroup: Sendable {
  /// Of the group, in pixels.
  package var padded: (height: Int, width: Int)
  /// Of each resized image, in pixels.
  package var images: [(height: Int, width: Int)]

  package init(padded: (height: Int, width: Int), images: [(height: Int, width: Int)]) {
    self.padded = padded
    self.images = images
  }

  /// An image's own padded size: the next multiples of 32.
  func own(_ image: Int) -> (height: Int, width: Int) {
    ((images[image].height + 31) / 32 * 32, (images[image].width + 31) / 32 * 32)
  }
}

/// What a detector says of an image, in the coordinates of the resized image.
package struct FoundObject: Sendable {
  package var box: Corners
  /// From 0 to K - 1.
  package var label: Int
  /// In [0, 1].
  package var score: Double
  /// Probabilities of the object's mask, 28 × 28 row by row; nil without a mask head.
  package var mask: [Double]?

  package init(box: Corners, label: Int, score: Double, mask: [Double]? = nil) {
    self.box = box
    self.label = label
    self.score = score
    self.mask = mask
  }
}

/// Chooses the boxes of an image that a head learns from. Head 0 is the proposal network, 1
/// and later are region heads.
package typealias BoxChoice = (_ image: Int, _ head: Int, _ matches: [BoxMatch]) -> (
  positive: [Int], negative: [Int]
)

extension Array where Element == BoxMatch {
  /// The objects of the boxes at these places, all of which are positive.
  func objects(_ places: [Int]) -> [Int] {
    places.map { place in
      guard case .object(let object) = self[place] else {
        preconditionFailure("box \(place) is sampled as positive and has no object")
      }
      return object
    }
  }
}

extension Tensor {
  /// Boxes or deltas as a constant `[rows, 4]`.
  static func rows(_ numbers: [[Double]], _ precision: Precision) -> Tensor {
    Tensor(numbers.flatMap(\.self), [numbers.count, 4], precision)
  }

  /// Row `row` of `[…, 4]` as numbers.
  func fours() -> [[Double]] {
    let values = doubles
    return stride(from: 0, to: values.count, by: 4).map { Array(values[$0..<$0 + 4]) }
  }
}
