import ArgumentParser
import Pipeline
import Specs
import Sweeps

/// `mtkd-sweep check`: reads a grid and names everything that is wrong with it.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read and validate a grid; no store is touched.")

  @Argument(help: "The grid file.", completion: Completions.grids)
  var file: String

  @OptionGroup var data: DataFolders
  /// Only for the names of imported teachers.
  @OptionGroup var location: StoreLocation

  @OptionGroup var gridSize: GridSize

  @Flag(help: "JSON on standard output.")
  var json = false

  func run() throws {
    let expansion = try SweepPlanner.check(
      gridAt: file, dataFolders: data.folders, in: location.folder, limit: gridSize.limit)
    for warning in expansion.warnings { Talk.say(warning.rendered) }
    let (asked, distinct) = (expansion.asked, expansion.runs.count)
    Out.put(
      json
        ? mtkd_sweep.json([
          "schema": "mtkd-sweep-check-1", "asked": JSONValue(asked), "distinct": JSONValue(distinct),
          "warnings": JSONValue(expansion.warnings.map(\.message)),
        ])
        : "\(file) is fine: \(asked) runs asked for, \(distinct) distinct. `mtkd-sweep plan \(file)` says what they cost.\n"
    )
  }
}
