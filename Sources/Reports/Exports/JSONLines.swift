internal import Specs

/// One object a run. `schema` rises when the meaning of a member changes.
package struct JSONLines: ExportFormat {
  package static let name = "jsonl"
  package static let summary = """
    One JSON object a line for each run: labels, seed, state, resolved settings, every metric of every epoch (counted from 1) with the \
    digest of the state after it, attempts with what made them and when they began and ended (seconds since 1970, null where their folders are not here), digests of \
    checkpoints. Nothing is left out; null where not finite.
    """
  package static let isFolder = false
  private let sweep: ExportedSweep

  package init(_ sweep: ExportedSweep) { self.sweep = sweep }

  package func head() -> [ExportedFile] { [] }

  package func pieces(of run: RunAccount) -> [ExportedFile] {
    [ExportedFile(path: "", CanonicalJSON.text(of: value(run)) + "\n")]
  }

  private func value(_ run: RunAccount) -> JSONValue {
    let labels = zip(sweep.columns, run.labels).filter { $0.1 != .null }
    return [
      "schema": "mtkd-sweep-run-1", "sweep": .string(sweep.name), "run": .string(run.key.description),
      "title": .string(run.title), "labels": .object(Dictionary(labels.map { ($0.0, $0.1) }) { $1 }),
      "seed": .number(DecimalNumber(run.seed)), "state": .string(run.state.word),
      "reason": run.state.reason.map { .string($0) } ?? .null, "settings": run.spec,
      "epochs": .array(
        run.epochs.map { epoch in
          [
            "epoch": .number(DecimalNumber(epoch.epoch + 1)), "step": .number(DecimalNumber(epoch.step)),
            "state": .string(epoch.state.description), "metrics": numbers(epoch.metrics),
            "measured": numbers(epoch.measured),
          ]
        }),
      "totals": numbers(run.exportedTotals),
      "attempts": .array(run.attempts.map(value)),
      "checkpoints": .array(
        run.checkpoints.map {
          [
            "kind": .string($0.kind), "epoch": .number(DecimalNumber($0.epoch + 1)),
            "digest": .string($0.digest.description),
          ]
        }),
    ]
  }

  private func value(_ attempt: RunAccount.Attempt) -> JSONValue {
    let provenance = attempt.provenance.flatMap { try? JSONReader.read($0.canonicalBytes).value }
    return [
      "number": .number(DecimalNumber(attempt.number)),
      "firstStep": .number(DecimalNumber(attempt.firstStep)),
      "outcome": .string(attempt.outcome), "reason": attempt.reason.map { .string($0) } ?? .null,
      "provenance": provenance ?? .null,
      "began": attempt.time.map { .number(DecimalNumber($0.began)) } ?? .null,
      "ended": attempt.time?.ended.map { .number(DecimalNumber($0)) } ?? .null,
    ]
  }

  private func numbers(_ metrics: Metrics) -> JSONValue {
    .object(
      Dictionary(
        metrics.values.map { ($0.name, DecimalNumber($0.value).map { JSONValue.number($0) } ?? .null) }
      ) { $1 })
  }
}
