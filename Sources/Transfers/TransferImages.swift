package import Datasets
package import Evaluation

/// Which of a dataset's two sets of images is meant.
package enum TransferSplit: Int, CaseIterable, Sendable {
  case training, test
}

/// A picture with what is in it, as its dataset says.
package struct TransferImage: Sendable {
  /// In the order of its whole set, subsets or not: what random streams number images by.
  package let place: Int
  package let height: Int
  package let width: Int
  /// `[3, height, width]`, red, green, blue.
  package let pixels: [UInt8]
  package let objects: [TransferObject]
  /// `[height, width]`: a class, or 255 where nobody is to judge; nil where the dataset has no labels of pixels.
  package let semantics: [UInt8]?
}

/// An object as its dataset describes it.
package struct TransferObject: Sendable {
  package let box: Box
  /// From 0.
  package let label: Int
  /// As annotated: the mask's, in pixels.
  package let area: Double
  /// A region of many objects: not trained on, and no miss in a test.
  package let isCrowd: Bool
  /// Nil where the dataset has none.
  package let mask: RunLengthMask?
}

/// The images of a transfer, those of its subsets alone.
package struct TransferImages: Sendable {
  /// Of objects, in the order of their labels.
  package let classNames: [String]
  /// Labels that pixels may have besides 255.
  package let pixelClasses: Int
  private let images: [[TransferImage]]

  /// - Parameter images: of training, then of the test.
  package init(classNames: [String], pixelClasses: Int, images: [[TransferImage]]) {
    precondition(images.count == TransferSplit.allCases.count, "\(images.count) sets of images")
    self.classNames = classNames
    self.pixelClasses = pixelClasses
    self.images = images
  }

  package subscript(split: TransferSplit) -> [TransferImage] { images[split.rawValue] }
}

extension TransferImages {
  /// How many images generated sets have where a grid names no number.
  package static let generatedTraining = 1000
  package static let generatedTest = 200

  /// Generated shapes: of each set the first so many images, because a generated set has as many as are asked for.
  package init(_ shapes: SyntheticShapes, training: Int?, test: Int?) {
    func images(_ split: TransferSplit, _ count: Int) -> [TransferImage] {
      (0..<count).map { index in
        let picture = shapes.picture(split: split.rawValue, index)
        return TransferImage(
          place: index, height: shapes.height, width: shapes.width, pixels: picture.pixels,
          objects: picture.objects.map {
            TransferObject(
              box: $0.box, label: $0.label, area: Double($0.area), isCrowd: $0.isCrowd, mask: $0.mask)
          }, semantics: picture.semantics)
      }
    }
    self.init(
      classNames: Array(SyntheticShapes.classNames.prefix(shapes.classes)), pixelClasses: shapes.classes + 1,
      images: [
        images(.training, training ?? Self.generatedTraining), images(.test, test ?? Self.generatedTest),
      ])
  }
}
