import Evaluation
internal import Specs

/// A dataset as COCO's JSON with images and label maps as PNG, in the layout of `coco-json`: for other
/// frameworks.
///
/// ``` annotations/instances_train.json, instances_val.json train/0.png …, val/0.png …                  the
/// images labels/train/0.png …, labels/val/0.png …    gray: an output's number, or 255 for a pixel that is
/// not judged ```
///
/// Category ids are those of the dataset; masks are RLEs.
package struct CocoExport {
  private let dataset: AnnotatedDataset
  private let name: String

  /// - Parameter name: of the dataset, noted in the files.
  package init(_ dataset: AnnotatedDataset, name: String) {
    self.dataset = dataset
    self.name = name
  }

  /// Calls `write` with all files, paths relative to the export's folder.
  package func files(_ write: (_ path: String, _ bytes: [UInt8]) throws -> Void) throws {
    for (folder, split) in [("train", dataset.train), ("val", dataset.test)] {
      var images: [JSONValue] = []
      var annotations: [JSONValue] = []
      for index in 0..<split.count {
        let image = try split.image(index, [.pixels, .masks, .semantics])
        let file = "\(image.entry.id).png"
        let height = image.height
        let width = image.width
        try write(
          "\(folder)/\(file)", PNGFile.encoded(planes: image.pixels, height: height, width: width))
        if !image.semantics.isEmpty {
          try write(
            "labels/\(folder)/\(file)",
            PNGFile.encoded(image.semantics, height: height, width: width, channels: 1))
        }
        images.append([
          "id": Self.number(image.entry.id), "file_name": .string(file), "height": Self.number(height),
          "width": Self.number(width),
        ])
        for object in image.objects { annotations.append(try annotation(object, of: image)) }
      }
      try write("annotations/instances_\(folder).json", document(images, annotations))
    }
  }

  private func annotation(
    _ object: AnnotatedObject, of image: AnnotatedImage
  ) throws -> JSONValue {
    let box = object.box
    var members: [String: JSONValue] = [
      "id": Self.number(object.id), "image_id": Self.number(image.entry.id),
      "category_id": Self.number(dataset.categoryIDs[object.label]), "area": Self.number(object.area),
      "iscrowd": Self.number(object.isCrowd ? 1 : 0),
      "bbox": .array([box.x, box.y, box.width, box.height].map { Self.number($0) }),
    ]
    if let mask = try object.mask?.runs(height: image.height, width: image.width) {
      members["segmentation"] = [
        "size": .array([Self.number(mask.height), Self.number(mask.width)]), "counts": .string(mask.text),
      ]
    }
    return .object(members)
  }

  private static func number(_ value: Int) -> JSONValue { .number(DecimalNumber(value)) }
  /// Annotations are finite.
  private static func number(_ value: Double) -> JSONValue {
    DecimalNumber(value).map { .number($0) } ?? .null
  }

  /// A record a line.
  private func document(_ images: [JSONValue], _ annotations: [JSONValue]) -> [UInt8] {
    var categories: [JSONValue] = []
    for (label, name) in dataset.classNames.enumerated() {
      categories.append(["id": Self.number(dataset.categoryIDs[label]), "name": .string(name)])
    }
    func list(_ values: [JSONValue]) -> String {
      "[\n" + values.map { CanonicalJSON.text(of: $0) }.joined(separator: ",\n") + "\n]"
    }
    let info: JSONValue = ["description": .string(name)]
    let text = """
      {"info": \(CanonicalJSON.text(of: info)),
      "categories": \(list(categories)),
      "images": \(list(images)),
      "annotations": \(list(annotations))}

      """
    return Array(text.utf8)
  }
}
