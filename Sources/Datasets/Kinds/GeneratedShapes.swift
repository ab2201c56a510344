import Specs

/// `synthetic`, and `synthetic-CxHxW-K` for other sizes and numbers of classes: images without files.
struct GeneratedShapes: DatasetKind {
  let name = "synthetic"
  let summary =
    "textured shapes drawn from a seed, 1 × 16 × 16, 10 classes; synthetic-CxHxW-K for others"

  func answers(to name: String) -> Bool {
    name == self.name || name.hasPrefix("synthetic-") && !name.hasPrefix(SyntheticShapes.prefix)
  }

  func published(_ name: String) -> DatasetFacts? {
    (try? SyntheticTask(name: name)).flatMap { $0 }.map(Self.facts)
  }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    let task = try task(place.name)
    if let folder = place.folder {
      throw DatasetError.impossible(
        name: "\(place.name):\(folder)", problem: "generated images lie in no folder")
    }
    return LocatedDataset(
      spec: DatasetSpec(name: task.name, digest: task.digest, facts: Self.facts(task)))
  }

  func read(_ spec: DatasetSpec, _ place: DatasetPlace) throws -> Dataset {
    try Dataset(spec, generating: task(spec.name))
  }

  private func task(_ name: String) throws -> SyntheticTask {
    guard let task = try SyntheticTask(name: name) else {
      throw UnknownName(kind: "dataset", name: name, known: [self.name], listedBy: "datasets")
    }
    return task
  }

  private static func facts(_ source: SyntheticTask) -> DatasetFacts {
    var facts = DatasetFacts(
      task: .classification(classes: source.task.classes), channels: source.task.channels,
      size: .fixed(height: source.task.height, width: source.task.width),
      trainImages: SyntheticTask.trainImages, testImages: SyntheticTask.testImages)
    facts.mostTrainImages = SyntheticTask.mostImages
    // As many as somebody has memory for.
    facts.mostTestImages = .max
    return facts
  }
}
