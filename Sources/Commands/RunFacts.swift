import Foundation
import Pipeline
import Reports
import Specs
import Storage

/// When an attempt at a stage began and ended, as its folder tells; logs and times
/// stay where the run was made.
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

  /// Attempts with their times, where the folder of the run is here.
  static func added(
    to attempts: [RunAccount.Attempt], of key: ContentKey, in folder: StoreFolder
  ) -> [RunAccount.Attempt] {
    if attempts.isEmpty { return [] }
    let times = all(of: key, in: folder)
    return attempts.map { attempt in
      var attempt = attempt
      attempt.time = times[attempt.number].map {
        RunAccount.Attempt.Time(began: $0.began, ended: $0.ended, text: $0.text)
      }
      return attempt
    }
  }
}

extension RunAccount {
  /// The same with the times of its attempts.
  func timed(in folder: StoreFolder) -> RunAccount {
    var account = self
    account.attempts = AttemptTimes.added(to: attempts, of: key, in: folder)
    return account
  }
}

extension SweepStory {
  /// The same with the times of all attempts.
  func timed(in folder: StoreFolder) -> SweepStory {
    var story = self
    for place in story.runs.indices {
      let run = story.runs[place]
      story.runs[place].attempts = AttemptTimes.added(to: run.attempts, of: run.key, in: folder)
    }
    return story
  }
}
