package import Specs

/// What a coordinator tells whoever watches: a display on a terminal, lines in a log, JSON for machines.
package enum RunEvent: Sendable {
  /// The plan is made and the store is held.
  case planned(PlanCounts, workers: Int)
  case stageStarted(StageTitle, attempt: Int, worker: Int)
  /// About once a second for each worker.
  case progress(StageProgress, worker: Int)
  case stageFinished(StageTitle, Metrics, seconds: Double, worker: Int)
  /// The stage failed for a reason of its own and will not be tried again.
  case stageFailed(StageTitle, FailureRecord, worker: Int)
  /// A worker died; the stage starts again from its last snapshot, unless `triesLeft` is 0.
  case workerDied(StageTitle, how: String, triesLeft: Int, worker: Int)
  /// A stage that can never run, because an input of it failed.
  case stageBlocked(StageTitle, by: StageTitle)
  case stageStopped(StageTitle, step: Int, worker: Int)
  /// A stop was asked for; workers write snapshots and leave.
  case stopping
  case warning(String)
  /// Something that went as it should and deserves a line, such as a submission.
  case notice(String)
}

/// What a person calls a stage.
package struct StageTitle: Hashable, Sendable {
  package let key: ContentKey
  /// The name of its kind, such as `dataset` or `student`.
  package let kind: String
  /// Such as `resnet8 mtkd-rl alpha=0.5 seed 2`.
  package let text: String
  /// Whether others read it that somebody asked for, although stages of its kind are asked for elsewhere.
  package let isPreparation: Bool

  package init(key: ContentKey, kind: String, text: String, isPreparation: Bool = false) {
    self.key = key
    self.kind = kind
    self.text = ForeignText.line(text)
    self.isPreparation = isPreparation
  }
}

/// Where a running stage stands.
package struct StageProgress: Hashable, Sendable {
  package var title: StageTitle
  /// From 0; the epoch being trained.
  package var epoch: Int
  package var epochs: Int
  package var step: Int
  package var steps: Int
  /// Of the last batch.
  package var loss: Double?
  package var imagesPerSecond: Double?

  package init(
    title: StageTitle, epoch: Int, epochs: Int, step: Int, steps: Int, loss: Double?, imagesPerSecond: Double?
  ) {
    self.title = title
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.steps = steps
    self.loss = loss
    self.imagesPerSecond = imagesPerSecond
  }
}

/// How many runs a grid asks for and how many stages that takes.
package struct PlanCounts: Hashable, Sendable {
  /// Runs as the grid spells them, shared ones counted each time.
  package var asked: Int
  /// Runs that differ in what their methods read.
  package var distinct: Int
  package var shared: Int { asked - distinct }
  /// Distinct runs with a result, a recorded failure included.
  package var done: Int
  package var toRun: Int { distinct - done }
  /// Datasets, teachers and whatever else runs read that is still to be made.
  package var preparations: Int
  /// Whether backbones and transfers are among them.
  package var hasTransfers = false

  package init(asked: Int, distinct: Int, done: Int, preparations: Int, hasTransfers: Bool = false) {
    self.asked = asked
    self.distinct = distinct
    self.done = done
    self.preparations = preparations
    self.hasTransfers = hasTransfers
  }
}
