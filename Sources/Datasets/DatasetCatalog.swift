internal import Foundation
package import Specs

/// A dataset as a grid named it, and what was found of it.
package struct LocatedDataset: Sendable {
  /// With the digest and the folder where its files were found; without a digest where they were not.
  package let spec: DatasetSpec
  /// Why there is no digest.
  package let missing: MissingDataset?
}

/// Finds and reads datasets by name.
package enum DatasetCatalog {
  /// Finds a dataset and digests its files.
  ///
  /// - Parameters:
  ///   - text: `NAME`, or `NAME:FOLDER` where the files lie in FOLDER.
  ///   - folders: folders of datasets, searched in this order where the text names none; last comes the place
  ///     where the system's packages put them.
  ///   - index: remembers what folders of photographs hold.
  /// - Throws: `UnknownName`; `DatasetError` for a name that makes no dataset or a file that cannot be read. Absent files are no error
  ///   here: a grid can be planned without them.
  package static func locate(
    _ text: String, searching folders: [String] = [], index: PhotographIndexing = PhotographIndexing()
  ) throws -> LocatedDataset {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let folder = parts.count == 2 ? trimmed(String(parts[1])) : nil
    if let synthetic = try SyntheticTask(name: name) {
      guard folder == nil else {
        throw DatasetError.impossible(name: text, problem: "generated images lie in no folder")
      }
      return LocatedDataset(spec: DatasetSpec(name: synthetic.name, digest: synthetic.digest), missing: nil)
    }
    if let photographs = try PhotoFolder(name: name) {
      return try locate(photographs, name, folder, searching: folders, index)
    }
    let kind = try Catalog.datasets.entry(name)
    let layout = kind.layout!
    let places = places(of: layout, folder: folder, searching: folders)
    for place in places {
      guard let paths = layout.files(place) else { continue }
      let files = try paths.map { path throws(DatasetError) in try DataFile(reading: path) }
      let spec = DatasetSpec(name: name, digest: DataFile.digest(of: files), folder: place)
      return LocatedDataset(spec: spec, missing: nil)
    }
    let missing = MissingDataset(
      name: name, folders: folder.map { [$0] } ?? places, files: layout.expected, advice: layout.advice)
    return LocatedDataset(spec: DatasetSpec(name: name, folder: folder), missing: missing)
  }

  /// Reads a dataset, checks it and takes the subsets that its specification names.
  ///
  /// - Parameter folders: where to look if the specification holds no folder, as in `locate`.
  /// - Throws: `UnknownName`, `DatasetError`: absent, damaged or changed files, or fewer images than asked for.
  package static func read(
    _ spec: DatasetSpec, searching folders: [String] = [], index: PhotographIndexing = PhotographIndexing()
  ) throws -> Dataset {
    if let synthetic = try SyntheticTask(name: spec.name) {
      return try Dataset(spec, generating: synthetic)
    }
    if let photographs = try PhotoFolder(name: spec.name) {
      return try read(photographs, spec, searching: folders, index)
    }
    let layout = try Catalog.datasets.entry(spec.name).layout!
    let places = places(of: layout, folder: spec.folder, searching: folders)
    for place in places {
      guard let paths = layout.files(place) else { continue }
      let files = try paths.map { path throws(DatasetError) in try DataFile(reading: path) }
      guard spec.digest == nil || DataFile.digest(of: files) == spec.digest else {
        throw DatasetError.changed(name: spec.name, folder: place)
      }
      let (train, test) = try layout.read(files)
      return try Dataset(spec, train: train, test: test)
    }
    throw DatasetError.missing(
      MissingDataset(name: spec.name, folders: places, files: layout.expected, advice: layout.advice))
  }

  private static func locate(
    _ kind: PhotoFolder, _ name: String, _ folder: String?, searching folders: [String],
    _ indexing: PhotographIndexing
  ) throws -> LocatedDataset {
    let places = places(of: kind, folder: folder, searching: folders)
    guard let root = places.first(where: { PhotoIndex.find($0) != nil }) else {
      return LocatedDataset(
        spec: DatasetSpec(name: name, folder: folder), missing: missing(kind, name, places))
    }
    let index = try kind.index(root, cache: indexing.file(for: root), progress: indexing.progress(for: root))
    let spec = DatasetSpec(name: kind.name(classes: index.classes.count), digest: index.digest, folder: root)
    return LocatedDataset(spec: spec, missing: nil)
  }

  private static func read(
    _ kind: PhotoFolder, _ spec: DatasetSpec, searching folders: [String], _ indexing: PhotographIndexing
  ) throws -> Dataset {
    let places = places(of: kind, folder: spec.folder, searching: folders)
    guard let root = places.first(where: { PhotoIndex.find($0) != nil }) else {
      throw DatasetError.missing(missing(kind, spec.name, places))
    }
    let index = try kind.index(root, cache: indexing.file(for: root), progress: indexing.progress(for: root))
    guard spec.digest == nil || index.digest == spec.digest else {
      throw DatasetError.changed(name: spec.name, folder: root)
    }
    for damaged in index.damaged { indexing.say("left out: \(damaged.path): \(damaged.problem)") }
    let (train, test) = kind.dataset(index)
    return try Dataset(spec, train: train, test: test)
  }

  private static func places(of kind: PhotoFolder, folder: String?, searching folders: [String]) -> [String] {
    (folder.map { [$0] } ?? folders.map { "\(trimmed($0))/\(kind.folder)" }).map { place in
      place.hasPrefix("/") ? place : "\(FileManager.default.currentDirectoryPath)/\(place)"
    }
  }

  private static func missing(_ kind: PhotoFolder, _ name: String, _ places: [String]) -> MissingDataset {
    MissingDataset(
      name: name, folders: places,
      files: "the folders train and val with a folder of photographs for each class",
      advice: "Name their folder in the grid: \(name):FOLDER.")
  }

  private static func places(of layout: FileLayout, folder: String?, searching folders: [String]) -> [String]
  {
    if let folder { return [folder] + layout.folders.map { "\(folder)/\($0)" } }
    return folders.flatMap { parent in layout.folders.map { "\(trimmed(parent))/\($0)" } }
      + layout.systemFolders
  }

  private static func trimmed(_ folder: String) -> String {
    folder.count > 1 && folder.hasSuffix("/") ? trimmed(String(folder.dropLast())) : folder
  }
}

extension DatasetCatalog {
  /// The images that a located dataset shows, known without reading them.
  package static func task(of dataset: DatasetSpec) throws -> ImageTask { usualSize(dataset.name).task }

  /// Whether a dataset's images are photographs, decoded when they are shown.
  package static func isOfPhotographs(_ name: String) -> Bool { (try? PhotoFolder(name: name)) != nil }

  /// The task of a dataset and how many images it has in full, by its name alone: for forecasts, before any file is read. What lies in
  /// an unknown folder is taken to be of MNIST's size.
  package static func usualSize(_ name: String) -> (task: ImageTask, train: Int, test: Int) {
    if let synthetic = try? SyntheticTask(name: name) {
      return (synthetic.task, SyntheticTask.trainImages, SyntheticTask.testImages)
    }
    if let kind = try? PhotoFolder(name: name) {
      let task = kind.task ?? ImageTask(channels: 3, height: kind.side, width: kind.side, classes: 1000)
      return (task, 1_281_167, 50_000)
    }
    switch name {
    case "cifar10": return (ImageTask(channels: 3, height: 32, width: 32, classes: 10), 50_000, 10_000)
    case "cifar100": return (ImageTask(channels: 3, height: 32, width: 32, classes: 100), 50_000, 10_000)
    default: return (ImageTask(channels: 1, height: 28, width: 28, classes: 10), 60_000, 10_000)
    }
  }
}
