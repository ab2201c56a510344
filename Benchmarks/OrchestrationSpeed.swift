import Foundation
import Pipeline
import Reports
import Specs
import Storage
import Sweeps
import Tensors

/// How long everything takes that is not training: grids, plans, the store, processes.
///
///     mtkd-benchmarks orchestration [PROGRAM [PARTS]]
///
/// PROGRAM is the built `mtkd-sweep` (default: the one beside this program). PARTS are some of
/// `expand,ingest,help,finished,stages,million,claims`. Each line ends with the bar that it has to keep.
struct OrchestrationSpeed {
  private let program: String
  private let folder: String

  static func main(_ arguments: [String]) async throws {
    // For a machine that is never quiet: only these parts, such as `expand,stages`.
    let parts = arguments.dropFirst().first?.split(separator: ",").map(String.init)
    func wants(_ part: String) -> Bool { parts?.contains(part) != false }
    let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
      path: "mtkd-sweep"
    ).path
    let folder = FileManager.default.temporaryDirectory.appending(path: "mtkd-bench-\(UUID().uuidString)")
      .path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let benchmark = OrchestrationSpeed(program: arguments.first ?? beside, folder: folder)
    if wants("expand") {
      try benchmark.expand("cells", alphas: 100, betas: 100, seeds: 10)
      try benchmark.expand("rows", alphas: 1000, betas: 100, seeds: 1)
    }
    if wants("ingest") { try benchmark.ingest() }
    if wants("help") { try benchmark.help() }
    if wants("finished") { try benchmark.finishedSweep() }
    if wants("stages") {
      try await benchmark.trivialStages()
      try await benchmark.thousandAMinute()
    }
    if wants("million") { try benchmark.million() }
    if wants("claims") {
      benchmark.look()
      try benchmark.planWithClaims()
    }
  }

  /// A grid of 100 000 points: read, multiplied out, keyed, stored.
  private func expand(_ name: String, alphas: Int, betas: Int, seeds: Int) throws {
    let grid = Self.paperGrid(name, alphas: alphas, betas: betas, seeds: seeds)
    let path = "\(folder)/\(name).json"
    try grid.write(toFile: path, atomically: true, encoding: .utf8)
    let (start, cpu) = (Self.now, Self.cpuSeconds)
    let read = try GridReader.read(Array(grid.utf8), file: path) { _, _ in throw CocoaError(.fileNoSuchFile) }
    let expansion = try GridExpansion(read, .engine(dataFolders: []), limit: GridExpansion.limit)
    let expanded = Self.now
    let plan = SweepPlan(expansion.runs)
    let keyed = Self.now
    let store = try ResultStore(at: StoreFolder("\(folder)/\(name)"), .writing)
    try store.saveSweep(
      SweepRecord(
        name: name, grid: grid, canonical: "{}", columns: expansion.columns, asked: expansion.asked,
        created: 0),
      points: zip(expansion.runs, plan.runKeys).map {
        SweepPoint(key: $1, seed: $0.seed, labels: $0.labels)
      })
    let end = Self.now
    Self.say(
      "\(expansion.runs.count) points (\(name)): expanded \(Self.ms(start, expanded)), keyed \(Self.ms(expanded, keyed)), stored \(Self.ms(keyed, end)); "
        + "in all \(Self.ms(start, end)), of CPU \(Self.ms(cpu, Self.cpuSeconds)) (bar 1000 ms), peak \(Self.peakMegabytes(of: RUSAGE_SELF.rawValue)) MB (bar 500)"
    )
  }

  /// Metric rows of long curves, as a coordinator takes them in.
  private func ingest() throws {
    let store = try ResultStore(at: StoreFolder("\(folder)/ingest"), .writing)
    let names = (0..<10).map { "metric.\($0)" }
    let keys = (0..<20).map { ContentKey(hashing: [UInt8($0)]) }
    try store.register(keys.map { StageRecord(key: $0, kind: "student", title: "t", spec: "{}") })
    let records = (0..<1000).map { epoch in
      let values = Dictionary(
        uniqueKeysWithValues: names.map { ($0, Double(epoch) * 0.37 + Double($0.count)) })
      return NumberedRecord(
        epoch, .epoch(EpochRecord(epoch: epoch, step: epoch, metrics: Metrics(values), state: keys[0])))
    }
    let (start, cpu) = (Self.now, Self.cpuSeconds)
    for key in keys { try store.ingest(records, of: AttemptID(key: key, number: 1)) }
    let (seconds, own) = (Self.now - start, Self.cpuSeconds - cpu)
    let rows = Double(keys.count * records.count * names.count)
    Self.say("\(Int(rows / seconds)) metric rows/s ingested (bar 150000), \(Int(rows / own)) a CPU second")
  }

  private func help() throws {
    for argument in ["--help", "--version"] {
      let cpu = Self.childrenCPUSeconds
      let walls = try (0..<21).map { _ in try run([argument]) }.sorted()
      let own = (Self.childrenCPUSeconds - cpu) / 21
      Self.say("\(argument): \(Self.ms(0, walls[10])) (bar 20 ms), \(Self.ms(0, own)) of CPU")
    }
  }

  /// A sweep of 1 000 runs that are all done: what the same command costs once more.
  private func finishedSweep() throws {
    let grid = Self.trivialGrid("done", seeds: 500)
    let path = "\(folder)/done.json"
    try grid.write(toFile: path, atomically: true, encoding: .utf8)
    let place = StoreFolder("\(folder)/done")
    let sweep = try SweepPlanner.plan(gridAt: path, dataFolders: [])
    let store = try ResultStore(at: place, .writing)
    try store.register(
      sweep.plan.stages.map {
        StageRecord(
          key: $0.key, kind: $0.kind, title: "t", spec: String(decoding: $0.document, as: UTF8.self))
      })
    let epochs = (0..<10).map { epoch in
      NumberedRecord(
        epoch,
        .epoch(
          EpochRecord(
            epoch: epoch, step: epoch,
            metrics: Metrics(["test.acc1": Double(epoch), "test.loss": 1, "train.loss": 1]),
            state: ContentKey(hashing: []))))
    }
    for stage in sweep.plan.stages {
      try store.ingest(epochs, of: AttemptID(key: stage.key, number: 1), closing: .finished)
    }
    try store.close()
    let cpu = Self.childrenCPUSeconds
    let walls = try (0..<5).map { _ in try run(["run", path, "--store", place.path]) }.sorted()
    let own = (Self.childrenCPUSeconds - cpu) / 5
    Self.say(
      "run on \(sweep.counts.distinct) finished runs: \(Self.ms(0, walls[2])) (bar 500 ms), \(Self.ms(0, own)) of CPU"
    )
  }

  /// Real workers on nearly no work, two at a time, with all that makes their results durable.
  private func trivialStages() async throws {
    let path = "\(folder)/trivial.json"
    try Self.trivialGrid("trivial", seeds: 150).write(toFile: path, atomically: true, encoding: .utf8)
    let place = StoreFolder("\(folder)/trivial")
    let store = try ResultStore(at: place, .writing)
    let sweep = try SweepPlanner.plan(gridAt: path, dataFolders: [], store: store)
    let coordinator = try Coordinator(
      sweep, folder: place, store: store, executor: processes(), workers: 2
    ) { _ in }
    let (start, cpu, children) = (Self.now, Self.cpuSeconds, Self.childrenCPUSeconds)
    let outcome = try await coordinator.run(until: StopSignal())
    let (wall, own) = (Self.now - start, Self.cpuSeconds - cpu)
    let count = Double(sweep.plan.stages.count)
    Self.say(
      "\(sweep.plan.stages.count) trivial stages, 2 workers, \(outcome): \(Self.ms(0, wall / count)) of wall each (bar 15 ms), "
        + "\(Self.ms(0, own / count)) of coordinator CPU each (bar 1 ms), "
        + "\(Self.ms(0, (Self.childrenCPUSeconds - children) / count)) of worker CPU each")
    try await bareProcesses()
  }

  /// What of that is starting a process and hearing of its end: the same executor with a
  /// program that does nothing.
  private func bareProcesses() async throws {
    let executor = try LocalProcesses(executable: "/bin/true", environment: [:])
    let count = 300
    let (start, cpu) = (Self.now, Self.cpuSeconds)
    for index in 0..<count {
      let job = Job(
        key: ContentKey(hashing: Array("\(index)".utf8)), arguments: [], environment: [:],
        log: "\(folder)/true.log")
      guard await executor.run(job, started: { _ in }) == .exited(0) else {
        throw CocoaError(.executableLoad)
      }
    }
    Self.say(
      "\(count) processes that do nothing: \(Self.ms(0, (Self.now - start) / Double(count))) of wall each, "
        + "\(Self.ms(0, (Self.cpuSeconds - cpu) / Double(count))) of this program's CPU each")
  }

  /// What a coordinator takes of a core while a thousand stages a minute end: workers are real and
  /// are started at that pace.
  private func thousandAMinute() async throws {
    let path = "\(folder)/paced.json"
    try Self.trivialGrid("paced", seeds: 125).write(toFile: path, atomically: true, encoding: .utf8)
    let place = StoreFolder("\(folder)/paced")
    let store = try ResultStore(at: place, .writing)
    let sweep = try SweepPlanner.plan(gridAt: path, dataFolders: [], store: store)
    let executor = PacedProcesses(
      processes: try processes(), pace: Pace(seconds: 60.0 / 1000))
    let coordinator = try Coordinator(sweep, folder: place, store: store, executor: executor, workers: 8) {
      _ in
    }
    let (start, cpu) = (Self.now, Self.cpuSeconds)
    let outcome = try await coordinator.run(until: StopSignal())
    let (wall, own) = (Self.now - start, Self.cpuSeconds - cpu)
    let rate = Double(sweep.plan.stages.count) / wall * 60
    Self.say(
      "\(Int(rate)) stages a minute, \(outcome): \((own / wall * 1000).rounded() / 10) % of a core for the coordinator (bar 5 % at 1000)"
    )
  }

  private func processes() throws -> LocalProcesses {
    try LocalProcesses(executable: program, environment: ProgramIdentity.environment(of: program))
  }

  /// `plan` on 1000 alphas and 1000 betas.
  private func million() throws {
    let path = "\(folder)/million.json"
    let grid = Self.paperGrid("million", alphas: 1000, betas: 1000, seeds: 1)
    try grid.write(toFile: path, atomically: true, encoding: .utf8)
    let cpu = Self.childrenCPUSeconds
    let wall = try run(["plan", path, "--store", "\(folder)/million", "--yes"])
    Self.say(
      "plan of 1000000 runs: \(Self.ms(0, wall)) (bar 10000 ms), \(Self.ms(cpu, Self.childrenCPUSeconds)) of CPU, peak \(Self.peakMegabytes(of: RUSAGE_CHILDREN.rawValue)) MB (bar 2000)"
    )
  }

  /// A thousand comparisons with twenty seeds each, played again from the first look as every look does.
  private func look() {
    let count = 1000, seeds = 20
    // Differences of half a std: most claims stay open to the last look, which is the dearest case.
    func result(_ cell: Int, _ seed: Int) -> ClaimComparison.SeedResult? {
      var stream = RandomStream(seed: 1, "claim benchmark", cell, seed)
      return .value(70 + stream.normal() + (cell == 0 ? 0.5 : 0))
    }
    let values = (0...count).map { cell in (0..<seeds).map { result(cell, $0) } }
    let comparisons = (1...count).map { ClaimComparison(first: 0, second: $0) }
    let rules = ClaimSchedule.Rules(count: 3, limit: seeds)
    let times = (0..<21).map { _ in
      let start = Self.now
      let schedule = ClaimSchedule(comparisons, cells: count + 1, rules) { values[$0][$1] }
      precondition(schedule.looks == seeds - 2, "the benchmark's claims were decided too early")
      return Self.now - start
    }
    Self.say(
      "a look at \(count) comparisons, \(seeds) seeds: \(Self.ms(0, times.sorted()[10])) (bar 50 ms), "
        + "all \(seeds - 2) looks before it played again")
  }

  /// `plan` on 100 000 runs, in turn without and with claims about all of them.
  private func planWithClaims() throws {
    func grid(_ name: String, _ claims: String) throws -> String {
      let path = "\(folder)/\(name).json"
      let text = """
        { "version": 1, "name": "\(name)",
          "base": { "dataset": "cifar100", "student": "shufflenetv2",
                    "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"] },
          "axes": { "method": ["mtkd-rl", "aver-kd-fitnet"],
                    "alpha": { "range": [1, 100, 1] }, "beta": { "range": [1, 5, 1] } },
          "seeds": { "count": 100\(claims)
        }
        """
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return path
    }
    let without = try grid("without", " }")
    let with = try grid(
      "with", ", \"upTo\": 120 }, \"claims\": [{ \"compare\": \"mtkd-rl - aver-kd-fitnet\" }]")
    var walls: [[Double]] = [[], []]
    for _ in 0..<5 {
      for (index, path) in [without, with].enumerated() {
        walls[index].append(try run(["plan", path, "--yes", "--store", "\(folder)/claims"]))
      }
    }
    let medians = walls.map { $0.sorted()[2] }
    Self.say(
      "plan of 100000 runs: \(Self.ms(0, medians[0])) without claims, \(Self.ms(0, medians[1])) with 500 "
        + "(five of each in turn, medians; bar: no slower)")
  }

  private static func paperGrid(_ name: String, alphas: Int, betas: Int, seeds: Int) -> String {
    """
    { "version": 1, "name": "\(name)",
      "base": { "dataset": "cifar100", "student": "shufflenetv2", "method": "mtkd-rl",
                "teachers": ["regnety-400mf", "regnetx-400mf", "resnet32x4", "wrn-28-4"] },
      "axes": { "alpha": { "range": [1, \(alphas), 1] }, "beta": { "range": [1, \(betas), 1] } },
      "seeds": { "count": \(seeds) } }
    """
  }

  /// Two runs a seed, of the smallest network on a handful of images.
  private static func trivialGrid(_ name: String, seeds: Int) -> String {
    """
    { "version": 1, "name": "\(name)",
      "base": { "dataset": "synthetic-1x8x8-2", "trainImages": 4, "testImages": 2, "batchSize": 4, "epochs": 1,
                "student": { "family": "cifar_resnet", "depth": 8, "widths": [1, 1, 1, 1] }, "method": "baseline" },
      "axes": { "learningRate": [0.1, 0.2] }, "seeds": { "count": \(seeds) } }
    """
  }

  /// Wall seconds of one call of the program.
  private func run(_ arguments: [String]) throws -> Double {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let start = Self.now
    try process.run()
    process.waitUntilExit()
    let end = Self.now
    guard process.terminationStatus == 0 else {
      throw CocoaError(
        .executableLoad, userInfo: ["status": process.terminationStatus, "arguments": arguments])
    }
    return end - start
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

  private static var cpuSeconds: Double { cpuSeconds(of: RUSAGE_SELF.rawValue) }

  /// Of processes that have ended.
  private static var childrenCPUSeconds: Double { cpuSeconds(of: RUSAGE_CHILDREN.rawValue) }

  private static func cpuSeconds(of whom: __rusage_who_t) -> Double {
    var usage = rusage()
    getrusage(whom, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  private static func peakMegabytes(of whom: __rusage_who_t) -> Int {
    var usage = rusage()
    getrusage(whom, &usage)
    return usage.ru_maxrss / 1000
  }

  private static func ms(_ start: Double, _ end: Double) -> String {
    "\(((end - start) * 10_000).rounded() / 10) ms"
  }

  private static func say(_ line: String) { print(line) }
}

/// Local processes that start one after the other, a while apart.
private struct PacedProcesses: Executor {
  static let name = "paced"

  let processes: LocalProcesses
  let pace: Pace

  func run(_ job: Job, started: @Sendable (Int) -> Void) async -> JobEnd {
    await pace.turn()
    return await processes.run(job, started: started)
  }

  func stop(_ identifier: Int, atOnce: Bool) { processes.stop(identifier, atOnce: atOnce) }
}

private actor Pace {
  private let interval: Duration
  private var next = ContinuousClock.now

  init(seconds: Double) { interval = .seconds(seconds) }

  func turn() async {
    let turn = max(next, .now)
    next = turn + interval
    // Nobody cancels it; a turn that comes early would do no harm.
    try? await Task.sleep(until: turn)
  }
}
