import Specs

/// `synthetic-shapes-HxW-K`, perhaps with `-h0`, `-h1` or `-h2`: generated images with boxes, masks and label
/// maps.
struct ShapesKind: AnnotatedKind {
  let name = SyntheticShapes.prefix
  let summary =
    "shapes drawn from a seed with boxes, masks and label maps, 3 × 96 × 96, 3 classes; "
    + "synthetic-shapes-HxW-K for others, K up to 6; -h0 or -h2 behind it is easier or harder"
  let tasks: [AnnotatedTask] = [.detection, .segmentation]
  let generates = true

  func answers(to name: String) -> Bool { name.hasPrefix(SyntheticShapes.prefix) }

  func published(_ name: String) -> DatasetFacts? {
    (try? SyntheticShapes(name: name)).flatMap { $0 }.map(Self.facts)
  }

  func semanticNames(_ name: String, _ reading: AnnotatedReading) -> [String]? {
    (try? SyntheticShapes(name: name)).flatMap { $0 }.map { ["ground"] + $0.classNames }
  }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    let shapes = try shapes(place.name)
    if let folder = place.folder {
      throw DatasetError.impossible(
        name: "\(place.name):\(folder)", problem: "generated images lie in no folder")
    }
    return LocatedDataset(
      spec: DatasetSpec(name: shapes.name, digest: shapes.digest, facts: Self.facts(shapes)))
  }

  func open(
    _ spec: DatasetSpec, _ place: DatasetPlace, _ reading: AnnotatedReading
  ) throws -> AnnotatedDataset {
    let shapes = try shapes(spec.name)
    // Image i depends on its split and on i alone, so a set is as large as it is asked for.
    let train = (spec.trainImages ?? max(1, SyntheticShapes.trainImages - spec.validationImages))
    let counts = (train: train + spec.validationImages, test: spec.testImages ?? SyntheticShapes.testImages)
    for (key, count) in [("trainImages", counts.train), ("testImages", counts.test)]
    where count > SyntheticTask.mostImages {
      throw DatasetError.tooFew(name: spec.name, key: key, asked: count, present: SyntheticTask.mostImages)
    }
    return try AnnotatedDataset(
      spec, classNames: shapes.classNames, semanticNames: ["ground"] + shapes.classNames, hasMasks: true,
      train: GeneratedSource(shapes: shapes, split: 0, count: counts.train),
      test: GeneratedSource(shapes: shapes, split: 1, count: counts.test))
  }

  private func shapes(_ name: String) throws -> SyntheticShapes {
    guard let shapes = try SyntheticShapes(name: name) else {
      throw UnknownName(
        kind: "dataset of a transfer", name: name, known: Catalog.annotatedDatasets.names,
        listedBy: "datasets")
    }
    return shapes
  }

  private static func facts(_ shapes: SyntheticShapes) -> DatasetFacts {
    DatasetFacts(
      task: .detection(classes: shapes.classes), channels: 3,
      size: .fixed(height: shapes.height, width: shapes.width),
      trainImages: SyntheticShapes.trainImages, testImages: SyntheticShapes.testImages)
  }
}

/// A split of generated shapes.
private struct GeneratedSource: AnnotatedSource {
  let shapes: SyntheticShapes
  let split: Int
  let count: Int

  func entry(_ place: Int) -> AnnotatedEntry {
    AnnotatedEntry(
      id: place, name: "\(["train", "val"][split])/\(place).png", height: shapes.height,
      width: shapes.width)
  }

  func outputs(_ place: Int) -> Set<UInt8>? {
    Set(shapes.picture(split: split, place).semantics).subtracting([AnnotatedImage.ignored])
  }

  func image(_ place: Int, _ parts: AnnotatedParts) -> AnnotatedImage {
    let picture = shapes.picture(split: split, place)
    var image = AnnotatedImage(entry(place))
    if parts.contains(.pixels) { image.pixels = picture.pixels }
    if parts.contains(.semantics) { image.semantics = picture.semantics }
    if !parts.isDisjoint(with: [.objects, .masks]) {
      image.objects = picture.objects.enumerated().map { number, shape in
        var object = AnnotatedObject(
          // There are at most 6 objects; 0 is no id, because evaluators take it for none.
          id: 16 * place + number + 1, label: shape.label, box: shape.box, area: Double(shape.area),
          isCrowd: shape.isCrowd)
        object.mask = .runs(shape.mask)
        return object
      }
    }
    return image
  }
}
