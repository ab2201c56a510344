import ArgumentParser
import Pipeline
import Specs
import Sweeps

/// `mtkd-sweep check`: reads a grid and names everything that is wrong with it.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read and validate a grid; no store is touched.",
    discussion: """
      With --try every distinct stage is tried, too: one training step and one batch of evaluation, with random weights and in a process \
      of its own. What it takes is told before a weekend is spent on it.
      """)

  @Argument(help: "The grid file; - for standard input.", completion: Completions.grids)
  var file: String

  @OptionGroup var data: DataFolders
  /// Only for the names of imported teachers.
  @OptionGroup var location: StoreLocation

  @OptionGroup var gridSize: GridSize

  @Flag(
    name: .customLong("try"),
    help: "Try one step and one batch of evaluation of every distinct stage; tell seconds and peak memory.")
  var tries = false

  @Flag(help: "JSON on standard output.")
  var json = false

  func run() throws {
    let grid = try SweepPlanner.read(
      gridAt: file, dataFolders: data.folders, in: location.folder, limit: gridSize.limit)
    let expansion = grid.expansion
    for warning in expansion.warnings { Talk.say(warning.rendered) }
    for sentence in grid.missingData + grid.dataNotes { Talk.say("note: \(sentence)") }
    let results = tries ? try trials(grid) : []
    let (asked, distinct) = (expansion.asked, expansion.runs.count)
    var members: [String: JSONValue] = [
      "schema": "mtkd-sweep-check-1", "asked": JSONValue(asked), "distinct": JSONValue(distinct),
      "warnings": JSONValue(expansion.warnings.map(\.message)),
    ]
    if tries { members["trials"] = .array(results.map { StageTrials.machine($0) }) }
    let next = "`mtkd-sweep plan \(shellWord(file))` says what they cost."
    Out.put(
      json
        ? Commands.json(members)
        : "\(file) is fine: \(try size(grid)). \(next)\n")
    let failures = results.count { $0.outcome == nil }
    if failures > 0 {
      Talk.say(
        "\(counted(failures, "stage")) of \(results.count) failed when tried; such runs would fail as well.")
      throw ExitCode(.doneWithFailures)
    }
  }

  /// How many runs the grid asks for; with claims from their first look to their last.
  private func size(_ grid: ExpandedGrid) throws -> String {
    let expansion = grid.expansion
    guard grid.grid.claims != nil else {
      return "\(counted(expansion.asked, "run")) asked for, \(expansion.runs.count) distinct"
    }
    let first = try ClaimLooks(grid, nil).asked.expansion.runs.count
    return "from \(first) to \(counted(expansion.runs.count, "run")), as its claims need"
  }

  /// Every distinct stage, one after the other; results are told as they come.
  private func trials(_ grid: ExpandedGrid) throws -> [StageTrials.Result] {
    if !grid.missingData.isEmpty { throw MissingData(sentences: grid.missingData) }
    let (trials, external) = StageTrial.all(of: grid.expansion)
    if external > 0 {
      Talk.say("note: \(counted(external, "run")) of external trainers cannot be tried by this program")
    }
    return try StageTrials(threads: grid.grid.run.threadsPerRun).run(trials) { result in
      if !json { Out.put(StageTrials.text(result) + "\n") }
    }
  }
}
