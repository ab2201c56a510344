internal import Specs

/// What Slurm is told and what it answers, as text: no process, no clock, no file.
package enum SlurmText {
  /// The job's name says which batch it is, whatever number it has.
  package static func jobName(_ token: String) -> String { "mtkd-\(token)" }
}

// MARK: The script

extension SlurmText {
  /// The batch script. The program takes the shell's place, so that signals to the batch process reach it,
  /// and starts with nothing of the submitter's environment.
  ///
  /// - Throws: `SiteError` for a path that cannot stand in a script.
  package static func script(
    _ submission: BatchSubmission, _ site: SiteOptions
  ) throws(SiteError) -> String {
    let throttle = site.tasksAtOnce.map { "%\($0)" } ?? ""
    var lines = ["#!/bin/sh"]
    func option(_ name: String, _ value: String?) {
      if let value { lines.append("#SBATCH --\(name)=\(ShellWord.quotedWhereNeeded(value))") }
    }
    option("job-name", jobName(submission.token))
    option("comment", submission.token)
    option("array", "0-\(submission.tasks - 1)\(throttle)")
    option("output", try output(in: submission.folder))
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
    option("gres", submission.devices)
    let exclude = (site.exclude + submission.exclude).reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    option("exclude", exclude.isEmpty ? nil : exclude.joined(separator: ","))
    // afterany: one failed teacher must not keep all students from running; workers look
    // whether their inputs are there.
    option(
      "dependency", submission.after.isEmpty ? nil : "afterany:\(submission.after.joined(separator: ":"))")
    option("begin", submission.delay > 0 ? "now+\(submission.delay)" : nil)
    for line in site.extra { lines.append("#SBATCH \(line)") }
    lines.append("exec env -i \\")
    // By these Slurm says which devices are the task's.
    let own = submission.devices == nil ? [] : ["CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"]
    for name in [
      "HOME", "PATH", "TMPDIR", "SLURM_CONF", "SLURM_ARRAY_JOB_ID", "SLURM_RESTART_COUNT", "SLURMD_NODENAME",
    ] + own {
      lines.append("  ${\(name)+\"\(name)=$\(name)\"} \\")
    }
    for (name, value) in submission.environment.merging(site.environment, uniquingKeysWith: { $1 })
      .sorted(by: { $0.key < $1.key })
    {
      lines.append("  \(name)=\(ShellWord.quoted(value)) \\")
    }
    lines.append(
      "  \(ShellWord.quoted(submission.program)) worker --store \(ShellWord.quoted(submission.store)) \\")
    lines.append("  --batch \(submission.token) --task \"$SLURM_ARRAY_TASK_ID\"")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The value of `--output`, in which a per cent sign begins a pattern unless it is doubled.
  ///
  /// - Throws: `SiteError` for a path with a line feed or with a backslash, which turns patterns off.
  private static func output(in folder: String) throws(SiteError) -> String {
    guard !folder.contains(where: { $0.isNewline || $0 == "\\" }) else {
      throw SiteError(
        path: folder,
        problem:
          "a store whose path has a line feed or a backslash cannot be named in a batch script; move it")
    }
    return "\(folder.replacing("%", with: "%%"))/log-%a"
  }

  /// The job number in what `sbatch --parsable` printed: `1`, or `1;cluster` on a federated site. Wrappers
  /// and plug-ins of a site print lines of their own before it and after it.
  package static func jobNumber(_ output: String) -> String? {
    let numbers = output.split(whereSeparator: \.isNewline).compactMap { line -> String? in
      let parts = line.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
      guard let number = parts.first, !number.isEmpty, number.utf8.allSatisfy({ (48...57).contains($0) }),
        parts.count == 1 || !parts[1].isEmpty && !parts[1].contains(where: \.isWhitespace)
      else { return nil }
      return String(number)
    }
    // Two numbers are none: one of them is not the job's.
    return Set(numbers).count == 1 ? numbers[0] : nil
  }
}

// MARK: Listings

extension SlurmText {
  /// One line for each task, pending ones included, with a separator of our own:
  /// `squeue -h -r --states=all -o FORMAT`.
  package static let listingFormat = "%i|%F|%K|%T|%r|%N|%j"

  /// Reads a listing. Lines that do not read as one of ours are passed over: a site's
  /// commands may print greetings.
  package static func tasks(_ listing: String) -> [BatchTask] {
    listing.split(whereSeparator: \.isNewline).compactMap { line in
      let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 7, fields[6].hasPrefix("mtkd-"), fields[1].allSatisfy(\.isNumber),
        let index = Int(fields[2])
      else { return nil }
      return BatchTask(
        id: fields[0], array: fields[1], index: index, state: state(fields[3]), word: fields[3],
        reason: fields[4], node: fields[5], token: String(fields[6].dropFirst("mtkd-".count)))
    }
  }

  package static func state(_ word: String) -> BatchTask.State {
    switch word.prefix(while: { $0 != " " && $0 != "+" && $0 != "," }) {
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
    // Some commands print a reason with underscores that others print with spaces.
    let words = reason.replacing("_", with: " ")
    return switch reason {
    case "DependencyNeverSatisfied": "cancel it and run again: what it waits for will not come"
    case "PartitionConfig", "PartitionTimeLimit", "PartitionNodeLimit":
      "it asks for more than the partition gives: change time, cpus or memory in the site file, "
        + "cancel, run again"
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
      } else if reason.contains("ReqNodeNotAvail") || words.contains("Nodes required for job are DOWN") {
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
  package static func limits(_ configuration: String) -> BatchLimits {
    var limits = BatchLimits()
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

  /// Whether a command's complaint says that the scheduler could not be asked, which
  /// proves nothing about jobs.
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
