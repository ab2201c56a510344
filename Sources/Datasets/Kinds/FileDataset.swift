import Specs

/// A dataset in a few files that are read whole.
///
/// Its digest is that of the files in their published form: the same images have one digest however they are
/// packed and wherever they lie.
protocol FileDataset: DatasetKind {
  /// What its folder is called inside a folder of datasets, the archive's own name first.
  var folders: [String] { get }
  /// Where a package of the system puts it.
  var systemFolders: [String] { get }
  /// What has to be there, as a phrase.
  var expected: String { get }
  /// How to get it: a sentence.
  var advice: String { get }

  /// The files of a folder; nil where some are absent.
  ///
  /// - Parameter path: a folder, or a packed archive.
  func find(_ path: String) throws(DatasetError) -> FoundFiles?
  /// What headers and sizes say of these files.
  func facts(of found: FoundFiles) throws(DatasetError) -> DatasetFacts
  func read(_ files: [DataFile]) throws(DatasetError) -> (train: ImageSet, test: ImageSet)
  /// In the order of labels; empty where nothing says.
  func classNames(_ folder: String, classes: Int) -> [String]
}

/// The files of a dataset in one place, in their published form and order.
struct FoundFiles: Sendable {
  let files: [DataFile]
  /// Files of the published dataset; nil where any number will do.
  var due: Int?
}

extension FileDataset {
  func locate(_ place: DatasetPlace) throws -> LocatedDataset {
    let places = places(place)
    for path in places {
      guard let found = try find(path) else { continue }
      return LocatedDataset(
        spec: DatasetSpec(
          name: name, digest: DataFile.digest(of: found.files), folder: path, facts: try facts(of: found)))
    }
    return LocatedDataset(
      spec: DatasetSpec(name: name, folder: place.folder),
      missing: missing(place.folder.map { [$0] } ?? places))
  }

  func read(_ spec: DatasetSpec, _ place: DatasetPlace) throws -> Dataset {
    let places = places(place)
    for path in places {
      guard let found = try find(path) else { continue }
      guard spec.digest == nil || DataFile.digest(of: found.files) == spec.digest else {
        throw DatasetError.changed(name: spec.name, folder: path)
      }
      let (train, test) = try read(found.files)
      var dataset = try Dataset(spec, train: train, test: test)
      dataset.classNames = classNames(path, classes: train.task.classes)
      dataset.facts = try facts(of: found)
      return dataset
    }
    throw DatasetError.missing(missing(places))
  }

  private func missing(_ places: [String]) -> MissingDataset {
    MissingDataset(name: name, folders: places, files: expected, advice: advice)
  }

  private func places(_ place: DatasetPlace) -> [String] {
    if let folder = place.folder { return [folder] + folders.map { "\(folder)/\($0)" } }
    return place.searching.flatMap { parent in folders.map { "\(parent)/\($0)" } } + systemFolders
  }
}
