import Evaluation
import Foundation
import TestSupport

@testable import Datasets

/// A small annotated dataset in the layout of its kind, made by a test.
struct AnnotatedSample: Sendable {
  /// As a grid names it, without its folder.
  let name: String
  let classes: Int
  let train: Int
  let test: Int
  /// Files by their paths below the folder; empty for a kind without files.
  var files: [String: [UInt8]]

  func write(to scratch: borrowing Scratch) throws {
    for (path, bytes) in files {
      let url = URL(filePath: "\(scratch.path)/\(path)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }
  }

  func text(_ folder: String) -> String { files.isEmpty ? name : "\(name):\(folder)" }

  /// The same with one file changed, or taken away.
  func with(_ path: String, _ bytes: [UInt8]?) -> AnnotatedSample {
    var other = self
    other.files[path] = bytes
    return other
  }

  func with(_ path: String, _ text: String) -> AnnotatedSample { with(path, Array(text.utf8)) }

  func named(_ name: String) -> AnnotatedSample {
    AnnotatedSample(name: name, classes: classes, train: train, test: test, files: files)
  }
}

extension AnnotatedSample {
  /// One of each kind of the catalog, by the kind's name.
  static let all: [String: AnnotatedSample] = [
    "synthetic-shapes": AnnotatedSample(
      name: "synthetic-shapes-32x48-2", classes: 2, train: SyntheticShapes.trainImages,
      test: SyntheticShapes.testImages, files: [:]),
    "coco-json": coco("coco-json", "train", "val"), "coco2017": coco("coco2017", "train2017", "val2017"),
    "voc-xml": voc, "cityscapes": cityscapes, "ade20k": ade20k, "coco-stuff-164k": cocoStuff,
  ]

  static func picture(_ seed: Int, width: Int = 48, height: Int = 40) -> [UInt8] {
    JPEG.encoded(
      (0..<width * height * 3).map { UInt8(($0 * 3 + seed * 41) & 255) }, width: width, height: height)
  }

  static func png(_ seed: Int, width: Int = 48, height: Int = 40) -> [UInt8] {
    PNGFile.encoded(
      (0..<width * height * 3).map { UInt8(($0 * 5 + seed * 29) & 255) }, height: height, width: width,
      channels: 3)
  }

  /// Gray values that go round.
  static func labels(_ values: [UInt8], width: Int = 48, height: Int = 40) -> [UInt8] {
    PNGFile.encoded(
      (0..<width * height).map { values[$0 % values.count] }, height: height, width: width, channels: 1)
  }

  // MARK: COCO

  static let categories = #"[{"id": 90, "name": "cup"}, {"id": 3, "name": "dog", "supercategory": "animal"}]"#

  /// Images 7, 2 and 9: two objects with polygons and a crowd, one object with text, none.
  static let trainJSON = """
    {"info": {"year": 2017, "nested": [[1, 2.5e3, -4], {"a": null, "b": true}]}, "categories": \(categories),
     "annotations": [
      {"id": 11, "image_id": 7, "category_id": 90, "bbox": [1.08, 2.5, 10.25, 20], "area": 120.5, "iscrowd": 0,
       "segmentation": [[1.08, 2.5, 11, 2.5, 11, 22], [1, 2, 3], [4, 5, 6, 7, 8, 9.5]]},
      {"id": 12, "image_id": 2, "category_id": 3, "bbox": [0, 0, 4, 3], "area": 4, "iscrowd": 0,
       "segmentation": {"size": [40, 48], "counts": "\(squareText)"}},
      {"id": 5, "image_id": 7, "category_id": 3, "bbox": [0, 0, 48, 40], "area": 3, "iscrowd": 1,
       "segmentation": {"counts": [0, 3, 1917], "size": [40, 48]}}],
     "licenses": [],
     "images": [{"id": 7, "file_name": "000007.jpg", "width": 48, "height": 40, "license": 3},
      {"id": 2, "file_name": "000002.jpg", "width": 48, "height": 40},
      {"file_name": "000009.jpg", "height": 40, "width": 48, "id": 9}]}
    """

  static let valJSON = """
    {"images": [{"id": 1, "file_name": "a\\u00e9.jpg", "width": 48, "height": 40}],
     "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [5, 5, 0, 7], "area": 0, "iscrowd": 0,
       "segmentation": [[5, 5, 5, 12, 6, 12]]}],
     "categories": \(categories)}
    """

  /// A square of 2 × 2 pixels in the upper left corner of 40 × 48, as JSON writes COCO's text.
  static let squareText: String = {
    var bits = [Bool](repeating: false, count: 40 * 48)
    for pixel in [0, 1, 48, 49] { bits[pixel] = true }
    return RunLengthMask(height: 40, width: 48, bits: bits).text.replacing("\\", with: "\\\\")
  }()

  static func coco(_ name: String, _ train: String, _ test: String) -> AnnotatedSample {
    AnnotatedSample(
      name: name, classes: 2, train: 3, test: 1,
      files: [
        "annotations/instances_\(train).json": Array(trainJSON.utf8),
        "annotations/instances_\(test).json": Array(valJSON.utf8),
        "\(train)/000007.jpg": picture(7), "\(train)/000002.jpg": picture(2),
        "\(train)/000009.jpg": picture(9), "\(test)/aé.jpg": picture(1),
      ])
  }

  // MARK: VOC

  static func vocObject(_ name: String, _ box: [String], _ more: String = "") -> String {
    """
    <object><name>\(name)</name><pose>Left</pose><difficult>1</difficult>\(more)
      <bndbox><xmin>\(box[0])</xmin><ymin>\(box[1])</ymin><xmax>\(box[2])</xmax><ymax>\(box[3])</ymax></bndbox>
    </object>
    """
  }

  static func vocXML(_ objects: String..., width: Int = 48, height: Int = 40) -> [UInt8] {
    Array(
      """
      <?xml version="1.0" encoding="utf-8"?>
      <!-- made by a test -->
      <annotation verified='yes'>
        <filename>anything.jpg</filename>
        <size><width>\(width)</width><height>\(height)</height><depth>3</depth></size>
        \(objects.joined(separator: "\n"))
      </annotation>
      """.utf8)
  }

  static let voc = AnnotatedSample(
    name: "voc-xml", classes: 3, train: 3, test: 1,
    files: [
      "Annotations/a.xml": vocXML(
        vocObject(
          "dog", ["1", "2", "48", "40"],
          "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"),
        vocObject("cat &amp; cow", ["3.5", "4", "20.25", "30"])),
      "Annotations/b.xml": vocXML(vocObject("dog", ["7", "9", "7", "9"])),
      "Annotations/c.xml": vocXML(), "Annotations/d.xml": vocXML(vocObject("ant", ["0", "1", "49", "40"])),
      "JPEGImages/a.jpg": picture(1), "JPEGImages/b.JPG": picture(2), "JPEGImages/c.png": png(3),
      "JPEGImages/d.jpeg": picture(4), "ImageSets/Main/train.txt": Array("b\r\na\n".utf8),
      "ImageSets/Main/val.txt": Array("c".utf8), "ImageSets/Main/test.txt": Array("\nd \n".utf8),
    ])

  // MARK: Label maps

  static let cityscapes = AnnotatedSample(
    name: "cityscapes", classes: 19, train: 2, test: 1,
    files: [
      "leftImg8bit/train/ulm/ulm_0_1_leftImg8bit.png": png(1),
      "gtFine/train/ulm/ulm_0_1_gtFine_labelIds.png": labels([7, 0, 33, 26]),
      "gtFine/train/ulm/ulm_0_1_gtFine_color.png": png(9),
      "leftImg8bit/train/bonn/bonn_0_1_leftImg8bit.png": png(2),
      "gtFine/train/bonn/bonn_0_1_gtFine_labelIds.png": labels([11]),
      "leftImg8bit/val/koeln/koeln_0_1_leftImg8bit.png": png(3),
      "gtFine/val/koeln/koeln_0_1_gtFine_labelIds.png": labels([8, 29]),
    ])

  static let ade20k = AnnotatedSample(
    name: "ade20k", classes: 150, train: 2, test: 1,
    files: [
      "images/training/ADE_train_2.jpg": picture(2), "annotations/training/ADE_train_2.png": labels([0, 1]),
      "images/training/ADE_train_1.jpg": picture(1), "annotations/training/ADE_train_1.png": labels([150]),
      "images/validation/ADE_val_1.jpg": picture(3),
      "annotations/validation/ADE_val_1.png": labels([7, 8, 9]),
    ])

  static let cocoStuff = AnnotatedSample(
    name: "coco-stuff-164k", classes: 182, train: 2, test: 1,
    files: [
      "images/train2017/000000000009.jpg": picture(9),
      "stuffthingmaps/train2017/000000000009.png": labels([0, 12, 181, 255]),
      "images/train2017/000000000025.jpg": picture(2),
      "stuffthingmaps/train2017/000000000025.png": labels([91]),
      "images/val2017/000000000139.jpg": picture(3),
      "stuffthingmaps/val2017/000000000139.png": labels([10, 12]),
    ])
}
