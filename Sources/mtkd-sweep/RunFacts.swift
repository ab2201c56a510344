import Foundation
import Pipeline
import Specs
import Storage

/// When an attempt at a stage began and ended, as its folder tells; logs and times stay where the run was made.
struct AttemptTimes {
  /// Seconds since 1970, by the clock of the worker's machine.
  let began: Int
  /// Nil while it is going on, and where nobody saw its end.
  let ended: Int?

  /// - Returns: nil where the folder is not here, or nobody began.
  init?(_ attempt: AttemptFolder) {
    guard let holder = attempt.holder else { return nil }
    began = holder.since
    let end = Self.changed(attempt.exit) ?? Self.changed(attempt.records)
    let isOver = attempt.exitNote != nil || holder.identity.isAlive == false
    ended = isOver ? end.map { max($0, holder.since) } : nil
  }

  private static func changed(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_mtim.tv_sec) : nil
  }

  /// Such as `began 2031-05-04 19:08:09 CEST, took 3 m 2 s`.
  var text: String {
    let took = ended.map { ", took \(duration(Double($0 - began)))" } ?? ", at work"
    return "began \(TimeOfDay.local(began))\(took)"
  }

  var json: JSONValue {
    [
      "began": JSONValue(began), "ended": ended.map { JSONValue($0) } ?? .null,
      "seconds": ended.map { JSONValue($0 - began) } ?? .null,
    ]
  }

  /// Those of a stage by the numbers of the attempts.
  static func all(of key: ContentKey, in folder: StoreFolder) -> [Int: AttemptTimes] {
    // What cannot be listed is not shown; the store has the numbers without it.
    let attempts = (try? folder.stage(key).attempts()) ?? []
    return Dictionary(attempts.compactMap { attempt in Self(attempt).map { (attempt.number, $0) } }) { $1 }
  }
}

/// A teacher of a run, with the headline number of the state that students learn from.
struct TeacherFact {
  let title: String
  let key: ContentKey
  /// Percent; nil before the teacher is trained.
  let accuracy: Double?

  /// Teachers that a stage reads, in the order of its specification.
  static func all(of stage: StageRecord, in store: ResultStore) throws -> [TeacherFact] {
    let spec = try JSONReader.read(Array(stage.spec.utf8)).value
    let keys = (spec.object?["inputs"]?.array ?? []).compactMap { $0.string.flatMap { ContentKey($0) } }
    return try keys.compactMap { key in
      guard let input = try store.stages(withPrefix: key.description).first?.stage, input.kind == "teacher"
      else { return nil }
      let metrics = try store.metrics(of: key)
      return TeacherFact(
        title: input.title, key: key, accuracy: metrics["best.test.acc1"] ?? metrics["test.acc1"])
    }
  }

  var text: String {
    let number = accuracy.map { "test.acc1 \(String(format: "%.2f", $0)) %" } ?? "not trained yet"
    return "\(title), \(number), \(key.short)"
  }

  var json: JSONValue {
    [
      "key": .string(key.description), "title": .string(title),
      "test.acc1": accuracy.map { JSONValue($0) } ?? .null,
    ]
  }
}
