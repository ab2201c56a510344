import ArgumentParser
import Foundation
import Pipeline
import Specs
import Storage
import Sweeps

/// `mtkd-sweep rebuild`: the database from the run folders.
struct Rebuild: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Make the database again from the run folders alone, as far as gc has left them.")

  @OptionGroup var location: StoreLocation

  @Flag(help: "Also where the old database has results that no folder has any more.")
  var yes = false

  func run() throws {
    let lease = try location.lease()
    let report = try withExtendedLifetime(lease) {
      let (report, path) = try StoreUpkeep.rebuild(location.folder)
      for trouble in report.troubles { Talk.say(trouble) }
      guard report.lost.isEmpty || yes else {
        try AtomicFile.removeFile(path)
        throw WouldLose(titles: report.lost)
      }
      try StoreUpkeep.install(path, in: location.folder)
      return report
    }
    let seals = report.seals + report.lostSeals == 0 ? "" : ", \(count(report.seals, "seal")) of runs kept"
    Out.put(
      "\(count(report.stages, "stage")), \(report.finished) of them finished, and "
        + "\(count(report.sweeps, "sweep"))\(seals). The old database is store.sqlite.before-rebuild.\n")
    if report.lostSeals > 0 {
      Talk.say(
        "\(count(report.lostSeals, "seal")) could not be kept: their runs have other numbers now, or none. "
          + "`mtkd-sweep verify` seals runs again."
      )
    }
    if !report.troubles.isEmpty { throw ExitCode(.doneWithFailures) }
  }
}

/// `mtkd-sweep fsck`: every digest.
struct Fsck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsck",
    abstract: "Compare everything in a store with its digest and with its records; change nothing.",
    discussion: """
      Exit code 1 where something is damaged. Runs that an older version finished have no digests in the database yet; --repair writes them
      where the numbers are those of the run's records.
      """)

  @OptionGroup var location: StoreLocation

  @Flag(help: "Write digests of runs that an older version finished.")
  var repair = false

  func run() throws {
    guard FileManager.default.fileExists(atPath: location.path) else {
      throw StoreError.absent(location.path)
    }
    let checked = try StoreUpkeep.check(location.folder)
    for damage in checked.damages { Out.put("\(damage)\n") }
    try lookAtUndigested(checked)
    guard checked.damages.isEmpty else {
      Talk.say(
        "\(count(checked.damages.count, "damaged item")) found. `mtkd-sweep rebuild` makes the database "
          + "from the folders; `mtkd-sweep run` makes removed outputs again."
      )
      throw ExitCode(.doneWithFailures)
    }
    guard checked.hasDatabase else {
      Talk.say(
        "\(location.folder.database) is not there: only folders were looked at, and they are right. "
          + "`mtkd-sweep rebuild\(storeArgument)` makes the database of them."
      )
      throw ExitCode(.missingInput)
    }
    Out.put("Every digest is right.\n")
  }

  private var storeArgument: String { location.path == "results" ? "" : " --store \(location.path)" }

  /// Runs that came to their end before there were digests.
  private func lookAtUndigested(_ checked: StoreUpkeep.Checked) throws {
    guard !checked.undigested.isEmpty else { return }
    let old = count(checked.undigested.count, "stage")
    guard repair else {
      return Talk.say(
        "\(old) of an older version without a digest in the database. "
          + "`mtkd-sweep fsck --repair\(storeArgument)` writes them."
      )
    }
    try location.writing { try $0.addDigests(to: checked.repairable) }
    let unseen =
      checked.withoutRecords == 0
      ? "" : " \(checked.withoutRecords) of them have no records here: theirs are of the numbers as they are."
    let left = checked.undigested.count - checked.repairable.count
    let kept = left == 0 ? "" : " \(left) stay without: they are not what their records say."
    Talk.say("Digests written for \(count(checked.repairable.count, "stage")).\(unseen)\(kept)")
  }
}

/// `mtkd-sweep gc`: what no sweep reaches.
struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Show what no sweep of the store reaches; with --yes, remove it.")

  @OptionGroup var location: StoreLocation

  @Flag(help: "Also folders of finished runs: the database keeps their results and final states.")
  var folders = false

  @Flag(help: "Remove what is shown.")
  var yes = false

  func run() throws {
    try location.writing(collect)
  }

  private func collect(_ store: ResultStore) throws {
    let litter = try location.folder.litter(clock: location.folder.clock())
    let garbage = try StoreUpkeep.garbage(location.folder, store, withFolders: folders)
    for stage in garbage {
      let what = stage.isForgotten ? "reached by no sweep" : "folder only; its result stays"
      Out.put("\(stage.key.short)  \(size(Double(stage.bytes)))  \(stage.title)  (\(what))\n")
    }
    let weights = try StoreUpkeep.unusedWeights(location.folder, store)
    for (digest, bytes) in weights {
      Out.put(
        "weights/\(digest).safetensors  \(size(Double(bytes)))  (of no sweep, and no import names it)\n")
    }
    for item in litter {
      Out.put(
        "\(item.path.dropFirst(location.folder.path.count + 1))  \(size(Double(item.bytes)))  (left by a "
          + "process that was killed)\n"
      )
    }
    let all =
      garbage.reduce(0) { $0 + $1.bytes } + weights.reduce(0) { $0 + $1.bytes }
      + litter.reduce(0) { $0 + $1.bytes }
    let bytes = size(Double(all))
    var parts: [String] = garbage.isEmpty ? [] : [count(garbage.count, "stage")]
    if !weights.isEmpty { parts.append(count(weights.count, "file") + " of weights") }
    if !litter.isEmpty { parts.append(count(litter.count, "leftover")) }
    let what = parts.joined(separator: ", ")
    if garbage.isEmpty, weights.isEmpty, litter.isEmpty {
      Out.put("Nothing to remove.\n")
    } else if yes {
      try StoreUpkeep.remove(garbage, location.folder, store)
      for (digest, _) in weights { try WeightsFolder(location.folder).remove(digest) }
      try location.folder.remove(litter)
      Out.put("Removed \(what), \(bytes).\n")
    } else {
      Out.put("\(what), \(bytes). `mtkd-sweep gc --yes` removes them.\n")
    }
  }
}

/// `mtkd-sweep archive`: a sweep as one file.
struct Archive: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Pack a sweep's grid, records, final states and provenance into one file.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "The sweep.")
  var sweep: String

  @Option(name: .shortAndLong, help: "The file (default: SWEEP.mtkd).")
  var output: String?

  @Flag(
    help:
      ArgumentHelp(
        "Numbers, specifications and provenance alone: a small file to send, from which tables "
          + "and figures are drawn; its runs are neither verified nor exported.")
  )
  var withoutCheckpoints = false

  func run() throws {
    let path = output ?? "\(sweep).mtkd"
    let store = try location.open()
    _ = try store.sweep(sweep)
    guard !FileManager.default.fileExists(atPath: path) else { throw AlreadyThere(path: path) }
    let archived = try StoreUpkeep.archive(
      sweep, of: store, in: location.folder, to: path, hasCheckpoints: !withoutCheckpoints)
    let weights = archived.weights == 0 ? "" : " and \(count(archived.weights, "file")) of imported weights"
    Out.put(
      "\(path): \(count(archived.stages, "stage")) of \(sweep)\(weights). "
        + "`mtkd-sweep unarchive \(shellWord(path)) --store DIR` brings it back.\n"
    )
    if !archived.lacks.isEmpty {
      let files = archived.lacks.map { "weights/\($0).safetensors" }.joined(separator: ", ")
      Talk.say(
        "It is without files that teachers were imported from, because the store has them no more: "
          + "\(files). Teachers that are finished are in it all the same; to verify them too, import the "
          + "files where the archive is unpacked."
      )
    }
  }
}

/// `mtkd-sweep unarchive`: back into a store.
struct Unarchive: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unarchive", abstract: "Take what an archive holds into a store.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "The file that `archive` has written.")
  var file: String

  func run() throws {
    guard FileManager.default.fileExists(atPath: file) else {
      throw NothingThere(description: "\(file) does not exist. `mtkd-sweep archive SWEEP` writes one.")
    }
    do { try location.folder.create() } catch { throw StoreError.file(error) }
    let sweeps = try location.writing { store in
      try StoreUpkeep.unarchive(file, into: location.folder, store)
    }
    Out.put(
      "\(sweeps.joined(separator: ", ")) in \(location.path). "
        + "`mtkd-sweep report --store \(shellWord(location.path))` shows it.\n"
    )
  }
}

/// A rebuilt database that would know less than the old one.
struct WouldLose: UserError {
  var exitStatus: ExitStatus { .doneWithFailures }
  let titles: [String]
  var description: String {
    let named =
      titles.prefix(5).joined(separator: ", ") + (titles.count > 5 ? " and \(titles.count - 5) more" : "")
    return
      "The database has \(titles.count) results that no folder has: \(named). Nothing was changed; "
      + "`mtkd-sweep rebuild --yes` leaves them out."
  }
}

/// A file that nobody wants overwritten.
struct AlreadyThere: UserError {
  var exitStatus: ExitStatus { .cannotCreate }
  let path: String
  var description: String { "\(path) is there already. Name another file with -o, or move it away." }
}
