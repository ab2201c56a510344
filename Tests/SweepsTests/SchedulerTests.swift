import Specs
import Testing

@testable import Sweeps

/// What runs next, decided by events alone.
@Suite struct SchedulerTests {
  private static func stage(_ kind: String, _ name: String, _ inputs: [StageRequest] = []) -> StageRequest {
    StageRequest(
      kind: kind, revision: 1, role: kind == "student" ? .result : .preparation,
      spec: Array("\"\(name)\"".utf8), inputs: inputs.map(\.key))
  }

  private static let data = stage(DatasetStage.kind, "data")
  private static let short = stage(TeacherStage.kind, "short", [data])
  private static let long = stage(TeacherStage.kind, "long", [data])
  private static let record = stage(TeacherOutputsStage.kind, "record", [data, long])

  private static func student(_ name: String, _ inputs: [StageRequest], helpers: [StageRequest] = [])
    -> StageRequest
  {
    var stage = stage(StudentStage.kind, name, inputs)
    stage.helpers = helpers.map(\.key)
    return stage
  }

  private static func seconds(_ values: [(StageRequest, Double)]) -> Scheduler.Demand {
    let table = Dictionary(values.map { ($0.0.key, $0.1) }) { $1 }
    return Scheduler.Demand(seconds: { table[$0] ?? 1 })
  }

  private func started(_ actions: [Scheduler.Action]) -> [ContentKey] {
    actions.compactMap { if case .start(let key, _) = $0 { key } else { nil } }
  }

  @Test func `the longest teacher comes first, and everything after its inputs`() {
    let (data, short, long) = (Self.data, Self.short, Self.long)
    let run = Self.student("run", [data, short, long])
    var scheduler = Scheduler(
      [data, short, long, run], done: [], failed: [], slots: 4, retries: 0,
      demand: Self.seconds([(short, 1), (long, 9)]))
    #expect(scheduler.begin() == [.start(data.key, attempt: 1)])
    #expect(
      scheduler.handle(.finished(data.key)) == [.start(long.key, attempt: 1), .start(short.key, attempt: 1)])
    #expect(scheduler.handle(.finished(short.key)).isEmpty)
    #expect(scheduler.handle(.finished(long.key)) == [.start(run.key, attempt: 1)])
    #expect(scheduler.handle(.finished(run.key)) == [.end])
  }

  @Test func `a start without room costs no try and makes fewer run, and more again later`() {
    let runs = ["a", "b", "c"].map { Self.student($0, []) }
    let keys = runs.map(\.key)
    var scheduler = Scheduler(runs, done: [], failed: [], slots: 3, retries: 0)
    #expect(started(scheduler.begin()) == keys)
    #expect(scheduler.handle(.postponed(keys[2])).isEmpty)
    #expect(scheduler.triesLeft(keys[2]) == 1)
    // Two at a time, until a while has passed.
    #expect(started(scheduler.handle(.finished(keys[0]))) == [keys[2]])
    #expect(scheduler.handle(.postponed(keys[2])).isEmpty)
    #expect(started(scheduler.handle(.roomAgain)) == [keys[2]])
    #expect(scheduler.handle(.finished(keys[1])).isEmpty)
    #expect(scheduler.handle(.finished(keys[2])) == [.end])
  }

  @Test func `with nobody at work and no room, nothing starts until there is some`() {
    let run = Self.student("a", [])
    var scheduler = Scheduler([run], done: [], failed: [], slots: 4, retries: 0)
    #expect(started(scheduler.begin()) == [run.key])
    for _ in 0..<5 {
      #expect(scheduler.handle(.postponed(run.key)).isEmpty)
      #expect(started(scheduler.handle(.roomAgain)) == [run.key])
    }
  }

  @Test func `a short teacher whose outputs take long comes before a longer one`() {
    let (data, short, long) = (Self.data, Self.short, Self.long)
    let record = Self.stage(TeacherOutputsStage.kind, "of short", [data, short])
    let run = Self.student("run", [data, short, long], helpers: [record])
    var scheduler = Scheduler(
      [data, short, long, record, run], done: [data.key], failed: [], slots: 1, retries: 0,
      demand: Self.seconds([(short, 2), (long, 5), (record, 10)]))
    #expect(started(scheduler.begin()) == [short.key])
    #expect(started(scheduler.handle(.finished(short.key))) == [record.key])
  }

  @Test func `students come layer by layer, the longest first in each`() {
    let runs = ["a", "b", "c", "d"].map { Self.student($0, []) }
    let (a, b, c, d) = (runs[0], runs[1], runs[2], runs[3])
    let demand = Self.seconds([(a, 1), (b, 3), (c, 9), (d, 2)])
    func order(_ order: Scheduler.Order) -> [ContentKey] {
      var scheduler = Scheduler(
        runs, done: [], failed: [], slots: 1, retries: 0, demand: demand, order: order)
      var (seen, actions): ([ContentKey], [Scheduler.Action]) = ([], scheduler.begin())
      while let key = started(actions).first {
        seen.append(key)
        actions = scheduler.handle(.finished(key))
      }
      return seen
    }
    #expect(order(.layers(of: [a.key: 0, b.key: 0, c.key: 1, d.key: 1])) == [b, a, c, d].map(\.key))
    #expect(order(.plan) == [a, b, c, d].map(\.key))
    #expect(order(.shortestFirst) == [a, d, b, c].map(\.key))
  }

  @Test func `stages that do not fit into memory together wait, and one that never fits runs alone`() {
    let runs = ["a", "b", "c", "d"].map { Self.student($0, []) }
    let memory = [runs[0].key: 6, runs[1].key: 5, runs[2].key: 4, runs[3].key: 20]
    var scheduler = Scheduler(
      runs, done: [], failed: [], slots: 4, retries: 0,
      demand: Scheduler.Demand(memory: { memory[$0]! }, limit: 10))
    // 6, then not 5, but 4.
    #expect(started(scheduler.begin()) == [runs[0].key, runs[2].key])
    #expect(started(scheduler.handle(.finished(runs[0].key))) == [runs[1].key])
    #expect(started(scheduler.handle(.finished(runs[2].key))).isEmpty)
    #expect(started(scheduler.handle(.finished(runs[1].key))) == [runs[3].key])
    #expect(scheduler.handle(.finished(runs[3].key)) == [.end])
  }

  @Test func `a helper that fails or has no room is done without, an input that fails blocks`() {
    let (data, long, record) = (Self.data, Self.long, Self.record)
    let run = Self.student("run", [data, long], helpers: [record])
    let stages = [data, long, record, run]
    for event in [Scheduler.Event.failed(record.key), .skipped(record.key), .timedOut(record.key)] {
      var scheduler = Scheduler(stages, done: [data.key, long.key], failed: [], slots: 2, retries: 0)
      #expect(started(scheduler.begin()) == [record.key])
      #expect(scheduler.wantedHelpers == [record.key])
      #expect(started(scheduler.handle(event)) == [run.key])
    }
    var scheduler = Scheduler(stages, done: [data.key], failed: [], slots: 2, retries: 0)
    #expect(started(scheduler.begin()) == [long.key])
    #expect(
      scheduler.handle(.failed(long.key))
        == [.block(record.key, by: long.key), .block(run.key, by: long.key), .end])
    var failed = Scheduler(stages, done: [data.key], failed: [long.key], slots: 2, retries: 0)
    #expect(failed.begin() == [.block(record.key, by: long.key), .block(run.key, by: long.key), .end])
  }

  @Test func `a dead stage is tried again as often as allowed, and a stop keeps it for later`() {
    let run = Self.student("run", [])
    var scheduler = Scheduler([run], done: [], failed: [], slots: 1, retries: 1)
    #expect(scheduler.begin() == [.start(run.key, attempt: 1)])
    #expect(scheduler.handle(.died(run.key)) == [.start(run.key, attempt: 2)])
    #expect(scheduler.handle(.died(run.key)) == [.giveUp(run.key), .end])

    var other = Scheduler([run], done: [], failed: [], slots: 1, retries: 0)
    _ = other.begin()
    #expect(other.handle(.stopRequested) == [.stopWorkers])
    #expect(other.handle(.stopped(run.key)) == [.end])
  }

  @Test func `what nothing still to run needs is left alone`() {
    let (data, long, record) = (Self.data, Self.long, Self.record)
    let run = Self.student("run", [data, long], helpers: [record])
    var scheduler = Scheduler([data, long, record, run], done: [run.key], failed: [], slots: 2, retries: 0)
    #expect(scheduler.begin() == [.end])
    #expect(scheduler.preparations == 0)
  }

  @Test func `twenty thousand runs are each started once, whoever waits for whom`() {
    let data = Self.data
    let runs = (0..<20_000).map { Self.student("\($0)", [data]) }
    var scheduler = Scheduler([data] + runs, done: [], failed: [], slots: 8, retries: 0)
    var actions = scheduler.begin()
    var count = 0
    while let key = started(actions).first {
      count += 1
      actions = scheduler.handle(.finished(key)) + actions.filter { $0 != .start(key, attempt: 1) }
    }
    #expect(count == 20_001)
  }

  private func together(_ actions: [Scheduler.Action]) -> [[ContentKey]] {
    actions.compactMap { action in
      switch action {
      case .start(let key, _): [key]
      case .startTogether(let keys): keys
      default: nil
      }
    }
  }

  @Test func `runs of a group start together, each process with its share of what is left`() {
    let runs = (0..<8).map { Self.student("\($0)", []) }
    let keys = runs.map(\.key)
    var demand = Scheduler.Demand()
    // Two seeds, in turns.
    for (place, key) in keys.enumerated() { demand.groups[key] = place % 2 }
    var one = Scheduler(runs, done: [], failed: [], slots: 1, retries: 0, demand: demand)
    #expect(together(one.begin()) == [[keys[0], keys[2], keys[4], keys[6]]])
    // The process goes on until the last of them ends.
    for place in [0, 4, 2] { #expect(one.handle(.finished(keys[place])).isEmpty) }
    #expect(together(one.handle(.finished(keys[6]))) == [[keys[1], keys[3], keys[5], keys[7]]])
    var actions: [Scheduler.Action] = []
    for place in [1, 3, 5, 7] { actions = one.handle(.finished(keys[place])) }
    #expect(actions == [.end])

    var four = Scheduler(runs, done: [], failed: [], slots: 4, retries: 0, demand: demand)
    #expect(
      together(four.begin()) == [
        [keys[0], keys[2]], [keys[1], keys[3]], [keys[4], keys[6]], [keys[5], keys[7]],
      ])
    var eight = Scheduler(runs, done: [], failed: [], slots: 8, retries: 0, demand: demand)
    #expect(together(eight.begin()) == keys.map { [$0] })
  }

  @Test func `runs whose process ended under them lose no try and go on alone`() {
    let runs = ["a", "b", "c"].map { Self.student($0, []) }
    let keys = runs.map(\.key)
    var demand = Scheduler.Demand()
    for key in keys { demand.groups[key] = 7 }
    var scheduler = Scheduler(runs, done: [], failed: [], slots: 1, retries: 0, demand: demand)
    #expect(together(scheduler.begin()) == [keys])
    #expect(scheduler.handle(.finished(keys[1])).isEmpty)
    #expect(scheduler.handle(.died(keys[0])).isEmpty)
    #expect(together(scheduler.handle(.died(keys[2]))) == [[keys[0]]])
    #expect(scheduler.triesLeft(keys[0]) == 1)
    // Alone it is its own fault.
    let actions = scheduler.handle(.died(keys[0]))
    #expect(actions.first == .giveUp(keys[0]) && together(actions) == [[keys[2]]])
    #expect(scheduler.handle(.finished(keys[2])) == [.end])
  }

  @Test func `a group takes as much memory as its largest run, and stops and starts again as one`() {
    let runs = ["a", "b", "c", "d"].map { Self.student($0, []) }
    let keys = runs.map(\.key)
    var demand = Scheduler.Demand(memory: { $0 == keys[2] ? 9 : 4 }, limit: 10)
    for key in keys.prefix(3) { demand.groups[key] = 0 }
    var scheduler = Scheduler(runs, done: [], failed: [], slots: 2, retries: 0, demand: demand)
    // The third would leave the fourth no room; with two workers each gets two anyway.
    #expect(together(scheduler.begin()) == [[keys[0], keys[1]], [keys[3]]])
    #expect(scheduler.handle(.stopped(keys[0])).isEmpty)
    // Its process is still there.
    #expect(together(scheduler.handle(.stopped(keys[1]))) == [[keys[0], keys[1]]])
    #expect(scheduler.handle(.stopRequested) == [.stopWorkers])
    for key in [keys[0], keys[1]] { #expect(scheduler.handle(.stopped(key)).isEmpty) }
    #expect(scheduler.handle(.stopped(keys[3])) == [.end])
  }
}
