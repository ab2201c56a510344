import Foundation
import TestSupport
import Testing

/// The engine's seam: what computes with C lies in one folder.
struct PrimitivesSeamTests {
  private static let folder = "Sources/Tensors/Primitives/"

  /// Paths of the Swift files of a folder of the repository.
  private static func sources(_ folder: String) -> [String] {
    let files = FileManager.default.enumerator(
      at: RepositoryFile.root.appending(path: folder), includingPropertiesForKeys: nil)
    let paths = (files?.allObjects ?? []).compactMap { ($0 as? URL)?.path }
    return paths.filter { $0.hasSuffix(".swift") }.map {
      String($0.dropFirst(RepositoryFile.root.path.count)).trimmingCharacters(in: ["/"])
    }
  }

  @Test func `only the primitives import the kernels and the matrix library`() throws {
    var inside = 0
    for path in Self.sources("Sources") + Self.sources("Benchmarks") {
      let text = try RepositoryFile.text(path)
      let imports = text.split(separator: "\n").filter { line in
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        return words.contains("import") && (words.contains("CKernels") || words.contains("COpenBLAS"))
      }
      if path.hasPrefix(Self.folder) {
        inside += imports.count
      } else {
        #expect(imports.isEmpty, "\(path) imports C; add a primitive to \(Self.folder) instead")
      }
    }
    #expect(inside > 10, "the folder was not found")
  }
}
