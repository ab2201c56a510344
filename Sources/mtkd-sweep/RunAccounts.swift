import Pipeline
import Reports
import Specs
import Storage

extension ResultStore {
  /// What the store knows of a run, as reports read it.
  func account(of point: SweepPoint, columns: [String]) throws -> RunAccount {
    guard let run = try run(of: point.key) else {
      let labels = zip(columns, point.labels).filter { $0.1 != .null }.map {
        "\($0.0)=\($0.1.string ?? $0.1.description)"
      }
      return RunAccount(
        key: point.key, title: labels.joined(separator: " ") + " seed \(point.seed)", labels: point.labels,
        seed: point.seed, state: .open, spec: .null, epochs: [], totals: Metrics(), attempts: [],
        checkpoints: [])
    }
    return RunAccount(
      key: point.key, title: run.stage.title, labels: point.labels, seed: point.seed,
      state: RunAccount.State(run.state), spec: try JSONReader.read(Array(run.stage.spec.utf8)).value,
      epochs: run.epochs, totals: run.totals,
      attempts: run.attempts.map { RunAccount.Attempt($0) },
      checkpoints: run.checkpoints.map {
        RunAccount.Checkpoint(kind: $0.kind.rawValue, epoch: $0.epoch, digest: $0.digest)
      })
  }
}

extension ResultStore {
  /// What the page of a sweep tells.
  func story(of sweep: String, metric: String) throws -> SweepStory {
    let record = try self.sweep(sweep)
    let outlines = try outlines(of: sweep)
    let series = try series(of: sweep, metric: metric)
    let results = try results(of: sweep, metric: metric)
    // A `run` with a grown grid may have come between two of these looks at the file.
    guard outlines.map(\.point.key) == (try points(of: sweep).map(\.key)),
      outlines.count == results.runs.count
    else { return try story(of: sweep, metric: metric) }
    let runs = outlines.enumerated().map { index, run in
      SweepStory.Run(
        key: run.point.key, title: run.title ?? "seed \(run.point.seed)",
        attempts: run.attempts.map { RunAccount.Attempt($0) },
        series: index < series.count ? series[index].map(\.value) : [], lastState: run.lastState,
        final: run.final)
    }
    return SweepStory(results: results, grid: record.grid, asked: record.asked, runs: runs)
  }
}

extension RunAccount.Attempt {
  init(_ attempt: AttemptSummary) {
    self.init(
      number: attempt.number, firstStep: attempt.firstStep, outcome: attempt.outcome.rawValue,
      reason: attempt.reason, provenance: attempt.provenance)
  }
}

extension RunAccount.State {
  init(_ state: StageState) {
    switch state {
    case .finished: self = .finished
    case .failed(let failure): self = .failed(failure.cause, reason: failure.reason)
    case .blocked(let reason): self = .blocked(reason: reason)
    case .open: self = .open
    }
  }
}
