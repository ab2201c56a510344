import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps
import Tensors

/// What `plan` says of a grid's claims: where they stand, and what they may still cost.
struct ClaimOutlook {
  private let book: ClaimBook
  private let basis: PowerSheet
  /// Runs of the whole sweep and the CPU seconds that are left: if every claim were decided at once, on
  /// average, and if none were ever decided.
  private let least: (runs: Int, cpu: Double)
  private let expected: (runs: Double, cpu: Double)
  private let most: (runs: Int, cpu: Double)

  /// Nil for a grid without claims.
  ///
  /// - Parameters:
  ///   - std: of a cell's runs; nil for the store's.
  ///   - correlation: of two cells' results of one seed; nil for the store's.
  init?(
    _ read: ExpandedGrid, _ looks: ClaimLooks, _ sweep: PlannedSweep, _ store: ResultStore?, std: Double?,
    correlation: Double?
  ) throws {
    guard let book = looks.book else { return nil }
    self.book = book
    var cells: [Cell] = []
    if let store, try store.sweeps().contains(where: { $0.name == sweep.name }) {
      cells = Cell.cells(
        of: try store.results(of: store.sweep(sweep.name), sweep.grid.report), allowMixed: true)
    }
    basis = PowerSheet(
      differences: [], std: std, correlation: correlation, chance: 0.8, cells: cells)
    least = (sweep.plan.runKeys.count, sweep.forecast.cpuSeconds)
    // What is asked for already is planned already: the seeds beyond it are the smaller part.
    let beyond = read.asking { book.count(of: $0)..<max(book.count(of: $0), book.mostCount(of: $0)) }
    let more = try SweepPlanner.plan(beyond, store: store, after: sweep.plan)
    let asked = Set(sweep.plan.runKeys)
    most = (
      least.runs + more.plan.runKeys.count { !asked.contains($0) },
      least.cpu + more.forecast.cpuSeconds
    )
    let runs = book.expectedRuns(std: basis.std, correlation: basis.correlation ?? 0) {
      draw, cell, seed in
      var stream = RandomStream(seed: 1, "claim outlook", draw, cell ?? -1, seed)
      return stream.normal()
    }
    let share = most.runs > least.runs ? (runs - Double(least.runs)) / Double(most.runs - least.runs) : 0
    expected = (runs, least.cpu + share * (most.cpu - least.cpu))
  }

  var text: String {
    let mean = NumberFormat.fixed(expected.runs, 0)
    var lines = [
      "  claims: \(book.summary)",
      "  with all looks: \(counted(least.runs, "run")) at least, \(mean) expected, \(most.runs) at most; "
        + "\(duration(least.cpu)), \(duration(expected.cpu)), \(duration(most.cpu)) of CPU left "
        + "(\(basis.basis))",
    ]
    lines += book.lines.map { "    \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }

  var json: JSONValue {
    guard case .object(var members) = book.json else { return .null }
    func cost(_ runs: Double, _ cpu: Double) -> JSONValue {
      ["runs": JSONValue(runs), "cpuSeconds": JSONValue(cpu)]
    }
    members["least"] = cost(Double(least.runs), least.cpu)
    members["expected"] = cost(expected.runs, expected.cpu)
    members["most"] = cost(Double(most.runs), most.cpu)
    members["std"] = JSONValue(basis.std)
    members["correlation"] = basis.correlation.map { JSONValue($0) } ?? .null
    return .object(members)
  }
}
