import Foundation
import TestSupport
import Testing

/// A store that an older program left, on loan: see Tests/Fixtures/older-store in Tests/Fixtures/README.md.
@Suite struct OlderStoreTests {
  private let folder: TemporaryFolder
  private let place: URL

  init() throws {
    folder = try TemporaryFolder()
    place = URL(filePath: folder.path)
    let fixtures = RepositoryFile.root.appending(path: "Tests/Fixtures/older-store").path
    let unpacked = try Program.shell(
      "tar xzf '\(fixtures)/store.tar.gz' && cp '\(fixtures)'/*.json .", in: place)
    try #require(unpacked.status == 0, "\(unpacked.talk)")
  }

  private func fixture(_ name: String) throws -> String {
    try RepositoryFile.text("Tests/Fixtures/older-store/\(name)")
  }

  private func call(_ arguments: String...) throws -> Program.Output {
    try Program.start(arguments + ["--store", "store"], in: place).finish()
  }

  /// Keys of the stages that a run started.
  private func started(_ grid: String) throws -> [String] {
    let output = try call("run", grid, "--events", "--workers", "1")
    return output.out.split(separator: "\n").filter { $0.contains(#""event":"started""#) }
      .compactMap { $0.firstMatch(of: /"key":"([0-9a-f]+)"/).map { String($0.1) } }
  }

  /// The columns of a comma-separated table by their names; cells of the fixture hold commas only in quotes.
  private func columns(_ text: String) throws -> [String: [String]] {
    let rows = text.split(separator: "\n").map { line in
      line.matches(of: /("(?:[^"]|"")*"|[^,]*)(?:,|$)/).map { String($0.1) }
    }
    let names = try #require(rows.first)
    return Dictionary(
      names.enumerated().filter { !$0.element.isEmpty }.map { place, name in
        (name, rows.dropFirst().map { $0[place] })
      }
    ) { first, _ in first }
  }

  @Test func `an older program's store is read to the last bit, before and after it is written to`() throws {
    func look() throws {
      #expect(try call("list", "--digests").out == fixture("digests.txt"))
      // The older program had no word of its own for what diverged, which is all that failed in this store.
      let then = try fixture("runs.json").replacing(#""state":"failed""#, with: #""state":"diverged""#)
      let runs = try #require(then.firstRange(of: #"],"schema""#)).lowerBound
      #expect(try call("list", "older", "--json").out.hasPrefix(then[..<runs]))
      let (was, now) = (
        try columns(fixture("older.csv")), try columns(call("report", "older", "--format", "csv").out)
      )
      for name in ["n", "asked", "mean", "std", "last_mean", "last_std", "best_mean", "best_std"] {
        #expect(now[name] == was[name], "\(name)")
      }
    }
    // The first call that writes adds what this program's tables have more.
    #expect(try call("gc").status == 0)
    try look()
    #expect(try call("fsck").status == 0)
    try look()
  }

  @Test func `a finished sweep of an older program starts nothing, an open one the run that it lacks`() throws
  {
    #expect(try started("older.json") == [])
    #expect(
      try started("second.json") == ["1904f7346a320bf528318c0f6f52c61ee62b3b0935174f33297549024438e582"])
    #expect(try started("second.json") == [])
  }

  @Test func `the database of an older program's folders is made again`() throws {
    try FileManager.default.removeItem(at: place.appending(path: "store/store.sqlite"))
    let rebuilt = try call("rebuild")
    #expect(rebuilt.status == 0, "\(rebuilt.talk)")
    #expect(try call("list", "--digests").out == fixture("digests.txt"))
  }
}
