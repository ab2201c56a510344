import ArgumentParser
import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps
import Synchronization

/// `mtkd-sweep run`: start, resume and growth are one command.
struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run what a grid asks for and is not done, then print the table.",
    discussion: """
      Ctrl-C once: workers write snapshots and leave (exit 75). Twice: they are ended at once (130). Either way, and after a kill or a
      power loss, the same command goes on and ends with the same bits.
      """)

  @Argument(help: "The grid file.", completion: Completions.grids)
  var file: String

  @OptionGroup var location: StoreLocation
  @OptionGroup var data: DataFolders
  @OptionGroup var styles: StyleOptions
  @OptionGroup var place: ExecutorOptions

  @Option(
    help: "Worker processes. (default: as many as processors may be used, divided by --threads-per-run)")
  var workers: Int?

  @Option(
    help: ArgumentHelp(
      "Devices that runs of trainers are given, each exclusively: cuda:0,cuda:1, or auto for what torch "
        + "finds. (default: what the grid says)",
      valueName: "names"))
  var devices: String?

  @Option(
    help: ArgumentHelp(
      "Only these runs, such as 'method=mtkd-rl' or 'seed=1,2'; given several times, all must hold. Others "
        + "stay for later.",
      valueName: "name=value"))
  var only: [RunFilter] = []

  @Option(
    help: ArgumentHelp(
      "Stop then as on Ctrl-C: a time of day (07:30), a length (2h30m), or a date with a time.",
      valueName: "time"))
  var until: Deadline?

  @Option(
    help: ArgumentHelp(
      "For claims: begin no further look after so much CPU time of this call's workers (8h), "
        + "or after a date.",
      valueName: "time"))
  var budget: ClaimBudget?

  @OptionGroup var gridSize: GridSize

  @OptionGroup var cache: CacheOptions
  @OptionGroup var share: LimitOptions

  @Option(
    help: ArgumentHelp(
      "Shell command to run when this run ends, however it ends: it finds the exit code, the counts and the "
        + "sweep in its environment (`help on-end`).",
      valueName: "command"))
  var onEnd: String?

  @Flag(help: "Take the name of a sweep over although none of its runs is asked for any more.")
  var replace = false

  @Flag(help: "What happens as JSON lines on standard output, instead of the table.")
  var events = false

  @Flag(name: .shortAndLong, help: "Say nothing but what went wrong.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say when and why stages start; twice: SQL and processes too.")
  var verbose: Int

  func validate() throws {
    if let workers, workers < 1 { throw ValidationError("--workers is 1 or more.") }
    if try Catalog.executors.entry(place.executor).isCluster {
      if budget?.cpuSeconds != nil {
        throw ValidationError("--budget counts workers of this machine. On a cluster give it a date.")
      }
      if workers != nil {
        throw ValidationError(
          "--workers is of workers on this machine. On a cluster the site file says it: "
            + "\"tasksAtOnce\" and \"cpus\"."
        )
      }
      if let complaint = share.complaintOnCluster { throw ValidationError(complaint) }
    }
  }

  func run() async throws {
    var sweep: String?
    do {
      try await run { sweep = $0 }
    } catch {
      endHook(of: sweep, ExitCodes.code(for: error))
      throw error
    }
    endHook(of: sweep, Out.failure == nil ? 0 : ExitStatus.inputOutput.rawValue)
  }

  /// Runs the command that `--on-end` names. Nothing is run for a grid that was refused.
  private func endHook(of sweep: String?, _ code: Int32) {
    guard let onEnd, let sweep else { return }
    EndHook(command: onEnd, sweep: sweep, code: code, folder: location.folder).run()
  }

  /// - Parameter named: is told the sweep's name once it is in the store.
  private func run(_ named: (String) -> Void) async throws {
    let stop = StopSignal()
    let talk = RunTalk()
    try listen(stop, talk)
    // Everything that can be wrong with the grid is said before anything is made.
    let read = try SweepPlanner.read(
      gridAt: file, dataFolders: data.folders, in: location.folder, limit: gridSize.limit)
    guard read.missingData.isEmpty else { throw MissingData(sentences: read.missingData) }
    for sentence in read.dataNotes { Talk.say("note: \(sentence)") }
    do { try location.folder.create() } catch { throw StoreError.file(error) }
    let lease = try location.lease()
    let store = try ResultStore(at: location.folder, .writing, trace: trace("sql"))
    try store.claim()
    let looks = try ClaimLooks(read, store)
    let planned = try SweepPlanner.plan(looks.asked, store: store, recordsTeachers: cache.isUsed)
    try TeacherWeights.take(in: planned, location.weights)
    if !quiet {
      for warning in planned.expansion.warnings { Talk.say(warning.rendered) }
      if let change = planned.change { Talk.say(change) }
    }
    if !replace, try planned.wouldReplace(in: store) { throw OtherGrid(name: planned.name, file: file) }
    guard let program = ProgramIdentity.executable else {
      throw NothingThere(description: "Cannot tell which file this program is: /proc is not mounted.")
    }
    named(planned.name)
    var look = Look(planned, later: try runsForLater(planned), claims: looks.book)
    var outcome = try await go(look, store, program.path, stop, talk)
    while let next = try nextLook(after: outcome, look, read, store) {
      look = next
      outcome = try await go(look, store, program.path, stop, talk)
    }
    try store.release()
    withExtendedLifetime(lease) {}
    try conclude(outcome, look, store)
  }

  /// What a call runs at once: the whole grid, or what its claims ask for until their next look.
  private struct Look {
    let sweep: PlannedSweep
    /// Runs that are not meant this time.
    let later: Set<ContentKey>
    /// What is known of the grid's claims before it; nil for a grid without claims.
    let claims: ClaimBook?

    init(_ planned: PlannedSweep, later: Set<ContentKey>, claims: ClaimBook?) {
      self.claims = claims
      sweep = planned.narrowed(to: Set(planned.plan.runKeys).subtracting(later))
      self.later = later
    }
  }

  /// What claims ask for next; nil where nothing more is to be run by this call.
  private func nextLook(
    after outcome: ClusterSweep.Outcome, _ look: Look, _ read: ExpandedGrid, _ store: ResultStore
  ) throws -> Look? {
    guard case .done(let done) = outcome, done != .stopped, look.later.isEmpty, read.grid.claims != nil else {
      return nil
    }
    let looks = try ClaimLooks(read, store)
    guard let book = looks.book else { return nil }
    let planned = try SweepPlanner.plan(looks.asked, store: store, recordsTeachers: cache.isUsed)
    let more = planned.plan.runKeys.count - look.sweep.plan.runKeys.count
    guard more > 0 else { return nil }
    if let budget, budget.isSpent {
      Talk.say("claims: \(book.summary); the budget is spent, so that no further look is begun.")
      return nil
    }
    if !quiet, !events { Talk.say("claims: \(book.summary); \(counted(more, "more run"))") }
    return Look(planned, later: try runsForLater(planned), claims: book)
  }

  /// Runs one look to its end, or as far as it can be left alone.
  private func go(
    _ look: Look, _ store: ResultStore, _ program: String, _ stop: StopSignal, _ talk: RunTalk
  ) async throws -> ClusterSweep.Outcome {
    let sweep = look.sweep
    let display = RunDisplay(
      style: styles.style(for: STDERR_FILENO),
      isLive: StyleOptions.canRedraw(STDERR_FILENO) && !quiet && !events,
      isQuiet: quiet, detail: verbose, events: events, forecast: sweep.forecast)
    talk.display.withLock { $0 = display }
    let start = try runner(of: sweep, store, program) { display.show($0) }
    try display.follow(sweep, claims: look.claims, in: store)

    goOnWithoutStreams(sweep.name, stop)
    if let until { Talk.say(until.sentence(from: .now, in: .current)) }
    let clock = until.map { until in
      Task {
        // Asked again and again, because the clock may be set meanwhile.
        while until.date.timeIntervalSinceNow > 0 {
          try await Task.sleep(for: .seconds(min(5, until.date.timeIntervalSinceNow)))
        }
        display.say("The time is up: workers write snapshots.")
        stop.request()
      }
    }
    let outcome = try await withTaskCancellationHandler {
      try await start(stop)
    } onCancel: {
      stop.request()
    }
    clock?.cancel()
    display.end()
    return outcome
  }

  /// Says how the call ended, prints the table, and ends with the code that fits.
  private func conclude(_ outcome: ClusterSweep.Outcome, _ look: Look, _ store: ResultStore) throws {
    let (sweep, later) = (look.sweep, look.later)
    if case .submitted(let pending, let running) = outcome {
      Talk.say(
        "\(pending) tasks wait and \(running) run on the cluster. `mtkd-sweep status\(storeArgument)` shows "
          + "them; `mtkd-sweep run \(shellWord(file))\(storeArgument) --executor \(place.executor)` takes "
          + "in what is done, submits what is missing, and prints the table at the end."
      )
      return
    }
    if outcome == .done(.stopped) {
      Talk.say("Stopped; nothing is lost. `mtkd-sweep run \(shellWord(file))\(storeArgument)` goes on.")
      throw ExitCode(.stopped)
    }
    var table = try table(sweep, store)
    LookLog(of: sweep.name, in: location.folder).show(&table)
    if !events { Out.put(TextTable.render(table, style: styles.style(for: STDOUT_FILENO))) }
    if !later.isEmpty {
      Talk.say(
        "\(later.count == 1 ? "1 run stays" : "\(later.count) runs stay") for later. "
          + "`mtkd-sweep run \(shellWord(file))\(storeArgument)` goes on."
      )
    }
    if case .done(.someFailed(let failures)) = outcome {
      Talk.say(
        "\(failures) without a result. `mtkd-sweep status\(storeArgument)` says which; `mtkd-sweep retry` "
          + "runs failed ones again."
      )
      throw ExitCode(.doneWithFailures)
    }
    let withheld = table.cells.count { $0.isWithheld }
    if withheld > 0 {
      Talk.say(
        "\(withheld == 1 ? "1 cell shows" : "\(withheld) cells show") no numbers: different programs or "
          + "numerics made them. `mtkd-sweep report --allow-mixed\(storeArgument)` shows them.")
      throw ExitCode(.doneWithFailures)
    }
    let lost = try runsWithoutResult(sweep, store, later)
    if lost > 0 {
      Talk.say(
        "\(lost) of \(sweep.plan.runKeys.count) runs \(lost == 1 ? "has" : "have") no number: the notes "
          + "under the table say why, `mtkd-sweep list \(sweep.name)\(storeArgument)` which they are."
      )
      throw ExitCode(.doneWithFailures)
    }
    if gridSize.maxRuns != nil, !later.isEmpty { throw ExitCode(.stopped) }
  }

  /// Runs of this call that the table has no number of. Exit code 0 promises that there are none.
  private func runsWithoutResult(
    _ sweep: PlannedSweep, _ store: ResultStore, _ later: Set<ContentKey>
  ) throws -> Int {
    let task = sweep.shownMetric.flatMap { TransferMetrics.task(of: $0.name) }
    // A segmentor has no number in a table of detectors; `report --metric` has the other one.
    let silent = zip(sweep.expansion.runs, sweep.plan.runKeys).filter { run, _ in
      task != nil && run.cell.transfer.map { $0.spec.task != task } ?? false
    }
    let asked = Set(sweep.plan.runKeys).subtracting(later).subtracting(silent.map(\.1))
    let results = try store.results(of: store.sweep(sweep.name), sweep.grid.report)
    let chosen = results.with(results.runs.filter { $0.key.map(asked.contains) == true })
    return chosen.runs.count - chosen.answered
  }

  /// Where a stop is said aloud: above the frame, once there is one.
  private final class RunTalk: Sendable {
    let display = Mutex<RunDisplay?>(nil)

    func say(_ text: String) {
      if let display = display.withLock({ $0 }) { display.say(text) } else { Talk.say(text) }
    }
  }

  /// A signal is a wish the first time and an order the second.
  private func listen(_ stop: StopSignal, _ talk: RunTalk) throws {
    try StopSignals.listen { number in
      stop.request()
      if stop.count == 1 {
        return talk.say("Stopping: workers write snapshots. Ctrl-C again ends them at once.")
      }
      // Workers read the end of the pipe that this process holds, and end with it.
      Talk.say("Ended at once. The same command goes on from the last snapshots.")
      Foundation.exit((number == SIGTERM ? ExitStatus.terminated : .interruptedTwice).rawValue)
    }
  }

  /// Without standard error nobody would hear what goes wrong, so its loss is a wish to stop; unless whoever
  /// started this declared the loss of the terminal harmless: then the store hears it.
  private func goOnWithoutStreams(_ sweep: String, _ stop: StopSignal) {
    guard StopSignals.isHangupIgnored else {
      return Talk.whenLost { _ in stop.request() }
    }
    let diary = RunDiary(of: sweep, in: location.folder)
    Talk.goOn(in: diary)
    Out.goOn(in: diary)
    Talk.whenLost { code in
      diary.write(
        "Standard error cannot be written (\(String(cString: strerror(code)))). SIGHUP is ignored, so the "
          + "run goes on and writes here.")
    }
  }

  /// For `-vv`.
  private func trace(_ word: String) -> (@Sendable (String) -> Void)? {
    guard verbose > 1 else { return nil }
    return { Talk.say("\(word)  \($0)") }
  }

  /// Open runs that are not meant this time.
  private func runsForLater(_ sweep: PlannedSweep) throws -> Set<ContentKey> {
    let open = sweep.open
    var meant = open
    if !only.isEmpty {
      let chosen = try RunFilter.matching(only, in: sweep)
      meant = open.filter(chosen.contains)
    }
    if let most = gridSize.maxRuns { meant = Array(meant.prefix(most)) }
    return Set(open).subtracting(meant)
  }

  /// What does the work where it was asked for, until all is done, or as far as it can be left alone.
  private func runner(
    of sweep: PlannedSweep, _ store: ResultStore, _ program: String,
    observe: @escaping (RunEvent) -> Void
  ) throws -> (StopSignal) async throws -> ClusterSweep.Outcome {
    // The very file that this process runs, even where another program has its name by now: runs of one sweep
    // are made by one program.
    let own = "/proc/\(getpid())/exe"
    // Machines that are told of the store know it by its whole path.
    let folder = location.folder.absolute
    @Sendable func attempt(_ job: Job) -> AttemptFolder? { try? folder.stage(job.key).attempts().last }
    let request = ExecutorRequest(
      program: program, running: own,
      environment: sweep.open.isEmpty ? [:] : ProgramIdentity.environment(of: own),
      options: place.options,
      attempts: AttemptAccess(
        // Where the wish cannot be left, the connection's end is the next thing that the worker hears.
        askToStop: { try? attempt($0)?.askToStop() }, hasBegun: { attempt($0)?.holder != nil }),
      trace: trace("process"))
    let coordinator: Coordinator
    switch try Catalog.executors.entry(place.executor).make(request) {
    case .cluster(let scheduler):
      let local = try LocalProcesses(
        executable: own, environment: request.environment, trace: request.trace)
      let cluster = try ClusterSweep(
        sweep, folder: folder, store: store, scheduler: scheduler, site: place.siteOptions(folder),
        program: program, local: local, cache: cache.policy,
        options: share.workerOptions(cache, sweep.grid), observe: observe)
      let isWaiting = place.options["wait"] != nil
      return { try await cluster.run(waiting: isWaiting, until: $0) }
    case .workers(let executor, let count):
      let open = try ClusterStatus.open(in: location.folder, sweep: nil)
      if let first = open.first {
        throw StillOnCluster(batches: open.count, file: file, executor: first.manifest.scheduler)
      }
      coordinator = try Coordinator(
        sweep, folder: count == nil ? location.folder : folder, store: store, executor: executor,
        workers: count ?? sweep.grid.workers(workers, threads: share.threads(sweep.grid)),
        cache: cache.policy, limits: try limits(sweep, isHere: count == nil), observe: observe)
    }
    return { .done(try await coordinator.run(until: $0)) }
  }

  /// What workers may take, the devices of this machine included.
  private func limits(_ sweep: PlannedSweep, isHere: Bool) throws -> WorkLimits {
    var limits = share.limits(sweep.grid)
    limits.devices = try DeviceOption.use(devices, sweep.grid.run)
    guard let use = limits.devices, !sweep.runsOfTrainers.isEmpty else { return limits }
    guard isHere else { throw DeviceOption.NotHere(executor: place.executor) }
    if !quiet { Talk.say("Devices for runs of trainers: \(use.sentence).") }
    return limits
  }

  private var storeArgument: String {
    location.path == "results" ? "" : " --store \(shellWord(location.path))"
  }

  private func table(_ sweep: PlannedSweep, _ store: ResultStore) throws -> ReportTable {
    let report = sweep.grid.report
    let record = try store.sweep(sweep.name)
    let results = try store.results(of: record, report)
    var table = try ReportTable(results, ReportLayout(report)).beside(report.paperValues, in: store)
    table.claims = try store.claims(of: record)
    return table
  }
}
