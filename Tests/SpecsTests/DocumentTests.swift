import Foundation
import TestSupport
import Testing

/// How the documents are written down.
@Suite struct DocumentTests {
  private static let columns = 110

  /// Those for people, by their paths in the repository.
  static let paths: [String] = {
    let root = RepositoryFile.root
    let guides =
      (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs").path)) ?? []
    return ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"]
      + guides.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
  }()

  /// A row of a table has no place to break, a block of code is what a program prints or reads, and
  /// a single word is a link.
  @Test(arguments: paths) func `prose has at most 110 columns`(_ path: String) throws {
    var isCode = false
    let lines = try RepositoryFile.text(path).split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.drop(while: { $0 == " " }).hasPrefix("```") { isCode.toggle() }
      let canBreak =
        !isCode && !line.hasPrefix("    ") && !line.hasPrefix("|") && line.split(separator: " ").count > 1
      #expect(!canBreak || line.count <= Self.columns, "\(path):\(index + 1) has \(line.count) columns")
    }
    #expect(!isCode)
  }
}
