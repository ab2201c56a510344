internal import Foundation
package import Storage

/// A stage that a worker is at, as its attempt's files tell.
package struct RunningStage: Sendable {
  package let title: String
  package let epoch: Int
  package let epochs: Int
  package let step: Int
  package let steps: Int

  /// Attempts whose workers are alive and have said where they are, by title.
  package static func all(in folder: StoreFolder, _ store: ResultStore) throws -> [RunningStage] {
    var found: [RunningStage] = []
    // A store that cannot be written has no clock of its own to ask.
    let clock = (try? folder.clock()) ?? Date.now.timeIntervalSince1970
    for (stage, state) in try store.stages() where state == .open {
      guard let attempt = try folder.stage(stage.key).attempts().last,
        attempt.standing(clock: clock) == .working,
        let progress = WorkerProgress(of: attempt)
      else { continue }
      found.append(
        RunningStage(
          title: stage.title, epoch: progress.epoch, epochs: progress.epochs, step: progress.step,
          steps: progress.steps))
    }
    return found.sorted { $0.title < $1.title }
  }
}
