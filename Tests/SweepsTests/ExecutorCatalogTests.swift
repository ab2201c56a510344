import Foundation
import Specs
import Synchronization
import TestSupport
import Testing

@testable import Sweeps

/// What every executor of the catalog promises: ends are told apart, a wish to stop arrives, and
/// nothing outlives whoever started it unseen. A new executor is in the catalog and needs a bed
/// here, or the suite fails.
@Suite struct ExecutorCatalogTests {
  /// A folder with a program that behaves as its job's key file says, and the
  /// commands that an executor calls.
  private final class Bed: Sendable {
    let folder: TemporaryFolder
    var program: String { folder.path("program") }

    init() throws {
      folder = try TemporaryFolder()
      try script(
        "program",
        """
        # The last argument but one is --store's value where a batch asks; else the first says what to do.
        case "$1" in worker) how=$(cat "$3/how");; *) how=$1; stop=$2;; esac
        case "$how" in
          exit) exit 7;;
          signal) kill -KILL $$;;
          stay)
            trap 'exit 75' TERM
            readlink /proc/self/fd/0
            : > "$0.here"
            while [ ! -e "${stop:-/nowhere}" ]; do sleep 0.05; done
            exit 75;;
        esac
        exit 0
        """)
      // `ssh HOST LINE` on this machine.
      try script("ssh", "shift\nexec sh -c \"$1\"")
      try script(
        "sbatch",
        """
        [ "$1" = --test-only ] && exit 0
        cd "$(dirname "$0")"
        n=$(( $(cat number 2>/dev/null || echo 0) + 1 )); echo $n > number
        name=$(sed -n 's/^#SBATCH --job-name=//p' "$2")
        (
          SLURM_ARRAY_JOB_ID=$n SLURM_ARRAY_TASK_ID=0 sh "$2" & echo $! > "pid.$n"
          wait $!; echo $? > "end.$n"
        ) < /dev/null > log 2>&1 &
        echo "$name" > "name.$n"
        echo "site: welcome"; echo "$n"; echo "site: 3 hours are left"
        """)
      try script(
        "squeue",
        """
        cd "$(dirname "$0")"
        for f in name.*; do
          n=${f#name.}; state=RUNNING
          [ -e "end.$n" ] && state=COMPLETED
          [ "$(cat "end.$n" 2>/dev/null || echo 0)" = 0 ] || state=FAILED
          echo "${n}_0|$n|0|$state|None|here|$(cat "$f")"
        done
        """)
      try script(
        "scancel",
        """
        cd "$(dirname "$0")"
        for f in name.*; do kill -TERM "$(cat "pid.${f#name.}")"; done
        """)
      try script(
        "scontrol",
        """
        cd "$(dirname "$0")"
        [ "$2" = config ] && { echo "MaxArraySize = 9"; exit 0; }
        code=$(cat "end.1")
        [ "$code" -gt 128 ] && echo "JobId=1 ExitCode=0:$((code - 128))" || echo "JobId=1 ExitCode=$code:0"
        """)
    }

    private func script(_ name: String, _ lines: String) throws {
      try folder.write(Array("#!/bin/sh\n\(lines)\n".utf8), to: name)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path(name))
    }

    /// The options with which an executor of the catalog runs here; nil for one that this
    /// suite does not know yet.
    func options(_ name: String) -> [String: String]? {
      switch name {
      case LocalProcesses.name: [:]
      case SSHHosts.name: ["hosts": "a,b:2", "ssh-command": folder.path("ssh")]
      case Slurm.name: [:]
      default: nil
      }
    }

    func made(_ description: ExecutorDescription) throws -> ExecutorDescription.Made {
      let options = try #require(
        self.options(description.name), "no bed for the executor \(description.name)")
      #expect(description.complaint(options) == nil)
      let request = ExecutorRequest(
        program: program, options: options,
        attempts: AttemptAccess(
          askToStop: { [folder] _ in try? folder.write([], to: "stop") }, hasBegun: { _ in true }))
      return try description.make(request)
    }

    func job(_ how: String) -> Job {
      Job(
        key: ContentKey(hashing: Array(how.utf8)), arguments: [how, folder.path("stop")], environment: [:],
        log: folder.path("log"))
    }

    func log() -> String { (try? String(contentsOfFile: folder.path("log"), encoding: .utf8)) ?? "" }

    /// Until the program says that it is there.
    func arrived() async throws {
      for _ in 0..<2400 where !FileManager.default.fileExists(atPath: "\(program).here") {
        try await Task.sleep(for: .milliseconds(50))
      }
      try #require(FileManager.default.fileExists(atPath: "\(program).here"))
    }
  }

  private static let workers = Catalog.executors.entries.filter { !$0.isCluster }.map(\.name)
  private static let clusters = Catalog.executors.entries.filter(\.isCluster).map(\.name)

  private func executor(_ name: String, _ bed: Bed) throws -> any Executor {
    guard case .workers(let executor, _) = try bed.made(Catalog.executors.entry(name)) else {
      throw WrongKind(name: name)
    }
    return executor
  }

  private struct WrongKind: Error { let name: String }

  @Test(arguments: workers) func `success, an exit code and a signal are told apart`(_ name: String)
    async throws
  {
    let bed = try Bed()
    let executor = try executor(name, bed)
    #expect(await executor.run(bed.job("succeed")) { _ in } == .exited(0))
    #expect(await executor.run(bed.job("exit")) { _ in } == .exited(7))
    #expect(await executor.run(bed.job("signal")) { _ in } == .killed(signal: 9))
  }

  @Test(arguments: workers) func `a wish to stop arrives, and what is ended at once ends`(_ name: String)
    async throws
  {
    for atOnce in [false, true] {
      let bed = try Bed()
      let executor = try executor(name, bed)
      let number = Mutex(0)
      let job = bed.job("stay")
      async let end = executor.run(job) { process in number.withLock { $0 = process } }
      try await bed.arrived()
      executor.stop(number.withLock { $0 }, atOnce: atOnce)
      #expect(await end == (atOnce ? .killed(signal: 9) : .exited(75)))
    }
  }

  @Test(arguments: workers) func `a worker hears the end of whoever started it`(_ name: String) async throws {
    let bed = try Bed()
    let executor = try executor(name, bed)
    let number = Mutex(0)
    let job = bed.job("stay")
    async let end = executor.run(job) { process in number.withLock { $0 = process } }
    try await bed.arrived()
    // Its standard input is a pipe of this process, which the kernel closes whatever becomes of it.
    let pipe = bed.log().trimmingCharacters(in: .whitespacesAndNewlines)
    let mine = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }
    #expect(pipe.hasPrefix("pipe:") && mine.contains(pipe), "\(pipe)")
    executor.stop(number.withLock { $0 }, atOnce: true)
    _ = await end
  }

  /// A scheduler with a batch of one task that behaves in a way.
  private func submitted(_ name: String, _ bed: Bed, _ how: String) async throws -> (
    any BatchScheduler, String
  ) {
    guard case .cluster(let description) = try bed.made(Catalog.executors.entry(name)) else {
      throw WrongKind(name: name)
    }
    let scheduler = description.make(bed.folder.path)
    let site = SiteOptions()
    try bed.folder.write(Array(how.utf8), to: "how")
    let script = try scheduler.script(
      BatchSubmission(token: "abc", tasks: 1, program: bed.program, store: bed.folder.path), site)
    try bed.folder.write(Array(script.utf8), to: "job.sh")
    try await scheduler.check(bed.folder.path("job.sh"), site)
    #expect(try await scheduler.limits().maxArraySize == 9)
    return (scheduler, try await scheduler.submit(bed.folder.path("job.sh")))
  }

  /// The task of the batch once it has ended.
  private func ended(_ scheduler: any BatchScheduler) async throws -> BatchTask {
    for _ in 0..<2400 {
      let tasks = try await scheduler.tasks(of: ["abc"])
      if let task = tasks.first, task.state == .ended { return task }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw WrongKind(name: "no task has ended")
  }

  @Test(arguments: clusters) func `a cluster says how tasks ended, and only of batches that were asked about`(
    _ name: String
  ) async throws {
    for (how, code) in [("succeed", "0:0"), ("exit", "7:0"), ("signal", "0:9")] {
      let bed = try Bed()
      let (scheduler, number) = try await submitted(name, bed, how)
      let task = try await ended(scheduler)
      #expect(task.array == number && task.index == 0 && task.token == "abc")
      #expect(await scheduler.exitCode(of: task.id) == code)
      #expect(try await scheduler.tasks(of: ["another"]).isEmpty)
      #expect(try await scheduler.tasks(of: []).isEmpty)
      let place = scheduler.place(task: 0, environment: ["SLURM_ARRAY_JOB_ID": number])
      #expect(place == BatchPlace(task: 0, job: number, life: 0, identifier: task.id))
      #expect(scheduler.place(task: 3, environment: [:]).identifier == nil)
    }
  }

  @Test(arguments: clusters) func `a cancelled batch ends, and one that ended is not put back`(_ name: String)
    async throws
  {
    let bed = try Bed()
    let (scheduler, _) = try await submitted(name, bed, "stay")
    try await bed.arrived()
    try await scheduler.cancel("abc")
    let task = try await ended(scheduler)
    #expect(await scheduler.exitCode(of: task.id) == "75:0")
    #expect(await scheduler.requeue(task.id) == false)
    // A scheduler that is not there is no answer.
    let nobody = try Catalog.schedulers.entry(name).make("/nowhere")
    await #expect(throws: ExecutorError.self) { try await nobody.tasks(of: ["abc"]) }
  }

  @Test func `an option of another executor is refused with the name of its own`() throws {
    let executors = Catalog.executors
    #expect(executors.names == ["local", "slurm", "ssh"])
    #expect(try executors.complaint("local", ["hosts": "a"]) == "--hosts is an option of ssh, not of local.")
    #expect(try executors.complaint("ssh", [:]) == "--executor ssh needs --hosts a,b.")
    #expect(try executors.complaint("slurm", ["wait": "", "site": "s.json"]) == nil)
    #expect(
      try executors.complaint("local", ["colour": "red"]) == "The executor local has no option 'colour'.")
    #expect(throws: UnknownName.self) { try executors.complaint("lokal", [:]) }
  }
}
