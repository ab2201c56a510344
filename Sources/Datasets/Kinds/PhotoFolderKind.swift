import Specs

/// `imagefolder-SIDE:FOLDER` and `imagenet:FOLDER`: photographs in folders of their classes.
struct PhotoFolderKind: DatasetKind {
  let isImageNet: Bool

  var name: String { isImageNet ? "imagenet" : "imagefolder" }

  var summary: String {
    isImageNet
      ? "1.28 million photographs, 3 × 224 × 224, 1000 classes: imagenet:FOLDER; measured as timm does with "
        + "-bicubic, -crop0.9"
      : "photographs in folders of their classes: imagefolder-SIDE:FOLDER, with FOLDER/train/CLASS and "
        + "FOLDER/val/CLASS"
  }

  func answers(to name: String) -> Bool { name == self.name || name.hasPrefix("\(self.name)-") }

  func published(_ name: String) -> DatasetFacts? {
    guard isImageNet, let photographs = (try? PhotoFolder(name: name)).flatMap({ $0 }) else { return nil }
    return photographs.facts(classes: 1000, train: 1_281_167, test: 50_000)
  }

  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    let photographs = try photographs(place.name)
    let places = places(place)
    guard let root = places.first(where: { PhotoIndex.find($0) != nil }) else {
      return LocatedDataset(
        spec: DatasetSpec(name: place.name, folder: place.folder), missing: missing(place.name, places))
    }
    let index = try photographs.index(
      root, cache: place.index.file(for: root), progress: place.index.progress(for: root))
    return LocatedDataset(
      spec: DatasetSpec(
        name: photographs.name(classes: index.classes.count), digest: index.digest, folder: root,
        facts: photographs.facts(of: index)))
  }

  func read(_ spec: DatasetSpec, _ place: DatasetPlace) throws -> Dataset {
    let photographs = try photographs(spec.name)
    let places = places(place)
    guard let root = places.first(where: { PhotoIndex.find($0) != nil }) else {
      throw DatasetError.missing(missing(spec.name, places))
    }
    let index = try photographs.index(
      root, cache: place.index.file(for: root), progress: place.index.progress(for: root))
    guard spec.digest == nil || index.digest == spec.digest else {
      throw DatasetError.changed(name: spec.name, folder: root)
    }
    for damaged in index.damaged { place.index.say("left out: \(damaged.path): \(damaged.problem)") }
    let (train, test) = photographs.dataset(index)
    var dataset = try Dataset(spec, train: train, test: test)
    dataset.classNames = index.classes
    dataset.facts = photographs.facts(of: index)
    return dataset
  }

  private func photographs(_ name: String) throws -> PhotoFolder {
    guard let photographs = try PhotoFolder(name: name) else {
      throw UnknownName(kind: "dataset", name: name, known: Catalog.datasets.names, listedBy: "datasets")
    }
    return photographs
  }

  private func places(_ place: DatasetPlace) -> [String] { place.folders(named: name) }

  private func missing(_ name: String, _ places: [String]) -> MissingDataset {
    MissingDataset(
      name: name, folders: places,
      files: "the folders train and val with a folder of photographs for each class",
      advice: "Name their folder in the grid: \(name):FOLDER.")
  }
}
