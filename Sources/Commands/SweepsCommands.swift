import ArgumentParser
import Foundation
import Pipeline
import Specs
import Storage

/// `mtkd-sweep sweeps`: names of sweeps.
struct Sweeps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweeps", abstract: "Rename a sweep of a store, or forget it.",
    discussion: "`mtkd-sweep list` lists the sweeps of a store.",
    subcommands: [RenameSweep.self, RemoveSweep.self])
}

/// `mtkd-sweep sweeps rename`.
struct RenameSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename", abstract: "Give a sweep another name; its runs stay as they are.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "The sweep.", completion: Completions.sweeps)
  var sweep: String

  @Argument(help: "Its new name.")
  var name: String

  func validate() throws {
    guard SweepName.isValid(name) else { throw ValidationError("'\(name)' should be \(SweepName.rule).") }
  }

  func run() throws {
    _ = try location.open().sweep(sweep)
    try location.writing { store in try StoreUpkeep.rename(sweep, to: name, location.folder, store) }
    Out.put(
      "\(sweep) is named \(name) now. Change \"name\" in its grid file too: the next `mtkd-sweep run` would "
        + "make a new sweep of the old name.\n"
    )
  }
}

/// `mtkd-sweep sweeps remove`.
struct RemoveSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Show what forgetting a sweep means; with --yes, forget it.",
    discussion: "Its runs stay in the store until `mtkd-sweep gc --yes` removes what no sweep reaches.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "The sweep.", completion: Completions.sweeps)
  var sweep: String

  @Flag(help: "Forget it.")
  var yes = false

  func run() throws {
    let store = try location.open()
    let counts = try store.counts(of: sweep)
    try store.close()
    let runs = "\(count(counts.all, "run")), \(counts.finished) finished"
    guard yes else {
      return Out.put(
        "\(sweep): \(runs). `mtkd-sweep sweeps remove \(sweep) --yes` forgets it; its runs stay until "
          + "`mtkd-sweep gc --yes`.\n"
      )
    }
    try location.writing { store in try StoreUpkeep.remove(sweep: sweep, location.folder, store) }
    Out.put("\(sweep) is forgotten (\(runs)). `mtkd-sweep gc` shows what no sweep reaches any more.\n")
  }
}

/// `mtkd-sweep backup`: a copy of the database while a sweep runs.
struct Backup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy the database, whole and consistent, even while a sweep runs.",
    discussion: """
      The copy is enough to report, compare, export and verify on another machine: put it into a folder of its own as store.sqlite and name the
      folder with --store. Copying the file with cp while a sweep runs may catch it in the middle of a commit.
      """)

  @OptionGroup var location: StoreLocation

  @Argument(help: "The file to write; it must not be there yet.")
  var file: String

  func run() throws {
    let store = try location.open()
    guard !FileManager.default.fileExists(atPath: file) else { throw AlreadyThere(path: file) }
    try store.backUp(to: file)
    let copy = try ResultStore(file: file, .reading)
    let sweeps = try copy.sweeps().count
    try copy.close()
    let bytes = (try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
    Out.put("\(file): \(count(sweeps, "sweep")), \(size(Double(bytes))).\n")
  }
}

/// `mtkd-sweep unlock`: what a lease of a process that is gone means, and how to get rid of it.
struct Unlock: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unlock",
    abstract: "Explain who holds a store; with --yes, take it from a process on another host that is gone.")

  @OptionGroup var location: StoreLocation

  @Flag(help: "Take it.")
  var yes = false

  func run() throws {
    guard let trace = try Lease.trace(of: location.folder) else {
      return Out.put("Nobody holds \(location.path).\n")
    }
    let identity = trace.holder.identity
    let who =
      "process \(identity.process) on \(identity.host), since \(TimeOfDay.local(trace.holder.since)); last "
      + "sign of life \(duration(trace.silence)) ago"
    switch identity.isAlive {
    case true?: throw StoreError.held(location.path, by: trace.holder)
    case false?:
      return Out.put(
        "\(location.path) was held by \(who). That process is gone: the next `mtkd-sweep run` "
          + "takes the store.\n"
      )
    case nil: break
    }
    guard yes else {
      let advice =
        trace.silence < Lease.patience
        ? "It seems to be alive: end it there."
        : "It counts as gone: the next `mtkd-sweep run` takes the store, unless the file system still "
          + "holds its lock."
      return Out.put(
        """
        \(location.path) is held by \(who). \(advice)
        `mtkd-sweep unlock --yes` removes its lease and raises the store's generation: if that process lives after all, it commits nothing more,
        and what its workers finish is taken in by the next `mtkd-sweep run`.

        """)
    }
    try Lease.takeAway(location.folder)
    Out.put("\(location.path) is free. It was held by \(who).\n")
  }
}

/// A grid that would take the name of a sweep over without keeping any of its runs.
struct OtherGrid: UserError {
  var exitStatus: ExitStatus { .cannotCreate }
  let name: String
  let file: String

  var description: String {
    "The store has a sweep named \(name) with results, and \(file) asks for none of its runs. Give the grid "
      + "another \"name\", or keep the old sweep under another one with "
      + "`mtkd-sweep sweeps rename \(name) NEW`; `run --replace` takes the name over, after which `gc` "
      + "counts the old runs as garbage."
  }
}
