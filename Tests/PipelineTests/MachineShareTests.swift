import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// What affinity, control groups and Slurm leave of a machine.
@Suite struct MachineShareTests {
  private func share(
    _ files: [String: String], environment: [String: String] = [:], affinity: Int? = nil
  ) throws -> MachineShare {
    let root = FileManager.default.temporaryDirectory.appending(path: "share-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, text) in files {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return MachineShare(root: root.path, environment: environment, online: 16, affinity: affinity)
  }

  private static let second = "30 25 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

  @Test func `nothing limits: the machine says it`() throws {
    let all = try share([:])
    #expect(all.processors == 16 && all.memory == nil && all.processorsBy == "the machine has as many")
  }

  @Test func `the tightest of affinity, quota and Slurm counts`() throws {
    #expect(try share([:], affinity: 4).processors == 4)
    #expect(try share([:], environment: ["SLURM_CPUS_PER_TASK": "3"], affinity: 4).processors == 3)
    let quota = [
      "proc/self/mountinfo": Self.second, "proc/self/cgroup": "0::/user/job\n",
      "sys/fs/cgroup/user/job/cpu.max": "max 100000\n", "sys/fs/cgroup/user/cpu.max": "250000 100000\n",
    ]
    let limited = try share(quota, affinity: 4)
    #expect(limited.processors == 2)
    #expect(limited.processorsBy == "the control group's quota is 2.5 of 16")
    #expect(try share(quota, affinity: 1).processors == 1)
    // Less than one processor is one worker.
    let little = quota.merging(["sys/fs/cgroup/user/job/cpu.max": "50000 100000\n"]) { $1 }
    #expect(try share(little).processors == 1)
  }

  @Test func `memory is limited by the group that leaves least, caches not counted`() throws {
    let limited = try share([
      "proc/self/mountinfo": Self.second, "proc/self/cgroup": "0::/a/b\n",
      "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "2000000000\n",
      "sys/fs/cgroup/a/memory.current": "900000000\n",
      "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 400000000\n",
    ])
    #expect(limited.memory == 2_000_000_000 && limited.memoryInUse == 500_000_000)
  }

  @Test func `version 1 and a container that shows its group at the top are read too`() throws {
    let first = try share([
      "proc/self/mountinfo": """
      31 25 0:27 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
      32 25 0:28 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
      """,
      "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/docker/abc\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "300000\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "1000\n",
    ])
    #expect(first.processors == 3 && first.memory == 1_073_741_824)
    let unlimited = try share([
      "proc/self/mountinfo": "32 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
      "proc/self/cgroup": "4:memory:/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    ])
    #expect(unlimited.memory == nil)
  }
}
