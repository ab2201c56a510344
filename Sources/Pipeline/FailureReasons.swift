internal import Specs
internal import Storage
internal import Sweeps

/// Why stages failed, and what that makes of those that read them.
struct FailureReasons {
  private let stages: [ContentKey: StageRequest]
  private var own: [ContentKey: FailureRecord]
  /// What stages cannot be made for that are parts of a run.
  private var passedOn: [ContentKey: FailureRecord] = [:]

  /// - Parameter failed: stages that failed in earlier calls.
  init(_ failed: [ContentKey: FailureRecord], _ stages: [ContentKey: StageRequest]) {
    (own, self.stages) = (failed, stages)
  }

  mutating func add(_ failure: FailureRecord, of key: ContentKey) { own[key] = failure }

  /// What a stage is whose input cannot be made. A run diverges with its student and with its transfers, as
  /// one does that is its student; everything else is blocked.
  ///
  /// - Parameter title: that of the input.
  mutating func state(of key: ContentKey, behind culprit: ContentKey, _ title: StageTitle) -> StageState {
    let failure = own[culprit]
    let divergence = failure.flatMap { $0.cause == .diverged ? $0.told(of: title) : nil }
    if let failure = passedOn[culprit] ?? divergence, isPartOfRun(culprit) {
      passedOn[key] = failure
      if stages[key]?.role == .result { return .failed(failure) }
    }
    guard let failure else { return .blocked(reason: "\(title.text) failed") }
    let how = failure.cause == .diverged ? "diverged" : "failed"
    return .blocked(reason: "\(title.text) \(how): \(failure.reason)")
  }

  private func isPartOfRun(_ key: ContentKey) -> Bool {
    stages[key].flatMap { Catalog.stageKinds[$0.kind]?.isPartOfRun } ?? false
  }
}

extension FailureRecord {
  /// The same, with what it happened to.
  fileprivate func told(of title: StageTitle) -> FailureRecord {
    var failure = self
    failure.reason = "\(title.text): \(reason)"
    return failure
  }
}
