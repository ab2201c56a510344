import Specs

extension LabelMapKind {
  /// `coco-stuff-164k:FOLDER`: COCO's images, 182 numbers of which 171 occur; 255 in a label is not judged.
  ///
  /// Source: `formats.md` 10; nightrome/cocostuff.
  static let cocoStuff = LabelMapKind(
    name: "coco-stuff-164k",
    summary:
      "things and stuff, 182 outputs or the 171 that occur, 118 287 + 5000 images: coco-stuff-164k:FOLDER, "
      + "with images/ and annotations/ or stuffthingmaps/, each train2017/ and val2017/",
    counts: DatasetFacts.Counts(train: 118_287, test: 5_000),
    files: "the folders images and annotations or stuffthingmaps with train2017 and val2017",
    values: "the values of 171 classes from 0 to 181, or 255",
    isAt: { root in
      FileListing.isFolder("\(root)/images/train2017") && labelFolder(root) != nil
    },
    pairs: { (root, isTest) throws(DatasetError) in
      let split = isTest ? "val2017" : "train2017"
      return try pairs(
        root, images: "images/\(split)", labels: "\(labelFolder(root) ?? "annotations")/\(split)")
    },
    outputs: { reading in
      let used = usedStuff
      return (0..<256).map { (value: Int) -> UInt8? in
        if value == 255 { return AnnotatedImage.ignored }
        guard let place = used.firstIndex(of: value) else { return nil }
        return UInt8(reading.stuffIDs == .raw ? value : place)
      }
    },
    outputNames: { reading in
      (reading.stuffIDs == .raw ? Array(0...181) : usedStuff).map { "class \($0)" }
    },
    nameFile: .labels)

  /// Either of the two names that the maps are packed under.
  private static func labelFolder(_ root: String) -> String? {
    ["annotations", "stuffthingmaps"].first { FileListing.isFolder("\(root)/\($0)/train2017") }
  }

  /// The numbers that occur: 11 of COCO's things never do.
  private static let usedStuff: [Int] = {
    let absent: Set = [11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90]
    return (0...181).filter { !absent.contains($0) }
  }()
}
