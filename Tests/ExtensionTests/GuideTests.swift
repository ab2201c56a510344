import Foundation
import Testing

/// docs/extending.md shows files of this target: what a reader copies is what compiles and runs here.
@Suite struct GuideTests {
  private static let here = URL(filePath: #filePath).deletingLastPathComponent()
  private static let guide = here.appending(path: "../../docs/extending.md").standardizedFileURL

  /// The files in the order of the page.
  private static let files = [
    "MySweep", "PlainFamily", "FirstStageKD", "Stripes", "TypstTable", "InThisProcess", "BrierScore",
    "NormOrder", "WeightNormStage",
  ]

  @Test func `every Swift block of the guide is a file of this target, each once`() throws {
    let text = try String(contentsOf: Self.guide, encoding: .utf8)
    let blocks = text.components(separatedBy: "```swift\n").dropFirst().map { part in
      part.components(separatedBy: "```\n")[0]
    }
    #expect(blocks.count == Self.files.count)
    for (name, block) in zip(Self.files, blocks) {
      let file = try String(contentsOf: Self.here.appending(path: "\(name).swift"), encoding: .utf8)
      #expect(block == file, "\(name).swift and its block in docs/extending.md differ")
      #expect(text.contains("`\(name).swift`"))
    }
  }
}
