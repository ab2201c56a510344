package import Specs

/// What decides which images a run shows, batch by batch, and whose answers it gets. Runs in which it is
/// equal, whatever their students and methods are, hear the same of their teachers at the same place.
package struct TaughtBatches: Hashable, Sendable {
  private let dataset: DatasetSpec
  private let teachers: [TeacherSpec]
  private let views: Int
  private let seed: Int
  private let batchSize: Int
  private let colourJitter: DecimalNumber
  /// Of a process, not of a run.
  private let numerics: RecipeSpec.NumericsKind

  /// Nil for a run without teachers, and for one that somebody else's trainer does.
  package init?(_ run: RunSpec) {
    guard run.trainer == nil, !run.teachers.isEmpty else { return nil }
    (dataset, teachers, views, seed) = (run.dataset, run.teachers, run.views, run.seed)
    batchSize = run.recipe.batchSize
    colourJitter = run.recipe.colourJitter
    numerics = run.recipe.numerics
  }
}

extension SweepPlan {
  /// Students that hear the same of their teachers batch by batch, and whose teachers no stage writes down: a
  /// number for each such set.
  ///
  /// - Parameter runs: those that the plan was made of.
  package func groups(_ runs: [PlannedRun]) -> [ContentKey: Int] {
    /// What tells it, by the numbers of the parts of a run.
    struct Parts: Hashable {
      let lesson: Int
      let recipe: Int
      let seed: Int
    }
    let written = Set(stages.lazy.filter { !$0.helpers.isEmpty }.map(\.key))
    var numbers = Numbering<TaughtBatches>()
    var known: [Parts: Int?] = [:]
    var groups: [ContentKey: Int] = [:]
    for (run, student) in zip(runs, students) {
      guard let student, run.cell.lesson.hasTeachers, !written.contains(student) else { continue }
      let parts = Parts(
        lesson: run.cell.lesson.number, recipe: run.cell.recipe.number, seed: run.seed)
      let number = known[parts] ?? TaughtBatches(run.spec).map { numbers.number(of: $0).number }
      known[parts] = .some(number)
      groups[student] = number
    }
    return groups
  }
}
