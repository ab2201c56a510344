import Foundation
import TestSupport
import Testing

/// A store that commit 9dc760f made (Tests/Fixtures/stores): two of its four runs were finished and the
/// third was about to begin. It holds two stages of the kind `warm-up`, which later programs do not know:
/// one published, one stopped.
@Suite struct EarlierStoreTests {
  private static let fixture = Fixtures.committed.appending(path: "stores/9dc760f")

  private static func text(_ name: String) throws -> String {
    try String(contentsOf: fixture.appending(path: name), encoding: .utf8)
  }

  /// A copy of the store in a folder of its own, with the grid beside it.
  private func unpacked() throws -> TinySweep {
    let sweep = try TinySweep(grid: Self.text("grid.json"))
    let archive = Self.fixture.appending(path: "store.tar.gz").path
    let unpacking = try Program.shell("mkdir results && tar -xzf '\(archive)' -C results", in: sweep.folder)
    #expect(unpacking.status == 0, "\(unpacking.talk)")
    return sweep
  }

  /// What a command prints when it succeeds.
  private func output(_ arguments: String..., in sweep: TinySweep) throws -> String {
    let output = try Program.start(arguments, in: sweep.folder).finish()
    #expect(output.status == 0, "\(arguments): \(output.talk)")
    return output.out
  }

  /// The rows of a report's table.
  /// Without its head, which says today what all cells have in common and calls networks by short names.
  private func table(_ report: String) -> [String] {
    let lines = report.split(separator: "\n")
    let rules = lines.indices.filter { lines[$0].hasPrefix("──") }
    guard rules.count > 1 else { return [] }
    return lines[(rules[0] + 1)..<rules[1]].map { $0.split(separator: " ").joined(separator: " ") }
  }

  /// The numbers of a report's cells, without marks and notes: cells of several programs are not ranked.
  private func cells(_ report: String) -> [String] {
    table(report).compactMap { line in
      line.firstMatch(of: /[0-9.]+ ± [0-9.]+ \[[0-9.]+ ± [0-9.]+\]/).map { String($0.0) }
    }
  }

  /// The lines of a report as CSV without their last columns: whether a test sees no difference, which is
  /// left open since where no test is possible, and the programs that computed the runs.
  private func numbers(_ report: String) -> [Substring] {
    report.split(separator: "\n").map { line in
      line.firstMatch(of: /,(true|false)?,,"/).map { line[..<$0.range.lowerBound] } ?? line
    }
  }

  /// What `list --digests` says, without metrics that the earlier program did not report.
  private func digests(_ sweep: TinySweep) throws -> String {
    try output("list", "--digests", in: sweep).replacing(
      #/ ((test|validation)\.(ece|images)|teacher\.[0-9]+\.(logit|feature))=[^ \n]+/#, with: "")
  }

  private func kinds(_ sweep: TinySweep) throws -> [String: Int] {
    let folder = sweep.folder.appending(path: "results/stages")
    let specs = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).map {
      try String(contentsOf: $0.appending(path: "spec.json"), encoding: .utf8)
    }
    let kinds = specs.compactMap { $0.firstMatch(of: /"kind":"([a-z-]+)"/).map { String($0.1) } }
    return Dictionary(grouping: kinds, by: \.self).mapValues(\.count)
  }

  @Test func `a store of an earlier program opens and reports the same bytes`() throws {
    let sweep = try unpacked()
    defer { sweep.remove() }
    #expect(try kinds(sweep)["warm-up"] == 2)
    #expect(try output("report", "--format", "csv", in: sweep) == Self.text("report.csv"))
    #expect(try table(output("report", in: sweep)) == table(Self.text("report.text")))
    #expect(try output("fsck", in: sweep).contains("Every digest is right."))
    #expect(
      try output("status", in: sweep).contains("tiny: 4 runs, 2 finished, 0 failed, 0 blocked, 2 to run"))
    #expect(try output("plan", "tiny.json", in: sweep).contains("done 2, to run 2"))
  }

  @Test func `it goes on with the same keys and bits, and loses only what nothing reads`() throws {
    let sweep = try unpacked()
    defer { sweep.remove() }
    let run = try Program.run("run", "tiny.json", in: sweep.folder)
    // Two programs have computed the runs now, so that no cell has numbers to show unless that is allowed.
    #expect(run.status == 1 && run.talk.contains("2 cells show no numbers"), "\(run.talk)")
    #expect(try digests(sweep) == Self.text("digests.text"))
    #expect(try output("report", in: sweep).contains("mixed programs"))
    let finished = try Self.text("report.finished.csv")
    #expect(numbers(finished).count == 3)
    #expect(try numbers(output("report", "--allow-mixed", "--format", "csv", in: sweep)) == numbers(finished))
    let shown = try cells(output("report", "--allow-mixed", in: sweep))
    #expect(try shown.count == 2 && shown == cells(Self.text("report.finished.text")))

    let before = try kinds(sweep)
    #expect(before["warm-up"] == 2)
    let garbage = try output("gc", in: sweep)
    #expect(garbage.split(separator: "\n").count { $0.contains("first 7 epochs of") } == 2, "\(garbage)")
    #expect(try kinds(sweep) == before)
    _ = try output("gc", "--yes", in: sweep)
    #expect(try kinds(sweep) == before.filter { $0.key != "warm-up" })
    #expect(try numbers(output("report", "--allow-mixed", "--format", "csv", in: sweep)) == numbers(finished))
    #expect(try output("fsck", in: sweep).contains("Every digest is right."))
    #expect(try digests(sweep) == Self.text("digests.text"))
  }
}
