import Foundation
import TestSupport
import Testing

@Suite struct DeclaredSkipTests {
  @Test func `no test prints that it is skipped: skips are declared and counted`() throws {
    let root = RepositoryFile.root.appending(path: "Tests")
    let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
    let sources = files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    #expect(sources.count > 50)
    // Split, so that this file does not name them.
    let forbidden = ["print(\"" + "skipped", "Fixtures." + "skip", "return " + "print("]
    for file in sources {
      let text = try String(contentsOf: file, encoding: .utf8)
      for word in forbidden { #expect(!text.contains(word), "\(file.lastPathComponent): \(word)") }
    }
  }
}
