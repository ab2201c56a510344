import Specs
import Sweeps
import Testing

/// What is done about a sweep on a cluster, decided from values alone.
@Suite struct ReconciliationTests {
  private static func request(
    _ name: String, _ role: StageRole, _ inputs: [StageRequest] = []
  ) -> StageRequest {
    StageRequest(
      kind: "made-up", revision: 1, role: role, spec: Array("{\"n\":\"\(name)\"}".utf8),
      inputs: inputs.map(\.key))
  }

  private let data: StageRequest
  private let teacher: StageRequest
  private let plain: StageRequest
  private let taught: StageRequest

  init() {
    data = Self.request("d", .preparation)
    teacher = Self.request("t", .preparation, [data])
    plain = Self.request("a", .result, [data])
    taught = Self.request("b", .result, [data, teacher])
  }

  private typealias Stage = Reconciliation.Stage
  private typealias Attempt = Reconciliation.Attempt

  private func stages(_ attempts: [Attempt] = [], of key: ContentKey? = nil) -> [Stage] {
    [Stage(data, .done)]
      + [teacher, plain, taught].map { request in
        let own = request.key == key ? attempts : []
        return Stage(request, .open, attempts: own, lastAttempt: own.count)
      }
  }

  private func batch(
    _ token: String, _ requests: [StageRequest], number: String? = "7", started: Bool = true,
    age: Double = 1000,
    isOver: Bool = false, refusals: [Int: (node: String, code: String)] = [:]
  ) -> Reconciliation.Batch {
    let manifest = BatchManifest(
      token: token, sweep: "s", tasks: requests.map { [BatchManifest.Entry(key: $0.key, after: 0)] },
      slots: 1,
      wallSeconds: nil, leadSeconds: 1, bin: nil)
    return Reconciliation.Batch(
      manifest, number: number, isOver: isOver,
      starters: requests.indices.map { started ? "\(token)/\(number ?? "")_\($0)/0" : nil },
      refusals: refusals,
      age: age)
  }

  private func row(
    _ token: String, _ index: Int, _ word: String, reason: String = "None", node: String = "n1"
  )
    -> BatchTask
  {
    BatchTask(
      id: "7_\(index)", array: "7", index: index, state: SlurmText.state(word), word: word, reason: reason,
      node: node, token: token)
  }

  @Test func `teachers go first, and students wait for their job, however it ends`() {
    let decision = Reconciliation(stages(), [], tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(decision.waves.map { $0.entries.map(\.key) } == [[teacher.key, plain.key], [taught.key]])
    #expect(decision.waves[1].afterWaves == [0] && decision.waves[1].after.isEmpty)
    #expect(decision.isActive)
  }

  @Test func `what is queued is not submitted again, and its students wait for its number`() {
    let decision = Reconciliation(
      stages(), [batch("x", [teacher, plain])],
      tasks: [row("x", 0, "PENDING", reason: "Priority"), row("x", 1, "RUNNING")], by: Slurm(bin: nil),
      quiet: 30)
    #expect(decision.waves.map { $0.entries.map(\.key) } == [[taught.key]])
    #expect(decision.waves[0].after == ["7"])
    #expect((decision.pending, decision.running) == (1, 1))
  }

  @Test func `a submission without an answer is asked for, adopted, or given up after a quiet time`() {
    let lost = batch("x", [teacher], number: nil, started: false, age: 10)
    let unsure = Reconciliation(stages(), [lost], tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(unsure.uncertain == ["x"] && unsure.void.isEmpty)
    #expect(unsure.waves.map { $0.entries.map(\.key) } == [[plain.key]], "its students are held back")
    let found = Reconciliation(
      stages(), [lost], tasks: [row("x", 0, "PENDING")], by: Slurm(bin: nil), quiet: 30)
    #expect(found.adopted == ["x": "7"] && found.uncertain.isEmpty)
    let old = batch("x", [teacher], number: nil, started: false, age: 31)
    let gone = Reconciliation(stages(), [old], tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(gone.void == ["x"] && gone.gaveUp.isEmpty)
    #expect(gone.waves.first?.entries.first?.key == teacher.key)
  }

  @Test func `a forgotten or failed job says nothing about its stage, only that it may run again`() {
    for tasks in [[], [row("x", 0, "FAILED")], [row("x", 0, "COMPLETED")], [row("x", 0, "NODE_FAIL")]] {
      let decision = Reconciliation(
        stages([Attempt(.vanished)], of: teacher.key), [batch("x", [teacher])], tasks: tasks,
        by: Slurm(bin: nil), quiet: 30)
      #expect(decision.over == ["x"])
      #expect(decision.waves[0].entries.contains(BatchManifest.Entry(key: teacher.key, after: 1)))
      #expect(decision.gaveUp.isEmpty)
    }
  }

  @Test func `a state nobody knows counts as alive`() {
    let decision = Reconciliation(
      stages(), [batch("x", [teacher, plain, taught])], tasks: [row("x", 0, "BRAND_NEW")],
      by: Slurm(bin: nil), quiet: 30)
    #expect(decision.over.isEmpty && decision.waves.isEmpty && decision.isActive)
  }

  @Test func `lost workers are forgiven four times, not five`() {
    let four = Reconciliation(
      stages(Array(repeating: Attempt(.died("signal 9")), count: 4), of: plain.key), [], tasks: [],
      by: Slurm(bin: nil), quiet: 30)
    #expect(four.gaveUp.isEmpty)
    let five = Reconciliation(
      stages(Array(repeating: Attempt(.vanished), count: 5), of: plain.key), [], tasks: [],
      by: Slurm(bin: nil), quiet: 30)
    #expect(five.gaveUp.map(\.key) == [plain.key])
  }

  @Test func `a program that gave up is not asked again, and what needs it is blocked`() {
    let decision = Reconciliation(
      stages([Attempt(.broken("code 70"))], of: teacher.key), [], tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(decision.gaveUp.map(\.key) == [teacher.key] && decision.gaveUp[0].reason == "code 70")
    #expect(decision.blocked.map(\.key) == [taught.key] && decision.blocked[0].by == teacher.key)
    #expect(decision.waves.map { $0.entries.map(\.key) } == [[plain.key]])
  }

  @Test func `stops are unlimited while steps are made`() {
    let moving = (0..<20).map { Attempt(.stopped(from: $0, at: $0 + 1)) }
    #expect(
      Reconciliation(stages(moving, of: plain.key), [], tasks: [], by: Slurm(bin: nil), quiet: 30).gaveUp
        .isEmpty)
    let idle = moving + [Attempt(.stopped(from: 20, at: 20)), Attempt(.stopped(from: 20, at: 20))]
    let decision = Reconciliation(stages(idle, of: plain.key), [], tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(decision.gaveUp.map(\.key) == [plain.key] && decision.gaveUp[0].reason.contains("more time"))
  }

  @Test func `jobs that never begin are counted, their nodes avoided, and their code is told`() {
    let ended = (0..<2).map {
      batch("x\($0)", [plain], started: false, isOver: true, refusals: [0: ("n3", "0:53")])
    }
    let twice = Reconciliation(stages(), ended, tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(twice.exclude == ["n3"] && twice.gaveUp.isEmpty)
    #expect(twice.waves[0].refusals == 2)
    let third = batch("y", [plain], started: false)
    let now = Reconciliation(
      stages(), ended + [third], tasks: [row("y", 0, "FAILED", reason: "JobLaunchFailure")],
      by: Slurm(bin: nil), quiet: 30)
    #expect(now.refused["y"]?.count == 1)
    #expect(now.gaveUp.map(\.key) == [plain.key], "\(now.gaveUp)")
    let told = Reconciliation(
      stages(), ended + [batch("y", [plain], started: false, isOver: true, refusals: [0: ("n3", "0:53")])],
      tasks: [], by: Slurm(bin: nil), quiet: 30)
    #expect(told.gaveUp[0].reason.contains("0:53") && told.gaveUp[0].reason.contains("writable"))
  }

  @Test func `a task that is said to run while its worker is gone is ended, and only that one`() {
    let rows = [row("x", 0, "RUNNING"), row("x", 1, "RUNNING")]
    let x = batch("x", [teacher, plain])
    let gone = Reconciliation(
      stages([Attempt(.vanished, job: "x/7_0/0")], of: teacher.key), [x], tasks: rows, by: Slurm(bin: nil),
      quiet: 30)
    #expect(gone.stalled == ["7_0"])
    // A former life's claim says nothing about the present one.
    let former = Reconciliation(
      stages([Attempt(.vanished, job: "x/7_0/former")], of: teacher.key), [x], tasks: rows,
      by: Slurm(bin: nil), quiet: 30)
    #expect(former.stalled.isEmpty)
    // Nor does a worker that died while its task went on with the next stage.
    let died = Reconciliation(
      stages([Attempt(.died("signal 9"), job: "x/7_0/0")], of: teacher.key), [x], tasks: rows,
      by: Slurm(bin: nil), quiet: 30)
    #expect(died.stalled.isEmpty)
  }

  @Test func `a live worker outside the queue is left alone`() {
    let decision = Reconciliation(
      stages([Attempt(.working)], of: teacher.key), [batch("x", [teacher])], tasks: [], by: Slurm(bin: nil),
      quiet: 30)
    #expect(decision.outside == 1)
    #expect(!decision.waves.flatMap(\.entries).contains { $0.key == teacher.key })
  }

  @Test func `reasons that need a person are counted`() {
    let decision = Reconciliation(
      stages(), [batch("x", [teacher, plain])],
      tasks: [
        row("x", 0, "PENDING", reason: "PartitionConfig"), row("x", 1, "PENDING", reason: "PartitionConfig"),
      ],
      by: Slurm(bin: nil), quiet: 30)
    #expect(decision.troubles.map(\.tasks) == [2] && decision.troubles[0].reason == "PartitionConfig")
  }

  @Test func `tasks are filled until they are worth a job, and there are never too many`() {
    let entries = [teacher, plain, taught, data].map { BatchManifest.Entry(key: $0.key, after: 0) }
    func sizes(_ goal: Double, _ limit: Int) -> [Int] {
      BatchManifest.chunks(entries, .init(seconds: { _ in 10 }, goal: goal, limit: limit)).map(\.count)
    }
    #expect(sizes(0, 1000) == [1, 1, 1, 1])
    #expect(sizes(25, 1000) == [3, 1])
    #expect(sizes(0, 2) == [2, 2])
    #expect(sizes(1e9, 1000) == [4])
  }

  @Test func `runs of a group come to one task as far as tasks at a time and the time limit allow`() {
    // Two seeds in turns, a run without teachers in their middle; a run takes 10 s, 6
    // of them with its teachers.
    let entries = (0..<13).map { place in
      BatchManifest.Entry(
        key: Self.request("\(place)", .result).key, after: 0, group: place == 6 ? nil : place % 2)
    }
    func tasks(_ change: (inout BatchManifest.Cut) -> Void) -> [[Int]] {
      var cut = BatchManifest.Cut(seconds: { _ in 10 }, goal: 0, limit: 1000)
      cut.teaching = { _ in 6 }
      change(&cut)
      return BatchManifest.chunks(entries, cut).map { $0.map { entries.firstIndex(of: $0)! } }
    }
    #expect(tasks { _ in } == [0, 2, 4, 8, 10, 12, 1, 3, 5, 7, 9, 11, 6].map { [$0] })
    #expect(tasks { $0.tasksAtOnce = 1 } == [[0, 2, 4, 8, 10, 12], [1, 3, 5, 7, 9, 11], [6]])
    #expect(tasks { $0.tasksAtOnce = 4 } == [[0, 2, 4, 8], [10, 12], [1, 3, 5, 7], [9, 11], [6]])
    // Enough to do is counted with the teachers asked once: 10 + 4 + 4 + 4 s.
    #expect(tasks { $0.goal = 20 }.first == [0, 2, 4, 8])
    // In each of two processes they are asked once.
    #expect(
      tasks {
        $0.goal = 28
        $0.slots = 2
      }.first == [0, 2, 4, 8])
    #expect(
      tasks {
        $0.tasksAtOnce = 1
        $0.most = 20
      } == [[0, 2, 4], [8, 10, 12], [1, 3, 5], [7, 9, 11], [6]])
    // One that is longer than any task goes alone rather than never.
    #expect(
      tasks {
        $0.tasksAtOnce = 1
        $0.most = 5
      }.allSatisfy { $0.count == 1 })
  }

  @Test func `a manifest reads as it was written, and a task looks at its own stages first`() throws {
    let manifest = BatchManifest(
      token: "x", sweep: "s",
      tasks: [
        [.init(key: teacher.key, after: 2)],
        [.init(key: plain.key, after: 0, group: 3), .init(key: taught.key, after: 1, group: 3)],
      ],
      slots: 3, wallSeconds: 60, leadSeconds: 5, bin: "/b",
      options: WorkerOptions(asksTeachers: true, niceness: 3, threads: 2))
    #expect(try BatchManifest(JSONReader.read(manifest.canonicalBytes).value, at: "") == manifest)
    #expect(manifest.order(for: 1).map(\.key) == [plain.key, taught.key, teacher.key])
  }
}
