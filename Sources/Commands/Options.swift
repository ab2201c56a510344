import ArgumentParser
import Foundation
import Pipeline
import Reports
import Specs
import Storage
import Sweeps

/// `--store`, for every command that reads or writes results.
struct StoreLocation: ParsableArguments {
  @Option(name: .customLong("store"), help: ArgumentHelp("Folder of the results.", valueName: "dir"))
  var path = "results"

  var folder: StoreFolder { StoreFolder(path) }
  /// Where imported teachers are.
  var weights: WeightsFolder { WeightsFolder(folder) }

  func open() throws -> ResultStore { try ResultStore(at: folder, .reading) }

  /// The sweep that is meant: the named one, or the only one.
  func sweep(_ name: String?, in store: ResultStore) throws -> SweepRecord {
    if let name { return try store.sweep(name) }
    let sweeps = try store.sweeps()
    guard sweeps.count == 1 else {
      throw NothingThere(
        description: sweeps.isEmpty
          ? "The store \(path) has no sweep yet. `mtkd-sweep run FILE` makes one."
          : "The store \(path) has \(sweeps.count) sweeps: \(sweeps.map(\.name).joined(separator: ", ")). "
            + "Name one."
      )
    }
    return sweeps[0]
  }

  /// The stage that a key or the beginning of one means.
  func stage(_ prefix: String, in store: ResultStore) throws -> (stage: StageRecord, state: StageState) {
    let found = try store.stages(withPrefix: prefix)
    guard found.count == 1 else {
      throw NothingThere(
        description: found.isEmpty
          ? "No run of \(path) has a key that begins with \(prefix). "
            + "`mtkd-sweep list --store \(shellWord(path))` lists them."
          : "\(found.count) runs have a key that begins with \(prefix). Give more digits.")
    }
    return found[0]
  }
}

/// Where datasets' files are looked for.
struct DataFolders: ParsableArguments {
  @Option(
    name: .customLong("data"),
    help: ArgumentHelp(
      "Folder of datasets, searched before the system's; may be given several times.", valueName: "dir"))
  var folders: [String] = ["data"]

  static func isRegularFile(_ path: String) -> Bool {
    (try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType) == .typeRegular
  }
}

/// What may be kept of what teachers say.
struct CacheOptions: ParsableArguments {
  @Option(
    name: .customLong("cache-limit"),
    help: ArgumentHelp(
      "Disk that cached teacher outputs may take, such as 20GB (default: half of what is free).",
      valueName: "size"))
  var limit: ByteSize?

  @Flag(
    name: .customLong("no-cache"),
    help: "Every run asks its teachers itself: no cached outputs, and no runs side by side.")
  var isLeftAlone = false

  var isUsed: Bool { !isLeftAlone }
  var policy: CachePolicy { CachePolicy(isUsed: isUsed, limit: limit?.bytes) }
}

/// What workers may take.
struct LimitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Memory of all workers together, such as 8GB (default: nine tenths of what is available).",
      valueName: "size"))
  var memory: ByteSize?

  @Option(
    name: .customLong("nice"), help: "Added to the niceness that workers inherit from this call, 0 to 19.")
  var niceness = 0

  @Option(
    help:
      ArgumentHelp(
        "Threads of each run, for a few big ones on many cores (default: what the grid says, "
          + "else 1). They change no bit.")
  )
  var threadsPerRun: Int?

  @Flag(help: "Go on from snapshots of another numerics profile; such results are not bit-exact.")
  var allowOtherProfile = false

  @Option(
    name: .customLong("minutes"),
    help: "Minutes that a stage may take at a time (default: what the grid says).")
  var minutes: Double?

  @Option(
    help:
      "Seconds without a sign of life after which a worker is ended and its stage tried again (default: 120)."
  )
  var silence: Double?

  @Option(
    help: ArgumentHelp(
      "Size that the log of an attempt may have; the middle of a longer one is cut out. (default: 64MB)",
      valueName: "size"))
  var logLimit: ByteSize?

  @Option(
    help: ArgumentHelp(
      "Keep the weights that a trainer names with its epochs of so many newest epochs, beside "
        + "those of the best.",
      valueName: "epochs"))
  var keep = 1

  func validate() throws {
    guard keep >= 1 else {
      throw ValidationError("--keep is 1 or more: the last epoch's weights are always kept.")
    }
    if let logLimit, logLimit.bytes < WorkerOptions.leastLogLimit {
      throw ValidationError("--log-limit is \(WorkerOptions.leastLogLimit / 1000)kB or more.")
    }
    guard silence.map({ $0 >= 45 }) != false else {
      throw ValidationError("--silence is 45 or more: workers show themselves every 15 s.")
    }
    guard (0...19).contains(niceness) else { throw ValidationError("--nice is 0 to 19.") }
    if let threadsPerRun, !(1...GridKeys.mostThreads).contains(threadsPerRun) {
      throw ValidationError("--threads-per-run is 1 to \(GridKeys.mostThreads).")
    }
    if let minutes, !(minutes > 0) { throw ValidationError("--minutes is above 0.") }
  }

  func limits(_ grid: GridSpec) -> WorkLimits {
    var limits = WorkLimits(
      memory: memory?.bytes, niceness: niceness, minutes: minutes ?? grid.run.maxMinutesPerRun?.double,
      silence: silence ?? 120)
    limits.allowsOtherProfile = allowOtherProfile
    limits.threads = threads(grid)
    limits.logLimit = logLimit?.bytes ?? WorkerOptions.standardLogLimit
    limits.keep = keep
    return limits
  }

  /// What workers that others start are told.
  func workerOptions(_ cache: CacheOptions, _ grid: GridSpec) -> WorkerOptions {
    WorkerOptions(
      asksTeachers: !cache.isUsed, allowsOtherProfile: allowOtherProfile, niceness: niceness,
      threads: threads(grid), logLimit: logLimit?.bytes ?? WorkerOptions.standardLogLimit,
      keep: keep)
  }

  /// What belongs to the site file on a cluster, a sentence; nil where nothing of that is asked for.
  var complaintOnCluster: String? {
    if memory != nil {
      return "--memory is of this machine. On a cluster the site file says it: \"memory\", for each task."
    }
    if minutes != nil {
      return
        "--minutes is of workers on this machine. On a cluster the site file says it: \"time\", "
        + "for each task."
    }
    if silence != nil {
      return
        "--silence is of workers on this machine. On a cluster a worker counts as lost after 60 s "
        + "without a heartbeat."
    }
    return nil
  }

  /// Of each run.
  func threads(_ grid: GridSpec) -> Int { threadsPerRun ?? grid.run.threadsPerRun }
}

extension GridSpec {
  /// Worker processes on this machine: as asked for, else as the grid says, else as many as this process may
  /// use processors, divided by the threads of each.
  func workers(_ asked: Int?, threads: Int) -> Int {
    asked ?? run.workers ?? max(1, MachineShare.current.processors / threads)
  }
}

/// `20GB`, `500 MB`, `1.5e9`: decimal units, as `size` prints them.
struct ByteSize: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let text = argument.filter { !$0.isWhitespace }.uppercased()
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("B", 1.0)]
    let unit = units.first { text.hasSuffix($0.0) }
    guard let value = Double(text.dropLast(unit?.0.count ?? 0)), value >= 0, value * (unit?.1 ?? 1) < 1e18
    else { return nil }
    bytes = Int(value * (unit?.1 ?? 1))
  }
}

enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never
}

/// Colours and width of what people read.
struct StyleOptions: ParsableArguments {
  @Option(help: "Colours: auto, always or never. NO_COLOR is respected.")
  var color = ColorChoice.auto

  /// For a stream, by its descriptor.
  func style(for stream: Int32) -> TextStyle {
    let environment = ProcessInfo.processInfo.environment
    let isPlain = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    let isColoured = color == .always || (color == .auto && isatty(stream) == 1 && !isPlain)
    return TextStyle(
      isUnicode: Self.isUnicode(environment), isColoured: isColoured,
      width: isatty(stream) == 1 ? LiveScreen(stream).size.width : nil)
  }

  /// Whether lines that were written can be written over: on a terminal that is not called dumb.
  static func canRedraw(_ stream: Int32) -> Bool {
    isatty(stream) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Whether the locale is UTF-8; files and pipes without any locale get Unicode too.
  static func isUnicode(_ environment: [String: String]) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    guard let locale else { return true }
    let name = locale.lowercased().replacing("-", with: "")
    return name.contains("utf8")
  }
}

/// A JSON value for machines, with a line feed.
func json(_ members: [String: JSONValue]) -> String { CanonicalJSON.text(of: .object(members)) + "\n" }

extension JSONValue {
  init(_ integer: Int) { self = .number(DecimalNumber(integer)) }
  init(_ double: Double) { self = DecimalNumber(double).map { .number($0) } ?? .null }
  init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }
}

/// `12 years`, `3 d 4 h`, `1 h 12 m`, `3 m 20 s`, `45 s`.
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e15 else { return "?" }
  let whole = Int(max(0, seconds).rounded())
  let (days, hours, minutes) = (whole / 86400, whole % 86400 / 3600, whole % 3600 / 60)
  if days >= 730 { return "\(days / 365) years" }
  if days > 0 { return "\(days) d \(hours) h" }
  if hours > 0 { return "\(hours) h \(minutes) m" }
  return minutes > 0 ? "\(minutes) m \(whole % 60) s" : "\(whole) s"
}

/// `1 run`, `2 runs`.
func count(_ number: Int, _ noun: String) -> String { number == 1 ? "1 \(noun)" : "\(number) \(noun)s" }

/// `3.2 MB`.
func size(_ bytes: Double) -> String {
  let units = ["B", "kB", "MB", "GB", "TB"]
  var (value, unit) = (bytes, 0)
  while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
  return unit == 0 ? "\(Int(value)) B" : "\((value * 10).rounded() / 10) \(units[unit])"
}
