package import Reports
package import Specs
package import Storage

extension ResultStore {
  /// What the store knows of a run, as reports read it.
  package func account(of point: SweepPoint, columns: [String]) throws -> RunAccount {
    let title = RunTitle.text(columns, point.labels, seed: point.seed)
    guard let run = try run(of: point.key) else {
      return RunAccount(
        key: point.key, title: title, labels: point.labels,
        seed: point.seed, state: .open, spec: .null, epochs: [], totals: Metrics(), attempts: [],
        checkpoints: [])
    }
    return RunAccount(
      key: point.key, title: title, labels: point.labels, seed: point.seed,
      state: run.state, spec: try JSONReader.read(Array(run.stage.spec.utf8)).value,
      epochs: run.epochs, totals: run.totals,
      attempts: run.attempts.map { RunAccount.Attempt($0) },
      checkpoints: run.checkpoints.map {
        RunAccount.Checkpoint(kind: $0.kind.rawValue, epoch: $0.epoch, digest: $0.digest)
      })
  }
}

extension ResultStore {
  /// What the page of a sweep tells, of the runs that the results have.
  package func story(of sweep: SweepRecord, _ table: ReportTable) throws -> SweepStory {
    let results = table.source
    let outlines = try outlines(of: sweep.name)
    let series = try series(of: outlines.map(\.point.key), metric: results.metric)
    let seals = try seals()
    var places: [ContentKey: Int] = [:]
    for (place, outline) in outlines.enumerated() { places[outline.point.key] = place }
    let runs = results.runs.map { run -> SweepStory.Run in
      // A `run` with another grid may have come between these looks at the file.
      guard let key = run.key, let place = places[key] else {
        return SweepStory.Run(
          key: run.key ?? ContentKey(hashing: []), title: "seed \(run.seed)", attempts: [], series: [],
          lastState: nil, final: nil)
      }
      let outline = outlines[place]
      return SweepStory.Run(
        key: key, title: RunTitle.text(sweep.columns, run.labels, seed: run.seed),
        attempts: outline.attempts.map { RunAccount.Attempt($0) },
        series: series[place].map(\.value), lastState: outline.lastState, final: outline.final,
        seal: seals[key].map {
          SweepStory.Run.Seal(
            isEqual: $0.isEqual, epochs: $0.epochs,
            by: "by mtkd-sweep \($0.provenance.version) on \($0.provenance.host)")
        })
    }
    return SweepStory(table, grid: sweep.grid, asked: sweep.asked, runs: runs)
  }

  /// The same as the grid's report block says.
  package func story(of name: String) throws -> SweepStory {
    let sweep = try sweep(name)
    return try story(of: sweep, preferredTable(of: sweep))
  }

  /// The curves of a sweep.
  ///
  /// - Parameter begun: epochs of runs that are at work now, which the store does not have yet.
  package func curves(
    of sweep: SweepRecord, _ results: SweepResults, begun: [ContentKey: [EpochRecord]] = [:]
  ) throws
    -> Markup
  {
    // Past so many runs only those of the first cells are drawn.
    let isSmall = results.runs.count <= CurveSections.mostRuns
    let shown =
      isSmall
      ? Array(results.runs.indices)
      : CurveGrid.groups(results).prefix(CurveGrid.mostCells).flatMap(\.runs)
    let keys = shown.compactMap { results.runs[$0].key }
    let series = zip(keys, try series(of: keys, metric: results.metric)).map { ($0, $1.map(\.value)) }
    let curves = Dictionary(series) { $1 }.merging(
      begun.mapValues { epochs in epochs.map { $0.metrics[results.metric] ?? .nan } }
    ) { $1 }
    return CurveSections.markup(results) { index in results.runs[index].key.flatMap { curves[$0] } ?? [] }
  }

  /// The table as the grid's report block says.
  package func preferredTable(of sweep: SweepRecord) throws -> ReportTable {
    let preferences = try sweep.report
    let results = try results(of: sweep, preferences)
    let layout = ReportLayout(preferences)
    try layout.check(results)
    var table = try ReportTable(results, layout).beside(preferences.paperValues, in: self)
    table.claims = try claims(of: sweep)
    return table
  }
}

extension RunAccount.Attempt {
  init(_ attempt: AttemptSummary) {
    self.init(
      number: attempt.number, firstStep: attempt.firstStep, outcome: attempt.outcome.rawValue,
      reason: attempt.reason, provenance: attempt.provenance)
  }
}
