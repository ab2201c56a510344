package import Foundation

/// Files of the repository that tests compare with.
package enum RepositoryFile {
  /// The folder that holds `Package.swift`.
  package static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL

  package static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  package static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path)
  }
}
