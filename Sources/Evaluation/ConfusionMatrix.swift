/// How often pixels of each class were given to each class, over all pictures of a test set: what mean
/// intersection over union is computed from.
///
///     var matrix = ConfusionMatrix(classes: 19)
///     try matrix.add(labels: truth, predictions: found)      // once a picture
///     matrix.meanOverPresent                                 // test.mIoU.present, as a fraction
package struct ConfusionMatrix: Hashable, Sendable {
  package let classes: Int
  /// Row by row: truth, then prediction.
  package private(set) var counts: [Int]

  /// A label that says "do not judge this pixel".
  package static let ignored = 255

  package init(classes: Int) {
    precondition(classes > 0, "a confusion matrix of \(classes) classes")
    self.classes = classes
    counts = Array(repeating: 0, count: classes * classes)
  }

  /// Counts the pixels of one picture.
  ///
  /// Throws where a label is neither a class nor 255.
  ///
  /// - Precondition: both have the same number of pixels, and every prediction is a class.
  package mutating func add(labels: some Collection<Int>, predictions: some Collection<Int>)
    throws(LabelError)
  {
    precondition(
      labels.count == predictions.count, "\(labels.count) labels, \(predictions.count) predictions")
    var sum = counts
    for (label, prediction) in zip(labels, predictions) where label != Self.ignored {
      guard (0..<classes).contains(label) else { throw LabelError(label: label, classes: classes) }
      precondition((0..<classes).contains(prediction), "class \(prediction) of \(classes)")
      sum[label * classes + prediction] += 1
    }
    counts = sum
  }

  /// Of each class: pixels of both over pixels of either; nil where neither truth nor prediction has any.
  package var intersectionOverUnion: [Double?] {
    (0..<classes).map { index in
      let right = counts[index * classes + index]
      var union = -right
      for other in 0..<classes { union += counts[index * classes + other] + counts[other * classes + index] }
      return union > 0 ? Double(right) / Double(union) : nil
    }
  }

  /// The mean over classes that truth or prediction has; nil where there are none.
  package var meanOverPresent: Double? {
    let values = intersectionOverUnion.compactMap(\.self)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// The mean over all classes, absent ones as 0.
  package var meanOverAll: Double {
    intersectionOverUnion.reduce(0) { $0 + ($1 ?? 0) } / Double(classes)
  }

  /// Pixels that are right over pixels that are judged; nil where none is.
  package var pixelAccuracy: Double? {
    let all = counts.reduce(0, +)
    let right = (0..<classes).reduce(0) { $0 + counts[$1 * classes + $1] }
    return all > 0 ? Double(right) / Double(all) : nil
  }

  /// How many classes `meanOverPresent` is over.
  package var present: Int { intersectionOverUnion.count { $0 != nil } }
}

/// A label that no class has.
package struct LabelError: Error, Equatable, CustomStringConvertible {
  package let label: Int
  package let classes: Int

  package var description: String {
    "label \(label) found, expected a class from 0 to \(classes - 1), or 255 for pixels that are not judged"
  }
}
