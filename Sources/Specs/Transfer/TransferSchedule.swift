/// After which of its steps a transfer writes a record, and after which it is evaluated while it trains:
/// records end every `interval` steps, after every step that is evaluated, and after the last one.
package struct TransferSchedule: Hashable, Sendable {
  /// Of the whole training.
  package let steps: Int
  /// Steps between records; those of an epoch for a detector, about a tenth of all for a segmentor.
  package let interval: Int
  /// Steps between evaluations; 0 for at the end alone.
  package let evaluation: Int

  package init(steps: Int, interval: Int, evaluation: Int) {
    self.steps = steps
    self.interval = interval
    self.evaluation = evaluation
  }

  /// Whether the model is evaluated after so many steps because that many have been taken.
  package func isDue(after step: Int) -> Bool { evaluation > 0 && step % evaluation == 0 }

  /// Whether a record ends after so many steps.
  package func isEnd(_ step: Int) -> Bool { step == steps || step % interval == 0 || isDue(after: step) }

  /// Where the record begins that holds the step behind `step` others.
  package func begin(ofRecordAt step: Int) -> Int {
    max(step / interval * interval, evaluation > 0 ? step / evaluation * evaluation : 0)
  }

  /// How many records end in the first `step` steps.
  package func records(endingBy step: Int) -> Int {
    var ends = step / interval + (step == steps && step % interval != 0 && !isDue(after: step) ? 1 : 0)
    if evaluation > 0 { ends += step / evaluation - step / Self.leastMultiple(interval, evaluation) }
    return ends
  }

  /// Evaluations before the one at the end.
  package var evaluations: Int { evaluation > 0 && steps > 0 ? (steps - 1) / evaluation : 0 }

  private static func leastMultiple(_ a: Int, _ b: Int) -> Int {
    var (larger, smaller) = (a, b)
    while smaller > 0 { (larger, smaller) = (smaller, larger % smaller) }
    return a / larger * b
  }
}

extension TransferSchedule {
  /// Of a segmentor, which counts steps.
  package init(ofSegmentor spec: TransferSpec) throws(SpecError) {
    let steps = try spec.integer("steps")
    self.init(steps: steps, interval: max(steps / 10, 1), evaluation: try spec.integer("evalEvery"))
  }

  /// Whether a segmentor is evaluated after other steps than by versions that rounded
  /// down to tenths of all steps.
  package var evaluatesBetweenTenths: Bool {
    guard evaluation % interval != 0 else { return false }
    let rounded = max(evaluation / interval, 1) * interval
    return min(rounded, evaluation) < steps
  }
}
