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

  @Option(
    help: ArgumentHelp(
      "slurm: a file with the site's options (docs/slurm.md); kept in the store for later calls.",
      valueName: "file"))
  var site: String?

  @Flag(help: "slurm: stay until all is done, instead of leaving once jobs are submitted.")
  var wait = false

  @Option(
    help: ArgumentHelp(
      "ssh: machines that see the store under the same path, separated by commas; 'a:4' for four workers.",
      valueName: "a,b"))
  var hosts: String?

  @Option(
    help: ArgumentHelp(
      "ssh: path of this program on the machines, where it is another.", valueName: "path"))
  var remoteProgram: String?

  @Option(help: ArgumentHelp("ssh: how to call ssh, with its options.", valueName: "command"))
  var sshCommand: String?

  func validate() throws {
    _ = try Catalog.executors.entry(executor)
    if executor == SSHHosts.name, hostList.isEmpty {
      throw ValidationError("--executor ssh needs --hosts a,b.")
    }
  }

  /// Each host as often as it may have workers.
  var hostList: [String] {
    (hosts ?? "").split(separator: ",").flatMap { text -> [String] in
      let parts = text.split(separator: ":")
      if parts.count == 2, let count = Int(parts[1]), count > 0 {
        return Array(repeating: String(parts[0]), count: count)
      }
      return [String(text)]
    }
  }

  /// The site's options: of the named file, which is copied into the store, or of the store's copy, or none.
  func siteOptions(_ folder: StoreFolder) throws -> SiteOptions {
    if let site {
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
struct StillOnCluster: Error, CustomStringConvertible {
  let batches: Int
  let file: String
  var description: String {
    "\(batches) batches of this store are still on the cluster. `mtkd-sweep run \(shellWord(file)) --executor slurm` goes on with them, "
      + "`mtkd-sweep cancel` ends them."
  }
}

/// `mtkd-sweep cancel`: ends what a sweep has on a cluster.
struct Cancel: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "End the jobs that a sweep has on a cluster.",
    discussion: "Workers write snapshots and leave. `mtkd-sweep run` later goes on from there.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "The sweep; all of the store where nothing is said.", completion: Completions.sweeps)
  var sweep: String?

  func run() async throws {
    let folder = location.folder.absolute
    let open = try ClusterStatus.open(in: folder, sweep: sweep)
    guard !open.isEmpty else { return Out.put("Nothing of \(location.path) is on a cluster.\n") }
    let slurm = Slurm(bin: try SiteOptions(inStore: folder).bin)
    // Workers look at the files, so that even a scheduler that is away cannot start them again.
    for (batch, _) in open { try batch.makeVoid("cancelled") }
    for (batch, _) in open { try await slurm.cancel(batch.token) }
    let stages = Set(open.flatMap(\.manifest.keys)).count
    Out.put("Cancelled \(open.count) batches with \(stages) stages.\n")
  }
}
