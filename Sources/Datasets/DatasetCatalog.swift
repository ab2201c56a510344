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
  /// - Throws: `UnknownName`; `DatasetError` for a name that makes no dataset or a file that cannot be read. Absent files are no error
  ///   here: a grid can be planned without them.
  package static func locate(_ text: String, searching folders: [String] = []) throws -> LocatedDataset {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    let folder = parts.count == 2 ? trimmed(String(parts[1])) : nil
    if let synthetic = try SyntheticTask(name: name) {
      guard folder == nil else {
        throw DatasetError.impossible(name: text, problem: "generated images lie in no folder")
      }
      return LocatedDataset(spec: DatasetSpec(name: synthetic.name, digest: synthetic.digest), missing: nil)
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
  package static func read(_ spec: DatasetSpec, searching folders: [String] = []) throws -> Dataset {
    if let synthetic = try SyntheticTask(name: spec.name) {
      return try Dataset(spec, generating: synthetic)
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
