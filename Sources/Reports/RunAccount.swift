package import Specs

/// Everything that a store knows of one run of a sweep: what exports write down and pages show.
package struct RunAccount: Sendable {
  package let key: ContentKey
  /// What a person calls it, such as `resnet8 mtkd-rl alpha=0.5 seed 2`.
  package let title: String
  /// Beside the sweep's columns; null where the run's method does not read the setting.
  package let labels: [JSONValue]
  package let seed: Int
  package let state: RunState
  /// What the key was made of.
  package let spec: JSONValue
  /// In ascending order.
  package let epochs: [EpochRecord]
  /// Numbers that belong to no single epoch.
  package let totals: Metrics
  /// In the order in which they were made.
  package var attempts: [Attempt]
  package let checkpoints: [Checkpoint]

  package struct Attempt: Equatable, Sendable {
    package let number: Int
    /// The optimiser step that it began at: 0, or that of the snapshot it went on from.
    package let firstStep: Int
    /// Such as `finished`, `stopped`, `died`.
    package let outcome: String
    package let reason: String?
    /// nil before the worker said what it is.
    package let provenance: Provenance?
    /// Nil where nobody knows: the store keeps no clock, and folders stay where the run was made.
    package var time: Time?

    /// By the clock of the worker's machine.
    package struct Time: Equatable, Sendable {
      /// Seconds since 1970.
      package let began: Int
      /// The same; nil while it is going on.
      package let ended: Int?
      /// A phrase for people.
      package let text: String

      package init(began: Int, ended: Int?, text: String) {
        self.began = began
        self.ended = ended
        self.text = text
      }
    }

    package init(number: Int, firstStep: Int, outcome: String, reason: String?, provenance: Provenance?) {
      self.number = number
      self.firstStep = firstStep
      self.outcome = outcome
      self.reason = reason
      self.provenance = provenance
    }
  }

  package struct Checkpoint: Equatable, Sendable {
    /// `last`, `best` or `final`.
    package let kind: String
    /// From 0.
    package let epoch: Int
    /// Of the raw bytes.
    package let digest: ContentKey

    package init(kind: String, epoch: Int, digest: ContentKey) {
      self.kind = kind
      self.epoch = epoch
      self.digest = digest
    }
  }

  package init(
    key: ContentKey, title: String, labels: [JSONValue], seed: Int, state: RunState, spec: JSONValue,
    epochs: [EpochRecord], totals: Metrics, attempts: [Attempt], checkpoints: [Checkpoint]
  ) {
    self.key = key
    self.title = title
    self.labels = labels
    self.seed = seed
    self.state = state
    self.spec = spec
    self.epochs = epochs
    self.totals = totals
    self.attempts = attempts
    self.checkpoints = checkpoints
  }

  /// Every number of an epoch: what came out, and what it cost.
  package static func numbers(of epoch: EpochRecord) -> Metrics {
    var values: [String: Double] = [:]
    for metric in epoch.metrics.values + epoch.measured.values { values[metric.name] = metric.value }
    return Metrics(values)
  }

  /// The numbers that belong to no single epoch, as exports tell them: epochs count from 1, and a number that
  /// the last epoch has under the same name and with the same value is that epoch's, and told once.
  package var exportedTotals: Metrics {
    let last = epochs.last?.metrics
    var values: [String: Double] = [:]
    for metric in totals.values {
      if let told = last?[metric.name], told == metric.value || (told.isNaN && metric.value.isNaN) {
        continue
      }
      values[metric.name] = metric.name == "best.epoch" ? metric.value + 1 : metric.value
    }
    return Metrics(values)
  }

  /// Who made the result, as far as the store says.
  package var provenance: Provenance? { attempts.last { $0.provenance != nil }?.provenance }
}
