import ArgumentParser
import Foundation
import Pipeline
import Specs
import Storage
import Sweeps

/// `--executor` and what belongs to it.
struct ExecutorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where workers run: "
        + Catalog.executors.entries.map { "\($0.name) (\($0.help))" }.joined(separator: ", ") + "."))
  var executor = LocalProcesses.name

  @Option(help: Self.help("site"))
  var site: String?

  @Flag(help: Self.help("wait"))
  var wait = false

  @Option(help: Self.help("hosts"))
  var hosts: String?

  @Option(help: Self.help("remote-program"))
  var remoteProgram: String?

  @Option(help: Self.help("ssh-command"))
  var sshCommand: String?

  @Option(
    help: ArgumentHelp(
      "An option of the executor by its name; may be given several times.", valueName: "name=value"))
  var executorOption: [String] = []

  /// What the catalog says of an option, behind the executors that read it.
  private static func help(_ name: String) -> ArgumentHelp {
    let readers = Catalog.executors.entries.filter { $0.options.contains { $0.name == name } }
    let option = readers[0].options.first { $0.name == name }!
    return ArgumentHelp(
      "\(readers.map(\.name).joined(separator: ", ")): \(option.help).",
      valueName: option.valueName ?? "value")
  }

  /// What was given, by the names of the executor's options.
  var options: [String: String] {
    var options: [String: String] = [:]
    options["site"] = site
    options["wait"] = wait ? "" : nil
    options["hosts"] = hosts
    options["remote-program"] = remoteProgram
    options["ssh-command"] = sshCommand
    for text in executorOption {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      options[parts[0]] = parts.count == 2 ? parts[1] : ""
    }
    return options
  }

  func validate() throws {
    if let complaint = try Catalog.executors.complaint(executor, options) { throw ValidationError(complaint) }
  }

  /// The site's options: of the named file, which is copied into the store, or of the store's copy, or none.
  func siteOptions(_ folder: StoreFolder) throws -> SiteOptions {
    if let site = options["site"] {
      let bytes: [UInt8]
      do {
        bytes = try AtomicFile.read(site)
      } catch {
        throw NothingThere(description: "\(error)")
      }
      let options = try SiteOptions(reading: bytes, at: site)
      try AtomicFile.write(bytes, to: folder.site)
      return options
    }
    return try SiteOptions(inStore: folder)
  }
}

extension SiteOptions {
  /// What the last `run --site` left in a store; the standards where there was none.
  init(inStore folder: StoreFolder) throws {
    guard FileManager.default.fileExists(atPath: folder.site) else {
      self.init()
      return
    }
    try self.init(reading: AtomicFile.read(folder.site), at: folder.site)
  }
}

extension StoreFolder {
  /// The same folder by the path that other machines know it by.
  var absolute: StoreFolder {
    guard let real = realpath(path, nil) else { return self }
    defer { free(real) }
    return StoreFolder(String(cString: real))
  }
}

/// A local run of a store of which something is still on a cluster.
struct StillOnCluster: UserError {
  var exitStatus: ExitStatus { .unavailable }
  let batches: Int
  let file: String
  let executor: String
  var description: String {
    "\(counted(batches, "batch", "batches")) of this store \(batches == 1 ? "is" : "are") still on the "
      + "cluster. `mtkd-sweep run \(shellWord(file)) --executor \(executor)` goes on with "
      + "\(batches == 1 ? "it" : "them"), `mtkd-sweep cancel` ends them."
  }
}

/// `mtkd-sweep cancel`: ends what a sweep has on a cluster.
struct Cancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "End the jobs that a sweep has on a cluster.",
    discussion: "Workers write snapshots and leave. `mtkd-sweep run` later goes on from there.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "The sweep (default: all sweeps of the store).", completion: Completions.sweeps)
  var sweep: String?

  func run() async throws {
    let folder = location.folder.absolute
    let open = try ClusterStatus.open(in: folder, sweep: sweep)
    guard !open.isEmpty else { return Out.put("Nothing of \(location.path) is on a cluster.\n") }
    try await ClusterStatus.cancel(open, because: "cancelled")
    let stages = Set(open.flatMap(\.manifest.keys)).count
    Out.put(
      "Cancelled \(open.count == 1 ? "1 batch" : "\(open.count) batches") with "
        + "\(stages == 1 ? "1 stage" : "\(stages) stages").\n")
  }
}
