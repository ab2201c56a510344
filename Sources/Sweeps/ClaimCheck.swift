internal import Specs

/// What is wrong with the claims of a grid once its runs are known.
enum ClaimCheck {
  /// - Parameters:
  ///   - columns: the labels of the expanded grid.
  ///   - runs: with all seeds that claims may ask for.
  static func problems(_ grid: GridSpec, columns: [String], runs: [PlannedRun]) -> [GridProblem] {
    guard let set = grid.claims else { return [] }
    var problems: [GridProblem] = []
    for claim in set.claims {
      guard let place = claim.place else { continue }
      for (condition, spot) in zip(claim.conditions, place.conditions) where !columns.contains(condition.name)
      {
        let hint = NearestName.of(condition.name, among: columns).map { "; did you mean \"\($0)\"?" } ?? "."
        problems.append(
          spot.problem(
            "\"\(condition.name)\" does not vary in this grid\(hint) What varies: "
              + "\(columns.joined(separator: ", "))"
          ))
      }
      for name in claim.average {
        guard let problem = ReportCheck.average(name, columns), let spot = place.average else { continue }
        problems.append(spot.problem(problem))
      }
      if let metric = claim.metric, let known = metrics(of: runs), !known.contains(metric) {
        let hint =
          ClassificationMetrics.request(for: metric).map { "; it needs \($0), and a method with teachers" }
          ?? NearestName.of(metric, among: known).map { "; did you mean \"\($0)\"?" } ?? "."
        problems.append(place.claim.problem("no run of this grid reports \"\(metric)\"\(hint)"))
      }
      let select = claim.select ?? grid.report.select
      if select == .bestOnTest {
        problems.append((place.select ?? place.claim).problem(GridProblem.claimOnTest))
      }
      if select == .bestOnValidation,
        runs.contains(where: { $0.cell.validationImages == 0 })
      {
        problems.append(
          (place.select ?? place.claim).problem(
            ReportCheck.needsValidation(runs)))
      }
    }
    guard problems.isEmpty else { return problems }
    let pairs = set.pairs(columns: columns, cells: cells(of: runs))
    for (index, claim) in set.claims.enumerated() where !pairs.contains(where: { $0.claim == index }) {
      guard let place = claim.place else { continue }
      problems.append(
        place.compare.problem(
          "no two \(claim.average.isEmpty ? "cells" : "means") of this grid differ in \(claim.first) and "
            + "\(claim.second) alone"
            + (claim.average.isEmpty
              ? "" : " and are over the same values of \(claim.average.joined(separator: ", "))")
            + (claim.conditions.isEmpty ? "" : " where the claim's \"where\" holds")))
    }
    if pairs.count > ClaimSet.most, let spot = set.claims.first?.place?.claim {
      problems.append(
        spot.problem(
          "the claims make \(pairs.count) comparisons, and more than \(ClaimSet.most) are refused: "
            + "narrow them with \"where\""))
    }
    return problems
  }

  /// What the runs report, as the task declares it; nil where a trainer may report more.
  private static func metrics(of runs: [PlannedRun]) -> [String]? {
    if runs.contains(where: { $0.cell.lesson.trainer != nil }) { return nil }
    let transfers = runs.compactMap(\.cell.transfer)
    var seen: Set<TransferTask> = []
    let tasks = transfers.map(\.spec.task).filter { seen.insert($0).inserted }
    let taught = runs.lazy.map(\.cell.lesson).filter(\.agreement).map(\.teacherCount).max() ?? 0
    let own = transfers.count < runs.count ? ClassificationMetrics.descriptions(teachers: taught) : []
    return (TransferMetrics.descriptions(tasks) + own).map(\.name)
  }

  /// The labels of each cell once, in the order of the runs.
  private static func cells(of runs: [PlannedRun]) -> [[JSONValue]] {
    var seen: Set<Int> = []
    return runs.filter { seen.insert($0.cell.number).inserted }.map(\.labels)
  }
}
