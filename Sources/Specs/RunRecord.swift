/// What a worker reports of a stage, one line each in the attempt's `records.jsonl`.
package enum RunRecord: Hashable, Sendable {
  /// An attempt began, at optimiser step `step` (0 unless it resumed from a snapshot).
  case started(step: Int, Provenance)
  /// An epoch is over.
  case epoch(EpochRecord)
  /// The stage is done; `metrics` are those of the whole stage.
  case finished(metrics: Metrics)
  /// The stage failed for a reason of its own: running it again would fail again.
  case failed(FailureRecord)
  /// The attempt left on request after writing a snapshot at `step`.
  case stopped(step: Int)
}

/// Named numbers, in ascending order of their names; not a number where the value is not finite.
package struct Metrics: Hashable, Sendable {
  package private(set) var values: [Value]

  package struct Value: Hashable, Sendable {
    package let name: String
    package let value: Double
  }

  package init(_ values: [String: Double] = [:]) {
    self.values = values.map { Value(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
  }

  package subscript(name: String) -> Double? { values.first { $0.name == name }?.value }

  /// What names start with where a number says what something cost, not what came out.
  package static let measuredPrefix = "measured."
}

package struct EpochRecord: Hashable, Sendable {
  /// From 0.
  package var epoch: Int
  /// Optimiser steps taken since the start of the run.
  package var step: Int
  /// By the names that the task or the trainer declares, such as `train.loss`.
  package var metrics: Metrics
  /// Digest of all that the next step needs, which is what makes two runs comparable bit for bit.
  package var state: ContentKey
  /// What the epoch cost on the machine that ran it, under names that start with
  /// `measured.`: never the same twice.
  package var measured: Metrics

  package init(epoch: Int, step: Int, metrics: Metrics, state: ContentKey, measured: Metrics = Metrics()) {
    self.epoch = epoch
    self.step = step
    self.metrics = metrics
    self.state = state
    self.measured = measured
  }
}

package struct FailureRecord: Hashable, Sendable {
  package enum Cause: String, Sendable {
    /// The loss stopped being finite.
    case diverged
    /// The data are not what they should be.
    case data
    /// Anything else that would happen again.
    case other
  }

  package var cause: Cause
  /// A sentence.
  package var reason: String
  package var epoch: Int?
  package var step: Int?

  package init(cause: Cause, reason: String, epoch: Int? = nil, step: Int? = nil) {
    self.cause = cause
    self.reason = reason
    self.epoch = epoch
    self.step = step
  }
}

extension RunRecord: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    switch self {
    case .started(let step, let provenance):
      object.member("provenance", to: &bytes, provenance.append)
      object.member("record", "started", to: &bytes)
      object.member("step", step, to: &bytes)
    case .epoch(let epoch):
      object.member("epoch", epoch.epoch, to: &bytes)
      if !epoch.measured.values.isEmpty { object.member("measured", to: &bytes, epoch.measured.append) }
      object.member("metrics", to: &bytes, epoch.metrics.append)
      object.member("record", "epoch", to: &bytes)
      object.member("state", .string(epoch.state.description), to: &bytes)
      object.member("step", epoch.step, to: &bytes)
    case .finished(let metrics):
      object.member("metrics", to: &bytes, metrics.append)
      object.member("record", "finished", to: &bytes)
    case .failed(let failure):
      object.member("cause", .string(failure.cause.rawValue), to: &bytes)
      object.member("epoch", failure.epoch.map { .number(DecimalNumber($0)) }, to: &bytes)
      object.member("reason", .string(failure.reason), to: &bytes)
      object.member("record", "failed", to: &bytes)
      object.member("step", failure.step.map { .number(DecimalNumber($0)) }, to: &bytes)
    case .stopped(let step):
      object.member("record", "stopped", to: &bytes)
      object.member("step", step, to: &bytes)
    }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String = "") throws(SpecError) {
    let object = try SpecObject(json, at: path)
    switch try object.string("record") {
    case "started":
      self = .started(
        step: try object.integer("step"),
        try Provenance(object["provenance"] ?? .null, at: object.path("provenance")))
    case "epoch":
      self = .epoch(
        EpochRecord(
          epoch: try object.integer("epoch"), step: try object.integer("step"),
          metrics: try Metrics(object["metrics"] ?? .null, at: object.path("metrics")),
          state: try object.key("state"),
          measured: try object["measured"].map { value throws(SpecError) in
            try Metrics(value, at: object.path("measured"))
          } ?? Metrics()))
    case "finished":
      self = .finished(metrics: try Metrics(object["metrics"] ?? .null, at: object.path("metrics")))
    case "failed":
      guard let cause = FailureRecord.Cause(rawValue: try object.string("cause")) else {
        throw SpecError(path: object.path("cause"), expected: "diverged, data or other")
      }
      self = .failed(
        FailureRecord(
          cause: cause, reason: try object.string("reason"),
          epoch: try object.optional("epoch", SpecObject.integer),
          step: try object.optional("step", SpecObject.integer)))
    case "stopped": self = .stopped(step: try object.integer("step"))
    default:
      throw SpecError(path: object.path("record"), expected: "started, epoch, finished, failed or stopped")
    }
  }
}

extension Metrics: CanonicallyEncodable {
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    for value in values {
      let number = DecimalNumber(value.value)
      object.member(value.name, number.map { .number($0) } ?? "nan", to: &bytes)
    }
    object.end(&bytes)
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    guard let members = json.object else { throw SpecError(path: path, expected: "an object") }
    var values: [String: Double] = [:]
    for (name, value) in members {
      switch value {
      case .number(let number): values[name] = number.double
      case "nan": values[name] = .nan
      default: throw SpecError(path: "\(path).\(name)", expected: "a number")
      }
    }
    self.init(values)
  }
}
