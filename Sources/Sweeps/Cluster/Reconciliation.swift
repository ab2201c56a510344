package import Specs

/// Decides what to do about a sweep on a cluster from what files and the scheduler say:
/// values in, a decision out.
///
/// Files come first, heartbeats second, the scheduler last: it never makes a stage done or failed, it only
/// says what is queued, running or gone.
package struct Reconciliation: Sendable {
  package struct Stage: Sendable {
    package enum State: Sendable { case open, done, failed }

    package let request: StageRequest
    package let state: State
    /// Those that count, in ascending order of their numbers.
    package let attempts: [Attempt]
    /// The number of the last attempt, counted or not.
    package let lastAttempt: Int

    package init(_ request: StageRequest, _ state: State, attempts: [Attempt] = [], lastAttempt: Int = 0) {
      self.request = request
      self.state = state
      self.attempts = attempts
      self.lastAttempt = lastAttempt
    }
  }

  /// How an attempt stands, by its files.
  package struct Attempt: Hashable, Sendable {
    package enum Standing: Hashable, Sendable {
      case working
      /// It left on request, from and at these steps.
      case stopped(from: Int, at: Int)
      /// Nobody saw its end.
      case vanished
      /// A signal or the file system ended it, under its parent's eyes.
      case died(String)
      /// The program itself gave up: it would again.
      case broken(String)
    }

    package let standing: Standing
    /// What the cluster called the job that it ran in, life included.
    package let job: String?

    package init(_ standing: Standing, job: String? = nil) {
      self.standing = standing
      self.job = job
    }
  }

  package struct Batch: Sendable {
    package let manifest: BatchManifest
    /// nil while the scheduler has not been heard to have it.
    package let number: String?
    package let isVoid: Bool
    package let isOver: Bool
    /// Of each task, the job of its last worker; nil where none began.
    package let starters: [String?]
    /// Nodes and exit codes of tasks that ended without beginning.
    package let refusals: [Int: (node: String, code: String)]
    /// Seconds since the manifest was written.
    package let age: Double

    package init(
      _ manifest: BatchManifest, number: String?, isVoid: Bool = false, isOver: Bool = false,
      starters: [String?] = [], refusals: [Int: (node: String, code: String)] = [:], age: Double = .infinity
    ) {
      self.manifest = manifest
      self.number = number
      self.isVoid = isVoid
      self.isOver = isOver
      self.starters = starters
      self.refusals = refusals
      self.age = age
    }

    func hasStarted(_ task: Int) -> Bool { starters.indices.contains(task) && starters[task] != nil }
  }

  /// Stages to submit together.
  package struct Wave: Sendable {
    package var entries: [BatchManifest.Entry] = []
    /// Numbers of submitted jobs that it waits for.
    package var after: Set<String> = []
    /// Earlier waves of the same decision that it waits for.
    package var afterWaves: Set<Int> = []
    /// Tries at its stages that never began.
    package var refusals = 0
  }

  /// How often something may go wrong before nobody tries again.
  package struct Budgets: Sendable {
    package var lost = 5
    package var refused = 3
    package var idle = 2

    package init() {}
  }

  // The decision

  /// Numbers of batches whose submission had not been answered.
  package private(set) var adopted: [String: String] = [:]
  /// Never reached the scheduler.
  package private(set) var void: [String] = []
  package private(set) var over: [String] = []
  /// Perhaps with the scheduler, perhaps not: to be asked again.
  package private(set) var uncertain: [String] = []
  /// Tasks that will not come to an end by themselves: said to run and their workers gone, or
  /// held after a failed launch.
  package private(set) var stalled: [String] = []
  /// Tasks that ended without beginning, by batch.
  package private(set) var refused: [String: [BatchTask]] = [:]
  package private(set) var waves: [Wave] = []
  package private(set) var gaveUp: [(key: ContentKey, reason: String)] = []
  package private(set) var blocked: [(key: ContentKey, by: ContentKey)] = []
  /// Why tasks wait, where a person has to do something about it.
  package private(set) var troubles: [(reason: String, tasks: Int, advice: String)] = []
  package private(set) var exclude: [String] = []
  package private(set) var pending = 0
  package private(set) var running = 0
  /// Stages that a live worker outside the queue has.
  package private(set) var outside = 0

  /// Whether anything is still going to happen by itself.
  package var isActive: Bool {
    pending + running + outside > 0 || !uncertain.isEmpty || !waves.isEmpty
  }

  /// - Parameters:
  ///   - stages: of the plan, in its order.
  ///   - tasks: what the scheduler remembers of the batches that are neither void nor over.
  ///   - quiet: seconds after which a submission that is not in the listing never arrived.
  package init(
    _ stages: [Stage], _ batches: [Batch], tasks: [BatchTask], by scheduler: any BatchScheduler,
    quiet: Double, budgets: Budgets = Budgets()
  ) {
    let listed = Dictionary(grouping: tasks, by: \.token)
    var sight = Sight(stages)
    for batch in batches where !batch.isVoid {
      look(at: batch, batch.isOver ? [] : listed[batch.manifest.token] ?? [], quiet, scheduler, &sight)
    }
    troubles.sort { ($0.reason, $0.tasks) < ($1.reason, $1.tasks) }
    let nodes =
      batches.filter { !$0.isVoid }.flatMap { $0.refusals.values.map(\.node) }
      + refused.values.flatMap { $0.map(\.node) }
    exclude = Dictionary(grouping: nodes.filter { !$0.isEmpty }, by: \.self)
      .filter { $0.value.count >= 2 }.keys.sorted()
    let unsure = batches.filter { uncertain.contains($0.manifest.token) }.flatMap(\.manifest.keys)
    submit(stages, sight, unsure: Set(unsure), scheduler, budgets)
  }

  /// What looking at all batches finds out about stages.
  private struct Sight {
    /// Numbers of the arrays in the queue that make a stage.
    var numbers: [ContentKey: Set<String>] = [:]
    /// Stages that some batch in the queue makes.
    var covered: Set<ContentKey> = []
    /// How often a stage's task ended without beginning, and the last one's exit code.
    var refusals: [ContentKey: Int] = [:]
    var lastCode: [ContentKey: String] = [:]
    /// Jobs whose worker is gone, and jobs whose worker works.
    let gone: Set<String>
    let busy: Set<String>

    init(_ stages: [Stage]) {
      let attempts = stages.flatMap(\.attempts)
      gone = Set(attempts.compactMap { $0.standing == .vanished ? $0.job : nil })
      busy = Set(attempts.compactMap { $0.standing == .working ? $0.job : nil })
    }
  }

  /// Finds out where a batch stands.
  ///
  /// - Parameter rows: what the scheduler's listing has of it.
  private mutating func look(
    at batch: Batch, _ rows: [BatchTask], _ quiet: Double, _ scheduler: any BatchScheduler,
    _ sight: inout Sight
  ) {
    let token = batch.manifest.token
    var known = batch.refusals
    for row in rows where row.state == .ended && !batch.hasStarted(row.index) && known[row.index] == nil {
      refused[token, default: []].append(row)
      known[row.index] = (row.node, "?")
    }
    let active = rows.filter(\.isActive)
    if batch.isOver || (active.isEmpty && (!rows.isEmpty || batch.number != nil)) {
      if !batch.isOver { over.append(token) }
      for (task, entries) in batch.manifest.tasks.enumerated() where !batch.hasStarted(task) {
        for entry in entries {
          sight.refusals[entry.key, default: 0] += 1
          sight.lastCode[entry.key] = known[task]?.code
        }
      }
      return
    }
    if rows.isEmpty, batch.age >= quiet { return void.append(token) }
    sight.covered.formUnion(batch.manifest.keys)
    if rows.isEmpty { return uncertain.append(token) }
    let number = batch.number ?? active[0].array
    if batch.number == nil { adopted[token] = number }
    for key in batch.manifest.keys { sight.numbers[key, default: []].insert(number) }
    look(at: active, of: batch, scheduler, sight)
  }

  /// Counts the tasks in the queue, and finds those that do not come to an end by themselves.
  private mutating func look(
    at active: [BatchTask], of batch: Batch, _ scheduler: any BatchScheduler, _ sight: Sight
  ) {
    let waiting = active.filter { $0.state == .pending }
    pending += waiting.count
    running += active.count - waiting.count
    let starters = batch.starters
    for row in active where row.state == .running && starters.indices.contains(row.index) {
      if let job = starters[row.index], sight.gone.contains(job), !sight.busy.contains(job) {
        stalled.append(row.id)
      }
    }
    // A node that could not launch a task again leaves it held for ever; work that is left is submitted anew.
    stalled += waiting.filter { scheduler.isStuck($0) }.map(\.id)
    for (reason, count) in Dictionary(grouping: waiting, by: \.reason).mapValues(\.count) {
      if let advice = scheduler.advice(reason) { troubles.append((reason, count, advice)) }
    }
  }

  /// Puts what is needed, open and in nobody's hands into waves.
  ///
  /// - Parameter unsure: stages of submissions that may not exist.
  private mutating func submit(
    _ stages: [Stage], _ sight: Sight, unsure: Set<ContentKey>, _ scheduler: any BatchScheduler,
    _ budgets: Budgets
  ) {
    let needed = Self.needed(stages)
    var dead: Set<ContentKey> = Set(stages.filter { $0.state == .failed }.map(\.request.key))
    var level: [ContentKey: Int] = [:]
    for stage in stages where stage.state == .open && needed.contains(stage.request.key) {
      let key = stage.request.key
      if let culprit = stage.request.inputs.first(where: dead.contains) {
        dead.insert(key)
        blocked.append((key, culprit))
        continue
      }
      if sight.covered.contains(key) { continue }
      if stage.attempts.last?.standing == .working {
        // Whoever has it is out of the scheduler's sight and alive: a lost node's worker, or
        // one of another executor.
        outside += 1
        continue
      }
      let (refusals, code) = (sight.refusals[key, default: 0], sight.lastCode[key])
      if let reason = Self.giveUp(
        stage, refusals: refusals, code: code, hint: code.flatMap(scheduler.hint), budgets)
      {
        dead.insert(key)
        gaveUp.append((key, reason))
        continue
      }
      // What depends on a submission that may not exist waits until that is known.
      let waitsFor = stage.request.inputs + stage.request.helpers
      if waitsFor.contains(where: unsure.contains) { continue }
      let below = waitsFor.compactMap { level[$0] }
      let own = (below.max() ?? -1) + 1
      level[key] = own
      while waves.count <= own { waves.append(Wave()) }
      waves[own].entries.append(BatchManifest.Entry(key: key, after: stage.lastAttempt))
      waves[own].afterWaves.formUnion(below)
      for input in waitsFor { waves[own].after.formUnion(sight.numbers[input] ?? []) }
      waves[own].refusals = max(waves[own].refusals, refusals)
    }
  }

  /// Stages without a result that some run still to be made reads, and those runs.
  private static func needed(_ stages: [Stage]) -> Set<ContentKey> {
    var needed: Set<ContentKey> = []
    for stage in stages.reversed() where stage.state == .open {
      let key = stage.request.key
      guard stage.request.role == .result || needed.contains(key) else { continue }
      needed.insert(key)
      needed.formUnion(stage.request.inputs)
      needed.formUnion(stage.request.helpers)
    }
    return needed
  }

  /// Why a stage is not tried again; nil where it is.
  private static func giveUp(
    _ stage: Stage, refusals: Int, code: String?, hint: String?, _ budgets: Budgets
  ) -> String? {
    if case .broken(let reason) = stage.attempts.last?.standing { return reason }
    var (lost, lastLoss) = (0, "")
    for attempt in stage.attempts {
      switch attempt.standing {
      case .vanished: (lost, lastLoss) = (lost + 1, "nobody saw how")
      case .died(let how): (lost, lastLoss) = (lost + 1, how)
      case .working, .stopped, .broken: break
      }
    }
    if lost >= budgets.lost { return "its worker was lost \(lost) times; the last time: \(lastLoss)" }
    if refusals >= budgets.refused {
      let told = code.map { " with exit code \($0)" } ?? ""
      let hint = hint.map { ": \($0)" } ?? ""
      return "it never started: \(refusals) jobs ended\(told) before their program began\(hint)"
    }
    var idle = 0
    for attempt in stage.attempts.reversed() {
      guard case .stopped(let from, let at) = attempt.standing, from == at else { break }
      idle += 1
    }
    if idle >= budgets.idle {
      return "it was stopped \(idle) times in a row before its first step: it needs more time than a job has"
    }
    return nil
  }
}
