internal import Foundation
package import Specs
package import Storage

/// A stage that a worker is at, as its attempt's files tell.
package struct RunningStage: Hashable, Sendable {
  package let key: ContentKey
  /// The name of its kind, such as `dataset` or `student`.
  package let kind: String
  package let title: String
  package let epoch: Int
  package let epochs: Int
  package let step: Int
  package let steps: Int
  /// Of the last batch.
  package let loss: Double?
  package let imagesPerSecond: Double?

  /// Attempts whose workers are alive and have said where they are, by title.
  package static func all(in folder: StoreFolder, _ store: ResultStore) throws -> [RunningStage] {
    try all(in: folder, among: store.openStages())
  }

  /// The same, for a reader that knows the open stages already.
  package static func all(in folder: StoreFolder, among open: [StageRecord]) throws -> [RunningStage] {
    // Of thousands of stages that wait, few have a folder.
    let begun = try folder.begun()
    let now = Date.now.timeIntervalSince1970
    var found: [RunningStage] = []
    for stage in open where begun.contains(stage.key) {
      guard let attempt = try folder.stage(stage.key).attempts().last,
        attempt.holder != nil, attempt.activity(clock: now) == .working,
        let progress = WorkerProgress(of: attempt)
      else { continue }
      found.append(
        RunningStage(
          key: stage.key, kind: stage.kind, title: stage.title, epoch: progress.epoch,
          epochs: progress.epochs, step: progress.step, steps: progress.steps, loss: progress.loss,
          imagesPerSecond: progress.imagesPerSecond))
    }
    return found.sorted { ($0.title, $0.key.description) < ($1.title, $1.key.description) }
  }
}

extension StoreFolder {
  /// The epochs that the newest attempt at a stage has reported so far, whether or not a store has
  /// them: while a worker is at it, the store does not. What cannot be read says nothing here;
  /// whoever takes it in complains.
  package func reportedEpochs(of key: ContentKey) -> [EpochRecord] {
    guard let attempt = try? stage(key).attempts().last else { return [] }
    var reader = RecordReader(attempt.records)
    return ((try? reader.next()) ?? []).compactMap { record in
      if case .epoch(let epoch) = record.record { epoch } else { nil }
    }
  }
}

extension [EpochRecord] {
  /// In ascending order, each epoch once: those of `newer` in place of these.
  package func replaced(by newer: [EpochRecord]) -> [EpochRecord] {
    if newer.isEmpty { return self }
    return Dictionary((self + newer).map { ($0.epoch, $0) }) { $1 }.values.sorted { $0.epoch < $1.epoch }
  }
}
