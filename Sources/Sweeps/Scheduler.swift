package import Specs

/// Decides what runs next: a state machine that takes events and answers with actions, and knows neither processes nor files.
package struct Scheduler: Sendable {
  package enum Event: Sendable {
    case finished(ContentKey)
    /// For a reason of its own: it would fail again.
    case failed(ContentKey)
    /// The worker died or was killed from outside.
    case died(ContentKey)
    /// There is no room for what it would write; those whom it would have helped do without.
    case skipped(ContentKey)
    /// The worker left on request.
    case stopped(ContentKey)
    case stopRequested
  }

  package enum Action: Equatable, Sendable {
    case start(ContentKey, attempt: Int)
    /// Tell every running worker to write a snapshot and leave.
    case stopWorkers
    /// It will not run, because an input failed.
    case block(ContentKey, by: ContentKey)
    /// It died too often.
    case giveUp(ContentKey)
    case end
  }

  private enum State {
    case waiting
    case running
    case done
    case failed
    case blocked
  }

  private let stages: [StageRequest]
  private let slots: Int
  private let retries: Int
  private var states: [ContentKey: State]
  private var deaths: [ContentKey: Int] = [:]
  private var attempts: [ContentKey: Int] = [:]
  private var running = 0
  private var isStopping = false
  /// No stage before this one waits.
  private var firstWaiting = 0

  /// - Parameters:
  ///   - done: stages whose output exists.
  ///   - failed: stages with a recorded failure.
  ///   - slots: how many run at a time. Datasets and teachers that nothing still to run reads are left alone.
  package init(
    _ stages: [StageRequest], done: Set<ContentKey>, failed: Set<ContentKey>, slots: Int, retries: Int
  ) {
    (self.stages, self.slots, self.retries) = (stages, slots, retries)
    var needed: Set<ContentKey> = []
    for stage in stages.reversed() {
      let isRun = stage.kind == StudentStage.kind
      guard isRun || needed.contains(stage.key), !done.contains(stage.key), !failed.contains(stage.key) else {
        continue
      }
      needed.formUnion(stage.inputs)
      needed.formUnion(stage.helpers)
    }
    states = [:]
    for stage in stages {
      let isWanted = stage.kind == StudentStage.kind || needed.contains(stage.key)
      states[stage.key] =
        failed.contains(stage.key) ? .failed : done.contains(stage.key) || !isWanted ? .done : .waiting
    }
  }

  /// How often a dead stage may still be started again.
  package func triesLeft(_ key: ContentKey) -> Int { max(0, retries + 1 - deaths[key, default: 0]) }

  /// Datasets and teachers that wait to be made.
  package var preparations: Int {
    stages.count { $0.kind != StudentStage.kind && states[$0.key] == .waiting }
  }

  package var isOver: Bool { running == 0 && (isStopping || firstWaiting == stages.count) }

  /// What to do at the very start.
  package mutating func begin() -> [Action] { advance() }

  package mutating func handle(_ event: Event) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .finished(let key): end(key, .done)
    case .failed(let key): end(key, .failed)
    case .skipped(let key): end(key, .failed)
    case .stopped(let key): end(key, .waiting)
    case .died(let key):
      deaths[key, default: 0] += 1
      if triesLeft(key) > 0 || isStopping {
        end(key, .waiting)
      } else {
        end(key, .failed)
        actions.append(.giveUp(key))
      }
    case .stopRequested:
      guard !isStopping else { return [] }
      isStopping = true
      if running > 0 { actions.append(.stopWorkers) }
    }
    return actions + advance()
  }

  private mutating func end(_ key: ContentKey, _ state: State) {
    precondition(states[key] == .running, "\(key.short) is not running")
    states[key] = state
    running -= 1
    if state == .waiting { firstWaiting = 0 }
  }

  /// A helper that failed is done without.
  private func isReady(_ stage: StageRequest) -> Bool {
    stage.inputs.allSatisfy { states[$0] == .done }
      && stage.helpers.allSatisfy { states[$0] != .waiting && states[$0] != .running }
  }

  /// Helpers of runs that still wait or run: their outputs are wanted.
  package var wantedHelpers: Set<ContentKey> {
    var wanted: Set<ContentKey> = []
    for stage in stages where !stage.helpers.isEmpty {
      if states[stage.key] == .waiting || states[stage.key] == .running { wanted.formUnion(stage.helpers) }
    }
    return wanted
  }

  private mutating func advance() -> [Action] {
    var actions: [Action] = []
    for stage in stages[firstWaiting...] where states[stage.key] == .waiting {
      if let culprit = stage.inputs.first(where: { states[$0] == .failed || states[$0] == .blocked }) {
        states[stage.key] = .blocked
        actions.append(.block(stage.key, by: culprit))
      } else if !isStopping, running < slots, isReady(stage) {
        states[stage.key] = .running
        running += 1
        attempts[stage.key, default: 0] += 1
        actions.append(.start(stage.key, attempt: attempts[stage.key]!))
      } else if running >= slots || isStopping {
        break
      }
    }
    while firstWaiting < stages.count, states[stages[firstWaiting].key] != .waiting { firstWaiting += 1 }
    if isOver { actions.append(.end) }
    return actions
  }
}
