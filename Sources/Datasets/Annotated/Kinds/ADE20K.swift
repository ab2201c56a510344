import Specs

extension LabelMapKind {
  /// `ade20k:FOLDER`: scenes, 150 classes; 0 in a label is not judged, and k is class k - 1.
  ///
  /// Source: `formats.md` 9; CSAILVision/sceneparsing.
  static let ade20k = LabelMapKind(
    name: "ade20k",
    summary:
      "scenes with 150 classes, 20 210 + 2000 images: ade20k:FOLDER, with images/ and "
      + "annotations/, each training/ and validation/",
    counts: DatasetFacts.Counts(train: 20_210, test: 2_000),
    files: "the folders images and annotations with training and validation",
    values: "values from 0 to 150",
    isAt: {
      FileListing.isFolder("\($0)/images/training") && FileListing.isFolder("\($0)/annotations/training")
    },
    pairs: { (root, isTest) throws(DatasetError) in
      let split = isTest ? "validation" : "training"
      return try pairs(root, images: "images/\(split)", labels: "annotations/\(split)")
    },
    outputs: { _ in
      (0..<256).map { (value: Int) -> UInt8? in
        guard value <= 150 else { return nil }
        return value == 0 ? AnnotatedImage.ignored : UInt8(value - 1)
      }
    },
    outputNames: { _ in (1...150).map { "class \($0)" } },
    nameFile: .objectInfo)
}
