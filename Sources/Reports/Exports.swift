package import Specs

/// How other programs read a sweep: files made from runs, one run after the other.
package protocol ExportFormat: Sendable {
  static var name: String { get }
  /// What the export holds and what reads it, for `export --help`.
  static var summary: String { get }
  /// Whether it is a folder of files; else it is one text.
  static var isFolder: Bool { get }
  init(_ sweep: ExportedSweep)
  /// What comes before the first run.
  func head() -> [ExportedFile]
  /// Pieces of one run, each to be appended to what its file has already.
  func pieces(of run: RunAccount) throws(UnwritableExport) -> [ExportedFile]
}

/// What an export has to know of the sweep as a whole.
package struct ExportedSweep: Sendable {
  package let name: String
  /// What the labels of a run are called.
  package let columns: [String]
  /// When the grid was last run, in seconds since 1970. The store keeps no time for an epoch: formats that
  /// want one count seconds from here.
  package let time: Int
  /// The absolute path of the folder that the export becomes; empty for a single text.
  package let location: String

  package init(name: String, columns: [String], time: Int, location: String) {
    self.name = name
    self.columns = columns
    self.time = time
    self.location = location
  }
}

/// A part of a file.
package struct ExportedFile: Equatable, Sendable {
  /// Relative to the export's folder, without `.` and `..`; empty for the one text of a format that is no
  /// folder. A path that ends with `/` is a folder.
  package let path: String
  package let bytes: [UInt8]

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
  package init(path: String, _ text: String) { self.init(path: path, bytes: Array(text.utf8)) }
}

/// Something that a format cannot say.
package struct UnwritableExport: Error, Equatable, CustomStringConvertible {
  package let format: String
  package let reason: String

  package var description: String { "Cannot export to \(format): \(reason) Choose another --format." }
}

extension Catalog where Entry == any ExportFormat.Type {
  package static let exports = Catalog(
    "export format",
    [
      TidyCSV.self,
      JSONLines.self,
      TensorBoardEvents.self,
      MLflowFiles.self,
    ]
  ) { $0.name }
}
