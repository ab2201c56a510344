internal import Specs
internal import Storage
internal import Sweeps

/// Looks whether an archive from anywhere holds what this program would have put there: what is taken over is
/// shown on terminals and pages, names files and is computed with.
enum ArchiveCheck {
  /// Something that this program does not write.
  struct Finding: Error, CustomStringConvertible {
    let description: String
  }

  /// Characters of a name or a title.
  private static let mostOfName = 200
  /// Characters of a reason or of a label.
  private static let mostOfText = 10_000

  static func check(_ store: ResultStore) throws {
    let damages = try store.damages()
    if let first = damages.first { throw Finding(description: first) }
    for (stage, state) in try store.stages() { try check(stage, state) }
    for sweep in try store.sweeps() { try check(sweep, store) }
    for key in try store.stages().map(\.stage.key) {
      for attempt in try store.attempts(of: key) {
        if let reason = attempt.reason {
          try check(reason, "the reason of an attempt at \(key.short)", mostOfText)
        }
        if let provenance = attempt.provenance {
          try check(
            String(decoding: provenance.canonicalBytes, as: UTF8.self), "the provenance of \(key.short)",
            mostOfText)
        }
      }
      _ = try store.curve(of: key)
      _ = try store.checkpoints(of: key)
    }
    for name in try store.metricNames() { try check(name, "the name of a metric", mostOfName) }
    _ = try store.seals()
    _ = try store.weights()
  }

  private static func check(_ stage: StageRecord, _ state: StageState) throws {
    let request = try StageRequest(document: Array(stage.spec.utf8))
    guard request.key == stage.key, request.kind == stage.kind else {
      throw Finding(description: "the specification of \(stage.key.short) is not that of its key")
    }
    try check(stage.title, "the title of \(stage.key.short)", mostOfText)
    try check(stage.kind, "the kind of \(stage.key.short)", mostOfName)
    switch state {
    case .failed(let failure): try check(failure.reason, "the reason of \(stage.key.short)", mostOfText)
    case .blocked(let reason): try check(reason, "the reason of \(stage.key.short)", mostOfText)
    case .open, .finished: break
    }
  }

  private static func check(_ sweep: SweepRecord, _ store: ResultStore) throws {
    guard SweepName.isValid(sweep.name) else {
      throw Finding(description: "a sweep has the name '\(safe(sweep.name))', which no grid may have")
    }
    let saved = try JSONReader.read(Array(sweep.canonical.utf8)).value
    if let report = saved.object?["report"] { _ = try ReportPreferences(report, at: "report") }
    _ = try sweep.names
    for note in saved.object?["data"]?.array ?? [] {
      try check(note.string ?? "", "what is said of the data of \(sweep.name)", mostOfText)
    }
    for column in sweep.columns { try check(column, "a column of \(sweep.name)", mostOfName) }
    for point in try store.points(of: sweep.name) {
      guard point.labels.count == sweep.columns.count else {
        throw Finding(
          description:
            "a run of \(sweep.name) has \(point.labels.count) labels for \(sweep.columns.count) columns")
      }
      for label in point.labels {
        try check(CanonicalJSON.text(of: label), "a label of \(point.key.short)", mostOfText)
      }
    }
    for need in try store.needs(of: sweep.name) {
      guard try StageRequest(document: Array(need.spec.utf8)).key == need.key else {
        throw Finding(description: "the specification of \(need.key.short) is not that of its key")
      }
    }
  }

  /// Refuses control characters and lengths that nobody writes.
  private static func check(_ text: String, _ what: String, _ most: Int) throws {
    guard text.unicodeScalars.count <= most else {
      throw Finding(description: "\(what) is longer than \(most)")
    }
    let isPlain = text.unicodeScalars.allSatisfy { scalar in
      scalar == "\n" || scalar == "\t" || ![.control, .format].contains(scalar.properties.generalCategory)
    }
    guard isPlain else { throw Finding(description: "\(what) has control characters in it") }
  }

  /// A few characters of a text, none of which does anything to a terminal.
  private static func safe(_ text: String) -> String {
    String(text.unicodeScalars.prefix(40).map { $0.isASCII && $0.value >= 32 ? Character($0) : "?" })
  }

  /// A part of a sentence, without the name of the scratch file, which nobody knows.
  static func reason(_ error: any Error, _ scratch: String) -> String {
    switch error {
    case StoreError.damaged(_, let reason): reason
    case StoreError.failed(_, let reason): reason
    default: "\(error)".replacing("\(scratch): ", with: "").replacing(scratch, with: "it")
    }
  }
}
