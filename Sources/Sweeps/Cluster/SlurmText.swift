internal import Specs

/// What Slurm is told and what it answers, as text: no process, no clock, no file.
package enum SlurmText {
  /// The job's name says which batch it is, whatever number it has.
  package static func jobName(_ token: String) -> String { "mtkd-\(token)" }

  static func isVariable(_ name: String) -> Bool {
    guard let first = name.utf8.first, first == 95 || (first | 32) >= 97 && (first | 32) <= 122 else {
      return false
    }
    return name.utf8.allSatisfy { $0 == 95 || ($0 | 32) >= 97 && ($0 | 32) <= 122 || $0 >= 48 && $0 <= 57 }
  }

  /// A word that a shell reads as it is.
  static func quoted(_ word: String) -> String { "'\(word.replacing("'", with: "'\\''"))'" }
}

// MARK: The script

extension SlurmText {
  /// What a script is made of besides the site's options.
  package struct Submission: Sendable {
    package var token: String
    package var tasks: Int
    /// Absolute, of the program and of the store.
    package var program: String
    package var store: String
    /// Job numbers whose ends this one waits for, however they end.
    package var after: [String] = []
    /// Nodes on which nothing started, besides the site's own list.
    package var exclude: [String] = []
    /// Seconds before it may start.
    package var delay = 0
    /// What workers' numerics are pinned to.
    package var environment: [String: String] = [:]

    package init(token: String, tasks: Int, program: String, store: String) {
      (self.token, self.tasks, self.program, self.store) = (token, tasks, program, store)
    }
  }

  /// The batch script. The program takes the shell's place, so that signals to the batch process reach it, and starts with nothing of the
  /// submitter's environment.
  package static func script(_ submission: Submission, _ site: SiteOptions) -> String {
    let folder = "\(submission.store)/batches/\(submission.token)"
    let throttle = site.tasksAtOnce.map { "%\($0)" } ?? ""
    var lines = ["#!/bin/sh"]
    func option(_ name: String, _ value: String?) {
      if let value { lines.append("#SBATCH --\(name)=\(value)") }
    }
    option("job-name", jobName(submission.token))
    option("comment", submission.token)
    option("array", "0-\(submission.tasks - 1)\(throttle)")
    option("output", "\(folder)/log-%a")
    option("open-mode", "append")
    option("cpus-per-task", "\(site.cpus)")
    option("signal", "B:USR1@\(site.leadSeconds)")
    lines.append(site.requeue ? "#SBATCH --requeue" : "#SBATCH --no-requeue")
    option("partition", site.partition)
    option("account", site.account)
    option("qos", site.qos)
    option("constraint", site.constraint)
    option("time", site.time)
    option("mem", site.memory)
    let exclude = (site.exclude + submission.exclude).reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    option("exclude", exclude.isEmpty ? nil : exclude.joined(separator: ","))
    // afterany: one failed teacher must not keep all students from running; workers look whether their inputs are there.
    option(
      "dependency", submission.after.isEmpty ? nil : "afterany:\(submission.after.joined(separator: ":"))")
    option("begin", submission.delay > 0 ? "now+\(submission.delay)" : nil)
    for line in site.extra { lines.append("#SBATCH \(line)") }
    lines.append("exec env -i \\")
    for name in [
      "HOME", "PATH", "TMPDIR", "SLURM_CONF", "SLURM_ARRAY_JOB_ID", "SLURM_RESTART_COUNT", "SLURMD_NODENAME",
    ] {
      lines.append("  ${\(name)+\"\(name)=$\(name)\"} \\")
    }
    for (name, value) in submission.environment.merging(site.environment, uniquingKeysWith: { $1 })
      .sorted(by: { $0.key < $1.key })
    {
      lines.append("  \(name)=\(quoted(value)) \\")
    }
    lines.append("  \(quoted(submission.program)) worker --store \(quoted(submission.store)) \\")
    lines.append("  --batch \(submission.token) --task \"$SLURM_ARRAY_TASK_ID\"")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The job number in what `sbatch --parsable` printed: `1`, or `1;cluster` on a federated site.
  package static func jobNumber(_ output: String) -> String? {
    guard let line = output.split(whereSeparator: \.isNewline).last else { return nil }
    let number = line.prefix { $0 != ";" }
    return !number.isEmpty && number.allSatisfy(\.isNumber) ? String(number) : nil
  }
}

// MARK: Listings

extension SlurmText {
  /// One line for each task, pending ones included, with a separator of our own: `squeue -h -r --states=all -o FORMAT`.
  package static let listingFormat = "%i|%F|%K|%T|%r|%N|%j"

  /// Where a task of an array stands, as far as the scheduler knows.
  package struct Task: Hashable, Sendable {
    package enum State: Hashable, Sendable {
      case pending
      case running
      /// However it ended: files say what became of the work.
      case ended
      /// A word that this program does not know, which proves nothing.
      case unknown
    }

    /// Such as `12_3`.
    package let id: String
    package let array: String
    package let index: Int
    package let state: State
    /// The scheduler's own word.
    package let word: String
    package let reason: String
    package let node: String
    package let token: String

    package init(
      id: String, array: String, index: Int, state: State, word: String, reason: String, node: String,
      token: String
    ) {
      (self.id, self.array, self.index, self.state) = (id, array, index, state)
      (self.word, self.reason, self.node, self.token) = (word, reason, node, token)
    }

    package var isActive: Bool { state != .ended }
  }

  /// Reads a listing. Lines that do not read as one of ours are passed over: a site's commands may print greetings.
  package static func tasks(_ listing: String) -> [Task] {
    listing.split(whereSeparator: \.isNewline).compactMap { line in
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 7, fields[6].hasPrefix("mtkd-"), fields[1].allSatisfy(\.isNumber),
        let index = Int(fields[2])
      else { return nil }
      return Task(
        id: fields[0], array: fields[1], index: index, state: state(fields[3]), word: fields[3],
        reason: fields[4], node: fields[5], token: String(fields[6].dropFirst("mtkd-".count)))
    }
  }

  package static func state(_ word: String) -> Task.State {
    switch word.prefix(while: { $0 != " " && $0 != "+" }) {
    case "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD":
      .pending
    case "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING": .running
    case "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL", "OUT_OF_MEMORY",
      "BOOT_FAIL",
      "DEADLINE", "REVOKED":
      .ended
    default: .unknown
    }
  }

  /// What a person has to do about a reason for which a job waits; nil where waiting is all there is to do.
  package static func advice(_ reason: String) -> String? {
    switch reason {
    case "DependencyNeverSatisfied": "cancel it and run again: what it waits for will not come"
    case "PartitionConfig", "PartitionTimeLimit", "PartitionNodeLimit":
      "it asks for more than the partition gives: change time, cpus or memory in the site file, cancel, run again"
    case "launch_failed_requeued_held":
      "its node could not start it: `scontrol release` it, or cancel and run again"
    case "JobHeldUser": "you hold it: `scontrol release` lets it go"
    case "JobHeldAdmin": "an administrator holds it: ask them"
    case "BadConstraints":
      "no node has what the constraint asks for: change it in the site file, cancel, run again"
    case "JobLaunchFailure":
      "no node could start it: its output folder must be there and writable on every node"
    default:
      if reason.hasPrefix("Assoc") || reason.hasPrefix("QOS") || reason.contains("Grp") {
        "a limit of your account: wait, or ask for another account or QOS in the site file"
      } else if reason.contains("ReqNodeNotAvail") || reason.contains("Nodes_required_for_job_are_DOWN") {
        "the nodes that it could use are down or reserved"
      } else {
        nil
      }
    }
  }
}

// MARK: Facts of a site

extension SlurmText {
  /// Of `scontrol show config`, with Slurm's own standards where a line is missing.
  package struct Limits: Hashable, Sendable {
    /// The largest index of an array is one less.
    package var maxArraySize = 1001
    package var maxJobCount = 10000
    /// Seconds for which ended jobs stay visible.
    package var minJobAge = 300
    package var messageTimeout = 10
    package var version = "unknown"

    package init() {}

    /// Seconds after which a job would be visible whose submission was not answered.
    package var quietSeconds: Int { 2 * messageTimeout + 10 }
  }

  package static func limits(_ configuration: String) -> Limits {
    var limits = Limits()
    for line in configuration.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimming() }
      guard parts.count == 2 else { continue }
      let number = Int(parts[1].prefix { $0.isNumber })
      switch parts[0] {
      case "MaxArraySize": limits.maxArraySize = number ?? limits.maxArraySize
      case "MaxJobCount": limits.maxJobCount = number ?? limits.maxJobCount
      case "MinJobAge": limits.minJobAge = number ?? limits.minJobAge
      case "MessageTimeout": limits.messageTimeout = number ?? limits.messageTimeout
      case "SLURM_VERSION": limits.version = parts[1]
      default: break
      }
    }
    return limits
  }

  /// The value of a member of `scontrol -o show …`, such as `ExitCode` or `MaxTime`.
  package static func member(_ name: String, of line: String) -> String? {
    line.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("\(name)=") }
      .map { String($0.dropFirst(name.count + 1)) }
  }

  /// Seconds of a time as `sbatch --time` takes it: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`,
  /// `days-hours:minutes:seconds`. Nil for anything else, and for no limit.
  package static func seconds(ofTime text: String) -> Int? {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false)
    guard halves.count <= 2, let last = halves.last else { return nil }
    let parts = last.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard !parts.contains(nil), (1...3).contains(parts.count) else { return nil }
    let numbers = parts.compactMap(\.self)
    guard numbers.allSatisfy({ (0..<1_000_000).contains($0) }) else { return nil }
    if halves.count == 2 {
      guard let days = Int(halves[0]), (0..<100_000).contains(days) else { return nil }
      let padded = numbers + Array(repeating: 0, count: 3 - numbers.count)
      return ((days * 24 + padded[0]) * 60 + padded[1]) * 60 + padded[2]
    }
    switch numbers.count {
    case 1: return numbers[0] * 60
    case 2: return numbers[0] * 60 + numbers[1]
    default: return (numbers[0] * 60 + numbers[1]) * 60 + numbers[2]
    }
  }

  /// Whether a command's complaint says that the scheduler could not be asked, which proves nothing about jobs.
  package static func isUnavailable(_ complaint: String) -> Bool {
    [
      "Unable to contact slurm controller", "Socket timed out", "Connection refused",
      "Zero Bytes were transmitted",
      "Unable to establish controller", "Communication connection failure", "Transport endpoint",
    ]
    .contains { complaint.contains($0) }
  }
}

extension Substring {
  fileprivate func trimming() -> String {
    let start = drop { $0.isWhitespace }
    return String(start.reversed().drop { $0.isWhitespace }.reversed())
  }
}
