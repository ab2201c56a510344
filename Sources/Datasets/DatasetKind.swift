public import Specs

/// What all kinds of datasets have, whatever they train: a name, facts, and files that are found.
public protocol NamedDatasetKind: Sendable {
  /// As a grid names it, such as `cifar100`.
  var name: String { get }
  /// One line for a listing.
  var summary: String { get }

  /// Whether `name` is this kind's to read. A kind with numbers in its names, such as `synthetic-1x16x16-4`,
  /// answers for all names that begin like its own. By default its own name alone.
  func answers(to name: String) -> Bool

  /// What is known of a dataset by its name alone, before any file is found; nil where only its files say.
  func published(_ name: String) -> DatasetFacts?

  /// Finds the files, digests them and reads their facts. Absent files are no error.
  ///
  /// - Throws: `DatasetError` for a name that makes no dataset, and for files that are
  ///   damaged or cannot be read.
  func locate(_ place: DatasetPlace) throws -> LocatedDataset
}

/// A kind of dataset that a classifier is trained on: one file, and one line in `Catalog.datasets`.
///
/// A kind finds its files, counts them from headers, file sizes and listings, and reads them:
///
///     struct Digits: DatasetKind {
///       let name = "digits"
///       let summary = "digits, 1 × 8 × 8, 10 classes: digits:FOLDER"
///       func locate(_ place: DatasetPlace) throws -> LocatedDataset { … }
///       func read(_ spec: DatasetSpec, _ place: DatasetPlace) throws -> Dataset { … }
///     }
public protocol DatasetKind: NamedDatasetKind {
  /// Reads all images, checks them, and takes the subsets that `spec` names.
  ///
  /// - Throws: `DatasetError`: absent, damaged or changed files, or fewer images than asked for.
  func read(_ spec: DatasetSpec, _ place: DatasetPlace) throws -> Dataset
}

extension NamedDatasetKind {
  public func answers(to name: String) -> Bool { name == self.name }
  public func published(_ name: String) -> DatasetFacts? { nil }
}

/// Where a dataset is looked for.
public struct DatasetPlace: Sendable {
  /// As the grid names it, without its folder.
  public let name: String
  /// The folder, or the packed archive, that the grid names; nil where it names none.
  public let folder: String?
  /// Folders of datasets, searched in this order where `folder` is nil.
  public let searching: [String]
  package let index: PhotographIndexing

  package init(
    name: String, folder: String? = nil, searching: [String] = [],
    index: PhotographIndexing = PhotographIndexing()
  ) {
    self.name = name
    self.folder = folder.map(Self.trimmed)
    self.searching = searching.map(Self.trimmed)
    self.index = index
  }

  /// - Parameter text: `NAME`, or `NAME:FOLDER`.
  package init(
    _ text: String, searching: [String] = [], index: PhotographIndexing = PhotographIndexing()
  ) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(
      name: String(parts[0]), folder: parts.count == 2 ? String(parts[1]) : nil, searching: searching,
      index: index)
  }

  /// A dataset that a grid names without a folder.
  public init(name: String, searching: [String]) { self.init(name: name, folder: nil, searching: searching) }

  private static func trimmed(_ folder: String) -> String {
    folder.utf8.count > 1 && folder.hasSuffix("/") ? trimmed(String(folder.dropLast())) : folder
  }
}

/// A dataset as a grid named it, and what was found of it.
public struct LocatedDataset: Sendable {
  /// With the digest, the folder and the facts of its files where they were found.
  public let spec: DatasetSpec
  /// Why there is no digest.
  public let missing: MissingDataset?

  /// - Parameter missing: what to do about files that are in no place (default: nothing is missing).
  public init(spec: DatasetSpec, missing: MissingDataset? = nil) {
    self.spec = spec
    self.missing = missing
  }
}

extension Catalog where Entry == any DatasetKind {
  package static var datasets: Catalog { datasetsHere.extended }

  fileprivate static let datasetsHere = Catalog(
    "dataset", listedBy: "datasets",
    [
      GeneratedShapes(), IDXFolder.fashionMNIST, CIFARFolder.ten, CIFARFolder.hundred,
      PhotoFolderKind(isImageNet: false), PhotoFolderKind(isImageNet: true), IDXFolder.any,
    ] as [any DatasetKind]
  ) { $0.name }
}

extension Extensions {
  /// Adds a kind of dataset, which grids then name as `dataset`.
  ///
  /// - Throws: `ExtensionError.nameTaken` where another kind has its name, or answers to it.
  public mutating func add(_ kind: any DatasetKind) throws(ExtensionError) {
    let kinds = Catalog.datasetsHere.entries + entries((any DatasetKind).self)
    if kinds.contains(where: { $0.answers(to: kind.name) }) {
      throw ExtensionError.nameTaken(kind: "dataset", name: kind.name)
    }
    try add(kind, to: .datasetsHere) { [$0.name] }
  }
}
