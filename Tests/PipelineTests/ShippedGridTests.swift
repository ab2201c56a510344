import Pipeline
import Specs
import Sweeps
import TestSupport
import Testing

/// The keys, seeds and labels of every grid in `sweeps/` are promises: results that somebody
/// has must be found again.
@Suite struct ShippedGridTests {
  /// One line a grid, as the program of commit 9dc760f had them. A line changes on purpose or never.
  private static let recorded = Result { try RepositoryFile.text("Tests/Fixtures/keys/shipped-grids.txt") }

  private static let names = [
    "alpha-beta", "cifar100-mini", "demo", "fig2-alpha", "fig2-alpha-mini", "fig2-beta", "fig2-beta-mini",
    "fig2-loss-terms", "fig2-loss-terms-mini", "fig2-teachers", "fig2-teachers-mini", "smoke", "table1",
    "table1-mini", "table2-imagenet", "table3-vit", "table6a", "table6a-mini", "table6b", "table6b-mini",
    "table6c", "table6c-mini", "table7", "table7-mini",
  ]

  /// Grids that ask for other runs by now are kept as they were, for the promise is about what somebody ran.
  private static func path(_ name: String) throws -> String {
    let earlier = "Tests/Fixtures/keys/grids/\(name).json"
    return RepositoryFile.exists(earlier) ? earlier : "sweeps/\(name).json"
  }

  /// `NAME: RUNS runs, COLUMNS, DIGEST`: the digest is over key, seed and labels of each run in the order of
  /// the plan, and over the keys of all stages. Datasets have digests of their names, so that the line does
  /// not depend on the files of a machine.
  private func line(_ name: String) throws -> String {
    var vocabulary = GridVocabulary.engine(dataFolders: [])
    vocabulary.dataset = { text in
      DatasetSpec(name: text, digest: ContentKey(hashing: Array("images of \(text)".utf8)))
    }
    vocabulary.weights = { teacher, _ in
      let name = teacher.object?["import"]?.string ?? "none"
      return TeacherSpec(
        network: ModelSpec(family: name, parameters: [:]),
        weights: ImportedWeights(digest: ContentKey(hashing: Array("weights of \(name)".utf8))))
    }
    vocabulary.obstacle = { _ in nil }
    let text = try RepositoryFile.text(Self.path(name))
    let grid = try GridReader.draft(Array(text.utf8), file: name) { reference, _ in
      let path = String(reference.split(separator: "/").last!)
      return (reference, Array(try RepositoryFile.text(Self.path(String(path.dropLast(5)))).utf8))
    }.judged(by: vocabulary)
    let expansion = try GridExpansion(grid, vocabulary)
    let plan = SweepPlan(expansion.runs)
    // A method whose revision rose has new keys on purpose; all else of its runs is as it was.
    let keys = expansion.runs.map { run in
      var spec = run.spec
      spec.method.revision = 1
      return StudentStage(spec).key
    }
    let first = Dictionary(zip(plan.runKeys, keys)) { first, _ in first }
    var hasher = ContentHasher()
    for (run, key) in zip(expansion.runs, keys) {
      hasher.field("key", key)
      hasher.field("seed", "\(run.seed)")
      hasher.field("labels", JSONValue.array(run.labels).description)
    }
    for stage in plan.stages { hasher.field("stage", first[stage.key] ?? stage.key) }
    let columns = expansion.columns.joined(separator: " ")
    return "\(name): \(expansion.runs.count) runs, \(columns), \(hasher.finished())"
  }

  @Test(arguments: names)
  func `a shipped grid asks for the runs that it always asked for`(_ name: String) throws {
    let lines = try Self.recorded.get().split(separator: "\n").map(String.init)
    let line = try line(name)
    #expect(lines.contains(line), "now: \(line)")
  }
}
