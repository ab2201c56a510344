package import Specs

/// What annotations of a dataset can train: boxes with classes, or a class for every pixel.
package enum AnnotatedTask: String, Sendable, CaseIterable {
  case detection, segmentation
}

/// How annotations are read where a dataset can be read in more than one way.
package struct AnnotatedReading: Hashable, Sendable {
  /// Which outputs a network on COCO-Stuff has.
  package enum StuffIDs: String, Sendable, CaseIterable {
    /// 182: all numbers that labels can have, of which 11 never occur.
    case raw
    /// 171: the numbers that occur, in ascending order.
    case used
  }

  package var stuffIDs: StuffIDs

  package init(stuffIDs: StuffIDs = .raw) { self.stuffIDs = stuffIDs }
}

/// A kind of dataset for detection or segmentation that a grid's `transfer` can name: one file, and one line
/// in `Catalog.annotatedDatasets`.
package protocol AnnotatedKind: NamedDatasetKind {
  /// What its annotations train.
  var tasks: [AnnotatedTask] { get }
  /// Whether images are made from a seed and lie in no files. By default not.
  var generates: Bool { get }
  /// Whether its objects can have masks. By default they can.
  var knowsMasks: Bool { get }

  /// The outputs of a segmentation network by name, as far as the name tells; nil where only the files do, or
  /// where there are none.
  func semanticNames(_ name: String, _ reading: AnnotatedReading) -> [String]?

  /// Opens a dataset: its index is read and checked, images are decoded when they are asked for. Of images
  /// only those that `spec` names are in the splits.
  ///
  /// - Throws: `DatasetError`: absent, damaged or changed files, or fewer images than asked for.
  func open(
    _ spec: DatasetSpec, _ place: DatasetPlace, _ reading: AnnotatedReading
  ) throws -> AnnotatedDataset
}

extension AnnotatedKind {
  package var generates: Bool { false }
  package var knowsMasks: Bool { true }
  package func semanticNames(_ name: String, _ reading: AnnotatedReading) -> [String]? { nil }
}

extension Catalog where Entry == any AnnotatedKind {
  package static let annotatedDatasets = Catalog(
    "dataset of a transfer", listedBy: "datasets",
    [
      ShapesKind(), CocoKind.any, CocoKind.of2017, VOCKind(), LabelMapKind.cityscapes, LabelMapKind.ade20k,
      LabelMapKind.cocoStuff,
    ] as [any AnnotatedKind]
  ) { $0.name }
}

/// Finds and opens datasets for detection and segmentation by name.
package enum AnnotatedCatalog {
  /// Finds a dataset, checks and digests its files and reads its facts.
  ///
  /// - Parameters:
  ///   - text: `NAME`, or `NAME:FOLDER` where the files lie in FOLDER.
  ///   - folders: folders of datasets, searched in this order where the text names none.
  ///   - index: remembers what files hold.
  /// - Throws: `UnknownName`; `DatasetError` for a name that makes no dataset, and for files that are damaged
  ///   or contradict each other. Absent files are no error here: a grid can be planned without them.
  package static func locate(
    _ text: String, searching folders: [String] = [], index: PhotographIndexing = PhotographIndexing()
  ) throws -> LocatedDataset {
    let place = DatasetPlace(text, searching: folders, index: index)
    return try kind(of: place.name).locate(place)
  }

  /// Opens a dataset and takes the subsets that its specification names.
  ///
  /// - Parameter folders: where to look if the specification holds no folder, as in `locate`.
  /// - Throws: `UnknownName`, `DatasetError`: absent, damaged or changed files, or fewer images than
  ///   asked for.
  package static func open(
    _ spec: DatasetSpec, searching folders: [String] = [], index: PhotographIndexing = PhotographIndexing(),
    _ reading: AnnotatedReading = AnnotatedReading()
  ) throws -> AnnotatedDataset {
    let place = DatasetPlace(name: spec.name, folder: spec.folder, searching: folders, index: index)
    return try kind(of: spec.name).open(spec, place, reading)
  }

  /// Whether a kind reads the name.
  package static func has(_ name: String) -> Bool {
    Catalog.annotatedDatasets.entries.contains { $0.answers(to: name) }
  }

  /// The kind that reads a name.
  package static func kind(of name: String) throws(UnknownName) -> any AnnotatedKind {
    if let kind = Catalog.annotatedDatasets.entries.first(where: { $0.answers(to: name) }) { return kind }
    return try Catalog.annotatedDatasets.entry(name)
  }

  /// How many classes a network for a task has to tell apart: K of detection without the background, outputs
  /// of segmentation with the ground where it is one. Nil where neither name nor facts tell, and for another
  /// task.
  package static func classes(
    of dataset: DatasetSpec, _ task: AnnotatedTask, _ reading: AnnotatedReading = AnnotatedReading()
  ) -> Int? {
    guard let kind = try? kind(of: dataset.name), kind.tasks.contains(task) else { return nil }
    if task == .segmentation, let names = kind.semanticNames(dataset.name, reading) { return names.count }
    guard let facts = dataset.facts ?? kind.published(dataset.name) else { return nil }
    switch (facts.task, task) {
    case (.detection(let classes), .detection), (.segmentation(let classes), .segmentation): return classes
    default: return nil
    }
  }
}
