import ArgumentParser
import Foundation
import Pipeline
import Specs
import Storage
import Sweeps

/// `mtkd-sweep plan`: what a grid asks for, what is done, what is left and what that costs. Nothing is run.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Count a grid's runs and forecast what is left; run nothing.")

  @Argument(help: "The grid file.")
  var file: String

  @OptionGroup var location: StoreLocation
  @OptionGroup var data: DataFolders

  @Option(help: "Worker processes to forecast for; as many as cores where nothing is said.")
  var workers: Int?

  @Option(help: "How many runs a grid may ask for.")
  var maxRuns = GridExpansion.usualLimit

  @Flag(help: "JSON on standard output.")
  var json = false

  func validate() throws {
    if let workers, workers < 1 { throw ValidationError("--workers is 1 or more.") }
  }

  func run() throws {
    let store = try storeIfAny()
    let sweep = try SweepPlanner.plan(gridAt: file, dataFolders: data.folders, limit: maxRuns, store: store)
    for warning in sweep.expansion.warnings { Talk.say(warning.rendered) }
    for sentence in sweep.missingData { Talk.say("note: \(sentence)") }
    Out.put(json ? machine(sweep) : text(sweep))
  }

  /// A store that is not there yet has nothing.
  private func storeIfAny() throws -> ResultStore? {
    do { return try location.open() } catch StoreError.absent { return nil }
  }

  private var workerCount: Int { workers ?? ProcessInfo.processInfo.activeProcessorCount }

  private func text(_ sweep: PlannedSweep) -> String {
    let (counts, forecast) = (sweep.counts, sweep.forecast)
    var lines = [
      "\(sweep.name): \(counts.asked) runs asked for, \(counts.distinct) distinct, \(counts.shared) shared"
    ]
    lines += sweep.expansion.sharing.map { "  \($0)" }
    lines.append(
      "  done \(counts.done), to run \(counts.toRun), datasets and teachers to make \(counts.preparations)")
    if sweep.dropped > 0 { lines.append("  no longer asked for: \(sweep.dropped) (nothing is deleted)") }
    if counts.toRun + counts.preparations > 0 {
      let basis =
        forecast.measurements > 0
        ? "from \(forecast.measurements) stages measured here"
        : "assumed; nothing has been measured in this store yet"
      lines.append(
        "  forecast: \(duration(forecast.cpuSeconds)) of CPU, \(duration(forecast.wallSeconds(workers: workerCount))) at \(workerCount) workers, \(size(forecast.diskBytes)) of disk (\(basis))"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func machine(_ sweep: PlannedSweep) -> String {
    let (counts, forecast) = (sweep.counts, sweep.forecast)
    return mtkd_sweep.json([
      "schema": "mtkd-sweep-plan-1", "sweep": .string(sweep.name), "asked": JSONValue(counts.asked),
      "distinct": JSONValue(counts.distinct), "shared": JSONValue(counts.shared),
      "done": JSONValue(counts.done),
      "toRun": JSONValue(counts.toRun), "preparations": JSONValue(counts.preparations),
      "dropped": JSONValue(sweep.dropped), "sharing": JSONValue(sweep.expansion.sharing),
      "forecast": .object([
        "cpuSeconds": JSONValue(forecast.cpuSeconds),
        "wallSeconds": JSONValue(forecast.wallSeconds(workers: workerCount)),
        "workers": JSONValue(workerCount),
        "diskBytes": JSONValue(forecast.diskBytes), "measurements": JSONValue(forecast.measurements),
      ]),
      "warnings": JSONValue(sweep.expansion.warnings.map(\.message)),
      "missingData": JSONValue(sweep.missingData),
    ])
  }
}
