import Foundation
import Storage
import Sweeps

/// What `run --on-end` names: a line of shell that is run when a run has ended, to
/// send a message for example.
struct EndHook {
  let command: String
  let sweep: String
  let code: Int32
  let folder: StoreFolder

  /// What the command finds in its environment, in the order of `help on-end`.
  static let variables: [(name: String, meaning: String)] = [
    ("MTKD_SWEEP_EXIT_CODE", "the exit code of the run (`help exit-codes`)"),
    ("MTKD_SWEEP_NAME", "the sweep"), ("MTKD_SWEEP_STORE", "path of the store"),
    ("MTKD_SWEEP_RUNS", "how many runs the sweep has"),
    ("MTKD_SWEEP_FINISHED", "how many of them have a result"),
    ("MTKD_SWEEP_FAILED", "how many failed or diverged"),
    ("MTKD_SWEEP_BLOCKED", "how many cannot run, or were given up"),
    ("MTKD_SWEEP_OPEN", "how many are still to run"),
  ]

  /// Runs the command to its end. What goes wrong with it is said and changes no exit code.
  func run() {
    var process = ChildProcess("/bin/sh", ["-c", command])
    process.environment = ProcessInfo.processInfo.environment.merging(values()) { $1 }
    do {
      let end = ChildProcess.wait(for: try process.start())
      if end != .exited(0) { Talk.say("The command of --on-end ended with \(end): \(command)") }
    } catch {
      Talk.say("The command of --on-end could not be started: \(error)")
    }
  }

  private func values() -> [String: String] {
    var values = [
      "MTKD_SWEEP_EXIT_CODE": "\(code)", "MTKD_SWEEP_NAME": sweep,
      "MTKD_SWEEP_STORE": folder.absolute.path,
    ]
    // A store that cannot be read leaves the counts out: the exit code says why.
    guard let store = try? ResultStore(at: folder, .reading), let counts = try? store.counts(of: sweep) else {
      return values
    }
    values["MTKD_SWEEP_RUNS"] = "\(counts.all)"
    values["MTKD_SWEEP_FINISHED"] = "\(counts.finished)"
    values["MTKD_SWEEP_FAILED"] = "\(counts.failed + counts.diverged)"
    values["MTKD_SWEEP_BLOCKED"] = "\(counts.blocked)"
    values["MTKD_SWEEP_OPEN"] = "\(counts.open)"
    return values
  }
}
