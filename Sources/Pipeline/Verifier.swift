internal import Datasets
internal import Foundation
internal import Networks
package import Specs
package import Storage
package import Sweeps

/// What came of executing a finished run again.
package enum VerificationOutcome: Sendable {
  /// Every epoch's state and metrics, the last numbers and every checkpoint that the
  /// store has are the same bits.
  case equal(epochs: Int, checkpoints: Int)
  case different(VerificationDifference)
  /// It could not be executed, or there is nothing to compare with; a sentence.
  case notComparable(String)
}

package struct VerificationDifference: Sendable {
  /// The first epoch that differs, from 0; nil where only what came after all epochs does.
  package let epoch: Int?
  /// What differs, in words.
  package let what: String
  /// What the two machines and programs do not have in common; empty where they are the same.
  package let circumstances: [String]
  package let epochsCompared: Int
}

/// Executes finished stages again from their recorded inputs, in a store of their own inside the store, and
/// compares.
///
/// Teachers are asked, whatever was written down of them, unless told otherwise: a verification trusts as
/// little as it can.
package final class Verifier: Sendable {
  private let folder: StoreFolder
  private let store: ResultStore
  /// A folder for stores of verifications: each has its own, because one's stage is another's input.
  private let scratch: String
  private let executor: any Executor
  private let dataFolders: [String]
  private let readsOutputs: Bool

  /// - Parameters:
  ///   - folder: by its absolute path.
  ///   - readsOutputs: whether recorded outputs of teachers may stand in for the teachers.
  package init(
    _ folder: StoreFolder, _ store: ResultStore, executor: any Executor, dataFolders: [String],
    readsOutputs: Bool = false
  ) throws {
    self.folder = folder
    self.store = store
    self.executor = executor
    self.dataFolders = dataFolders
    self.readsOutputs = readsOutputs
    scratch = "\(folder.path)/\(StoreNames.verification)"
  }

  /// Removes what verifications have made.
  package func end() throws { try StoreFolder(scratch).remove() }

  /// - Returns: the outcome, and what executed the run again; nil where nothing was.
  package func verify(_ key: ContentKey) async throws -> (outcome: VerificationOutcome, by: Provenance?) {
    guard let run = try store.run(of: key) else { return (.notComparable("the store does not know it"), nil) }
    let (request, stage): (StageRequest, any StageKind)
    switch executable(run, key) {
    case .no(let reason): return (.notComparable(reason), nil)
    case .yes(let asked, let known): (request, stage) = (asked, known)
    }
    let scratch = StoreFolder("\(scratch)/\(key.short)")
    defer { try? scratch.remove() }
    if let reason = try await prepare(scratch, for: request, stage) { return (.notComparable(reason), nil) }
    for input in request.inputs where stage.verifiedInputs.contains(input) {
      if let outcome = try await repeated(input, for: run, scratch) { return (outcome, nil) }
    }
    let (attempt, end) = try await execute(request, dataFolder: folder(of: stage), scratch)
    let records = try Self.records(of: attempt)
    let by = records.lazy.compactMap { record -> Provenance? in
      if case .started(_, let provenance) = record { provenance } else { nil }
    }.first
    guard end == .exited(Int(WorkerExit.finished)), let by else {
      let last = (try? AtomicFile.read(attempt.log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      let line = last.split(separator: "\n").last.map { ": \($0)" } ?? ""
      return (.notComparable("executing it again ended before the end (\(end))\(line)"), by)
    }
    let made = run.attempts.last { $0.outcome == .finished }?.provenance
    // Another program may report more than the one that made the run: what that one did not report proves
    // nothing.
    let isSameProgram = made?.program == by.program
    let outcome = try compare(
      run, records, scratch.stage(key), circumstances: Self.circumstances(made, by),
      ignoringNew: !isSameProgram)
    // Other kernels round otherwise: bits that differ under another profile say nothing about the run.
    if case .different = outcome, let made, made.profile != by.profile {
      return (
        .notComparable("it was made under \(made.profile), this machine computes under \(by.profile)"), by
      )
    }
    if case .different = outcome, stage.trainer != nil,
      let reason = try await wavering(request, stage, records)
    {
      return (.notComparable(reason), by)
    }
    return (outcome, by)
  }

  private enum Executable {
    case yes(StageRequest, any StageKind)
    /// With the reason.
    case no(String)
  }

  /// Whether a run can be executed again by this program.
  private func executable(_ run: StoredRun, _ key: ContentKey) -> Executable {
    guard run.state == .finished else { return .no("it is not finished") }
    guard !run.epochs.isEmpty else {
      return .no(
        run.stage.hasCheckpoints ? "no epoch of it is recorded" : "a \(run.stage.kind) has no epochs")
    }
    guard let request = try? StageRequest(document: Array(run.stage.spec.utf8)), request.key == key else {
      return .no("its specification in the store is not what its key was made of")
    }
    guard let kind = Catalog.stageKinds[request.kind], let stage = try? request.stage else {
      return .no("this program does not know stages of the kind \(request.kind)")
    }
    guard request.revision == kind.revision else {
      return .no(
        "another program made it: its numbers are of revision \(request.revision), this program's of "
          + "\(kind.revision)"
      )
    }
    if let lost = stage.sourceWeights, !WeightsFolder(folder).has(lost.digest) {
      return .no(
        "the file that it was made from is not in the store (\(WeightsFolder(folder).file(lost.digest))); "
          + "import it again"
      )
    }
    return .yes(request, stage)
  }

  /// Whether a trainer comes to other bits each time it is executed, which says nothing about the run: a
  /// sentence with where two executions differ first; nil where both came to the same.
  private func wavering(
    _ request: StageRequest, _ stage: any StageKind, _ first: [RunRecord]
  ) async throws -> String? {
    let scratch = StoreFolder("\(scratch)/\(request.key.short)-again")
    defer { try? scratch.remove() }
    if let reason = try await prepare(scratch, for: request, stage) { return reason }
    let (attempt, end) = try await execute(request, dataFolder: nil, scratch)
    guard end == .exited(Int(WorkerExit.finished)) else {
      return "its trainer ended well once and not a second time (\(end))"
    }
    func epochs(_ records: [RunRecord]) -> [EpochRecord] {
      records.compactMap { if case .epoch(let epoch) = $0 { epoch } else { nil } }
    }
    for (a, b) in zip(epochs(first), epochs(try Self.records(of: attempt)))
    where a.state != b.state || a.metrics.canonicalBytes != b.metrics.canonicalBytes {
      let name = Self.firstDifference(a.metrics, b.metrics, false)
      let what =
        name.map {
          "\($0) is \(Self.text(a.metrics[$0])) once and \(Self.text(b.metrics[$0])) the other time"
        }
        ?? "the state is \(a.state.short) once and \(b.state.short) the other time"
      return
        "its trainer is not deterministic: executed twice, it differs first in epoch \(a.epoch + 1): \(what)"
    }
    return nil
  }

  /// Makes a store of its own with all that a stage reads.
  ///
  /// - Returns: why it cannot be.
  private func prepare(
    _ scratch: StoreFolder, for request: StageRequest, _ stage: any StageKind
  ) async throws -> String? {
    try scratch.remove()
    try scratch.create()
    try WeightsFolder(scratch).lend(WeightsFolder(folder))
    if let trainer = stage.trainer, let file = try TrainerFiles.lend(trainer, from: folder, to: scratch) {
      return "its trainer's file is not in the store any more (\(file))"
    }
    for input in request.inputs where !stage.verifiedInputs.contains(input) {
      if let reason = try await provide(input, scratch) { return reason }
    }
    if readsOutputs {
      for key in stage.optionalInputs where try folder.stage(key).published() != nil {
        try scratch.lend(folder.stage(key))
      }
    }
    return nil
  }

  // MARK: Inputs

  /// Makes an input available to the scratch store: the one of the store where its files are there, else made
  /// again.
  ///
  /// - Returns: why it cannot be.
  private func provide(_ key: ContentKey, _ scratch: StoreFolder) async throws -> String? {
    let place = scratch.stage(key)
    if try place.published() != nil { return nil }
    if try folder.stage(key).published() != nil {
      try scratch.lend(folder.stage(key))
      return nil
    }
    guard let stage = try store.stages(withPrefix: key.description).first?.stage,
      let request = try? StageRequest(document: Array(stage.spec.utf8))
    else { return "its input \(key.short) is not in the store" }
    let intake = Intake(folder: scratch, store: store, stages: [key: request], titles: [:])
    do { if try intake.putBack(key) { return nil } } catch { return "\(error)" }
    let made = try request.stage
    guard made.datasetName != nil else { return "\(stage.title) has no output" }
    let (attempt, end) = try await execute(request, dataFolder: folder(of: made), scratch)
    if end == .exited(Int(WorkerExit.finished)) { return nil }
    let text = (try? AtomicFile.read(attempt.log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return "\(stage.title) cannot be read: \(text.split(separator: "\n").last ?? "no word was said")"
  }

  /// Where the files that a stage reads lie; nil for none.
  private func folder(of stage: any StageKind) throws -> String? {
    guard let name = stage.datasetName else { return nil }
    return AnnotatedCatalog.has(name)
      ? try AnnotatedCatalog.locate(name, searching: dataFolders).spec.folder
      : try DatasetCatalog.locate(name, searching: dataFolders).spec.folder
  }

  /// Executes an input again and compares its output with what the store has of it; nil where they are equal.
  private func repeated(
    _ key: ContentKey, for run: StoredRun, _ scratch: StoreFolder
  ) async throws -> VerificationOutcome? {
    guard let stage = try store.stages(withPrefix: key.description).first?.stage,
      let request = try? StageRequest(document: Array(stage.spec.utf8)), request.key == key
    else { return .notComparable("its input \(key.short) is not in the store") }
    guard try request.stage.canonicalBytes == request.spec else {
      return .notComparable(
        "its \(stage.title) was made by an earlier version, which evaluated after other steps than asked; "
          + "run the grid again for one that this version can repeat")
    }
    for input in request.inputs {
      if let reason = try await provide(input, scratch) { return .notComparable(reason) }
    }
    let (attempt, end) = try await execute(request, dataFolder: folder(of: request.stage), scratch)
    guard end == .exited(Int(WorkerExit.finished)), let again = try scratch.stage(key).published() else {
      let text = (try? AtomicFile.read(attempt.log)).map { String(decoding: $0, as: UTF8.self) } ?? ""
      let line = text.split(separator: "\n").last.map { ": \($0)" } ?? ""
      return .notComparable("executing its \(stage.title) again ended before the end (\(end))\(line)")
    }
    guard let was = try folder.stage(key).published() else { return nil }
    let names = again.differences(from: was)
    if names.isEmpty { return nil }
    return .different(
      VerificationDifference(
        epoch: nil,
        what: "\(names.joined(separator: ", ")) of its \(stage.title) \(names.count == 1 ? "is" : "are") "
          + "not what they were", circumstances: [], epochsCompared: run.epochs.count))
  }

  private func execute(
    _ request: StageRequest, dataFolder: String?, _ scratch: StoreFolder
  ) async throws -> (attempt: AttemptFolder, end: JobEnd) {
    let place = scratch.stage(request.key)
    try place.create(spec: request.document)
    let attempt = try place.newAttempt()
    var arguments = [
      "worker", request.key.description, "--store", scratch.path, "--attempt", "\(attempt.number)",
    ]
    if let dataFolder { arguments += ["--data-folder", dataFolder] }
    if !readsOutputs { arguments.append("--live-teachers") }
    let job = Job(
      key: request.key, arguments: arguments, environment: try NumericsProfile.environment(of: request),
      log: attempt.log)
    return (attempt, await executor.run(job) { _ in })
  }

  private static func records(of attempt: AttemptFolder) throws -> [RunRecord] {
    var reader = RecordReader(attempt.records)
    return try reader.next().map(\.record)
  }

  // MARK: Comparing

  private func compare(
    _ run: StoredRun, _ records: [RunRecord], _ again: StageFolder, circumstances: [String], ignoringNew: Bool
  ) throws -> VerificationOutcome {
    var (epochs, totals): ([EpochRecord], Metrics?) = ([], nil)
    for record in records {
      switch record {
      case .epoch(let epoch): epochs.append(epoch)
      case .finished(let metrics): totals = metrics
      case .started, .failed, .stopped: break
      }
    }
    func different(_ epoch: Int?, _ what: String) -> VerificationOutcome {
      .different(
        VerificationDifference(
          epoch: epoch, what: what, circumstances: circumstances,
          epochsCompared: min(epochs.count, run.epochs.count)))
    }
    for (old, new) in zip(run.epochs, epochs) {
      if let name = Self.firstDifference(old.metrics, new.metrics, ignoringNew) {
        let (was, now) = (old.metrics[name], new.metrics[name])
        return different(old.epoch, "\(name) was \(Self.text(was)) and is \(Self.text(now)) now")
      }
      if old.state != new.state {
        return different(old.epoch, "the state was \(old.state.short) and is \(new.state.short) now")
      }
    }
    if epochs.count != run.epochs.count {
      return different(
        min(epochs.count, run.epochs.count),
        "the run had \(counted(run.epochs.count, "epoch")) and has \(epochs.count) now")
    }
    if let totals, let name = Self.firstDifference(run.totals, totals, ignoringNew) {
      return different(
        nil,
        "\(name) of the whole run was \(Self.text(run.totals[name])) and is \(Self.text(totals[name])) now")
    }
    guard let output = try again.published() else { return different(nil, "there is no output now") }
    for (kind, file) in [
      (CheckpointKind.final, TrainingBody.finalFile), (.best, TrainingBody.bestFile),
      (.last, TrainingBody.lastFile),
    ] where run.checkpoints.contains(where: { $0.kind == kind }) {
      do {
        // Unpacking compares with the digest: a flipped bit in the store is found here.
        let stored = try store.checkpoint(of: run.stage.key, kind: kind).bytes
        if try output.read(file) != stored {
          return different(nil, "the \(kind.rawValue) checkpoint is another")
        }
      } catch let error as StoreError {
        return different(nil, "\(error)")
      }
    }
    // Whatever else the store says of the run: what it is made of, its attempts, what they ran on.
    if let changed = try store.checkDigests(of: run.stage.key).damages.first {
      return different(nil, changed)
    }
    return .equal(epochs: epochs.count, checkpoints: run.checkpoints.count)
  }

  /// By canonical text, in which values that are no numbers are equal.
  ///
  /// - Parameter ignoringNew: whether names that only the new ones have do not count.
  private static func firstDifference(_ old: Metrics, _ new: Metrics, _ ignoringNew: Bool) -> String? {
    let names = Set(old.values.map(\.name)).union(ignoringNew ? [] : new.values.map(\.name))
    return names.sorted().first { text(old[$0]) != text(new[$0]) }
  }

  private static func text(_ value: Double?) -> String {
    guard let value else { return "absent" }
    return value.isFinite ? "\(value)" : "no number"
  }

  private static func circumstances(_ made: Provenance?, _ by: Provenance) -> [String] {
    guard let made else { return ["nothing is recorded of what made it"] }
    var words: [String] = []
    func compare(_ name: String, _ was: String?, _ now: String?) {
      if was != now { words.append("\(name): \(was ?? "unknown") then, \(now ?? "unknown") now") }
    }
    compare("program", made.program?.short, by.program?.short)
    compare("version", made.version, by.version)
    compare("commit", made.commit, by.commit)
    compare("CPU", made.cpu, by.cpu)
    compare("kernels", made.blas, by.blas)
    compare("profile", made.profile, by.profile)
    if made.threads != nil { compare("threads", made.threading, by.threading) }
    return words
  }
}
