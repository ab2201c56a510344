internal import Foundation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps

/// Takes what workers left in their folders into the store: records, checkpoints, and where a stage stands.
///
/// Files are the truth, whoever wrote them and wherever: a worker that this process started, one of a cluster, one whose coordinator was killed.
struct Intake {
  let folder: StoreFolder
  let store: ResultStore
  let stages: [ContentKey: StageRequest]
  let titles: [ContentKey: StageTitle]

  /// What the last attempts at a stage left.
  struct Taken {
    var metrics = Metrics()
    /// Sentences about attempts that contradict each other.
    var contradictions: [String] = []
  }

  /// Makes a stage known to the store.
  func register(_ key: ContentKey) throws {
    guard let stage = stages[key] else { return }
    try store.register([
      StageRecord(
        key: key, kind: stage.kind, title: titles[key]?.text ?? stage.kind,
        spec: String(decoding: stage.document, as: UTF8.self))
    ])
  }

  /// Takes a stage's records and checkpoints into the store, in one transaction for the last attempt.
  ///
  /// - Parameter closing: where the stage stands now; nil where it is still open.
  @discardableResult
  func take(_ key: ContentKey, closing: StageState?) throws -> Taken {
    try register(key)
    let place = folder.stage(key)
    var taken = Taken()
    let attempts = try place.attempts()
    for attempt in attempts {
      var reader = RecordReader(attempt.records)
      let records = try reader.next()
      for case .finished(let all) in records.map(\.record) { taken.metrics = all }
      let isLast = attempt == attempts.last
      let epochs = try store.ingest(
        records, of: AttemptID(key: key, number: attempt.number),
        checkpoints: isLast ? checkpoints(key, place, closing) : [], closing: isLast ? closing : nil)
      if !epochs.isEmpty {
        let named = epochs.map { "\($0 + 1)" }.joined(separator: ", ")
        taken.contradictions.append(
          "\(titles[key]?.text ?? key.short): attempt \(attempt.number) came to another state in epoch \(named) than an earlier one. "
            + "`mtkd-sweep show \(key.short)` says which machines made them.")
      }
    }
    return taken
  }

  private func checkpoints(
    _ key: ContentKey, _ place: StageFolder, _ closing: StageState?
  ) throws -> [Checkpoint] {
    guard let kind = stages[key]?.kind, [TeacherStage.kind, StudentStage.kind].contains(kind) else {
      return []
    }
    if closing == .finished, let output = try place.published() {
      // Somebody else's trainer keeps its checkpoints in files of its own.
      guard output.names.contains(TrainingBody.lastFile) else { return [] }
      let last = try output.read(TrainingBody.lastFile)
      let best = try Networks.Snapshot(decoding: last).integers("best.place")
      let step = try Networks.Snapshot(decoding: last).integers("place")
      return [
        Checkpoint(kind: .last, epoch: step[0] - 1, step: step[2], bytes: last),
        Checkpoint(kind: .best, epoch: best[0], step: best[1], bytes: try output.read(TrainingBody.bestFile)),
        Checkpoint(
          kind: .final, epoch: step[0] - 1, step: step[2], bytes: try output.read(TrainingBody.finalFile)),
      ]
    }
    guard let newest = try place.newestSnapshot().snapshot else { return [] }
    let step = try Networks.Snapshot(decoding: newest.bytes).integers("place")
    return [Checkpoint(kind: .last, epoch: step[0], step: newest.step, bytes: newest.bytes)]
  }

  /// Writes a teacher's output anew from the store, where its folder was removed or the store was copied here. False for datasets, which are
  /// quicker read again.
  func putBack(_ key: ContentKey) throws -> Bool {
    guard let stage = stages[key], stage.kind == TeacherStage.kind else { return false }
    let place = folder.stage(key)
    try place.create(spec: stage.document)
    let attempt = try place.newAttempt()
    try attempt.prepareOutput([
      (TrainingBody.finalFile, store.checkpoint(of: key, kind: .final).bytes),
      (TrainingBody.bestFile, store.checkpoint(of: key, kind: .best).bytes),
      (TrainingBody.lastFile, store.checkpoint(of: key, kind: .last).bytes),
    ])
    try place.publish(attempt)
    return true
  }

  /// The failure that an attempt recorded.
  func failure(of attempt: AttemptFolder) throws -> FailureRecord? {
    var reader = RecordReader(attempt.records)
    for case .failed(let failure) in try reader.next().map(\.record) { return failure }
    return nil
  }

  /// The failure at which a stage stands by its files alone, because nobody was left to take it in. One that the store knows does not count: it
  /// was allowed to run again.
  func unreadFailure(of key: ContentKey) throws -> FailureRecord? {
    guard let last = try folder.stage(key).attempts().last, let failure = try failure(of: last) else {
      return nil
    }
    let known = try store.states(of: [key]).isEmpty ? [] : store.attempts(of: key)
    return known.contains { $0.number == last.number && $0.outcome == .failed } ? nil : failure
  }

  /// The last line that an attempt's worker said.
  func lastLine(_ attempt: AttemptFolder) -> String {
    let text = (try? AtomicFile.read(attempt.log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return text.split(separator: "\n").last.map(String.init) ?? ""
  }
}

extension ResultStore {
  /// Makes a sweep and its points known, in place of one of the same name, and keeps what its trainers are made of.
  func save(_ sweep: PlannedSweep, in folder: StoreFolder) throws {
    let record = SweepRecord(
      name: sweep.name, grid: sweep.text, canonical: sweep.canonical, columns: sweep.expansion.columns,
      asked: sweep.expansion.asked, created: Int(Date.now.timeIntervalSince1970))
    let points = zip(sweep.expansion.runs, sweep.plan.runKeys).map { run, key in
      SweepPoint(key: key, seed: run.spec.seed, labels: run.labels)
    }
    try saveSweep(record, points: points)
    try SweepFile.write(record, points, in: folder)
    try TrainerFiles.copy(sweep, into: folder)
  }
}

extension PlannedSweep {
  /// Folders of datasets' files, where the grid named one.
  var dataFolders: [ContentKey: String] {
    var folders: [ContentKey: String] = [:]
    for run in expansion.runs {
      if let named = run.spec.dataset.folder { folders[DatasetStage(run.spec.dataset).key] = named }
    }
    return folders
  }
}
