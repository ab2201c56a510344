import Reports
import Specs
import Storage
import TestSupport
import Testing

@testable import Results

/// What a store says of runs becomes one number, or a gap with a reason.
@Suite struct StoredResultsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A store with one finished run of each list of records; metrics of the epochs, then those of `finished`.
  private func results(
    _ runs: [(epochs: [[String: Double]], totals: [String: Double])], _ preferences: ReportPreferences,
    declared: String = ""
  ) throws -> SweepResults {
    let store = try ResultStore(at: StoreFolder(folder.path("results")), .writing)
    let keys = runs.indices.map { ContentKey(hashing: [UInt8($0)]) }
    try store.register(keys.map { StageRecord(key: $0, kind: "student", title: "a run", spec: "{}") })
    for (key, run) in zip(keys, runs) {
      var records: [RunRecord] = run.epochs.enumerated().map { epoch, metrics in
        .epoch(
          EpochRecord(
            epoch: epoch, step: epoch + 1, metrics: Metrics(metrics),
            state: ContentKey(hashing: [UInt8(epoch)])))
      }
      records.append(.finished(metrics: Metrics(run.totals)))
      try store.ingest(
        records.enumerated().map { NumberedRecord($0.offset, $0.element) },
        of: AttemptID(key: key, number: 1), closing: .finished)
    }
    let metrics = declared.isEmpty ? "" : "\"metrics\":\(declared),"
    let record = SweepRecord(
      name: "s", grid: "{}",
      canonical: "{\(metrics)\"report\":\(String(decoding: preferences.canonicalBytes, as: UTF8.self))}",
      columns: ["student", "method"], asked: runs.count, created: 1)
    try store.saveSweep(
      record, points: keys.enumerated().map { SweepPoint(key: $1, seed: $0 + 1, labels: ["a", "b"]) })
    return try store.results(of: store.sweep("s"), preferences)
  }

  private static func preferences(
    _ metric: String?, select: ReportSelection = .last, epoch: ReportEpoch = .last,
    direction: MetricDirection? = nil
  ) -> ReportPreferences {
    var preferences = ReportPreferences()
    preferences.metric = metric
    preferences.select = select
    preferences.epoch = epoch
    preferences.direction = direction
    return preferences
  }

  private func text(_ results: SweepResults) -> String {
    TextTable.render(ReportTable(results), style: TextStyle())
  }

  @Test func `the number of finished counts before that of the last epoch`() throws {
    let results = try results(
      [(epochs: [["m": 1], ["m": 2]], totals: ["m": 5]), (epochs: [["m": 1], ["m": 2]], totals: [:])],
      Self.preferences("m"))
    #expect(results.runs.map { $0.numbers?.last } == [.number(5), .number(2)])
  }

  @Test func `a metric that only finished reports is in the table`() throws {
    let results = try results([(epochs: [["x": 1]], totals: ["m": 73.5])], Self.preferences("m"))
    #expect(results.runs.map { $0.numbers?.last } == [.number(73.5)])
  }

  @Test func `the last epoch did not report it: a gap that says which one did, unless that one is meant`()
    throws
  {
    let run = (epochs: [["m": 1.0], ["m": 2], ["x": 0]], totals: [String: Double]())
    let gap = try results([run], Self.preferences("m"))
    #expect(text(gap).contains("0 of 1, 1 not recorded"), "\(text(gap))")
    #expect(
      text(gap).contains("epoch 3, the last, did not report it; epoch 2 was the last that did"),
      "\(text(gap))")
    let meant = try results([run], Self.preferences("m", epoch: .lastReported))
    #expect(meant.runs.map { $0.numbers?.last } == [.number(2)])
  }

  @Test func `a value that is not finite is a gap, and hides no best`() throws {
    let results = try results(
      [
        (epochs: [["test.loss": 3], ["test.loss": .nan]], totals: [:]),
        (epochs: [["test.loss": 2]], totals: [:]),
      ],
      Self.preferences("test.loss"))
    #expect(results.runs.map { $0.numbers?.last } == [.notFinite, .number(2)])
    #expect(results.runs.map { $0.numbers?.best } == [3, 2])
    #expect(text(results).contains("1 of 2, 1 not finite"), "\(text(results))")
  }

  @Test func `the direction is declared, never guessed`() throws {
    let runs = [(epochs: [["val.rmse": 3.0], ["val.rmse": 1]], totals: [String: Double]())]
    #expect(try results(runs, Self.preferences("val.rmse")).runs[0].numbers?.best == nil)
    #expect(try results(runs, Self.preferences("val.rmse", direction: .lower)).runs[0].numbers?.best == 1)
    let declared = #"[{"direction":"higher","name":"val.rmse","trainer":true}]"#
    #expect(try results(runs, Self.preferences("val.rmse"), declared: declared).runs[0].numbers?.best == 3)
  }

  @Test func `a trainer's headline is what a report shows, and its own validation value chooses`() throws {
    let declared =
      #"[{"direction":"higher","headline":true,"name":"test.mAP","title":"mean AP","trainer":true,"unit":"%"}]"#
    let runs = [
      (
        epochs: [
          ["test.mAP": 30.0, "validation.mAP": 9], ["test.mAP": 20, "validation.mAP": 11], ["test.mAP": 40],
        ],
        totals: [String: Double]()
      )
    ]
    let results = try results(runs, Self.preferences(nil, select: .bestOnValidation), declared: declared)
    #expect(results.metric == "test.mAP" && results.selector?.name == "validation.mAP")
    #expect(results.runs[0].numbers?.validated == .number(20))
    #expect(results.runs[0].numbers?.best == 40)
  }

  @Test func `classification chooses every metric's epoch by validation accuracy`() throws {
    let epochs = [
      ["test.loss": 1.0, "validation.acc1": 50, "validation.loss": 1],
      ["test.loss": 2.0, "validation.acc1": 60, "validation.loss": 2],
    ]
    let results = try results(
      [(epochs: epochs, totals: [:])], Self.preferences("test.loss", select: .bestOnValidation))
    #expect(results.runs[0].numbers?.validated == .number(2))
    #expect(results.selector?.title == "validation accuracy")
  }

  @Test func `a metric that nobody declared and no run recorded is named as unknown`() throws {
    #expect(throws: UnknownName(kind: "metric of this sweep", name: "m", known: ["test.acc1"])) {
      try results([(epochs: [["test.acc1": 1]], totals: [:])], Self.preferences("m"))
    }
  }
}
