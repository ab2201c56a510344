import Foundation
import Testing

/// Everything that a cluster was seen to do to jobs, done to a sweep on a virtual one: the table and every
/// digest must be those of an undisturbed run on this machine.
@Suite(.enabled(if: Testbed.isHere, "a Slurm cluster on loopback is started"), .serialized)
struct SlurmFaultTests {
  static let site = #"{"pollSeconds": 1, "chunkMinutes": 0, "leadSeconds": 10, "retrySeconds": 0}"#

  /// One run that takes seconds, so that something can happen to it.
  static func longGrid(epochs: Int) -> String {
    TinySweep.grid.replacingOccurrences(of: "\"epochs\": 3", with: "\"epochs\": \(epochs)")
      .replacingOccurrences(of: #"["baseline", "mtkd-rl"]"#, with: #"["mtkd-rl"]"#)
      .replacingOccurrences(of: #""count": 2"#, with: #""count": 1"#)
  }

  /// Submits a long run and waits until it has something to lose.
  private func startLong(_ bed: Testbed, epochs: Int = 200) throws -> (expected: String, attempt: String) {
    try bed.write(Self.longGrid(epochs: epochs), to: "long.json")
    let expected = try bed.undisturbed("long.json")
    let output = try bed.sweep("long.json", waiting: false)
    try #require(output.status == 0, "\(output.talk)")
    try bed.wait(90, for: "snapshot") {
      try bed.attempts().first.map { try bed.has($0, "snapshot-*") } ?? false
    }
    return (expected, try bed.attempts()[0])
  }

  private func finish(_ bed: Testbed, _ grid: String, expecting expected: String) throws {
    let output = try bed.sweep(grid, waiting: true)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == expected)
  }

  @Test func `a sweep is submitted, left alone, and taken in by a later call`() throws {
    let bed = try Testbed(site: Self.site)
    let expected = try bed.undisturbed()
    let submitted = try bed.run("run", "tiny.json", "--executor", "slurm", "--site", "site.json")
    #expect(submitted.status == 0, "\(submitted.talk)")
    #expect(submitted.talk.contains("status"), "the next command is named: \(submitted.talk)")
    // A local run does not take the work out of the cluster's hands.
    let local = try bed.run("run", "tiny.json")
    #expect(local.status == 69 && local.talk.contains("cancel"), "\(local.talk)")
    try bed.wait(90, for: "end of all jobs") { try bed.shell("squeue -h").out.isEmpty }
    let status = try bed.run("status")
    #expect(status.out.contains("stages finished"), "\(status.out)")
    let end = try bed.sweep(waiting: false)
    #expect(end.status == 0 && end.out.contains("n = 2"), "\(end.talk)")
    #expect(try bed.evidence() == expected)
    // The jobs started with nothing of the submitter's environment but what they need.
    #expect(try bed.shell("grep -c 'env -i' results/batches/*/job.sh").status == 0)
  }

  @Test func `a lost answer of sbatch leads to no second batch`() throws {
    let bed = try Testbed(site: Self.site)
    let expected = try bed.undisturbed()
    // The controller stops while the first submission is under way, and thaws when sbatch has
    // given up: the job exists.
    try bed.shell("mkdir bin && for c in squeue scancel scontrol; do ln -s $(which $c) bin/$c; done")
    try bed.write(
      """
      #!/bin/sh
      case "$1" in --test-only) exec \(try bed.shell("which sbatch").out.trimmed) "$@";; esac
      if mkdir \(bed.path("lost")) 2>/dev/null; then
        \(Testbed.script) freeze-controller \(bed.clusterFolder)
        \(try bed.shell("which sbatch").out.trimmed) "$@"; code=$?
        \(Testbed.script) start-controller \(bed.clusterFolder)
        exit $code
      fi
      exec \(try bed.shell("which sbatch").out.trimmed) "$@"
      """, to: "bin/sbatch")
    try bed.shell("chmod +x bin/sbatch")
    try bed.write(
      #"{"pollSeconds": 1, "chunkMinutes": 0, "leadSeconds": 10, "bin": "\#(bed.path("bin"))"}"#,
      to: "results/slurm.json")
    let first = try bed.sweep(waiting: false)
    #expect(first.status == 69, "\(first.talk)")
    #expect(first.talk.contains("cannot be asked"), "\(first.talk)")
    let output = try bed.sweep(waiting: true)
    // The lost batch is taken up where it still runs; on a fast machine it is over by
    // now, and its runs are there.
    let isOver = output.talk.components(separatedBy: "submitted batch")[0].contains("(2 of 4)")
    #expect(output.status == 0 && (isOver || output.talk.contains("had not answered")), "\(output.talk)")
    #expect(try bed.evidence() == expected)
    #expect(try bed.batches().count == 2, "one for teachers and what needs none, one for the rest")
    #expect(try bed.attempts().allSatisfy { $0.hasSuffix("/1") }, "every run was made once")
  }

  @Test func `a crashed controller that forgets and repeats jobs costs no result`() throws {
    let bed = try Testbed(site: Self.site)
    let (expected, _) = try startLong(bed)
    try bed.does("kill-controller")
    try bed.does("start-controller")
    try finish(bed, "long.json", expecting: expected)
  }

  @Test func `status without a controller answers from files and changes nothing`() throws {
    let bed = try Testbed(site: Self.site)
    let expected = try bed.undisturbed()
    #expect(try bed.sweep(waiting: false).status == 0)
    try bed.does("stop-controller")
    let before = try bed.batches()
    let asked = Date.now
    let status = try bed.run("status")
    #expect(status.status == 0 && status.out.contains("scheduler unavailable"), "\(status.out)")
    #expect(Date.now.timeIntervalSince(asked) < 120)
    let run = try bed.sweep(waiting: false)
    #expect(run.status == 69 || run.status == 0, "\(run.talk)")
    #expect(try bed.batches() == before)
    try bed.does("start-controller")
    try finish(bed, "tiny.json", expecting: expected)
  }

  @Test func `of two lives of a job on a lost node the older one stops`() throws {
    let bed = try Testbed(["NODE_TIMEOUT": "5"], site: Self.site)
    let (expected, first) = try startLong(bed)
    let node = try #require(
      try bed.shell("squeue -h -t R -o '%N'").out.split(separator: "\n").first.map(String.init))
    // Held still while the scheduler finds out, as on a node that hangs, so that it is not done before.
    let worker = try bed.worker(of: first)
    kill(worker, SIGSTOP)
    try bed.does("kill-node", node)
    try bed.wait(120, for: "second attempt") { try bed.attempts().count > 1 }
    kill(worker, SIGCONT)
    try bed.wait(30, for: "end of the older attempt") { bed.exitCode(of: first) != nil }
    #expect(bed.exitCode(of: first) == 78, "superseded")
    try bed.does("start-node", node)
    try finish(bed, "long.json", expecting: expected)
  }

  @Test func `a node that cannot be reached for a while costs no result`() throws {
    let bed = try Testbed(["NODE_TIMEOUT": "5"], site: Self.site)
    let (expected, first) = try startLong(bed)
    let node = try #require(
      try bed.shell("squeue -h -t R -o '%N'").out.split(separator: "\n").first.map(String.init))
    let worker = try bed.worker(of: first)
    kill(worker, SIGSTOP)
    try bed.does("freeze-node", node)
    try bed.wait(120, for: "second attempt") { try bed.attempts().count > 1 }
    kill(worker, SIGCONT)
    try bed.does("start-node", node)
    try finish(bed, "long.json", expecting: expected)
  }

  @Test func `a worker that is held still is lost, and its run is gone on with`() throws {
    let bed = try Testbed(site: Self.site)
    let (expected, first) = try startLong(bed)
    let worker = try bed.worker(of: first)
    kill(worker, SIGSTOP)
    // Older than any heartbeat of a worker that lives, as after a minute; the process is there all the time.
    try bed.shell("touch -d '-3 minutes' \(first)/heartbeat")
    try finish(bed, "long.json", expecting: expected)
    #expect(try bed.attempts().count > 1)
    #expect(kill(worker, 0) != 0, "nothing is left of it")
  }

  @Test func `a heartbeat that looks old because a clock was set costs no worker its work`() throws {
    let bed = try Testbed(site: Self.site)
    let (expected, first) = try startLong(bed, epochs: 400)
    try bed.shell("touch -d '-3 hours' \(first)/heartbeat")
    try finish(bed, "long.json", expecting: expected)
    #expect(try bed.attempts().count == 1)
  }

  @Test func `a preempted run goes on from its snapshot`() throws {
    let bed = try Testbed(site: Self.site)
    let (expected, first) = try startLong(bed)
    #expect(
      try bed.shell("sbatch --parsable -p urgent -N2 --exclusive --wrap 'sleep 1' -o /dev/null").status == 0)
    try bed.wait(60, for: "end of the preempted attempt") { bed.exitCode(of: first) != nil }
    #expect(bed.exitCode(of: first) == 75)
    try finish(bed, "long.json", expecting: expected)
    #expect(try bed.attempts().count > 1)
  }
}

/// The same for what can happen while the first suite waits.
@Suite(.enabled(if: Testbed.isHere, "a Slurm cluster on loopback is started"), .serialized)
struct SlurmLimitTests {
  @Test func `a run longer than its time limit goes on in another life of its job`() throws {
    let bed = try Testbed(
      site:
        #"{"pollSeconds": 1, "chunkMinutes": 0, "leadSeconds": 45, "partition": "short", "time": "1"}"#)
    try bed.write(SlurmFaultTests.longGrid(epochs: 200), to: "long.json")
    let expected = try bed.undisturbed("long.json")
    #expect(try bed.sweep("long.json", waiting: false).status == 0)
    try bed.wait(90, for: "snapshot") {
      try bed.attempts().first.map { try bed.has($0, "snapshot-*") } ?? false
    }
    let first = try bed.attempts()[0]
    // Held still until the signal has come, a minute at most before the limit, rather than
    // made to work for as long.
    let worker = try bed.worker(of: first)
    kill(worker, SIGSTOP)
    try bed.wait(60, for: "signal") {
      try bed.shell("squeue -h -t R -o '%M'").out.split(separator: "\n").contains { $0 > "0:25" }
    }
    kill(worker, SIGCONT)
    let output = try bed.sweep("long.json", waiting: true)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == expected)
    #expect(bed.exitCode(of: first) == 75)
    let log = try bed.shell("cat results/batches/*/log-*").out
    #expect(log.contains("Back into the queue"), "\(log)")
  }

  @Test func `runs whose jobs the scheduler has forgotten are found by their files`() throws {
    let bed = try Testbed(["MIN_JOB_AGE": "2"], site: SlurmFaultTests.site)
    let expected = try bed.undisturbed()
    #expect(try bed.sweep(waiting: false).status == 0)
    try bed.wait(150, for: "empty memory") { try bed.shell("squeue -h --states=all").out.isEmpty }
    try finish(bed, expecting: expected)
    #expect(try bed.batches().count == 2)
  }

  @Test func `more runs than an array takes become several arrays`() throws {
    let bed = try Testbed(["MAX_ARRAY": "5"], site: SlurmFaultTests.site)
    try bed.write(
      TinySweep.grid.replacingOccurrences(of: #""count": 2"#, with: #""count": 6"#)
        .replacingOccurrences(of: "\"epochs\": 3", with: "\"epochs\": 1"), to: "tiny.json")
    let expected = try bed.undisturbed()
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == expected)
    let arrays = try bed.shell("grep -h -- '--array' results/batches/*/job.sh | sort").out
    #expect(try bed.batches().count >= 3, "\(arrays)")
    for line in arrays.split(separator: "\n") {
      let match = try #require(line.firstMatch(of: /0-(\d+)/))
      #expect(try #require(Int(match.1)) <= 4, "\(line)")
    }
  }

  @Test func `a job that no node can launch is given up with its exit code, and retry begins anew`() throws {
    let bed = try Testbed(
      site:
        #"{"pollSeconds": 1, "chunkMinutes": 60, "retrySeconds": 0, "extra": ["--output=/proc/none/%a"]}"#)
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 1, "\(output.talk)")
    #expect(output.talk.contains("never started") && output.talk.contains("0:53"), "\(output.talk)")
    #expect(output.talk.contains("writable"), "\(output.talk)")
    #expect(try bed.attempts().isEmpty && bed.attempts("teacher").isEmpty)
    try bed.write(SlurmFaultTests.site, to: "results/slurm.json")
    #expect(try bed.run("retry").status == 0)
    try finish(bed, expecting: bed.undisturbed())
  }

  @Test func `cancel ends the jobs, and a later run goes on`() throws {
    let bed = try Testbed(site: SlurmFaultTests.site)
    try bed.write(SlurmFaultTests.longGrid(epochs: 200), to: "long.json")
    #expect(try bed.sweep("long.json", waiting: false).status == 0)
    try bed.wait(90, for: "snapshot") {
      try bed.attempts().first.map { try bed.has($0, "snapshot-*") } ?? false
    }
    let cancelled = try bed.run("cancel")
    #expect(
      cancelled.status == 0 && cancelled.out.contains("Cancelled"), "\(cancelled.out) \(cancelled.talk)")
    try bed.wait(60, for: "empty queue") { try bed.shell("squeue -h").out.isEmpty }
    #expect(try bed.batches().isEmpty)
    // Here, too: what the cluster left is gone on with by this machine.
    let output = try bed.run("run", "long.json")
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == bed.undisturbed("long.json"))
    #expect(try bed.attempts().count == 2)
  }

  /// Two rates, one of which cannot go well, six seeds of each, one task at a time. Those that go well take
  /// long enough for a coordinator on a busy machine to hear of the others.
  private static func divergingGrid(_ rule: String) -> String {
    TinySweep.grid.replacingOccurrences(
      of: #""method": ["baseline", "mtkd-rl"]"#,
      with: #""method": ["baseline"], "learningRate": [1e30, 0.05]"#
    ).replacingOccurrences(of: #""count": 2"#, with: #""count": 6"#)
      .replacingOccurrences(of: #""epochs": 3"#, with: #""epochs": 150"#)
      .replacingOccurrences(of: #""axes""#, with: "\"run\": { \"onDiverged\": \"\(rule)\" }, \"axes\"")
  }

  @Test func `a diverged run ends its cell or the sweep where the grid says so`() throws {
    let bed = try Testbed(
      site: #"{"pollSeconds": 1, "chunkMinutes": 0, "leadSeconds": 10, "retrySeconds": 0, "tasksAtOnce": 1}"#)
    func leftAlone() throws -> Int {
      try bed.shell("ls results/stages/*/left-alone 2>/dev/null").out.split(separator: "\n").count
    }
    // The sweep: what has begun leaves, nothing else begins, and the next call goes on.
    try bed.write(Self.divergingGrid("stopSweep"), to: "tiny.json")
    let stopped = try bed.sweep(waiting: true)
    #expect(stopped.status == 75 && stopped.talk.contains("diverged: the sweep stops"), "\(stopped.talk)")
    try bed.wait(60, for: "end of all jobs") { try bed.shell("squeue -h").out.isEmpty }
    #expect(try bed.attempts().count < 12)
    // The cell: its other seeds that have not begun are passed over, the other cell is not touched.
    try bed.write(Self.divergingGrid("stopCell"), to: "tiny.json")
    let cell = try bed.sweep(waiting: true)
    #expect(cell.status == 1 && cell.talk.contains("BLOCKED"), "\(cell.talk)")
    let (begun, left) = (Set(try bed.attempts().map { $0.split(separator: "/")[2] }).count, try leftAlone())
    #expect(left > 0 && begun + left == 12, "\(begun) begun, \(left) left alone")
    #expect(try bed.run("report").out.contains("n = 6"), "the other cell is whole")
    // Only recorded: those that were left alone have their turn.
    try bed.write(Self.divergingGrid("record"), to: "tiny.json")
    #expect(try bed.sweep(waiting: true).status == 1)
    #expect(try leftAlone() == 0 && Set(bed.attempts().map { $0.split(separator: "/")[2] }).count == 12)
  }

  @Test func `what a call says of its workers reaches them, and what the site file says is refused`() throws {
    let bed = try Testbed(site: SlurmFaultTests.site)
    try bed.write(TeacherOutputsTests.grid, to: "tiny.json")
    for option in [["--minutes", "3"], ["--memory", "1GB"], ["--silence", "60"], ["--workers", "2"]] {
      let refused = try Program.start(
        ["run", "tiny.json", "--executor", "slurm"] + option, in: bed.folder, environment: bed.environment
      ).finish()
      #expect(refused.status == 64 && refused.talk.contains("On a cluster"), "\(refused.talk)")
    }
    let expected = try bed.undisturbed()
    let output = try bed.run(
      "run", "tiny.json", "--executor", "slurm", "--wait", "--cache-limit", "1kB", "--allow-other-profile",
      "--nice", "3")
    #expect(output.status == 0 && output.talk.contains("--cache-limit"), "\(output.talk)")
    #expect(try bed.shell("grep -l teacher-outputs results/stages/*/spec.json").out.isEmpty)
    #expect(try bed.evidence() == expected)
    let manifests = try bed.shell("cat results/batches/*/manifest.json").out
    #expect(manifests.contains(#""allowsOtherProfile":true"#) && manifests.contains(#""niceness":3"#))
    // What was measured on nodes is the basis of the next forecast.
    let plan = try bed.run("plan", "tiny.json", "--json")
    #expect(!plan.out.contains(#""measurements":0"#), "\(plan.out)")
  }

  @Test func `a site file with a mistake is refused with a hint`() throws {
    let bed = try Testbed(site: #"{"partitoin": "main"}"#)
    let output = try bed.sweep(waiting: false)
    #expect(output.status == 65 && output.talk.contains("partition"), "\(output.talk)")
    try bed.write(#"{"partition": "nowhere"}"#, to: "results/slurm.json")
    let refused = try bed.sweep(waiting: false)
    #expect(refused.status == 69 && refused.talk.contains("artition"), "\(refused.talk)")
    #expect(try bed.batches().isEmpty)
    try bed.write(#"{"partition": "short", "time": "30"}"#, to: "results/slurm.json")
    let long = try bed.sweep(waiting: false)
    #expect(long.status == 69 && long.talk.contains("30"), "\(long.talk)")
  }

  private func finish(_ bed: Testbed, expecting expected: String) throws {
    let output = try bed.sweep(waiting: true)
    #expect(output.status == 0, "\(output.talk)")
    #expect(try bed.evidence() == expected)
  }
}

extension String {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
