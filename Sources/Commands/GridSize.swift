import ArgumentParser
import Sweeps

/// How large a grid may be, and how much of it is meant this time.
struct GridSize: ParsableArguments {
  @Flag(help: ArgumentHelp("Accept a grid of more than \(GridExpansion.usualLimit) runs."))
  var yes = false

  @Option(
    help: ArgumentHelp("Start so many runs at most; the same command goes on with the rest.", valueName: "n"))
  var maxRuns: Int?

  func validate() throws {
    if let maxRuns, maxRuns < 1 { throw ValidationError("--max-runs is 1 or more.") }
  }

  /// More runs than this are refused. Whoever bounds what is started means what the grid says.
  var limit: Int { yes || maxRuns != nil ? GridExpansion.limit : GridExpansion.usualLimit }
}
