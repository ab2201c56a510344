internal import Foundation
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps

/// Takes what workers left in their folders into the store: records, checkpoints, and where a stage stands.
///
/// Files are the truth, whoever wrote them and wherever: a worker that this process started, one of a
/// cluster, one whose coordinator was killed.
final class Intake {
  let folder: StoreFolder
  let store: ResultStore
  let stages: [ContentKey: StageRequest]
  let titles: [ContentKey: StageTitle]
  /// Stages that this process has made known.
  private var registered: Set<ContentKey> = []
  /// Stages to make known and attempts to take in with the next transaction.
  private var announced: [StageRecord] = []
  private var reports: [AttemptReport] = []
  /// Whether runs that another program computed are complained of, once for each program.
  var watchesPrograms = false
  private lazy var ownProgram = ProgramIdentity.provenance().program
  private var seenPrograms: Set<ContentKey> = []
  /// Attempts that contradicted earlier ones, which only the store can tell.
  private var contradictions: [String] = []

  init(
    folder: StoreFolder, store: ResultStore, stages: [ContentKey: StageRequest],
    titles: [ContentKey: StageTitle]
  ) {
    self.folder = folder
    self.store = store
    self.stages = stages
    self.titles = titles
  }

  /// What the attempts at a stage left.
  struct Taken {
    var metrics = Metrics()
    /// Sentences about attempts that contradict each other, and about records that cannot be read.
    var complaints: [String] = []
    /// Why a finished stage cannot be called so: part of what it reported or made is gone.
    /// Then nothing was closed.
    var missing: String?
  }

  /// Makes a stage known to the store with whatever is written next: a transaction of its own takes longer
  /// than a small stage. A stage that a kill leaves unknown is made known when its files are taken in.
  func announce(_ key: ContentKey) {
    guard let stage = stages[key], registered.insert(key).inserted else { return }
    announced.append(
      StageRecord(
        key: key, kind: stage.kind, title: titles[key]?.text ?? stage.kind,
        spec: String(decoding: stage.document, as: UTF8.self)))
  }

  /// Makes a stage known to the store.
  func register(_ key: ContentKey) throws {
    announce(key)
    try flush()
  }

  /// Bytes of the checkpoints that were collected and that the store does not have yet.
  var waitingBytes: Int { reports.reduce(0) { $0 + $1.storedBytes } }

  /// Writes all that was announced and collected, in one transaction.
  func flush() throws {
    let contradicted = try store.ingest(reports, registering: announced)
    for (report, epochs) in zip(reports, contradicted) where !epochs.isEmpty {
      let (key, named) = (report.attempt.key, epochs.map { "\($0 + 1)" }.joined(separator: ", "))
      contradictions.append(
        "\(titles[key]?.text ?? key.short): attempt \(report.attempt.number) came to another state in epoch "
          + "\(named) than an earlier one. `mtkd-sweep show \(key.short)` says which machines made them.")
    }
    (announced, reports) = ([], [])
  }

  /// The first run that another program computed is said aloud: cells that mix programs show no number.
  private func foreignPrograms(_ records: [RunRecord], of key: ContentKey) -> [String] {
    var sentences: [String] = []
    for case .started(_, let made) in records {
      guard let program = made.program, let own = ownProgram, program != own,
        seenPrograms.insert(program).inserted
      else { continue }
      sentences.append(
        "\(titles[key]?.text ?? key.short) was computed by another program (\(made.version), "
          + "\(program.short)) than the one that runs this sweep (\(own.short)). A cell that mixes programs "
          + "shows no number without --allow-mixed; what `mtkd-sweep verify` proves equal under one program "
          + "counts as that one's.")
    }
    return sentences
  }

  /// Contradictions that were found since the last call.
  func newContradictions() -> [String] {
    defer { contradictions = [] }
    return contradictions
  }

  /// Takes a stage's records and checkpoints into the store at once. See `collect`.
  @discardableResult
  func take(_ key: ContentKey, closing: StageState?) throws -> Taken {
    var taken = try collect(key, closing: closing)
    try flush()
    taken.complaints += newContradictions()
    return taken
  }

  /// Reads a stage's records and checkpoints, for the next `flush`: a transaction costs more than all the
  /// rest of a small stage, and one serves many. Who is killed before it finds the files as they are. Damaged
  /// records are passed over.
  ///
  /// - Parameter closing: where the stage stands now; nil where it is still open. `.finished` is only
  ///   believed with every epoch's record, the final numbers and an output that is what was published.
  /// - Parameter measurements: for forecasts; kept with a stage that is taken in as finished.
  func collect(
    _ key: ContentKey, closing: StageState?, measurements: [(topic: String, seconds: Double)] = []
  ) throws -> Taken {
    announce(key)
    let place = folder.stage(key)
    var taken = Taken()
    var all: [(attempt: AttemptFolder, records: [NumberedRecord])] = []
    for attempt in try place.attempts() {
      var reader = RecordReader(attempt.records)
      do {
        all.append((attempt, try reader.next()))
      } catch let error as RecordDamage {
        taken.complaints.append("\(error)")
        all.append((attempt, []))
      }
    }
    let records = all.flatMap(\.records).map(\.record)
    for case .finished(let metrics) in records { taken.metrics = metrics }
    if watchesPrograms { taken.complaints += foreignPrograms(records, of: key) }
    var checkpoints: [Checkpoint] = []
    do {
      checkpoints = try self.checkpoints(key, place, closing, records)
    } catch let error as OutputError {
      taken.missing = "\(error)"
    }
    if closing == .finished, taken.missing == nil {
      taken.missing = try missing(of: key, records, checkpoints)
    }
    for (attempt, records) in all {
      let isLast = attempt == all.last?.attempt && taken.missing == nil
      reports.append(
        AttemptReport(
          AttemptID(key: key, number: attempt.number), records, checkpoints: isLast ? checkpoints : [],
          closing: isLast ? closing : nil, measurements: isLast ? measurements : []))
    }
    return taken
  }

  /// What a finished stage should have reported and neither its files nor the store
  /// have; nil where all is there.
  private func missing(
    of key: ContentKey, _ records: [RunRecord], _ checkpoints: [Checkpoint]
  ) throws -> String? {
    let isFinished = records.contains { if case .finished = $0 { true } else { false } }
    if try !isFinished && store.metrics(of: key).values.isEmpty { return "its final numbers are gone" }
    guard let final = checkpoints.first(where: { $0.kind == .final }) else { return nil }
    var epochs: Set<Int> = []
    for case .epoch(let epoch) in records { epochs.insert(epoch.epoch) }
    var gone = (0...max(0, final.epoch)).filter { !epochs.contains($0) }
    // Mostly the files have all of them.
    if !gone.isEmpty {
      epochs = Set(try store.curve(of: key).map(\.epoch))
      gone.removeAll(where: epochs.contains)
    }
    return gone.isEmpty ? nil : "the records of \(counted(gone.count, "epoch")) are gone"
  }

  /// Whether a stage's output is what was published, by the digests of all of its files.
  func isIntact(_ key: ContentKey) -> Bool {
    do {
      guard let output = try folder.stage(key).published() else { return false }
      try output.verify()
      return true
    } catch {
      return false
    }
  }

  /// An epoch, from 0, and the steps taken when it ended.
  private typealias Milestone = (epoch: Int, step: Int)

  /// The best and the last epoch as the records of a finished run have them; nil where some are gone.
  private static func milestones(_ records: [RunRecord]) -> (best: Milestone, last: Milestone)? {
    var (epochs, metrics): ([Int: Int], Metrics) = ([:], Metrics())
    for record in records {
      if case .epoch(let epoch) = record { epochs[epoch.step] = epoch.epoch }
      if case .finished(let found) = record { metrics = found }
    }
    func milestone(_ name: String) -> Milestone? {
      guard let step = metrics[name].flatMap({ Int(exactly: $0) }), let epoch = epochs[step] else {
        return nil
      }
      return (epoch, step)
    }
    guard let best = milestone("best.step"), let last = milestone("steps") else { return nil }
    return (best, last)
  }

  /// The same as a run's last snapshot has it, which takes as long to read as all else of a small stage.
  private static func milestones(_ snapshot: [UInt8]) throws -> (best: Milestone, last: Milestone) {
    let snapshot = try Networks.Snapshot(decoding: snapshot)
    let (best, place) = (try snapshot.integers("best.place"), try snapshot.integers("place"))
    return ((best[0], best[1]), (place[0] - 1, place[2]))
  }

  private func checkpoints(
    _ key: ContentKey, _ place: StageFolder, _ closing: StageState?, _ records: [RunRecord]
  ) throws -> [Checkpoint] {
    guard let kind = stages[key]?.kind, Catalog.stageKinds[kind]?.hasCheckpoints == true else { return [] }
    if closing == .finished, let output = try place.published() {
      // Somebody else's trainer keeps what it goes on from in files of its own.
      guard output.names.contains(TrainingBody.lastFile) else {
        return try KeptWeights.checkpoints(output)
      }
      let snapshot = try output.read(TrainingBody.lastFile)
      let (best, last) = try Self.milestones(records) ?? Self.milestones(snapshot)
      func state(_ kind: CheckpointKind, _ at: Milestone, _ file: String) throws -> Checkpoint {
        Checkpoint(
          kind: kind, epoch: at.epoch, step: at.step, bytes: try output.read(file),
          digest: try output.digest(of: file))
      }
      return [
        Checkpoint(
          kind: .last, epoch: last.epoch, step: last.step, bytes: snapshot,
          digest: try output.digest(of: TrainingBody.lastFile)),
        try state(.best, best, TrainingBody.bestFile), try state(.final, last, TrainingBody.finalFile),
      ]
    }
    guard let newest = try place.newestSnapshot().snapshot else { return [] }
    let step = try Networks.Snapshot(decoding: newest.bytes).integers("place")
    return [Checkpoint(kind: .last, epoch: step[0], step: newest.step, bytes: newest.bytes)]
  }

  /// Writes a stage's output anew from the states that the store keeps of it, where its folder was removed or
  /// the store was copied here.
  ///
  /// - Returns: false for stages of which the store keeps no state, such as datasets, which are quicker read
  ///   again, or a part alone, such as the weights of a trainer's run.
  func putBack(_ key: ContentKey) throws -> Bool {
    guard let stage = stages[key], Catalog.stageKinds[stage.kind]?.hasCheckpoints == true,
      try store.checkpoints(of: key).count == CheckpointKind.allCases.count
    else { return false }
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
    // What cannot be read says nothing: the stage is tried again.
    let records = (try? reader.next()) ?? []
    for case .failed(let failure) in records.map(\.record) { return failure }
    return nil
  }

  /// The failure at which a stage stands by its files alone, because nobody was left to take it in. One that
  /// the store knows does not count: it was allowed to run again.
  func unreadFailure(of key: ContentKey) throws -> FailureRecord? {
    guard let last = try folder.stage(key).attempts().last, let failure = try failure(of: last) else {
      return nil
    }
    let known = try store.states(of: [key]).isEmpty ? [] : store.attempts(of: key)
    return known.contains { $0.number == last.number && $0.outcome == .failed } ? nil : failure
  }

  /// Why an attempt's worker ended, as it said itself; empty where it said nothing.
  func lastWords(_ attempt: AttemptFolder) -> String { AttemptLog(attempt.log).lastWords }
}

extension ResultStore {
  /// Makes a sweep and its points known, in place of one of the same name, and keeps what
  /// its trainers are made of.
  func save(_ sweep: PlannedSweep, in folder: StoreFolder) throws {
    let record = SweepRecord(
      name: sweep.name, grid: sweep.text, canonical: sweep.canonical, columns: sweep.expansion.columns,
      asked: sweep.expansion.asked, created: Int(Date.now.timeIntervalSince1970))
    let points = zip(sweep.expansion.runs, sweep.plan.runKeys).map { run, key in
      SweepPoint(key: key, seed: run.seed, labels: run.labels)
    }
    try saveSweep(record, points: points, needs: sweep.needs)
    try SweepFile.write(record, points, needs: sweep.needs, in: folder)
    try TrainerFiles.copy(sweep, into: folder)
  }
}

extension PlannedSweep {
  /// Folders that grids name for images of transfers, by the name of the dataset.
  private var transferFolders: [String: String] {
    var folders: [String: String] = [:]
    var seen: Set<Int> = []
    for run in expansion.runs {
      guard let transfer = run.cell.transfer, seen.insert(transfer.number).inserted else { continue }
      folders[transfer.spec.dataset.name] = transfer.spec.dataset.folder
    }
    return folders
  }

  /// Folders of datasets' files, by the stages that read them: also of what only teachers learn from.
  var dataFolders: [ContentKey: String] {
    var folders: [ContentKey: String] = [:]
    var seen: Set<Int> = []
    for run in expansion.runs where seen.insert(run.cell.lesson.number).inserted {
      let dataset = run.cell.lesson.dataset
      guard let named = dataset.folder else { continue }
      folders[DatasetStage(dataset).key] = named
      for teacher in run.cell.lesson.teachers(seed: run.seed) where teacher.weights == nil {
        folders[DatasetStage(TeacherStage(teacher, on: dataset).dataset).key] = named
      }
    }
    // Images of transfers stay where they are: whoever trains and judges reads them there.
    for stage in plan.stages {
      guard let transfer = (try? stage.stage) as? any ReadsAnnotations else { continue }
      if let named = transferFolders[transfer.dataset.name] { folders[stage.key] = named }
    }
    return folders
  }
}
