import ArgumentParser
import Foundation
import Networks
import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps

/// `mtkd-sweep status`: how many runs are in which state, and what runs now.
struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Counts per state, and what runs right now.")

  @OptionGroup var location: StoreLocation

  @Argument(
    help: "The sweep. Without one, a line for each where the store holds several.",
    completion: Completions.sweeps)
  var sweep: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  @Flag(help: "Exit with 1 where a run failed.")
  var check = false

  @Flag(
    help:
      ArgumentHelp(
        "Go on showing it, with the table that fills up; Ctrl-C ends it. Elsewhere than on a "
          + "terminal, a line for each change.")
  )
  var watch = false

  @OptionGroup var styles: StyleOptions

  func validate() throws {
    if watch, json || check { throw ValidationError("--watch shows; --json and --check are for one look.") }
  }

  func run() async throws {
    let store = try location.open()
    let style = styles.style(for: STDOUT_FILENO)
    if sweep == nil, !watch, !json, try store.sweeps().count > 1 {
      let all = try store.sweeps().map { try Standing(of: $0, in: store, location.folder, nil) }
      Out.put(all.map { $0.head(style) + "\n" }.joined())
      if check, all.contains(where: { $0.failed + $0.blocked > 0 }) { throw ExitCode(.doneWithFailures) }
      return
    }
    let record = try location.sweep(sweep, in: store)
    if watch {
      return try await StatusWatch(record.name, location.folder, style).run()
    }
    let standing = try Standing(of: record, in: store, location.folder, await cluster(record))
    Out.put(json ? Commands.json(standing.machine) : standing.lines(style).joined(separator: "\n") + "\n")
    if check, standing.failed + standing.blocked > 0 { throw ExitCode(.doneWithFailures) }
  }

  private func cluster(_ record: SweepRecord) async throws -> ClusterStatus? {
    try await ClusterStatus.look(at: location.folder.absolute, sweep: record.name)
  }
}

/// What `status` says of a sweep.
struct Standing {
  private(set) var finished = 0
  private(set) var failed = 0
  private(set) var blocked = 0
  private var open = 0
  private var diverged = 0
  /// Equal ones together, in the order of the plan.
  private var troubles: [Trouble] = []
  private let name: String
  private let diary: String
  private let holder: Holder?
  private let cluster: ClusterStatus?
  private let active: [(title: String, stage: RunningStage)]
  private let programs: [(program: String, runs: Int)]
  private let claims: ClaimBook?

  init(
    of record: SweepRecord, in store: ResultStore, _ folder: StoreFolder, _ cluster: ClusterStatus?
  ) throws {
    name = record.name
    diary = RunDiary.path(of: record.name, in: folder)
    holder = Lease.holder(of: folder)
    self.cluster = cluster
    let running = holder == nil && cluster == nil ? [] : try RunningStage.all(in: folder, store)
    active = running.isEmpty ? [] : try Self.named(running, as: record, store)
    programs = try store.programs(of: record.name)
    claims = try store.claims(of: record)
    for standing in try store.standings(of: record.name) {
      switch standing.state {
      case .finished: finished += 1
      case .failed(let failure):
        failed += 1
        if failure.cause == .diverged { diverged += 1 }
        add(standing.state?.word ?? "failed", failure.reason, standing.key)
      case .blocked(let reason):
        blocked += 1
        add("blocked", reason, standing.key)
      case .open, nil: open += 1
      }
    }
  }

  /// Stages that several sweeps ask for have the title that the first of them gave; here they are
  /// what this one calls them.
  static func named(
    _ running: [RunningStage], as record: SweepRecord, _ store: ResultStore
  ) throws -> [(title: String, stage: RunningStage)] {
    let points = try store.points(of: record.name)
    let titles = Dictionary(
      points.map { ($0.key, RunTitle.text(record.columns, $0.labels, seed: $0.seed)) }
    ) { first, _ in first }
    return running.map { (titles[$0.key] ?? $0.title, $0) }
  }

  struct Trouble {
    let word: String
    let reason: String
    var keys: [ContentKey]

    /// `failed 0123abcdef: no such file`, `diverged 12 times: the loss is nan (0123abcdef,
    /// 4567abcdef and 10 more)`.
    var text: String {
      if keys.count == 1 { return "\(word) \(keys[0].short): \(reason)" }
      let shown = keys.prefix(3).map(\.short).joined(separator: ", ")
      let rest = keys.count > 3 ? " and \(keys.count - 3) more" : ""
      return "\(word) \(keys.count) times: \(reason) (\(shown)\(rest))"
    }
  }

  private mutating func add(_ word: String, _ reason: String, _ key: ContentKey) {
    let reason = ForeignText.line(reason)
    if let place = troubles.firstIndex(where: { $0.word == word && $0.reason == reason }) {
      troubles[place].keys.append(key)
    } else {
      troubles.append(Trouble(word: word, reason: reason, keys: [key]))
    }
  }

  private var runs: Int { finished + failed + blocked + open }

  var machine: [String: JSONValue] {
    [
      "schema": "mtkd-sweep-status-1", "sweep": .string(name), "runs": JSONValue(runs),
      "finished": JSONValue(finished), "failed": JSONValue(failed), "diverged": JSONValue(diverged),
      "blocked": JSONValue(blocked), "open": JSONValue(open),
      "programs": .array(
        programs.map { ["program": .string($0.program), "finished": JSONValue($0.runs)] }),
      "holder": holder.map { JSONValue(Int($0.identity.process)) } ?? .null,
      "cluster": cluster.map(Self.machine) ?? .null, "claims": claims?.json ?? .null,
      "running": .array(
        active.map { title, stage in
          [
            "title": .string(title), "epoch": JSONValue(stage.epoch), "epochs": JSONValue(stage.epochs),
            "step": JSONValue(stage.step), "steps": JSONValue(stage.steps),
          ]
        }),
    ]
  }

  /// `smoke: 12 runs, 9 finished, 1 diverged, 0 failed, 0 blocked, 2 to run`.
  func head(_ style: TextStyle) -> String {
    func part(_ count: Int, _ word: String, _ meaning: TextStyle.Meaning) -> String {
      count > 0 ? style.tinted("\(count) \(word)", meaning) : "\(count) \(word)"
    }
    let broken =
      (diverged > 0 ? [part(diverged, "diverged", .failed)] : []) + [
        part(failed - diverged, "failed", .failed)
      ]
    let parts =
      [counted(runs, "run"), part(finished, "finished", .finished)] + broken
      + [part(blocked, "blocked", .stopped), "\(open) to run"]
    return "\(name): \(parts.joined(separator: ", "))"
  }

  func lines(_ style: TextStyle) -> [String] {
    var lines = [head(style)]
    if let claims {
      lines.append("claims: \(claims.summary)")
      lines += claims.lines.map { "  \($0)" }
    }
    lines += troubles.map { "  \($0.text)" }
    if programs.count > 1 {
      lines.append(
        "\(programs.count) programs or numerics made the finished runs; a cell that has runs of several "
          + "shows no number without --allow-mixed:"
      )
      lines += programs.map { "  \($0.runs) by \($0.program)" }
    }
    lines.append(
      holder.map {
        "held by process \($0.identity.process) on \($0.identity.host) since \(TimeOfDay.local($0.since))"
      } ?? (cluster == nil ? "nobody is running it" : "it is on the cluster"))
    lines += cluster?.lines ?? []
    if FileManager.default.fileExists(atPath: diary) {
      lines.append("  \(diary) has what a run had to say that had lost its terminal")
    }
    lines += active.map { title, stage in
      "  \(title): epoch \(stage.epoch + 1) of \(stage.epochs), step \(stage.step) of \(stage.steps)"
    }
    return lines
  }

  private static func machine(_ cluster: ClusterStatus) -> JSONValue {
    [
      "unavailable": cluster.unavailable.map { .string($0) } ?? .null,
      "batches": .array(
        cluster.batches.map { batch in
          [
            "token": .string(batch.token), "job": batch.number.map { .string($0) } ?? .null,
            "stages": JSONValue(batch.stages), "finished": JSONValue(batch.finished),
            "tasks": .object(Dictionary(batch.tasks.map { ($0.word, JSONValue($0.count)) }) { $1 }),
          ]
        }),
    ]
  }
}

/// `mtkd-sweep list`: the sweeps of a store, or the runs of one.
struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the sweeps of a store and their runs.")

  @OptionGroup var location: StoreLocation

  @Argument(help: "A sweep, to list its runs.", completion: Completions.sweeps)
  var sweep: String?

  @Option(help: "Of every run of the sweep, this metric (default: the one that its grid reports).")
  var metric: String?

  @Flag(help: "Of every run, the digests of its epochs' states and of its checkpoints.")
  var digests = false

  @Flag(help: "Of every run, when its last attempt began and how long it took, where its folder is here.")
  var long = false

  @Flag(help: "JSON on standard output.")
  var json = false

  func validate() throws {
    if metric != nil, sweep == nil { throw ValidationError("--metric is of the runs of a sweep: name one.") }
  }

  func run() throws {
    let store = try location.open()
    if digests { return try listDigests(store) }
    if let sweep { return try listRuns(of: sweep, store) }
    let sweeps = try store.sweeps()
    let counts = try sweeps.map { sweep in
      let points = try store.points(of: sweep.name)
      let finished = try store.states(of: points.map(\.key)).values.count { $0 == .finished }
      let programs = try store.programs(of: sweep.name).count
      return (sweep: sweep, runs: points.count, finished: finished, programs: programs)
    }
    if json {
      let values = counts.map { count -> JSONValue in
        [
          "name": .string(count.sweep.name), "asked": JSONValue(count.sweep.asked),
          "runs": JSONValue(count.runs),
          "finished": JSONValue(count.finished), "programs": JSONValue(count.programs),
        ]
      }
      Out.put(Commands.json(["schema": "mtkd-sweep-list-1", "sweeps": .array(values)]))
    } else {
      for count in counts {
        let claims = try store.claims(of: count.sweep).map { ", \($0.summary)" } ?? ""
        let makers = count.programs > 1 ? ", by \(count.programs) programs or numerics" : ""
        Out.put("\(count.sweep.name)  \(count.finished) of \(count.runs) runs finished\(claims)\(makers)\n")
      }
    }
  }

  private func listRuns(of sweep: String, _ store: ResultStore) throws {
    let record = try store.sweep(sweep)
    var report = try record.report
    if let metric, metric != report.metric { (report.metric, report.direction) = (metric, nil) }
    let metric = try record.metric(report)
    let outcomes = try store.outcomes(of: sweep, metric: metric)
    if self.metric != nil { try store.check(metric, record.metrics, outcomes) }
    if json {
      let runs = outcomes.map { outcome -> JSONValue in
        [
          "key": .string(outcome.point.key.description), "seed": JSONValue(outcome.point.seed),
          "state": .string(outcome.state.map(Self.word) ?? "to run"),
          "labels": .object(Dictionary(zip(record.columns, outcome.point.labels)) { $1 }),
          "programs": JSONValue(outcome.programs),
          "last": (outcome.final ?? outcome.last?.value).map { JSONValue($0) } ?? .null,
          "best": outcome.best.map { JSONValue($0.value) } ?? .null,
        ]
      }
      return Out.put(
        Commands.json([
          "schema": "mtkd-sweep-runs-1", "sweep": .string(sweep), "metric": .string(metric.name),
          "unit": metric.unit.map { .string($0) } ?? .null,
          "runs": .array(runs),
        ]))
    }
    let pools = ReportTable.poolNames(record.columns, outcomes.lazy.map(\.point.labels))
    let isMixed = Set(outcomes.flatMap(\.programs)).count > 1
    for outcome in outcomes {
      let labels = ReportTable.words(outcome.point.labels, record.columns, pools)
      let state = outcome.state.map(Self.word) ?? "to run"
      let value = (outcome.final ?? outcome.last?.value).map { "  \(metric.text($0))" } ?? ""
      let made =
        isMixed && !outcome.programs.isEmpty ? "  by \(outcome.programs.joined(separator: ", then "))" : ""
      let times = long ? AttemptTimes.all(of: outcome.point.key, in: location.folder) : [:]
      let last = times.keys.max().flatMap { times[$0] }.map { "  \($0.text)" } ?? ""
      let tries = times.count > 1 ? "  \(times.count) attempts" : ""
      Out.put(
        "\(outcome.point.key.short)  \(state)\(value)  \(labels) "
          + "seed=\(outcome.point.seed)\(made)\(last)\(tries)\n"
      )
    }
  }

  private func listDigests(_ store: ResultStore) throws {
    if json {
      let stages = try store.stages().map { stage, _ -> JSONValue in
        [
          "key": .string(stage.key.description),
          "epochs": .array(
            try store.curve(of: stage.key).map {
              [
                "epoch": JSONValue($0.epoch), "step": JSONValue($0.step),
                "state": .string($0.state.description),
              ]
            }),
          "checkpoints": .array(
            try store.checkpoints(of: stage.key).map {
              ["kind": .string($0.kind.rawValue), "digest": .string($0.digest.description)]
            }),
        ]
      }
      return Out.put(Commands.json(["schema": "mtkd-sweep-digests-1", "stages": .array(stages)]))
    }
    for (stage, _) in try store.stages() {
      for epoch in try store.curve(of: stage.key) {
        let values = epoch.metrics.values.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        Out.put("\(stage.key.short) epoch \(epoch.epoch) step \(epoch.step) \(epoch.state) \(values)\n")
      }
      for checkpoint in try store.checkpoints(of: stage.key) {
        Out.put("\(stage.key.short) \(checkpoint.kind.rawValue) \(checkpoint.epoch) \(checkpoint.digest)\n")
      }
    }
  }

  /// `to run` where pages and exports say `open`.
  static func word(_ state: StageState) -> String { state == .open ? "to run" : state.word }
}

/// `mtkd-sweep logs`: what the workers of a run said.
struct Logs: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs",
    abstract: "Print what the workers of a run wrote to their logs.")

  @OptionGroup var location: StoreLocation

  @Argument(
    help: ArgumentHelp("Run key or a unique prefix.", valueName: "run"),
    completion: Completions.runs)
  var key: String

  @Flag(name: .shortAndLong, help: "Go on printing as the log grows; Ctrl-C ends it.")
  var follow = false

  func run() throws {
    let (stage, _) = try location.stage(key, in: location.open())
    let attempts = try location.folder.stage(stage.key).attempts()
    guard let last = attempts.last else {
      throw NothingThere(
        description: "No folder of \(stage.key.short) is here: logs stay where the run was made.")
    }
    for attempt in attempts {
      let log = try AtomicFile.read(attempt.log)
      Out.put(
        "attempt \(attempt.number)\(log.isEmpty ? ": nothing was said" : "")\n"
          + String(decoding: log, as: UTF8.self))
    }
    guard follow else { return }
    var offset = try AtomicFile.read(last.log).count
    while true {
      usleep(500_000)
      // A log whose middle was cut out goes on from its new end.
      offset = min(offset, Int(FileStamp(last.log)?.size ?? 0))
      let more = try AtomicFile.read(last.log, from: offset)
      offset += more.count
      if !more.isEmpty { Out.put(String(decoding: more, as: UTF8.self)) }
    }
  }
}

/// `mtkd-sweep retry`: failed runs may run once more.
struct Retry: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Let failed runs run once more with the next 'run'.")

  @OptionGroup var location: StoreLocation

  @Argument(
    help: ArgumentHelp(
      "Run key or a unique prefix (default: all failed runs).", valueName: "run"),
    completion: Completions.runs)
  var key: String?

  func run() throws {
    let number = try location.writing(retry)
    Out.put(
      "\(count(number, "run")) will run again. `mtkd-sweep run FILE` starts \(number == 1 ? "it" : "them").\n"
    )
  }

  /// - Returns: how many.
  private func retry(_ store: ResultStore) throws -> Int {
    let chosen = try key.map { try withInputs(of: location.stage($0, in: store), store) } ?? store.stages()
    var number = 0
    for (stage, state) in chosen {
      switch state {
      case .failed, .blocked: try store.setState(.open, of: stage.key)
      case .open, .finished: continue
      }
      try location.folder.stage(stage.key).forgive()
      if stage.isResult || chosen.count == 1 { number += 1 }
    }
    // Batches that came to nothing count against their stages no longer.
    for batch in try location.folder.batches() where batch.isOver { try batch.makeVoid("forgiven") }
    return number
  }

  /// A run, and what it reads: it fails again where its transfers do not run once more.
  private func withInputs(
    of run: (stage: StageRecord, state: StageState), _ store: ResultStore
  ) throws -> [(stage: StageRecord, state: StageState)] {
    let known = Dictionary(try store.stages().map { ($0.stage.key, $0) }) { $1 }
    var chosen = [run]
    var seen: Set<ContentKey> = [run.stage.key]
    var place = 0
    while place < chosen.count {
      for key in try StageRequest(document: Array(chosen[place].stage.spec.utf8)).inputs {
        if let input = known[key], seen.insert(key).inserted { chosen.append(input) }
      }
      place += 1
    }
    return chosen
  }
}
