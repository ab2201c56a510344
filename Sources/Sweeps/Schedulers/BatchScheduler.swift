package import Specs

/// Something that queues scripts and runs them on machines of its own: a cluster. A new one is one file and
/// one line in `Catalog.schedulers`; `Slurm` is the example to follow.
///
/// It is believed last: files say what became of the work, it only says what is queued, running or gone.
package protocol BatchScheduler: Sendable {
  /// As `run --executor` names it.
  static var name: String { get }
  static var help: String { get }

  /// What the site lets one call have.
  func limits() async throws(ExecutorError) -> BatchLimits
  /// What can be known before the first script waits for ever: whether the site would take it, and its time.
  func check(_ script: String, _ site: SiteOptions) async throws(ExecutorError)
  /// Queues a script.
  ///
  /// - Parameter script: its path.
  /// - Returns: the number of its job.
  /// - Throws: `.unavailable` where the scheduler may have taken it and could not say so.
  func submit(_ script: String) async throws(ExecutorError) -> String
  /// All tasks of some batches that the scheduler remembers.
  ///
  /// - Parameter tokens: of the batches, which names the scheduler was told.
  func tasks(of tokens: [String]) async throws(ExecutorError) -> [BatchTask]
  /// Ends all tasks of a batch, by its name: numbers are used again after a crash.
  func cancel(_ token: String) async throws(ExecutorError)
  /// Ends some tasks by their identifiers.
  func cancel(tasks: [String]) async throws(ExecutorError)
  /// Puts a running task back into the queue, unless somebody ends it.
  ///
  /// - Returns: whether the scheduler did so.
  func requeue(_ task: String) async -> Bool
  /// How a task ended, in the scheduler's own words, such as `0:53`; nil where it does not remember.
  func exitCode(of task: String) async -> String?

  /// The script that starts the worker of each task; it is the same for the same values.
  ///
  /// - Throws: `SiteError` for what the scheduler cannot be told, such as a path with a character
  ///   that it takes for a pattern.
  func script(_ submission: BatchSubmission, _ site: SiteOptions) throws(SiteError) -> String
  /// What the worker of a task finds in its environment.
  func place(task: Int, environment: [String: String]) -> BatchPlace
  /// What a person has to do about a reason for which a task waits; nil where waiting is all there is to do.
  func advice(_ reason: String) -> String?
  /// What is probably wrong where tasks end with an exit code before their program begins;
  /// nil where nothing is known.
  func hint(exitCode: String) -> String?
  /// Whether a pending task will never begin by itself, because its node could not start it.
  func isStuck(_ task: BatchTask) -> Bool
}

/// What a cluster's scheduler tells a task about itself.
package struct BatchPlace: Equatable, Sendable {
  package let task: Int
  /// Number of the job that the task belongs to; nil outside of a scheduler.
  package let job: String?
  /// How often the task was put back into the queue before.
  package let life: Int
  /// By which the scheduler knows the task alone; nil outside of a scheduler.
  package let identifier: String?

  package init(task: Int, job: String?, life: Int, identifier: String?) {
    self.task = task
    self.job = job
    self.life = life
    self.identifier = identifier
  }
}

/// What a script is made of besides the site's options.
package struct BatchSubmission: Sendable {
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
  /// Devices that each task gets, as the scheduler spells them; nil for none.
  package var devices: String?

  package init(token: String, tasks: Int, program: String, store: String) {
    self.token = token
    self.tasks = tasks
    self.program = program
    self.store = store
  }

  /// The folder of the batch, in which its tasks write their logs.
  package var folder: String { "\(store)/batches/\(token)" }
}

/// Where a task of a batch stands, as far as the scheduler knows.
package struct BatchTask: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case pending
    case running
    /// However it ended: files say what became of the work.
    case ended
    /// A word that this program does not know, which proves nothing.
    case unknown
  }

  /// By which the scheduler knows the task alone, such as `12_3`.
  package let id: String
  /// Number of the job that it belongs to.
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
    self.id = id
    self.array = array
    self.index = index
    self.state = state
    self.word = word
    self.reason = reason
    self.node = node
    self.token = token
  }

  package var isActive: Bool { state != .ended }
}

/// What a site lets one call have.
package struct BatchLimits: Hashable, Sendable {
  /// The largest index of an array is one less.
  package var maxArraySize = 1001
  package var maxJobCount = 10000
  /// Seconds for which ended jobs stay visible.
  package var minJobAge = 300
  /// Seconds after which a call of the scheduler gives up.
  package var messageTimeout = 10
  package var version = "unknown"

  package init() {}

  /// Seconds after which a job would be visible whose submission was not answered.
  package var quietSeconds: Int { 2 * messageTimeout + 10 }
}

/// The scheduler could not be asked, or said no.
package enum ExecutorError: UserError, Equatable {
  /// Nothing is known about jobs: nothing may be concluded, and nothing submitted anew.
  case unavailable(String)
  case refused(command: String, reason: String)
  case absent(command: String)

  package var description: String {
    switch self {
    case .unavailable(let reason):
      "The scheduler cannot be asked (\(reason)). Nothing was changed; jobs that run go on. The same "
        + "command later goes on from there."
    case .refused(let command, let reason):
      "\(command) said: \(reason). Change the site file (docs/slurm.md) and run again."
    case .absent(let command):
      "\(command) was not found. Run this on a login node, or name the folder of the scheduler's commands "
        + "as \"bin\" in the site file."
    }
  }
}

extension ExecutorError {
  package var exitStatus: ExitStatus { .unavailable }
}

/// A kind of cluster in the catalog.
public struct SchedulerDescription: Sendable {
  package let name: String
  package let help: String
  /// - Parameter bin: folder of the scheduler's commands; nil where they are on the path.
  package let make: @Sendable (_ bin: String?) -> any BatchScheduler

  package init<Scheduler: BatchScheduler>(
    _ scheduler: Scheduler.Type, make: @escaping @Sendable (_ bin: String?) -> Scheduler
  ) {
    name = scheduler.name
    help = scheduler.help
    self.make = make
  }
}

extension Catalog where Entry == SchedulerDescription {
  /// The first is the one of batches that name none.
  package static let schedulers = Catalog(
    "scheduler", [SchedulerDescription(Slurm.self) { Slurm(bin: $0) }]
  ) { $0.name }
}
