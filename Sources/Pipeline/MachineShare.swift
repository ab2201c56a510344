internal import CProcesses
internal import Foundation

/// How many processors and how much memory this process may use, and who says so: the machine, its affinity,
/// its control groups (of either version, with those above them), or Slurm.
package struct MachineShare: Equatable, Sendable {
  /// Whole processors, at least 1.
  package let processors: Int
  /// A phrase, such as `the control group's quota of 1.5 processors`.
  package let processorsBy: String
  /// Bytes that all processes of the control group may hold together; nil where only the
  /// machine's memory limits them.
  package let memory: Int?
  /// Of these, bytes that are held and cannot be had by giving up caches.
  package let memoryInUse: Int

  /// Of this process, now.
  package static var current: MachineShare {
    MachineShare(
      root: "", environment: ProcessInfo.processInfo.environment,
      online: ProcessInfo.processInfo.processorCount,
      affinity: affinity)
  }

  /// - Parameters:
  ///   - root: before the paths of the kernel's files; for tests.
  ///   - online: processors of the machine.
  ///   - affinity: processors that this process may run on; nil where that is not known.
  package init(root: String, environment: [String: String], online: Int, affinity: Int?) {
    let groups = ControlGroups(root: root)
    var (least, by) = (max(1, online), "the machine has as many")
    func consider(_ count: Int?, _ reason: String) {
      guard let count, max(1, count) < least else { return }
      least = max(1, count)
      by = reason
    }
    consider(affinity, "the affinity of this process allows as many")
    if let quota = groups.processors {
      let text = (quota * 100).rounded() / 100
      consider(
        quota < 1e6 ? Int(quota) : nil,
        "the control group's quota is \(text == text.rounded() ? "\(Int(text))" : "\(text)") of \(online)")
    }
    consider(environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) }, "SLURM_CPUS_PER_TASK says so")
    processors = least
    processorsBy = by
    memory = groups.memory?.limit
    memoryInUse = groups.memory?.used ?? 0
  }

  private static var affinity: Int? {
    let count = process_usable_processors()
    return count > 0 ? Int(count) : nil
  }
}

/// The limits of the control groups that this process is in, and of all groups above them that can be seen.
private struct ControlGroups {
  /// Processors, as a quota of time; nil without one.
  private(set) var processors: Double?
  /// The tightest limit and what is used of it.
  private(set) var memory: (limit: Int, used: Int)?

  private struct Mount {
    let point: String
    /// The group that the mount shows at its top.
    let top: String
    /// Controllers of version 1; empty for version 2.
    let controllers: Set<String>
  }

  init(root: String) {
    let mounts = Self.mounts(root)
    for line in Self.lines("\(root)/proc/self/cgroup") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 3 else { continue }
      let controllers = Set(fields[1].split(separator: ",").map(String.init))
      let isSecond = fields[0] == "0" && controllers.isEmpty
      for mount in mounts
      where isSecond ? mount.controllers.isEmpty : !mount.controllers.isDisjoint(with: controllers) {
        for folder in Self.folders(of: fields[2], in: mount) { take(root + folder, isSecond, controllers) }
      }
    }
  }

  private mutating func take(_ folder: String, _ isSecond: Bool, _ controllers: Set<String>) {
    if isSecond {
      let words = Self.lines("\(folder)/cpu.max").first?.split(separator: " ") ?? []
      if words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 {
        processors = min(processors ?? .infinity, quota / period)
      }
      limit(
        Self.number("\(folder)/memory.max"), used: Self.number("\(folder)/memory.current"),
        cache: Self.entry("inactive_file", "\(folder)/memory.stat"))
    }
    if controllers.contains("cpu"), let quota = Self.number("\(folder)/cpu.cfs_quota_us"), quota > 0,
      let period = Self.number("\(folder)/cpu.cfs_period_us"), period > 0
    {
      processors = min(processors ?? .infinity, Double(quota) / Double(period))
    }
    if controllers.contains("memory") {
      limit(
        Self.number("\(folder)/memory.limit_in_bytes"), used: Self.number("\(folder)/memory.usage_in_bytes"),
        cache: Self.entry("total_inactive_file", "\(folder)/memory.stat"))
    }
  }

  private mutating func limit(_ limit: Int?, used: Int?, cache: Int?) {
    // Version 1 writes "no limit" as a number near 2⁶³.
    guard let limit, limit > 0, limit < 1 << 60 else { return }
    let held = max(0, (used ?? 0) - (cache ?? 0))
    guard memory.map({ limit - held < $0.limit - $0.used }) != false else { return }
    memory = (limit, held)
  }

  /// The folder of a group and those of the groups above it.
  private static func folders(of group: String, in mount: Mount) -> [String] {
    var path = group
    if mount.top != "/", path == mount.top || path.hasPrefix(mount.top + "/") {
      path = String(path.dropFirst(mount.top.count))
    }
    // A group outside of what the mount shows: only its top can be seen.
    if path.hasPrefix("/..") { path = "" }
    var folders: [String] = []
    var parts = path.split(separator: "/")
    while true {
      folders.append(([mount.point] + parts.map(String.init)).joined(separator: "/"))
      guard parts.popLast() != nil else { return folders }
    }
  }

  private static func mounts(_ root: String) -> [Mount] {
    lines("\(root)/proc/self/mountinfo").compactMap { line in
      let halves = line.components(separatedBy: " - ")
      guard halves.count == 2 else { return nil }
      let (fields, kinds) = (halves[0].split(separator: " "), halves[1].split(separator: " "))
      guard fields.count > 4, let kind = kinds.first, kind == "cgroup" || kind == "cgroup2" else {
        return nil
      }
      let options = kinds.last.map { $0.split(separator: ",").map(String.init) } ?? []
      return Mount(
        point: String(fields[4]), top: String(fields[3]), controllers: kind == "cgroup2" ? [] : Set(options))
    }
  }

  private static func lines(_ path: String) -> [String] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  private static func number(_ path: String) -> Int? { lines(path).first.flatMap { Int($0) } }

  private static func entry(_ name: String, _ path: String) -> Int? {
    let line = lines(path).first { $0.hasPrefix(name + " ") }
    return line.flatMap { Int($0.dropFirst(name.count + 1)) }
  }
}
