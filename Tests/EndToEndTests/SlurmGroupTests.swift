import Foundation
import Testing

/// Runs of a seed that a task of a cluster trains side by side: their teachers are asked once, and
/// nothing else is different.
@Suite(.enabled(if: Testbed.isHere, "a Slurm cluster on loopback is started"), .serialized)
struct SlurmGroupTests {
  /// One task at a time, so that it has all runs of a seed.
  private static let site = SlurmFaultTests.site.replacingOccurrences(of: "}", with: #", "tasksAtOnce": 1}"#)

  /// Paths of attempts with a number whose logs say that they were not alone.
  private func together(_ bed: Testbed, _ number: Int) throws -> Int {
    try bed.shell("grep -l 'side by side' results/stages/*/attempts/\(number)/log").out
      .split(separator: "\n").count
  }

  @Test func `a group put back into the queue, killed, and with runs that diverge ends with its own bits`()
    throws
  {
    let bed = try Testbed(site: Self.site)
    try bed.write(
      RunGroupTests.grid(#"{ "method": ["aver-kd", "mmkd", "mtkd-rl"], "learningRate": [0.05, 1e30] }"#)
        .replacingOccurrences(of: "\"epochs\": 2", with: "\"epochs\": 150")
        .replacingOccurrences(of: #""count": 2"#, with: #""count": 1"#), to: "tiny.json")
    #expect(try bed.run("run", "tiny.json", "--store", "alone", "--no-cache").status == 1)
    let expected = try bed.evidence(store: "alone")
    #expect(try bed.sweep(waiting: false).status == 0)
    /// Attempts of a number at the runs that go well.
    func alive(_ number: Int) throws -> [String] {
      try bed.attempts().filter { $0.hasSuffix("/\(number)") }
        .filter { try bed.has($0, "snapshot-*") }
    }
    try bed.wait(90, for: "snapshots of three runs") { try alive(1).count == 3 }
    let first = try alive(1)
    let task = try bed.shell("squeue -h -t R -o '%i'").out.split(separator: "\n").first.map(String.init)
    #expect(try bed.shell("scontrol requeue \(#require(task))").status == 0)
    try bed.wait(60, for: "ends on request") { first.allSatisfy { bed.exitCode(of: $0) == 75 } }
    // All but the first; what diverges does so in its first steps.
    #expect(try together(bed, 1) == 5)
    try bed.wait(90, for: "another life") { try alive(2).count == 3 }
    #expect(try together(bed, 2) == 2)
    let second = try alive(2)
    let worker = try bed.worker(of: second[0])
    #expect(try second.allSatisfy { try bed.worker(of: $0) == worker })
    kill(worker, SIGKILL)
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 1, "three have diverged: \(output.talk)")
    #expect(try bed.evidence() == expected)
    // Nobody knows which of them it was: each went on alone.
    #expect(try bed.attempts().count { $0.hasSuffix("/3") } == 3)
    #expect(try together(bed, 3) == 0)
  }

  @Test func `a group whose whole job is killed goes on one by one in the next call`() throws {
    let bed = try Testbed(site: Self.site)
    try bed.write(
      RunGroupTests.grid(#"{ "method": ["aver-kd", "mtkd-rl"] }"#)
        .replacingOccurrences(of: "\"epochs\": 2", with: "\"epochs\": 200")
        .replacingOccurrences(of: #""count": 2"#, with: #""count": 1"#), to: "tiny.json")
    #expect(try bed.run("run", "tiny.json", "--store", "alone", "--no-cache").status == 0)
    #expect(try bed.sweep(waiting: false).status == 0)
    try bed.wait(90, for: "snapshots of both runs") {
      let attempts = try bed.attempts()
      return try attempts.count == 2 && attempts.allSatisfy { try bed.has($0, "snapshot-*") }
    }
    // The task first, so that it does not see the end of its worker, which ends with it.
    let worker = try bed.worker(of: bed.attempts()[0])
    let task = try #require(Int32(bed.shell("ps -o ppid= \(worker) | tr -d ' \\n'").out))
    kill(task, SIGKILL)
    kill(worker, SIGKILL)
    try bed.wait(60, for: "end of the job") { try bed.shell("squeue -h").out.isEmpty }
    // Nobody was left to say how either of them ended.
    #expect(try bed.attempts().allSatisfy { bed.exitCode(of: $0) == nil })
    #expect(try together(bed, 1) == 1)
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == bed.evidence(store: "alone"))
    #expect(try together(bed, 2) == 0 && bed.attempts().count == 4)
  }
}
