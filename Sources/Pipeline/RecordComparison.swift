internal import Specs
internal import Storage

/// What the database has of a stage beside what its attempts recorded in their files.
struct RecordComparison {
  /// A sentence for each difference.
  private(set) var differences: [String] = []

  private let key: ContentKey

  /// - Throws: `FileError`, `RecordDamage`, `StoreError`.
  init(_ place: StageFolder, _ key: ContentKey, _ store: ResultStore) throws {
    self.key = key
    var epochs: [Int: EpochRecord] = [:]
    var totals: Metrics?
    let attempts = Dictionary(try store.attempts(of: key).map { ($0.number, $0) }) { $1 }
    for attempt in try place.attempts() {
      var reader = RecordReader(attempt.records)
      for record in try reader.next().map(\.record) {
        switch record {
        case .epoch(let epoch): epochs[epoch.epoch] = epoch
        case .finished(let metrics): totals = metrics
        case .started(let step, let provenance): compare(attempts[attempt.number], step, provenance)
        case .failed, .stopped: break
        }
      }
    }
    for stored in try store.curve(of: key) {
      guard let recorded = epochs[stored.epoch] else { continue }
      compare(stored, recorded)
    }
    if let totals {
      let stored = try store.metrics(of: key)
      // The records of a run that has just ended may not have been taken in yet.
      if !stored.values.isEmpty, let name = Self.firstDifference(stored, totals) {
        add("\(name) of the whole stage")
      }
    }
  }

  private mutating func compare(_ stored: AttemptSummary?, _ step: Int, _ provenance: Provenance) {
    guard let stored, let known = stored.provenance else { return }
    if stored.firstStep != step { add("the step at which attempt \(stored.number) began") }
    if known != provenance { add("what attempt \(stored.number) ran on") }
  }

  private mutating func compare(_ stored: EpochRecord, _ recorded: EpochRecord) {
    let epoch = "epoch \(stored.epoch + 1)"
    if stored.state != recorded.state { add("the state after \(epoch)") }
    if stored.step != recorded.step { add("the step of \(epoch)") }
    for (one, other) in [(stored.metrics, recorded.metrics), (stored.measured, recorded.measured)] {
      if let name = Self.firstDifference(one, other) { add("\(name) of \(epoch)") }
    }
  }

  private mutating func add(_ what: String) {
    differences.append("\(key.short): \(what) is another in the database than in its records")
  }

  /// The first name under which the two do not have the same bits; values that are no numbers are equal.
  private static func firstDifference(_ one: Metrics, _ other: Metrics) -> String? {
    let names = Set(one.values.map(\.name)).union(other.values.map(\.name)).sorted()
    return names.first { name in
      switch (one[name], other[name]) {
      case (nil, nil): false
      case (let a?, let b?): a != b && (a.isFinite || b.isFinite)
      default: true
      }
    }
  }
}
