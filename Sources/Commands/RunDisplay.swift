import Foundation
import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps
import Synchronization

/// What people see while a sweep runs: a few lines that are redrawn on a terminal, plain lines
/// with time stamps elsewhere.
final class RunDisplay: Sendable {
  private struct State {
    var progress: SweepProgress
    var table: LiveTable?
    var claims: LiveFrame.Claims?
    var screen = LiveScreen(STDERR_FILENO)
    var lastFrame = Date.distantPast
    var lastLine = Date.now
  }

  private let style: TextStyle
  private let isLive: Bool
  private let isQuiet: Bool
  /// How often `-v` was given.
  private let detail: Int
  private let events: Bool
  private let state: Mutex<State>

  init(style: TextStyle, isLive: Bool, isQuiet: Bool, detail: Int = 0, events: Bool, forecast: Forecast) {
    self.style = style
    self.isLive = isLive
    self.isQuiet = isQuiet
    self.events = events
    self.detail = detail
    state = Mutex(State(progress: SweepProgress(forecast: forecast)))
  }

  func show(_ event: RunEvent) {
    if events { Out.put(json(event.machine)) }
    state.withLock { state in
      state.progress.take(event, at: Date.now.timeIntervalSince1970)
      state.table?.take(event)
      let reason = detail > 0 ? SweepProgress.reason(for: event) : nil
      if let line = (state.progress.line(for: event) ?? reason).map({ ForeignText.line($0) }),
        !isQuiet || SweepProgress.isTrouble(event)
      {
        let count = state.progress.count(after: event).map { " (\($0))" } ?? ""
        if isLive { draw(&state, above: line) } else { Talk.say("\(Self.stamp()) \(line)\(count)") }
        state.lastLine = .now
      }
      if isLive {
        let isUrgent = if case .progress = event { false } else { true }
        if isUrgent || Date.now.timeIntervalSince(state.lastFrame) > 0.1 { draw(&state) }
      } else if !isQuiet, !events, Date.now.timeIntervalSince(state.lastLine) > 60 {
        Talk.say("\(Self.stamp()) \(state.progress.total(at: Date.now.timeIntervalSince1970))")
        state.lastLine = .now
      }
    }
  }

  /// What is planned, and what there is of its results: the table that fills up.
  ///
  /// - Parameter claims: as they stood when this was asked for.
  func follow(_ sweep: PlannedSweep, claims: ClaimBook?, in store: ResultStore) throws {
    let report = sweep.grid.report
    let results =
      isLive && sweep.plan.runKeys.count <= LiveTable.mostRuns
      ? try store.results(of: store.sweep(sweep.name), report) : nil
    state.withLock { state in
      state.progress.name = sweep.name
      state.claims = claims.map { LiveFrame.Claims($0) }
      state.progress.headline = sweep.shownMetric
      state.progress.preparations = sweep.preparationsByKind
      state.table = results.flatMap {
        LiveTable($0, ReportLayout(report)) { try store.results(of: store.sweep(sweep.name), report) }
      }
    }
  }

  /// A line above the frame.
  func say(_ text: String) {
    state.withLock { state in
      if isLive { draw(&state, above: text) } else { Talk.say(text) }
    }
  }

  func end() { state.withLock { $0.screen.clear() } }

  private func draw(_ state: inout State, above: String? = nil) {
    var frame = state.progress.frame(at: Date.now.timeIntervalSince1970)
    frame.table = state.table?.current()
    frame.claims = state.claims
    let (width, height) = state.screen.size
    state.screen.draw(frame.lines(width: width, height: height, style), above: above)
    state.lastFrame = .now
  }

  private static func stamp() -> String {
    let formatter = DateFormatter()
    formatter.dateFormat = "yyyy-MM-dd HH:mm:ss zzz"
    return formatter.string(from: .now)
  }
}

/// What is known of a running sweep, and how it reads: values in, lines out.
struct SweepProgress {
  var name = ""
  /// The metric that stands for a run; nil where nobody declared one.
  var headline: MetricDescription?
  /// Stages that make no result of their own, by kind.
  var preparations: [(kind: String, done: Int, all: Int)] = []
  private var warnings: [String] = []
  private let forecast: Forecast
  private var counts = PlanCounts(asked: 0, distinct: 0, done: 0, preparations: 0)
  private var workers = 1
  /// By their keys: a worker may train several runs.
  private var running: [ContentKey: (worker: Int, title: StageTitle, progress: StageProgress?)] = [:]
  private var doneRuns = 0
  private var failures = 0
  private var failedRuns = 0
  /// Forecast and measured seconds of finished stages, and the forecast of all that is left.
  private var expected = 0.0
  private var measured = 0.0
  private var left: Double

  init(forecast: Forecast) {
    self.forecast = forecast
    left = forecast.cpuSeconds
  }

  mutating func take(_ event: RunEvent, at now: Double) {
    switch event {
    case .planned(let counts, let workers):
      self.counts = counts
      self.workers = workers
      doneRuns = counts.done
    case .stageStarted(let title, _, let worker): running[title.key] = (worker, title, nil)
    case .progress(let progress, let worker):
      running[progress.title.key] = (worker, progress.title, progress)
    case .stageFinished(let title, _, let seconds, _):
      end(title)
      let forecast = forecast.seconds(of: title.key)
      (expected, measured, left) = (expected + forecast, measured + seconds, left - forecast)
      if title.isResult { doneRuns += 1 }
      if let place = preparations.firstIndex(where: { $0.kind == title.kind }) {
        preparations[place].done = min(preparations[place].all, preparations[place].done + 1)
      }
    case .stageFailed(let title, _, _):
      end(title)
      left -= forecast.seconds(of: title.key)
      if title.isResult { (doneRuns, failedRuns, failures) = (doneRuns + 1, failedRuns + 1, failures + 1) }
    case .workerDied(let title, _, _, _), .stageStopped(let title, _, _): end(title)
    case .stageBlocked(let title, _): if title.isResult { failures += 1 }
    case .warning(let text): warnings = warnings.suffix(1) + [text]
    case .stopping, .notice: break
    }
  }

  private mutating func end(_ title: StageTitle) { running[title.key] = nil }

  /// Seconds until all is done, as a range; nil before anything has been measured.
  func remaining() -> ClosedRange<Double>? {
    guard expected > 0 else { return nil }
    let under = running.values.reduce(0.0) { sum, entry in
      guard let progress = entry.progress, progress.steps > 0 else { return sum }
      return sum + forecast.seconds(of: entry.title.key) * Double(progress.step) / Double(progress.steps)
    }
    let middle = max(0, left - under) * measured / expected / Double(max(1, workers))
    return (middle * 0.8)...(middle * 1.3)
  }

  /// `12 of 36 runs, 1 failed, 3 m to 5 m left`.
  func total(at now: Double) -> String {
    var words = ["\(doneRuns) of \(counts.distinct) runs"]
    if failures > 0 { words.append("\(failures) failed") }
    if let remaining = remaining() {
      words.append(
        "\(duration(remaining.lowerBound)) to \(duration(remaining.upperBound)) left, until about "
          + "\(Self.clock(now + remaining.upperBound))"
      )
    }
    return words.joined(separator: ", ")
  }

  /// How far the sweep is once a run has ended, such as `7 of 27`; nil after anything else.
  func count(after event: RunEvent) -> String? {
    switch event {
    case .stageFinished(let title, _, _, _) where title.isResult,
      .stageFailed(let title, _, _) where title.isResult:
      "\(doneRuns) of \(counts.distinct)"
    default: nil
    }
  }

  /// What a terminal shows now, the table excepted.
  func frame(at now: Double) -> LiveFrame {
    LiveFrame(
      name: name, finished: max(0, doneRuns - failedRuns), failed: failures, all: counts.distinct,
      preparations: preparations.map { ("\($0.kind)s", $0.done, $0.all) },
      work: running.values.sorted { ($0.worker, $0.title.text) < ($1.worker, $1.title.text) }.map { entry in
        LiveFrame.Work(
          title: entry.title.text, epoch: entry.progress?.epoch ?? 0, epochs: entry.progress?.epochs ?? 0,
          step: entry.progress?.step ?? 0, steps: entry.progress?.steps ?? 0, loss: entry.progress?.loss,
          imagesPerSecond: entry.progress?.imagesPerSecond)
      }, remaining: remaining(), now: now, warnings: warnings)
  }

  private static func clock(_ time: Double) -> String {
    let formatter = DateFormatter()
    formatter.dateFormat = "HH:mm"
    return formatter.string(from: Date(timeIntervalSince1970: time))
  }

  private static func preparations(_ counts: PlanCounts) -> String {
    counts.hasTransfers
      ? counted(counts.preparations, "stage before evaluations", "stages before evaluations")
      : counted(counts.preparations, "dataset, teacher or output", "datasets, teachers and outputs")
  }

  /// What deserves a line of its own; nil for what the frame shows.
  func line(for event: RunEvent) -> String? {
    switch event {
    case .planned(let counts, let workers):
      let made =
        counts.preparations > 0
        ? ", \(Self.preparations(counts)) to make"
        : ""
      return
        "\(counted(counts.asked, "run")) asked for, \(counts.distinct) distinct, \(counts.done) done, "
        + "\(counts.toRun) to run\(made), \(workers > 0 ? counted(workers, "worker") : "on the cluster")"
    case .stageFinished(let title, let metrics, let seconds, _):
      let value = headline.flatMap { headline in
        metrics[headline.name].map { ", \(headline.name) \(headline.text($0))" }
      }
      return "done  \(title.text)\(value ?? ""), \(duration(seconds))"
    case .stageFailed(let title, let failure, _): return "FAILED  \(title.text): \(failure.reason)"
    case .workerDied(let title, let how, let tries, _):
      return "DIED  \(title.text): \(how); \(tries > 0 ? "starts again from its last snapshot" : "given up")"
    case .stageBlocked(let title, let culprit): return "BLOCKED  \(title.text): \(culprit.text) failed"
    case .stageStopped(let title, let step, _): return "stopped  \(title.text) at step \(step)"
    case .warning(let text): return "warning: \(text)"
    case .notice(let text): return text
    case .stageStarted, .progress, .stopping: return nil
    }
  }

  /// Why a stage starts, for those who asked for more words.
  static func reason(for event: RunEvent) -> String? {
    guard case .stageStarted(let title, let attempt, let worker) = event else { return nil }
    let why = attempt == 1 ? "nothing of it is there yet" : "attempt \(attempt), from its newest snapshot"
    return "start  \(title.text): \(why); worker \(worker)"
  }

  static func isTrouble(_ event: RunEvent) -> Bool {
    switch event {
    case .stageFailed, .workerDied, .stageBlocked, .warning: true
    case .planned, .stageStarted, .progress, .stageFinished, .stageStopped, .stopping, .notice: false
    }
  }
}

extension RunEvent {
  /// One line of `run --events`.
  var machine: [String: JSONValue] {
    func stage(_ title: StageTitle) -> [String: JSONValue] {
      ["key": .string(title.key.description), "kind": .string(title.kind), "title": .string(title.text)]
    }
    func event(_ name: String, _ members: [String: JSONValue]) -> [String: JSONValue] {
      members.merging(["event": .string(name)]) { $1 }
    }
    switch self {
    case .planned(let counts, let workers):
      return event(
        "planned",
        [
          "asked": JSONValue(counts.asked), "distinct": JSONValue(counts.distinct),
          "done": JSONValue(counts.done),
          "toRun": JSONValue(counts.toRun), "workers": JSONValue(workers), "schema": "mtkd-sweep-events-1",
        ])
    case .stageStarted(let title, let attempt, let worker):
      return event(
        "started", stage(title).merging(["attempt": JSONValue(attempt), "worker": JSONValue(worker)]) { $1 })
    case .progress(let progress, let worker):
      return event(
        "progress",
        stage(progress.title).merging([
          "worker": JSONValue(worker), "epoch": JSONValue(progress.epoch), "step": JSONValue(progress.step),
          "steps": JSONValue(progress.steps), "loss": progress.loss.map { JSONValue($0) } ?? .null,
        ]) { $1 })
    case .stageFinished(let title, let metrics, let seconds, let worker):
      let values = Dictionary(metrics.values.map { ($0.name, JSONValue($0.value)) }) { $1 }
      return event(
        "finished",
        stage(title).merging([
          "worker": JSONValue(worker), "seconds": JSONValue(seconds), "metrics": .object(values),
        ]) { $1 })
    case .stageFailed(let title, let failure, _):
      return event(
        "failed",
        stage(title).merging(["cause": .string(failure.cause.rawValue), "reason": .string(failure.reason)]) {
          $1
        })
    case .workerDied(let title, let how, let tries, _):
      return event("died", stage(title).merging(["how": .string(how), "triesLeft": JSONValue(tries)]) { $1 })
    case .stageBlocked(let title, let culprit):
      return event("blocked", stage(title).merging(["by": .string(culprit.key.description)]) { $1 })
    case .stageStopped(let title, let step, _):
      return event("stopped", stage(title).merging(["step": JSONValue(step)]) { $1 })
    case .stopping: return event("stopping", [:])
    case .warning(let text): return event("warning", ["text": .string(text)])
    case .notice(let text): return event("notice", ["text": .string(text)])
    }
  }
}
