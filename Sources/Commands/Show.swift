import ArgumentParser
import Foundation
import Networks
import Pipeline
import Reports
import Results
import Specs
import Storage
import Sweeps

/// `mtkd-sweep show`: one run.
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "One run, or imported weights: what it is, how it went, what made it.",
    discussion:
      "Of imported weights, named as grids name them: how their images are normalised and shown, their "
      + "classes and dataset."
  )

  @OptionGroup var location: StoreLocation

  @Argument(
    help: ArgumentHelp("Run key or a unique prefix, or the name of an import.", valueName: "run"),
    completion: Completions.runs)
  var key: String

  @Option(
    help: ArgumentHelp(
      "Write a page for a browser: facts and curves; of a transfer also test images with what was "
        + "found in them.",
      valueName: "file"))
  var page: String?

  @Flag(help: "JSON on standard output.")
  var json = false

  func validate() throws {
    if json, page != nil { throw ValidationError("--page is a file of its own, and --json another form.") }
  }

  private func showImport() throws {
    let record = try TeacherWeights.record(key, in: location.weights)
    let facts = try TeacherWeights.facts(of: record, in: location.weights)
    let title = record.networkTitle
    guard json else { return Out.put(([title] + facts).joined(separator: "\n") + "\n") }
    Out.put(
      Commands.json([
        "schema": "mtkd-sweep-import-1", "name": .string(key), "network": .string(title),
        "digest": .string(record.weights.digest.description), "classes": JSONValue(record.classes),
        "notes": JSONValue(facts),
      ]))
  }

  func run() throws {
    if location.weights.hasRecord(key), page == nil { return try showImport() }
    let store = try location.open()
    let (stage, state) = try location.stage(key, in: store)
    if let page { return try RunPage.write(stage.key, to: page, store, in: location.folder) }
    if json {
      Out.put(Commands.json(try machine(stage, state, store)))
    } else {
      Out.put(try lines(stage, state, store).joined(separator: "\n") + "\n")
    }
  }

  private func machine(
    _ stage: StageRecord, _ state: StageState, _ store: ResultStore
  ) throws -> [String: JSONValue] {
    let spec = (try? JSONReader.read(Array(stage.spec.utf8)).value) ?? .null
    let times = AttemptTimes.all(of: stage.key, in: location.folder)
    return [
      "schema": "mtkd-sweep-run-1",
      "key": .string(stage.key.description), "kind": .string(stage.kind), "title": .string(stage.title),
      "state": .string(List.word(state)), "spec": spec,
      "epochs": .array(
        try store.curve(of: stage.key).map { epoch in
          .object([
            "epoch": JSONValue(epoch.epoch), "step": JSONValue(epoch.step),
            "state": .string(epoch.state.description),
            "metrics": Self.object(epoch.metrics), "measured": Self.object(epoch.measured),
          ])
        }),
      "checkpoints": .array(
        try store.checkpoints(of: stage.key).map {
          [
            "kind": .string($0.kind.rawValue), "epoch": JSONValue($0.epoch),
            "digest": .string($0.digest.description),
          ]
        }),
      "teachers": .array(try store.teachers(of: stage).map(\.json)),
      "dataNotes": JSONValue(try store.dataNotes(of: stage.key)),
      "classes": try ClassTable(of: stage, in: location.folder)?.json ?? .null,
      "attempts": .array(
        try store.attempts(of: stage.key).map { attempt in
          .object([
            "time": times[attempt.number]?.json ?? .null,
            "number": JSONValue(attempt.number), "firstStep": JSONValue(attempt.firstStep),
            "outcome": .string(attempt.outcome.rawValue),
            "reason": attempt.reason.map { .string($0) } ?? .null,
            "provenance": try attempt.provenance.map { try JSONReader.read($0.canonicalBytes).value }
              ?? .null,
          ])
        }),
    ]
  }

  private static func object(_ metrics: Metrics) -> JSONValue {
    .object(Dictionary(metrics.values.map { ($0.name, JSONValue($0.value)) }) { $1 })
  }

  private func lines(_ stage: StageRecord, _ state: StageState, _ store: ResultStore) throws -> [String] {
    let spec = (try? JSONReader.read(Array(stage.spec.utf8)).value.indented) ?? stage.spec
    var lines = [
      "\(stage.title)", "key     \(stage.key)", "state   \(List.word(state))",
      "spec    \(spec.replacing("\n", with: "\n        "))",
    ]
    if let reason = state.reason { lines.insert("reason  \(ForeignText.line(reason))", at: 3) }
    lines += try store.dataNotes(of: stage.key).map { "data    \($0)" }
    lines += try store.teachers(of: stage).map(\.text)
    let times = AttemptTimes.all(of: stage.key, in: location.folder)
    for attempt in try store.attempts(of: stage.key) {
      let made = attempt.provenance.map {
        "mtkd-sweep \($0.version)\($0.commit.map { " (\($0))" } ?? ""), \($0.blas), \($0.cpu), "
          + "\($0.host)\($0.threading.map { ", \($0)" } ?? "")"
      }
      lines.append(
        "try \(attempt.number)   from step \(attempt.firstStep), "
          + "\(attempt.outcome.rawValue)\(attempt.reason.map { ": \(ForeignText.line($0))" } ?? ""); "
          + "\(made ?? "never began")\(times[attempt.number].map { "; \($0.text)" } ?? "")"
      )
    }
    let shown = try store.shownMetrics(of: stage.key)
    for epoch in try store.curve(of: stage.key) {
      let numbers = shown.map { metric in
        epoch.metrics[metric.name].map { "\(metric.name) \(metric.text($0))" } ?? ""
      }
      lines.append("epoch \(epoch.epoch + 1)  \(numbers.joined(separator: "  "))  state \(epoch.state.short)")
    }
    for checkpoint in try store.checkpoints(of: stage.key) {
      lines.append(
        "\(checkpoint.kind.rawValue)  epoch \(checkpoint.epoch + 1), \(size(Double(checkpoint.size))) "
          + "(\(size(Double(checkpoint.storedSize))) stored), \(checkpoint.digest.short)"
      )
    }
    lines += try ClassTable.lines(of: stage, store, in: location.folder)
    return lines
  }
}
