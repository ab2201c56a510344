import Evaluation
internal import Specs

/// An object as a detector is trained on it.
package struct TrainingObject: Hashable, Sendable {
  /// From 0.
  package let label: Int
  /// Left, top, right, bottom in pixels, within the image, in single precision.
  package let corners: SIMD4<Float>
  /// Its place among the image's objects, where its mask is.
  package let place: Int
}

/// Why an object or an image is not trained on.
package enum NotTrained: String, Sendable, CaseIterable {
  case crowd, point, narrow, withoutArea, smallImage, emptyImage

  /// A phrase that follows a number and its noun.
  var phrase: String {
    switch self {
    case .crowd: "marked as a crowd"
    case .point: "with both corners on one pixel"
    case .narrow: "narrower or lower than 1 pixel within their image"
    case .withoutArea: "with an annotated area of 0 or less"
    case .smallImage: "with a side below \(AnnotatedImage.shortestSide) pixels"
    case .emptyImage: "without an object that can be trained on"
    }
  }

  var isOfImages: Bool { self == .smallImage || self == .emptyImage }
}

extension AnnotatedImage {
  /// Pixels; detectors are not trained on images with a shorter side.
  package static let shortestSide = 32

  /// The objects that a detector is trained on, and what is left out of its training for which reason.
  ///
  /// Boxes are clipped to the image; those that are narrower than a pixel afterwards, have no annotated area,
  /// are crowds or slips of the annotator are dropped. Evaluation keeps all of them.
  package func trainingObjects() -> (kept: [TrainingObject], dropped: [NotTrained: Int]) {
    var kept: [TrainingObject] = []
    var dropped: [NotTrained: Int] = [:]
    for (place, object) in objects.enumerated() {
      let box = object.box
      let x1 = min(max(box.x, 0), Double(width))
      let y1 = min(max(box.y, 0), Double(height))
      let x2 = min(max(box.x + box.width, 0), Double(width))
      let y2 = min(max(box.y + box.height, 0), Double(height))
      let reason: NotTrained? =
        if object.isCrowd { .crowd } else if object.isPoint { .point } else if x2 - x1 < 1 || y2 - y1 < 1 {
          .narrow
        } else if object.area <= 0 { .withoutArea } else { nil }
      if let reason {
        dropped[reason, default: 0] += 1
      } else {
        let corners = SIMD4(Float(x1), Float(y1), Float(x2), Float(y2))
        kept.append(TrainingObject(label: object.label, corners: corners, place: place))
      }
    }
    return (kept, dropped)
  }
}

/// The images of a split that a detector is trained on, and an account of what it is not.
package struct TrainingImages: Sendable {
  package let split: AnnotatedSplit
  /// Objects and images by the reason why they are not trained on.
  package let dropped: [NotTrained: Int]
  /// Objects that are trained on, by class.
  package let objects: [Int]

  /// - Parameters:
  ///   - all: the images that were asked for.
  ///   - classNames: by label.
  /// - Throws: `DatasetError.noObjects` where nothing is left; what reading throws.
  package init(_ all: AnnotatedSplit, classNames: [String]) throws(DatasetError) {
    var chosen: [Int] = []
    var dropped: [NotTrained: Int] = [:]
    var objects = [Int](repeating: 0, count: classNames.count)
    for index in 0..<all.count {
      let image = try all.image(index, .objects)
      let found = image.trainingObjects()
      dropped.merge(found.dropped) { $0 + $1 }
      if min(image.height, image.width) < AnnotatedImage.shortestSide {
        dropped[.smallImage, default: 0] += 1
      } else if found.kept.isEmpty {
        dropped[.emptyImage, default: 0] += 1
      } else {
        chosen.append(index)
        for object in found.kept { objects[object.label] += 1 }
      }
    }
    self.dropped = dropped
    self.objects = objects
    split = all.selecting(chosen)
    guard !chosen.isEmpty else {
      throw .noObjects(
        set: all.title, images: all.count, account: Self.phrases(dropped).joined(separator: ", "))
    }
    self.classNames = classNames
  }

  private let classNames: [String]

  /// What a user should know, one sentence each: what is left out, and classes that never occur.
  package var notes: [String] {
    var notes: [String] = []
    let phrases = Self.phrases(dropped)
    if !phrases.isEmpty {
      notes.append("\(split.title): not trained on: \(phrases.joined(separator: ", ")).")
    }
    let absent = objects.indices.filter { objects[$0] == 0 }.map { classNames[$0] }
    if !absent.isEmpty {
      let shown = absent.prefix(5).joined(separator: ", ")
      let rest = absent.count > 5 ? " and \(absent.count - 5) more" : ""
      notes.append(
        "\(split.title) has no object of \(counted(absent.count, "class", "classes")) (\(shown)\(rest)): "
          + "a detector learns never to find one.")
    }
    return notes.map { $0.prefix(1).uppercased() + $0.dropFirst() }
  }

  private static func phrases(_ dropped: [NotTrained: Int]) -> [String] {
    NotTrained.allCases.compactMap { reason in
      dropped[reason].map { count in
        let noun = reason.isOfImages ? counted(count, "image") : counted(count, "box", "boxes")
        return "\(noun) \(reason.phrase)"
      }
    }
  }
}
