internal import Specs
internal import Subprocess
internal import SystemPackage

/// Slurm by its commands: `sbatch`, `squeue`, `scancel`, `scontrol`, each under a time limit of its own.
/// Nothing else of it is needed.
package struct Slurm: BatchScheduler {
  package static let name = "slurm"
  package static let help = "jobs of a Slurm cluster; returns once they are submitted"

  private let bin: String?
  /// Longer than a dead controller takes to be noticed, which is up to 18 s.
  private static let commandSeconds = 40

  package init(bin: String?) { self.bin = bin }

  package func limits() async throws(ExecutorError) -> BatchLimits {
    SlurmText.limits(try await ask("scontrol", ["show", "config"]))
  }

  /// Whether the scheduler would take a script. What asks for more time than its partition gives it would
  /// take, and then keep waiting for ever.
  package func check(_ script: String, _ site: SiteOptions) async throws(ExecutorError) {
    _ = try await ask("sbatch", ["--test-only", script])
    guard let partition = site.partition, let wanted = site.wallSeconds,
      let most = try await maxSeconds(ofPartition: partition), wanted > most
    else { return }
    throw .refused(
      command: "sbatch",
      reason:
        "the partition \(partition) ends jobs after \(most / 60) minutes, and \"time\" asks for "
        + "\(wanted / 60)"
    )
  }

  /// `MaxTime` of a partition; nil where it has none or cannot be named.
  private func maxSeconds(ofPartition name: String) async throws(ExecutorError) -> Int? {
    let line = try await ask("scontrol", ["-o", "show", "partition", name])
    return SlurmText.member("MaxTime", of: line).flatMap(SiteOptions.seconds(ofTime:))
  }

  /// - Returns: the job's number.
  /// - Throws: `.unavailable` where the scheduler may have taken the job and could not say so.
  package func submit(_ script: String) async throws(ExecutorError) -> String {
    let output = try await ask("sbatch", ["--parsable", script])
    guard let number = SlurmText.jobNumber(output) else {
      throw .unavailable("sbatch printed no job number: \(output)")
    }
    return number
  }

  /// All tasks of some batches that the scheduler remembers, in one listing.
  package func tasks(of tokens: [String]) async throws(ExecutorError) -> [BatchTask] {
    guard !tokens.isEmpty else { return [] }
    let names = tokens.map(SlurmText.jobName).joined(separator: ",")
    let listing = try await ask(
      "squeue", ["-h", "-r", "--states=all", "--name=\(names)", "-o", SlurmText.listingFormat])
    let wanted = Set(tokens)
    return SlurmText.tasks(listing).filter { wanted.contains($0.token) }
  }

  /// Ends all tasks of a batch, by its name: numbers are used again after a crash.
  package func cancel(_ token: String) async throws(ExecutorError) {
    _ = try await ask("scancel", ["--name=\(SlurmText.jobName(token))"])
  }

  package func cancel(tasks: [String]) async throws(ExecutorError) {
    if !tasks.isEmpty { _ = try await ask("scancel", tasks) }
  }

  /// Such as `0:53`; nil where the scheduler does not remember.
  package func exitCode(of task: String) async -> String? {
    let line = try? await ask("scontrol", ["-o", "show", "job", task])
    return line.flatMap { SlurmText.member("ExitCode", of: $0) }
  }

  /// Puts a running task back into the queue, unless somebody ends it.
  ///
  /// - Returns: whether the scheduler did so.
  package func requeue(_ task: String) async -> Bool {
    guard let word = try? await ask("squeue", ["-h", "-r", "-j", task, "-o", "%T"]),
      word.split(whereSeparator: \.isNewline).first == "RUNNING"
    else { return false }
    return (try? await ask("scontrol", ["requeue", task])) != nil
  }

  private func ask(_ command: String, _ arguments: [String]) async throws(ExecutorError) -> String {
    let path = bin.map { "\($0)/\(command)" } ?? command
    let words = ["--kill-after=2", "\(Self.commandSeconds)", path] + arguments
    let result: (status: TerminationStatus, out: String, complaint: String)
    do {
      // A user's own formats and filters would change what listings hold.
      let environment = Environment.inherit.updating(
        Dictionary(
          ["SQUEUE_FORMAT", "SQUEUE_STATES", "SQUEUE_PARTITION", "SQUEUE_USERS", "SQUEUE_ACCOUNT"].map {
            (Environment.Key(rawValue: $0)!, String?.none)
          }
        ) { $1 })
      let run = try await Subprocess.run(
        .name("timeout"), arguments: Arguments(words), environment: environment,
        output: .string(limit: 256 << 20), error: .string(limit: 1 << 20))
      result = (run.terminationStatus, run.standardOutput, run.standardError)
    } catch {
      throw .unavailable("\(command): \(error)")
    }
    let complaint = result.complaint.split(whereSeparator: \.isNewline).joined(separator: " ")
    switch result.status {
    case .exited(0): return result.out
    case .exited(124), .exited(137):
      throw .unavailable("\(command) did not answer within \(Self.commandSeconds) s")
    case .exited(126), .exited(127): throw .absent(command: path)
    default:
      if SlurmText.isUnavailable(complaint) { throw .unavailable(complaint) }
      throw .refused(command: command, reason: complaint.isEmpty ? "\(result.status)" : complaint)
    }
  }
}

extension Slurm {
  package func script(_ submission: BatchSubmission, _ site: SiteOptions) throws(SiteError) -> String {
    try SlurmText.script(submission, site)
  }

  /// The element of the array, never the array's own number, which would mean all of its tasks.
  package func place(task: Int, environment: [String: String]) -> BatchPlace {
    let array = environment["SLURM_ARRAY_JOB_ID"]
    return BatchPlace(
      task: task, job: array, life: environment["SLURM_RESTART_COUNT"].flatMap { Int($0) } ?? 0,
      identifier: array.map { "\($0)_\(task)" })
  }

  package func advice(_ reason: String) -> String? { SlurmText.advice(reason) }

  package func hint(exitCode: String) -> String? {
    exitCode == "0:53" ? "the folder of its output is not there or not writable on the node" : nil
  }

  package func isStuck(_ task: BatchTask) -> Bool { task.reason == "launch_failed_requeued_held" }
}
