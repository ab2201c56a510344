import ArgumentParser
import CProcesses
import Foundation
import Pipeline
import Specs
import Storage
import Sweeps

/// `mtkd-sweep worker`: what executors start. With a key, one attempt at one stage; with a batch, a task of a
/// cluster's array that claims stages itself.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Run one stage, or a task of a batch.", shouldDisplay: false)

  @Argument var key: String?
  @OptionGroup var location: StoreLocation
  @Option var attempt: Int?
  @Option(
    name: .customLong("with"),
    help:
      "KEY:ATTEMPT of a run that is trained side by side with the first, because both ask the same teachers.")
  var others: [String] = []
  @Option var dataFolder: String?
  @Option(help: "What the cluster calls the job that this runs in.")
  var job: String?
  @Option var batch: String?
  @Option var task: Int?
  @Flag var liveTeachers = false
  @Flag var allowOtherProfile = false
  @Option var niceness = 0
  @Option var threads = 1
  @Option var logLimit = WorkerOptions.standardLogLimit
  @Option var keep = 1

  func validate() throws {
    guard (key != nil && attempt != nil) != (batch != nil && task != nil) else {
      throw ValidationError(
        "Workers are started by `mtkd-sweep run`: KEY --attempt N, or --batch TOKEN --task I.")
    }
    guard others.allSatisfy({ WorkerJob.assignment($0) != nil }) else {
      throw ValidationError("--with takes a key, a colon and the number of an attempt.")
    }
    if let key, ContentKey(key) == nil { throw ValidationError("A key has 64 hexadecimal digits.") }
  }

  func run() async throws {
    if let work { throw ExitCode(work.run()) }
    WorkerJob.addNiceness(niceness)
    guard let batch, let task else { return }
    try await runBatch(batch, task)
  }

  /// The attempt that is meant, where one is.
  var work: WorkerJob? {
    guard let key = key.flatMap({ ContentKey($0) }), let attempt else { return nil }
    var work = WorkerJob(key: key, attempt: attempt, store: location.path)
    work.others = others.compactMap(WorkerJob.assignment)
    work.dataFolder = dataFolder
    work.job = job
    work.niceness = niceness
    work.liveTeachers = liveTeachers
    work.allowOtherProfile = allowOtherProfile
    work.threads = threads
    work.logLimit = logLimit
    work.keep = keep
    return work
  }

  private func runBatch(_ token: String, _ task: Int) async throws {
    guard let program = ProgramIdentity.executable else {
      throw NothingThere(description: "Cannot tell which file this program is: /proc is not mounted.")
    }
    let stop = StopSignal()
    // What a scheduler sends before it ends a job: USR1 as the script asked for it, TERM with CONT
    // otherwise. All mean the same, because which of them comes for a time limit and which for a preemption
    // differs from site to site.
    try StopSignals.listen { _ in stop.request() }
    let worker = try BatchWorker(
      token, task: task, environment: ProcessInfo.processInfo.environment, in: location.folder,
      executor: LocalProcesses(
        executable: program.path, environment: ProgramIdentity.environment(of: program.path)))
    let code = try await worker.run(until: stop)
    guard code == ExitStatus.stopped.rawValue, let isBack = try await worker.goBack() else {
      throw ExitCode(code)
    }
    Talk.say(
      isBack
        ? "Back into the queue."
        : "Not put back into the queue; the next `mtkd-sweep run` submits what is left.")
    throw ExitCode(code)
  }
}

/// One attempt at one stage, or at several runs side by side.
struct WorkerJob: Equatable {
  let key: ContentKey
  let attempt: Int
  let store: String
  /// Runs besides the first.
  var others: [Pipeline.Worker.Assignment] = []
  var dataFolder: String?
  var job: String?
  var liveTeachers = false
  var allowOtherProfile = false
  var niceness = 0
  var threads = 1
  /// Bytes that the log of the attempt may have.
  var logLimit = WorkerOptions.standardLogLimit
  /// Of how many of the newest epochs a trainer's weights are kept.
  var keep = 1

  init(key: ContentKey, attempt: Int, store: String) {
    self.key = key
    self.attempt = attempt
    self.store = store
  }

  /// Reads what executors write, `worker KEY` and its options. The argument parser looks at all commands
  /// first, which takes longer than a small stage does; nil for anything that it has to explain.
  init?(_ arguments: [String]) {
    guard arguments.first == "worker", arguments.count > 1, let key = ContentKey(arguments[1]) else {
      return nil
    }
    var (attempt, store): (Int?, String?) = (nil, nil)
    var (niceness, threads): (Int?, Int?) = (0, 1)
    var (logLimit, keep): (Int?, Int?) = (WorkerOptions.standardLogLimit, 1)
    var (dataFolder, job): (String?, String?) = (nil, nil)
    var (liveTeachers, allowOtherProfile) = (false, false)
    var others: [Pipeline.Worker.Assignment] = []
    var rest = arguments.dropFirst(2)
    while let name = rest.popFirst() {
      switch name {
      case "--live-teachers": liveTeachers = true
      case "--allow-other-profile": allowOtherProfile = true
      case "--with":
        guard let other = rest.popFirst().flatMap(Self.assignment) else { return nil }
        others.append(other)
      case "--attempt", "--store", "--data-folder", "--job", "--niceness", "--threads",
        "--log-limit", "--keep":
        guard let value = rest.popFirst() else { return nil }
        switch name {
        case "--attempt": attempt = Int(value)
        case "--store": store = value
        case "--data-folder": dataFolder = value
        case "--job": job = value
        case "--threads": threads = Int(value)
        case "--log-limit": logLimit = Int(value)
        case "--keep": keep = Int(value)
        default: niceness = Int(value)
        }
      default: return nil
      }
    }
    guard let attempt, let store, let niceness, let threads, let logLimit, let keep else {
      return nil
    }
    self.init(key: key, attempt: attempt, store: store)
    self.others = others
    self.dataFolder = dataFolder
    self.job = job
    self.niceness = niceness
    self.liveTeachers = liveTeachers
    self.allowOtherProfile = allowOtherProfile
    self.threads = threads
    self.logLimit = logLimit
    self.keep = keep
  }

  /// Reads `KEY:ATTEMPT`.
  static func assignment(_ text: String) -> Pipeline.Worker.Assignment? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let key = ContentKey(String(parts[0])), let attempt = Int(parts[1]) else {
      return nil
    }
    return Pipeline.Worker.Assignment(key: key, attempt: attempt)
  }

  /// Makes this process nicer than it began. Threads that it starts from now on are as nice.
  static func addNiceness(_ more: Int) {
    guard more > 0 else { return }
    setpriority(__priority_which_t(0), 0, min(19, process_began_with_niceness() + Int32(more)))
  }

  /// - Returns: the exit code.
  func run() -> Int32 {
    WorkerSignals.install()
    // One that came before the handler stood.
    if process_was_signalled(SIGTERM) { raise(SIGTERM) }
    Self.addNiceness(niceness)
    let options = WorkerOptions(
      asksTeachers: liveTeachers, allowsOtherProfile: allowOtherProfile, threads: threads,
      logLimit: logLimit, keep: keep)
    return Pipeline.Worker.run(
      Pipeline.Worker.Assignment(key: key, attempt: attempt), with: others, in: StoreFolder(store),
      dataFolder: dataFolder, job: job, options: options)
  }
}
