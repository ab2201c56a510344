import Foundation
import Specs
import TestSupport
import Testing

/// Tables in results/ are of the grids that lie in sweeps/: a grid that changed takes its table with it.
@Suite struct ShippedResultTests {
  private static let names: [String] = {
    let folder = RepositoryFile.root.appending(path: "results/about").path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }.sorted()
  }()

  @Test func `there are pages about results`() { #expect(Self.names.contains("demo")) }

  @Test(arguments: names)
  func `a table states the grid that it was made from, and that grid is the one that is shipped`(
    _ name: String
  )
    throws
  {
    let page = try RepositoryFile.text("results/\(name).md")
    let digest = ContentKey(hashing: Array(try RepositoryFile.text("sweeps/\(name).json").utf8))
    #expect(page.contains("sha256 of sweeps/\(name).json: `\(digest)`"), "make results ONLY=\(name)")
    #expect(page.hasPrefix("# \(name)\n\n"))
    let about = try RepositoryFile.text("results/about/\(name).md").split(separator: "\n").first ?? ""
    #expect(page.contains(about), "what the table shows stands above it")
  }

  @Test func `the parity of two engines states the grids that it was decided for`() throws {
    let page = try RepositoryFile.text("results/parity/README.md")
    for name in ["embedded", "torch"] {
      let grid = try RepositoryFile.text("results/parity/\(name).json")
      #expect(
        page.contains("`\(ContentKey(hashing: Array(grid.utf8)))` \(name).json"), "\(name).json has changed")
    }
  }

  @Test(arguments: [("study", "study-fashion"), ("study-useless", "study-useless")])
  func `the study's archive opens anywhere and draws its table again, byte for byte`(
    _ archive: String, _ sweep: String
  ) throws {
    let path = RepositoryFile.root.appending(path: "results/\(archive).mtkd").path
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? .max
    #expect(size <= 5_000_000)
    let folder = try TinySweep()
    defer { folder.remove() }
    let opened = try Program.run("unarchive", path, "--store", "opened", in: folder.folder)
    #expect(opened.status == 0, "\(opened.talk)")
    let table = try Program.run("report", sweep, "--store", "opened", in: folder.folder)
    #expect(try table.out == RepositoryFile.text("results/study/\(sweep).txt"), "results/study/make.sh")
  }
}
