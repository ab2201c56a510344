package import Foundation

/// What tests need beyond the repository, for traits that skip a test where it is missing and let
/// the runner count the skip:
///
///     @Test(.enabled(if: Available.python("mlflow"), "the mlflow package reads the file store"))
package enum Available {
  /// Whether a program of the name is on the path of the system.
  package static func tool(_ name: String) -> Bool {
    ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"].contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }

  /// Whether an interpreter of Python has the modules.
  package static func python(_ modules: String...) -> Bool { Python.interpreter(with: modules) != nil }

  /// Whether playwright can drive a Chromium.
  package static let browser: Bool = Browser.isHere

  /// A file below the folder of real images and published weights; nil where there is no such folder.
  package static func data(_ path: String) -> URL? { Fixtures.images?.appending(path: path) }

  package static func hasData(_ path: String) -> Bool {
    data(path).map { FileManager.default.fileExists(atPath: $0.path) } ?? false
  }

  /// Whether this user can make file systems of their own, as the tests of full and read-only disks do.
  package static let mountNamespaces: Bool = {
    let probe = try? Python.run(URL(filePath: "/usr/bin/env"), ["unshare", "-rm", "true"])
    return probe?.status == 0
  }()
}
