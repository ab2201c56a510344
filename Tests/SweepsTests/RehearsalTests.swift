import Specs
import Testing

@testable import Sweeps

/// Forecasts of wall time, against schedules worked out by hand.
@Suite struct RehearsalTests {
  private static func stage(_ kind: String, _ name: String, _ inputs: [StageRequest] = []) -> StageRequest {
    StageRequest(
      kind: kind, revision: 1, role: kind == "student" ? .result : .preparation,
      spec: Array("\"\(name)\"".utf8), inputs: inputs.map(\.key))
  }

  private static func run(
    _ name: String, _ inputs: [StageRequest] = [], helpers: [StageRequest] = []
  ) -> StageRequest {
    var stage = stage(StudentStage.kind, name, inputs)
    stage.helpers = helpers.map(\.key)
    return stage
  }

  private static func teacher(_ name: String, _ inputs: [StageRequest] = []) -> StageRequest {
    stage(TeacherStage.kind, name, inputs)
  }

  /// Stages with the seconds that each takes, in the order of the plan.
  private func wall(
    _ stages: [(StageRequest, Double)], workers: Int, done: [StageRequest] = [],
    failed: [StageRequest] = [], memory: Int = 0, limit: Int = .max,
    order: Scheduler.Order = .plan, overhead: Double = 0
  ) -> Double {
    let seconds = Dictionary(uniqueKeysWithValues: stages.map { ($0.0.key, $0.1) })
    return Rehearsal.outlook(
      stages.map(\.0), done: Set(done.map(\.key)), failed: Set(failed.map(\.key)), workers: workers,
      demand: Scheduler.Demand(seconds: { seconds[$0] ?? 0 }, memory: { _ in memory }, limit: limit),
      order: order, overhead: overhead
    ).wall
  }

  @Test func `three runs of ten seconds take two rounds on two workers`() {
    let runs = ["a", "b", "c"].map { (Self.run($0), 10.0) }
    #expect([1, 2, 3, 4].map { wall(runs, workers: $0) } == [30, 20, 10, 10])
  }

  @Test func `a teacher comes before its students, whatever the number of workers`() {
    let data = Self.stage(DatasetStage.kind, "data")
    let teacher = Self.teacher("t", [data])
    let stages: [(StageRequest, Double)] =
      [(data, 0), (teacher, 10)] + ["a", "b", "c"].map { (Self.run($0, [data, teacher]), 5) }
    // 10, then 5 + 5 + 5; 5 | 5 and 5; 5 | 5 | 5.
    #expect([1, 2, 3, 9].map { wall(stages, workers: $0) } == [25, 20, 15, 15])
    // A second each: 1, 11, then 6 | 6 and 6.
    #expect(wall(stages, workers: 2, overhead: 1) == 24)
    #expect(wall(stages, workers: 2, done: [data, teacher], overhead: 1) == 12)
  }

  @Test func `who waits for a short teacher does not wait for a long one`() {
    let (long, short) = (Self.teacher("long"), Self.teacher("short"))
    let stages: [(StageRequest, Double)] = [
      (long, 8), (short, 2), (Self.run("of long", [long]), 4), (Self.run("of short", [short]), 4),
    ]
    // One worker's 8 and 4; the other's 2 and 4.
    #expect(wall(stages, workers: 2) == 12)
    #expect(wall(stages, workers: 1) == 18)
  }

  @Test func `a run waits for what its teacher said, too`() {
    let teacher = Self.teacher("t")
    let record = Self.stage(TeacherOutputsStage.kind, "record", [teacher])
    let stages: [(StageRequest, Double)] = [
      (teacher, 3), (record, 4), (Self.run("a", [teacher], helpers: [record]), 5),
      (Self.run("b", [teacher]), 5),
    ]
    // 3, then 4 and 5 in a row beside the other's 5.
    #expect(wall(stages, workers: 2) == 12)
  }

  @Test func `what does not fit into memory together runs one after the other`() {
    let runs = ["a", "b"].map { (Self.run($0), 10.0) }
    #expect(wall(runs, workers: 2, memory: 6, limit: 12) == 10)
    #expect(wall(runs, workers: 2, memory: 7, limit: 12) == 20)
  }

  @Test func `the longest of a layer first leaves no worker idle at the end`() {
    let runs: [(StageRequest, Double)] = [(Self.run("a"), 1), (Self.run("b"), 1), (Self.run("c"), 10)]
    #expect(wall(runs, workers: 2) == 11)
    #expect(wall(runs, workers: 2, order: .layers(of: [:])) == 10)
  }

  @Test func `what is done, has failed or is wanted by nobody takes no time`() {
    let (teacher, other) = (Self.teacher("t"), Self.teacher("other"))
    let stages: [(StageRequest, Double)] = [
      (teacher, 10), (other, 7), (Self.run("a", [teacher]), 5), (Self.run("b"), 3),
    ]
    #expect(wall(stages, workers: 1) == 18, "nobody reads the other teacher")
    #expect(wall(stages, workers: 1, done: [stages[3].0]) == 15)
    #expect(wall(stages, workers: 1, failed: [teacher]) == 3, "its student does not run")
    #expect(wall(stages, workers: 1, done: stages.map(\.0)) == 0)
  }

  /// Graham 1966: whatever starts as soon as it can ends within an even share of the work and the part of the
  /// longest chain that others do not share.
  @Test(arguments: 1...5)
  func `no rehearsal beats the even share and the longest chain, or wastes more than any list may`(
    _ workers: Int
  ) {
    for round in 0..<40 {
      var generator = UInt64(round)
      func uniform() -> Double {
        generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(generator >> 11) / Double(1 << 53)
      }
      var stages: [(StageRequest, Double)] = []
      var ends: [Double] = []
      for number in 0..<30 {
        let inputs = stages.indices.filter { _ in uniform() < 0.1 }
        let seconds = uniform() * 10
        stages.append((Self.run("\(number)", inputs.map { stages[$0].0 }), seconds))
        ends.append(seconds + (inputs.map { ends[$0] }.max() ?? 0))
      }
      let (share, chain) = (stages.reduce(0) { $0 + $1.1 } / Double(workers), ends.max()!)
      let found = wall(stages, workers: workers)
      #expect(found >= max(share, chain) - 1e-9)
      #expect(found <= share + (1 - 1 / Double(workers)) * chain + 1e-9)
    }
  }

  @Test func `of very many stages the bounds count`() {
    let count = Rehearsal.limit + 4
    let runs = (0..<count).map { (Self.run("\($0)"), 1.0) }
    #expect(wall(runs, workers: 4, overhead: 0.5) == Double(count) * 1.5 / 4)
    let teacher = Self.teacher("t")
    let chain = runs + [(teacher, 1e6), (Self.run("last", [teacher]), 5)]
    #expect(wall(chain, workers: 4) == 1e6 + 5)
  }

  @Test func `runs that start together ask their teachers once`() {
    let runs = (0..<4).map { Self.run("\($0)") }
    var demand = Scheduler.Demand(seconds: { _ in 10 })
    demand.teaching = { _ in 8 }
    func outlook(_ workers: Int) -> Rehearsal.Outlook {
      Rehearsal.outlook(runs, done: [], workers: workers, demand: demand, overhead: 1)
    }
    #expect(outlook(1) == .init(wall: 44, spared: 0, asked: 0))
    for (place, run) in runs.enumerated() { demand.groups[run.key] = place / 2 }
    // Twice 8 + 2 + 2 and the start of a process.
    #expect(outlook(1) == .init(wall: 26, spared: 16, asked: 2))
    #expect(outlook(2) == .init(wall: 13, spared: 16, asked: 2))
    #expect(outlook(4) == .init(wall: 11, spared: 0, asked: 4))
  }
}
