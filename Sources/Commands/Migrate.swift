import ArgumentParser
import Pipeline
import Specs
import Sweeps

/// `mtkd-sweep migrate`: brings a grid of an older version up to date.
struct Migrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Rewrite a grid of an older version; there is only version 1 so far.",
    discussion: "A grid of this version is left as it is. Comments of an older one may be lost.")

  @Argument(help: "The grid file.", completion: Completions.grids)
  var file: String

  @OptionGroup var data: DataFolders

  func run() throws {
    _ = try SweepPlanner.check(gridAt: file, dataFolders: data.folders, limit: GridExpansion.limit)
    Talk.say(
      "\(file) is of version 1, the newest: nothing to do. `mtkd-sweep plan \(shellWord(file))` says "
        + "what it asks for."
    )
  }
}
