import Specs

extension LabelMapKind {
  /// `cityscapes:FOLDER`: streets, 19 classes. Of 34 numbers of labels 15 are not judged.
  ///
  /// Source: `formats.md` 8; mcordts/cityscapesScripts, `helpers/labels.py`.
  static let cityscapes = LabelMapKind(
    name: "cityscapes",
    summary:
      "streets with 19 classes, 2975 + 500 images: cityscapes:FOLDER, with leftImg8bit/ and "
      + "gtFine/, each train/ and val/ by cities",
    counts: DatasetFacts.Counts(train: 2_975, test: 500),
    files: "the folders leftImg8bit and gtFine with train and val", values: "values from 0 to 33",
    isAt: { FileListing.isFolder("\($0)/leftImg8bit") && FileListing.isFolder("\($0)/gtFine") },
    pairs: { (root, isTest) throws(DatasetError) in
      try cityPairs(root, isTest ? "val" : "train")
    },
    outputs: { _ in
      (0..<256).map { (value: Int) -> UInt8? in
        guard value <= 33 else { return nil }
        return cityscapesIDs.firstIndex(of: value).map { UInt8($0) } ?? AnnotatedImage.ignored
      }
    },
    outputNames: { _ in
      [
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
        "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle",
        "bicycle",
      ]
    })

  /// Frames of all cities with their labels; then labels without a frame, which are told of as missing
  /// images.
  private static func cityPairs(_ root: String, _ split: String) throws(DatasetError) -> [Pair] {
    let kinds = [("leftImg8bit", "_leftImg8bit.png"), ("gtFine", "_gtFine_labelIds.png")]
    var pairs: [Pair] = []
    var seen: Set<String> = []
    for (folder, ending) in kinds {
      for city in try FileListing.entries("\(root)/\(folder)/\(split)") where !city.isHidden {
        guard let name = city.text else { continue }
        let place = "\(root)/\(folder)/\(split)/\(name)"
        guard FileListing.isFolder(place) else { continue }
        for file in try names(place, endingIn: [ending.lowercased()]) {
          let frame = "\(split)/\(name)/\(file.dropLast(ending.count))"
          guard seen.insert(frame).inserted else { continue }
          pairs.append(
            Pair(image: "leftImg8bit/\(frame)\(kinds[0].1)", labels: "gtFine/\(frame)\(kinds[1].1)"))
        }
      }
    }
    return pairs
  }

  /// The numbers of labels that are judged, by output.
  private static let cityscapesIDs = [
    7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33,
  ]
}
