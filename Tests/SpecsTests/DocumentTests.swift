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

  /// Swift and C, by their paths in the repository.
  private static let sources: [String] = {
    let endings = [".swift", ".c", ".h", ".inc"]
    let files = ["Benchmarks", "Fuzz", "Sources", "Tests"].flatMap { folder in
      FileManager.default.enumerator(atPath: RepositoryFile.root.appending(path: folder).path)?
        .compactMap { ($0 as? String).map { "\(folder)/\($0)" } } ?? []
    }
    return ["Package.swift"] + files.filter { path in endings.contains { path.hasSuffix($0) } }.sorted()
  }()

  /// Lines of Swift other than comments are left to `swift format`. What stands between triple quotes is a
  /// program's output, and four more spaces in a comment begin an example.
  @Test func `comments of sources, and code in C, have at most 110 columns`() throws {
    for path in Self.sources {
      let isSwift = path.hasSuffix(".swift")
      var isOutput = false
      for (index, line) in try RepositoryFile.text(path).components(separatedBy: "\n").enumerated() {
        let text = line.drop { $0 == " " }
        let isComment = !isOutput && text.hasPrefix("//")
        if isSwift, !isComment, line.components(separatedBy: "\"\"\"").count.isMultiple(of: 2) {
          isOutput.toggle()
        }
        guard line.utf8.count > Self.columns, isComment || !isSwift else { continue }
        let isExample = text.drop { $0 == "/" }.hasPrefix("     ")
        #expect(isExample || line.count <= Self.columns, "\(path):\(index + 1) has \(line.count) columns")
      }
      #expect(!isOutput, "\(path) has triple quotes without their other end")
    }
    #expect(Self.sources.count > 500, "the folders were not found")
  }
}
