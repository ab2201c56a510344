internal import Foundation
internal import Specs
internal import Storage

/// What has been heard of a trainer so far.
struct TrainerSession {
  let epochs: Int
  /// Epochs from the first on, without a gap, that are on disk: those of earlier attempts too.
  private(set) var reported: Int
  private(set) var lastEpoch = -1
  private(set) var step = 0
  private(set) var finished: TrainerLine.Finished?
  private(set) var failure: FailureRecord?
  /// What the attempt is made with, until it is recorded: the trainer may say what decides
  /// its bits, before all else.
  private var unrecorded: Provenance?
  /// What decides its bits, as it says or as this program would.
  private(set) var profile: String
  /// The metrics of the last epoch.
  private var lastMetrics = Metrics()
  /// Weights that are named with epochs; nil for a trainer of version 1, whose epochs name none.
  private(set) var weights: KeptWeights?
  private var hasSpoken = false
  /// What was said to whoever watches, in its order.
  private var hints: [String] = []
  private static let mostHints = 3
  /// Seconds without a record after which people are told why that may be.
  private static let silence = 60.0

  init(epochs: Int, reported: Int, made: Provenance, weights: KeptWeights?) {
    self.weights = weights
    unrecorded = made
    profile = made.profile
    self.epochs = epochs
    self.reported = reported
  }

  /// - Throws: `TrainerProtocolError`, and what the workspace throws.
  mutating func take(_ text: String, _ workspace: Workspace) throws {
    let line: TrainerLine
    do { line = try TrainerLine(text) } catch {
      try begin(workspace)
      throw error
    }
    if case .talk(let text) = line { return WorkerLog.say(text) }
    hasSpoken = true
    if case .environment(let profile) = line {
      guard unrecorded != nil else {
        throw TrainerProtocolError(line: text, expected: "\"environment\" once, before all other records")
      }
      unrecorded?.profile = profile
      self.profile = profile
      return try begin(workspace)
    }
    try begin(workspace)
    switch line {
    case .talk, .environment: break
    case .epoch(let epoch, let weights): try take(epoch, weights, text, workspace)
    case .progress(let step, let steps, let loss):
      self.step = max(self.step, step)
      try workspace.report(progress(step: step, steps: steps, loss: loss))
    case .finished(let finished):
      self.finished = finished
      for value in finished.metrics.values {
        guard let last = lastMetrics[value.name], last != value.value, !(last.isNaN && value.value.isNaN)
        else { continue }
        try hint(
          "\"finished\" has \(value.name) \(value.value), and epoch \(lastEpoch + 1) had \(last): tables "
            + "show the first",
          workspace)
      }
    case .failed(let failure): self.failure = failure
    }
  }

  /// Records how the attempt began, unless it has been.
  mutating func begin(_ workspace: Workspace) throws {
    guard let made = unrecorded else { return }
    unrecorded = nil
    try workspace.record(.started(step: 0, made))
  }

  private mutating func take(
    _ epoch: EpochRecord, _ weights: String?, _ text: String, _ workspace: Workspace
  ) throws {
    guard epochs > 0 else {
      throw TrainerProtocolError(
        line: text, expected: "no epochs where a teacher's outputs are asked for (\"ask\": \"outputs\")")
    }
    guard epoch.epoch > lastEpoch, epoch.epoch < epochs, epoch.step >= step else {
      throw TrainerProtocolError(
        line: text, expected: "epochs in ascending order below \(epochs), with steps that grow")
    }
    // A gap would leave out a best epoch, and nobody would know.
    guard epoch.epoch <= reported else {
      throw TrainerProtocolError(
        line: text, expected: "epoch \(reported) first, which nobody has reported yet")
    }
    if let weights, self.weights != nil, !TrainerSpec.isPlain(weights) {
      throw TrainerProtocolError(
        line: text, expected: "\"weights\" to be the name of a file in the run's folder")
    }
    try self.weights?.take(weights, of: epoch)
    lastEpoch = epoch.epoch
    step = epoch.step
    lastMetrics = epoch.metrics
    try workspace.record(.epoch(epoch))
    reported = max(reported, epoch.epoch + 1)
    // A share of exactly 0 or 1 percent is as likely as one of 0 or 1.
    for value in epoch.metrics.values
    where value.name.hasSuffix(".acc1") && value.value > 0 && value.value < 1 {
      guard !hints.contains(where: { $0.hasPrefix("\(value.name) is ") }) else { continue }
      try hint(
        "\(value.name) is \(value.value) in epoch \(epoch.epoch + 1): accuracies are in percent, so a share "
          + "is to be multiplied by 100", workspace)
    }
  }

  /// Says once why nothing may have been heard for a while.
  mutating func hint(_ workspace: Workspace) throws {
    guard !hasSpoken, workspace.elapsed > Self.silence else { return }
    hasSpoken = true
    try hint(
      "its trainer has written no record for \(Int(Self.silence)) s. Programs hold back what they write "
        + "into a pipe: in Python print(…, flush=True) or python3 -u writes it at once", workspace)
  }

  /// Says something once, in the log and to whoever watches.
  private mutating func hint(_ text: String, _ workspace: Workspace) throws {
    guard !hints.contains(text), hints.count < Self.mostHints else { return }
    hints.append(text)
    workspace.note("note: \(text)")
    try workspace.report(progress(step: step, steps: 0, loss: nil), always: true)
  }

  private func progress(step: Int, steps: Int, loss: Double?) -> WorkerProgress {
    var progress = WorkerProgress(
      epoch: lastEpoch + 1, epochs: max(epochs, 1), step: step, steps: steps, loss: loss,
      imagesPerSecond: nil,
      cpuSeconds: 0, stepsHere: 0)
    progress.notes = hints
    return progress
  }
}
