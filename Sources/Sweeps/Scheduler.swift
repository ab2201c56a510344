package import Specs

/// Decides what runs next: a state machine that takes events and answers with actions, and knows
/// neither processes nor files.
///
/// Of the stages whose inputs are there it starts those first that others wait for, then students in the
/// order of the grid's seeds, the longest expected first among equals, so that no long one is left over at
/// the end; and only as many as fit into memory together.
package struct Scheduler: Sendable {
  package enum Event: Sendable {
    case finished(ContentKey)
    /// For a reason of its own: it would fail again.
    case failed(ContentKey)
    /// The worker died or was killed from outside.
    case died(ContentKey)
    /// There is no room for what it would write; those whom it would have helped do without.
    case skipped(ContentKey)
    /// It took longer than a stage may. The next `run` goes on where it was.
    case timedOut(ContentKey)
    /// The worker left on request.
    case stopped(ContentKey)
    /// It could not start, because processes, descriptors or memory have run out. That costs no try; nothing
    /// starts until something ends or there is `roomAgain`, and fewer run at a time.
    case postponed(ContentKey)
    /// A while has passed since a stage was postponed: one more may run than did then.
    case roomAgain
    case stopRequested
    /// So many runs may have devices at a time from now on.
    case deviceRoom(Int)
    /// They have not started and are not to start this time.
    case leftAlone([ContentKey])
  }

  package enum Action: Equatable, Sendable {
    case start(ContentKey, attempt: Int)
    /// In one process: two or more runs of a group.
    case startTogether([ContentKey])
    /// Tell every running worker to write a snapshot and leave.
    case stopWorkers
    /// It will not run, because an input failed.
    case block(ContentKey, by: ContentKey)
    /// It died too often.
    case giveUp(ContentKey)
    case end
  }

  /// What stages are expected to take, as far as that is known.
  package struct Demand: Sendable {
    /// CPU seconds and bytes of memory of one stage.
    package var seconds: @Sendable (ContentKey) -> Double
    package var memory: @Sendable (ContentKey) -> Int
    /// Bytes that all running stages may take together.
    package var limit: Int
    /// Stages that are given devices, and how many of them may run at a time. All others take none.
    package var onDevices: Set<ContentKey> = []
    package var deviceRoom = Int.max
    /// Runs that hear the same of their teachers have the same number: those that
    /// start together ask them once.
    package var groups: [ContentKey: Int] = [:]
    /// Of `seconds`, those in which teachers are asked.
    package var teaching: @Sendable (ContentKey) -> Double = { _ in 0 }

    package init(
      seconds: @escaping @Sendable (ContentKey) -> Double = { _ in 0 },
      memory: @escaping @Sendable (ContentKey) -> Int = { _ in 0 }, limit: Int = .max
    ) {
      self.seconds = seconds
      self.memory = memory
      self.limit = limit
    }
  }

  /// Which of the waiting students comes first.
  package enum Order: Sendable {
    /// As the plan has them in whole layers, the longest first in each layer.
    case layers(of: [ContentKey: Int])
    /// As the plan has them.
    case plan
    case shortestFirst
  }

  private enum State {
    case waiting
    case ready
    case running
    case done
    case failed
    case blocked
  }

  /// So many runs one process trains at most: teachers cost each a thirty-second by then, and more would
  /// be lost with one process.
  static let mostTogether = 32

  private let stages: [StageRequest]
  private let slots: Int
  private let retries: Int
  private let demand: Demand
  private var index: [ContentKey: Int] = [:]
  private var states: [State]
  /// Of each stage: inputs and helpers that are not settled yet.
  private var missing: [Int32]
  /// Of each stage: those that wait for it.
  private var followers: [[Int32]]
  private var ready: ReadyHeap
  /// Those that wait for a device besides.
  private var readyForDevice: ReadyHeap
  private var deviceRoom: Int
  private var onDevices = 0
  /// Runs in a group that could start, of each group.
  private var readyInGroup: [Int: ReadyHeap] = [:]
  /// Processes at work, by numbers that count up: how many of their stages have not ended, and
  /// the memory of the largest.
  private var processes: [Int: (left: Int, memory: Int)] = [:]
  private var processOf: [Int: Int] = [:]
  private var processCount = 0
  /// Runs at work that were started together with others.
  private var sharing: Set<Int> = []
  /// Runs whose process ended under them while others were in it: from then on they go alone.
  private var loners: Set<Int> = []
  private var deaths: [Int: Int] = [:]
  private var attempts: [Int: Int] = [:]
  /// Processes at work.
  private var running: Int { processes.count }
  /// How many may run at a time now: `slots`, or fewer while the system has no room for as many.
  private var room: Int
  private var isPaused = false
  private var memory = 0
  private var isStopping = false
  /// Stages that wait or are ready.
  private var unsettled = 0
  private var blocks: [Action] = []

  /// - Parameters:
  ///   - stages: of a plan, every stage after its inputs.
  ///   - done: stages whose output exists.
  ///   - failed: stages with a recorded failure.
  ///   - slots: how many run at a time. Datasets and teachers that nothing still to run reads are left alone.
  package init(
    _ stages: [StageRequest], done: Set<ContentKey>, failed: Set<ContentKey>, slots: Int, retries: Int,
    demand: Demand = Demand(), order: Order = .plan
  ) {
    self.stages = stages
    self.slots = slots
    self.retries = retries
    self.demand = demand
    room = slots
    deviceRoom = demand.deviceRoom
    index.reserveCapacity(stages.count)
    for (place, stage) in stages.enumerated() where index[stage.key] == nil { index[stage.key] = place }
    var needed = [Bool](repeating: false, count: stages.count)
    for (place, stage) in stages.enumerated().reversed() {
      let isRun = stage.role == .result
      guard isRun || needed[place], !done.contains(stage.key), !failed.contains(stage.key) else { continue }
      for key in stage.inputs + stage.helpers { if let input = index[key] { needed[input] = true } }
    }
    states = stages.enumerated().map { place, stage in
      let isWanted = stage.role == .result || needed[place]
      return failed.contains(stage.key) ? .failed : done.contains(stage.key) || !isWanted ? .done : .waiting
    }
    missing = Array(repeating: 0, count: stages.count)
    followers = Array(repeating: [], count: stages.count)
    ready = ReadyHeap(ranks: Self.ranks(stages, states.map { $0 == .waiting }, demand, order))
    readyForDevice = ready
    for (place, stage) in stages.enumerated() where states[place] == .waiting {
      unsettled += 1
      for key in stage.inputs + stage.helpers {
        guard let input = index[key], states[input] == .waiting else { continue }
        missing[place] += 1
        followers[input].append(Int32(place))
      }
    }
    for place in stages.indices where states[place] == .waiting && missing[place] == 0 { settle(place) }
  }

  /// Smaller ranks start first: whatever others wait for, the longest first with all that follows it, then
  /// students in their order.
  private static func ranks(
    _ stages: [StageRequest], _ isWaiting: [Bool], _ demand: Demand, _ order: Order
  ) -> [Int32] {
    let places = stages.indices.filter { isWaiting[$0] }
    let seconds = stages.map { demand.seconds($0.key) }
    // A teacher is as urgent as it is long together with the longest stage that writes down what it says.
    var urgency = seconds
    var index: [ContentKey: Int] = [:]
    for (place, stage) in stages.enumerated() where stage.role != .result {
      index[stage.key] = place
    }
    for place in places.reversed() where stages[place].role != .result {
      for key in stages[place].inputs {
        guard let input = index[key] else { continue }
        urgency[input] = max(urgency[input], seconds[input] + urgency[place])
      }
    }
    func layer(_ place: Int) -> Int {
      if case .layers(let layers) = order { return layers[stages[place].key] ?? 0 }
      return 0
    }
    let (preparations, students) = (
      places.filter { stages[$0].role != .result },
      places.filter { stages[$0].role == .result }
    )
    let first = preparations.sorted { (-urgency[$0], $0) < (-urgency[$1], $1) }
    let second: [Int] =
      switch order {
      case .plan: students
      case .shortestFirst: students.sorted { (seconds[$0], $0) < (seconds[$1], $1) }
      case .layers:
        students.map { (place: $0, layer: layer($0)) }.sorted {
          ($0.layer, -seconds[$0.place], $0.place) < ($1.layer, -seconds[$1.place], $1.place)
        }.map(\.place)
      }
    var ranks = [Int32](repeating: .max, count: stages.count)
    for (rank, place) in (first + second).enumerated() { ranks[place] = Int32(rank) }
    return ranks
  }

  /// How often a dead stage may still be started again.
  package func triesLeft(_ key: ContentKey) -> Int { max(0, retries + 1 - deaths[index[key]!, default: 0]) }

  /// Datasets, teachers and their outputs that wait to be made.
  package var preparations: Int {
    stages.indices.count { stages[$0].role != .result && isOpen($0) }
  }

  /// Helpers of runs that still wait or run: their outputs are wanted.
  package var wantedHelpers: Set<ContentKey> {
    var wanted: Set<ContentKey> = []
    for (place, stage) in stages.enumerated() where !stage.helpers.isEmpty {
      if isOpen(place) || states[place] == .running { wanted.formUnion(stage.helpers) }
    }
    return wanted
  }

  package var isOver: Bool { running == 0 && (isStopping || unsettled == 0) }

  /// Whether a stage has yet to start.
  package func isOpen(_ key: ContentKey) -> Bool { index[key].map { isOpen($0) } ?? false }

  private func isOpen(_ place: Int) -> Bool { states[place] == .waiting || states[place] == .ready }

  /// What to do at the very start.
  package mutating func begin() -> [Action] { advance() }

  package mutating func handle(_ event: Event) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .finished(let key): end(key, .done)
    case .failed(let key), .skipped(let key), .timedOut(let key): end(key, .failed)
    case .stopped(let key): end(key, .ready)
    case .postponed(let key):
      end(key, .ready)
      room = max(1, running)
      isPaused = true
    case .roomAgain:
      isPaused = false
      room = min(slots, room + 1)
    case .died(let key):
      let place = index[key]!
      // Who of several brought the process down is not known: it costs none of them a try, and
      // happens to each once at most.
      if sharing.contains(place) { loners.insert(place) } else { deaths[place, default: 0] += 1 }
      if triesLeft(key) > 0 || isStopping {
        end(key, .ready)
      } else {
        end(key, .failed)
        actions.append(.giveUp(key))
      }
    case .stopRequested:
      guard !isStopping else { return [] }
      isStopping = true
      if running > 0 { actions.append(.stopWorkers) }
    case .deviceRoom(let runs): deviceRoom = runs
    case .leftAlone(let keys):
      for place in keys.compactMap({ index[$0] }) where isOpen(place) { leave(place) }
      // What only they would have read.
      for place in stages.indices.reversed() where stages[place].role != .result && isOpen(place) {
        let readers = followers[place]
        if !readers.isEmpty, readers.allSatisfy({ states[Int($0)] == .blocked }) { leave(place) }
      }
    }
    return actions + advance()
  }

  private mutating func leave(_ place: Int) {
    states[place] = .blocked
    unsettled -= 1
  }

  private mutating func end(_ key: ContentKey, _ state: State) {
    let place = index[key]!
    precondition(states[place] == .running, "\(key.short) is not running")
    endInProcess(place)
    if demand.onDevices.contains(key) { onDevices -= 1 }
    if state == .ready {
      states[place] = .ready
      unsettled += 1
      push(place)
    } else {
      states[place] = state
      release(place)
    }
  }

  /// What a process held is free once nothing in it runs any more.
  private mutating func endInProcess(_ place: Int) {
    guard let process = processOf.removeValue(forKey: place), var entry = processes[process] else { return }
    sharing.remove(place)
    entry.left -= 1
    processes[process] = entry
    guard entry.left == 0 else { return }
    processes[process] = nil
    memory -= entry.memory
    isPaused = false
  }

  /// Those that waited for a stage, now that it is settled one way or the other.
  private mutating func release(_ place: Int) {
    for follower in followers[place] {
      missing[Int(follower)] -= 1
      settle(Int(follower))
    }
  }

  /// A stage whose inputs have changed: it is ready once it waits for none, and blocked as soon as one has
  /// failed. A helper that failed is done without.
  private mutating func settle(_ place: Int) {
    guard states[place] == .waiting else { return }
    let culprit = stages[place].inputs.first { key in
      guard let input = index[key] else { return false }
      return states[input] == .failed || states[input] == .blocked
    }
    if let culprit {
      states[place] = .blocked
      unsettled -= 1
      blocks.append(.block(stages[place].key, by: culprit))
      release(place)
    } else if missing[place] == 0 {
      states[place] = .ready
      push(place)
    }
  }

  private mutating func push(_ place: Int) {
    wait(place)
    if let group = demand.groups[stages[place].key], !loners.contains(place) {
      readyInGroup[group, default: ready.emptied].push(place)
    }
  }

  private mutating func wait(_ place: Int) {
    if demand.onDevices.contains(stages[place].key) { readyForDevice.push(place) } else { ready.push(place) }
  }

  /// How many runs of a group start in one process: as many as each process at a time has if all that has not
  /// ended is divided evenly, and so few that every process that could start now gets one.
  ///
  /// - Parameters:
  ///   - open: stages that have yet to start, the first of the group among them.
  ///   - atWork: stages that have started.
  ///   - slots: processes at a time.
  ///   - free: those of them that could start now.
  package static func together(open: Int, atWork: Int, slots: Int, free: Int) -> Int {
    min(mostTogether, (open + atWork + slots - 1) / slots, (open + free - 1) / free)
  }

  /// Runs to start in one process with one that starts: those of its group that come first. They stay in the
  /// other heap, where whoever finds them sees that they have started.
  private mutating func company(of place: Int) -> [Int] {
    guard let group = demand.groups[stages[place].key], !loners.contains(place) else { return [] }
    let most = Self.together(
      open: unsettled, atWork: processOf.count, slots: slots, free: max(1, room - running))
    let own = demand.memory(stages[place].key)
    var others: [Int] = []
    while others.count + 1 < most, let other = readyInGroup[group]?.pop() {
      guard states[other] == .ready, other != place, !loners.contains(other), !others.contains(other) else {
        continue
      }
      let need = demand.memory(stages[other].key)
      guard need <= own || memory + need <= demand.limit else { continue }
      others.append(other)
    }
    return others
  }

  /// The smallest rank among what could start now: while no device is free, of those that need none.
  private mutating func next() -> Int? {
    guard onDevices < deviceRoom, let other = readyForDevice.least else { return ready.pop() }
    guard let own = ready.least, own < other else { return readyForDevice.pop() }
    return ready.pop()
  }

  /// Starts stages in one process.
  private mutating func start(_ places: [Int]) -> Action {
    processCount += 1
    // They step one after the other, so their largest moments do not come together.
    let need = places.map { demand.memory(stages[$0].key) }.max() ?? 0
    processes[processCount] = (places.count, need)
    memory += need
    for place in places {
      states[place] = .running
      unsettled -= 1
      processOf[place] = processCount
      if demand.onDevices.contains(stages[place].key) { onDevices += 1 }
      attempts[place, default: 0] += 1
    }
    guard places.count > 1 else {
      return .start(stages[places[0]].key, attempt: attempts[places[0]]!)
    }
    sharing.formUnion(places)
    return .startTogether(places.map { stages[$0].key })
  }

  private mutating func advance() -> [Action] {
    var actions = blocks
    blocks = []
    var tooLarge: [Int] = []
    while !isStopping, !isPaused, running < room, let place = next() {
      // It was left alone while it waited here.
      guard states[place] == .ready else { continue }
      let need = demand.memory(stages[place].key)
      // What is larger than the limit runs alone rather than never.
      guard running == 0 || memory + need <= demand.limit else {
        tooLarge.append(place)
        // A few are looked past, so that small ones fill the gap; more would only reorder everything.
        if tooLarge.count == 64 { break }
        continue
      }
      actions.append(start([place] + company(of: place)))
    }
    for place in tooLarge { wait(place) }
    if isOver { actions.append(.end) }
    return actions
  }
}

/// Stages that could start, the smallest rank first.
private struct ReadyHeap: Sendable {
  private let ranks: [Int32]
  private var heap: [Int] = []

  init(ranks: [Int32]) { self.ranks = ranks }

  /// Another one of the same ranks.
  var emptied: ReadyHeap { ReadyHeap(ranks: ranks) }

  /// The smallest rank in it.
  var least: Int32? { heap.first.map { ranks[$0] } }

  mutating func push(_ place: Int) {
    heap.append(place)
    var child = heap.count - 1
    while child > 0, precedes(child, (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> Int? {
    guard let first = heap.first else { return nil }
    heap[0] = heap[heap.count - 1]
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && precedes(child, least) {
        least = child
      }
      if least == parent { return first }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    (ranks[heap[a]], heap[a]) < (ranks[heap[b]], heap[b])
  }
}
