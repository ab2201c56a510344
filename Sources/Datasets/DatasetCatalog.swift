package import Specs

/// Finds and reads datasets by name.
package enum DatasetCatalog {
  /// Finds a dataset, digests its files and reads its facts.
  ///
  /// - Parameters:
  ///   - text: `NAME`, or `NAME:FOLDER` where the files lie in FOLDER.
  ///   - folders: folders of datasets, searched in this order where the text names none; last comes the place
  ///     where the system's packages put them.
  ///   - index: remembers what folders of photographs hold.
  /// - Throws: `UnknownName`; `DatasetError` for a name that makes no dataset or a file that is damaged.
  ///   Absent files are no error here: a grid can be planned without them.
  package static func locate(
    _ text: String, searching folders: [String] = [], index: PhotographIndexing = PhotographIndexing()
  ) throws -> LocatedDataset {
    let place = DatasetPlace(text, searching: folders, index: index)
    return try kind(of: place.name).locate(place)
  }

  /// Reads a dataset, checks it and takes the subsets that its specification names.
  ///
  /// - Parameter folders: where to look if the specification holds no folder, as in `locate`.
  /// - Throws: `UnknownName`, `DatasetError`: absent, damaged or changed files, or
  ///   fewer images than asked for.
  package static func read(
    _ spec: DatasetSpec, searching folders: [String] = [], index: PhotographIndexing = PhotographIndexing()
  ) throws -> Dataset {
    let place = DatasetPlace(name: spec.name, folder: spec.folder, searching: folders, index: index)
    return try kind(of: spec.name).read(spec, place)
  }

  /// What is known of a dataset: what its files say where they have been found, else what its name says; nil
  /// where neither says enough.
  package static func facts(of dataset: DatasetSpec) -> DatasetFacts? {
    dataset.facts ?? (try? kind(of: dataset.name))?.published(dataset.name)
  }

  /// The kind that reads a name.
  package static func kind(of name: String) throws(UnknownName) -> any DatasetKind {
    if let kind = Catalog.datasets.entries.first(where: { $0.answers(to: name) }) { return kind }
    return try Catalog.datasets.entry(name)
  }

  /// Whether a dataset's images are photographs, decoded when they are shown.
  package static func isOfPhotographs(_ name: String) -> Bool { (try? kind(of: name)) is PhotoFolderKind }
}
