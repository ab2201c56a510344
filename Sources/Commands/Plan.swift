import ArgumentParser
import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps

/// `mtkd-sweep plan`: what a grid asks for, what is done, what is left and what that costs. Nothing is run.
struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Count a grid's runs and forecast what is left; run nothing.")

  @Argument(help: "The grid file.", completion: Completions.grids)
  var file: String

  @OptionGroup var location: StoreLocation
  @OptionGroup var data: DataFolders
  @OptionGroup var styles: StyleOptions

  @Option(help: "Worker processes to forecast for (default: as many as `run` would start).")
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Devices of runs of trainers to forecast for (default: what the grid says).", valueName: "names"))
  var devices: String?

  @OptionGroup var gridSize: GridSize

  @Option(
    help: ArgumentHelp("Why this stage runs: its key or a unique prefix.", valueName: "key"))
  var explain: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  @Flag(help: "Say how many seeds differences need, from the spread of what the store has.")
  var power = false

  @Option(
    help: "With --power: a difference that should be found, in the metric's unit; may be given several times."
  )
  var difference: [Double] = []

  @Option(help: "With --power or claims: the std of a method's runs (default: the store's).")
  var std: Double?

  @Option(
    help:
      "With --power or claims: the correlation of two methods' results of one seed (default: the store's).")
  var correlation: Double?

  @Option(help: "With --power: the probability of finding a difference.")
  var chance = 0.8

  func validate() throws {
    if let workers, workers < 1 { throw ValidationError("--workers is 1 or more.") }
    guard chance > 0.05, chance < 1 else { throw ValidationError("--chance is above 0.05 and below 1.") }
    guard difference.allSatisfy({ $0.isFinite && $0 != 0 }) else {
      throw ValidationError("--difference is not 0.")
    }
    if let std, !(std > 0 && std.isFinite) { throw ValidationError("--std is above 0.") }
    if let correlation, !(correlation >= -1 && correlation < 1) {
      throw ValidationError("--correlation is from -1 to below 1.")
    }
    if !power, !difference.isEmpty { throw ValidationError("--difference belongs to --power.") }
  }

  func run() throws {
    let store = try storeIfAny()
    let read = try SweepPlanner.read(
      gridAt: file, dataFolders: data.folders, in: location.folder, limit: gridSize.limit)
    if !power, read.grid.claims == nil, std != nil || correlation != nil {
      throw ValidationError("--std and --correlation belong to --power, or to a grid with claims.")
    }
    let looks = try ClaimLooks(read, store)
    let sweep = try SweepPlanner.plan(looks.asked, store: store)
    let outlook = try ClaimOutlook(read, looks, sweep, store, std: std, correlation: correlation)
    for warning in sweep.expansion.warnings { Talk.say(warning.rendered) }
    for sentence in sweep.missingData + sweep.dataNotes { Talk.say("note: \(sentence)") }
    if let explain {
      guard let lines = try SweepPlanner.explanation(of: explain, in: sweep, store) else {
        throw NothingThere(
          description:
            "Neither \(file) nor the store has a stage whose key begins with \(explain). `mtkd-sweep list` "
            + "names those of the store."
        )
      }
      return Out.put(lines.joined(separator: "\n") + "\n")
    }
    let seeds = power ? try powerSheet(sweep, store) : nil
    let use = try sweep.runsOfTrainers.isEmpty ? nil : DeviceOption.use(devices, sweep.grid.run)
    Out.put(json ? machine(sweep, use, seeds, outlook) : text(sweep, use) + (outlook?.text ?? ""))
    if let seeds, !json {
      let style = styles.style(for: STDOUT_FILENO)
      Out.put("\n" + TextTable.render(seeds.sheet(style), style: style))
    }
  }

  /// A store that is not there yet has nothing.
  private func storeIfAny() throws -> ResultStore? {
    do { return try location.open() } catch StoreError.absent { return nil }
  }

  /// As many as `run` would start.
  private func workerCount(_ sweep: PlannedSweep) -> Int {
    sweep.grid.workers(workers, threads: sweep.grid.run.threadsPerRun)
  }

  /// From the cells that the store has of the sweep of this name.
  private func powerSheet(_ sweep: PlannedSweep, _ store: ResultStore?) throws -> PowerSheet {
    var cells: [Cell] = []
    if let store, try store.sweeps().contains(where: { $0.name == sweep.name }) {
      cells = Cell.cells(of: try store.results(of: store.sweep(sweep.name), sweep.grid.report))
    }
    return PowerSheet(
      differences: difference, std: std, correlation: correlation, chance: chance, cells: cells)
  }

  /// What backbones are put to, a line a task.
  private func transfers(_ sweep: PlannedSweep) -> [String] {
    sweep.expansion.transferTasks.map { task in
      let parts = sweep.expansion.runs.compactMap(\.cell.transfer).filter { $0.spec.task == task }
      let heads = task.heads.filter { head in parts.contains { $0.spec.head == head } }
      let count = parts.reduce(0) { $0 + $1.seeds }
      return "  \(task.rawValue): \(counted(count, "transfer")), \(heads.joined(separator: ", "))"
    }
  }

  /// What the transfers still to run take of memory, where that decides how many run at a
  /// time or whether they can.
  private func memory(_ sweep: PlannedSweep) -> [String] {
    guard let largest = sweep.forecast.largestTransfer else { return [] }
    let here = Double(WorkLimits().memoryLimit)
    let what =
      "  memory of a transfer: \(size(largest.bytes)) at most (\(largest.title): \(size(largest.perImage)) "
      + "an image, \(largest.images) at once)"
    if let advice = largest.advice(within: here) {
      return ["\(what), more than the \(size(here)) of this machine: \(advice)"]
    }
    let fitting = Int(here / largest.bytes)
    let workers = workerCount(sweep)
    return [fitting < workers ? "\(what); \(fitting) of \(workers) workers fit at a time" : what]
  }

  private func text(_ sweep: PlannedSweep, _ devices: DeviceUse?) -> String {
    let (counts, forecast, workers) = (sweep.counts, sweep.forecast, workerCount(sweep))
    var lines = [
      "\(sweep.name): \(counted(counts.asked, "run")) asked for, \(counts.distinct) distinct, "
        + "\(counts.shared) shared"
    ]
    lines += sweep.expansion.sharing.map { "  \($0)" }
    let before =
      counts.hasTransfers
      ? "datasets, teachers, students, backbones and transfers" : "datasets, teachers and their outputs"
    lines.append(
      "  done \(counts.done), to run \(counts.toRun), \(before) to make \(counts.preparations)")
    lines += transfers(sweep)
    if let devices {
      lines.append(
        "  devices: \(devices.sentence), for \(counted(sweep.runsOfTrainers.count, "run")) of trainers")
    }
    if let change = sweep.change {
      lines.append("  since the last run: \(change.dropFirst(sweep.name.count + 2))")
    }
    if !sweep.missingData.isEmpty {
      lines.append(
        "  not here: \(counted(sweep.missingData.count, "input")), named above, without which `run` refuses")
    }
    if counts.toRun + counts.preparations > 0 {
      let basis =
        forecast.measurements > 0
        ? "from \(counted(forecast.measurements, "stage")) measured here"
        : "assumed; nothing has been measured in this store yet"
      let outlook = sweep.outlook(workers: workers, devices: devices)
      // How much faster a run becomes depends on its network.
      let threads = sweep.grid.run.threadsPerRun
      let threading = threads > 1 ? " of \(threads) threads, each run at the pace of one" : ""
      lines.append(
        "  forecast: \(duration(forecast.cpuSeconds - outlook.spared)) of CPU, \(duration(outlook.wall)) at "
          + "\(workers) \(workers == 1 ? "worker" : "workers")\(threading), \(size(forecast.diskBytes)) of "
          + "disk (\(basis))"
      )
      if outlook.spared > 0 {
        lines.append(
          "  runs of a seed ask their teachers together, \(counted(outlook.asked, "time")) in all; each for "
            + "itself: \(duration(forecast.cpuSeconds)) of CPU"
        )
      }
      if forecast.savedSeconds > 0 || forecast.outputBytes > 0 {
        // What the networks of trainers take nobody knows.
        let without = duration(forecast.cpuSeconds - outlook.spared + forecast.savedSeconds)
        lines.append(
          "  outputs of teachers are kept: \(size(forecast.outputBytes)) to write"
            + (forecast.savedSeconds > 0 ? "; without them \(without) of CPU" : ""))
      }
    }
    lines += memory(sweep)
    return lines.joined(separator: "\n") + "\n"
  }

  private func machine(
    _ sweep: PlannedSweep, _ devices: DeviceUse?, _ seeds: PowerSheet?, _ outlook: ClaimOutlook?
  ) -> String {
    let (counts, forecast, workers) = (sweep.counts, sweep.forecast, workerCount(sweep))
    let rehearsed = sweep.outlook(workers: workers, devices: devices)
    var members: [String: JSONValue] = [
      "schema": "mtkd-sweep-plan-1", "sweep": .string(sweep.name), "asked": JSONValue(counts.asked),
      "distinct": JSONValue(counts.distinct), "shared": JSONValue(counts.shared),
      "done": JSONValue(counts.done),
      "toRun": JSONValue(counts.toRun), "preparations": JSONValue(counts.preparations),
      "dropped": JSONValue(sweep.dropped), "kept": JSONValue(sweep.kept ?? 0),
      "sharing": JSONValue(sweep.expansion.sharing),
      "forecast": .object([
        "cpuSeconds": JSONValue(forecast.cpuSeconds - rehearsed.spared),
        "sharedSeconds": JSONValue(rehearsed.spared), "timesAsked": JSONValue(rehearsed.asked),
        "wallSeconds": JSONValue(rehearsed.wall), "workers": JSONValue(workers),
        "savedSeconds": JSONValue(forecast.savedSeconds), "outputBytes": JSONValue(forecast.outputBytes),
        "diskBytes": JSONValue(forecast.diskBytes), "measurements": JSONValue(forecast.measurements),
      ]),
      "warnings": JSONValue(sweep.expansion.warnings.map(\.message)),
      "missingData": JSONValue(sweep.missingData), "dataNotes": JSONValue(sweep.dataNotes),
    ]
    if let outlook { members["claims"] = outlook.json }
    if let share = devices?.share {
      members["devices"] = .object([
        "names": JSONValue(share.devices), "runsAtATime": JSONValue(share.runs),
        "runs": JSONValue(sweep.runsOfTrainers.count),
      ])
    }
    if let seeds {
      members["power"] = .object([
        "std": JSONValue(seeds.std), "correlation": seeds.correlation.map { JSONValue($0) } ?? .null,
        "chance": JSONValue(seeds.chance), "basis": .string(seeds.basis),
        "differences": .array(
          seeds.differences.map { difference in
            let found = seeds.seeds(difference: difference)
            return .object([
              "difference": JSONValue(difference), "unpaired": found.unpaired.map { JSONValue($0) } ?? .null,
              "paired": .array(found.paired.map { $0.map { JSONValue($0) } ?? .null }),
            ])
          }),
      ])
    }
    return Commands.json(members)
  }
}
