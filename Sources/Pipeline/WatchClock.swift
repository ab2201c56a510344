package import Specs

/// Seconds for which this process has watched others. Time in which the machine slept, this process was
/// stopped or somebody set a clock counts as one look at most, however long it was: nobody could be seen
/// to do anything meanwhile.
struct WatchClock {
  /// A longer time between two looks is no time of watching.
  private static let longest = 5.0

  private(set) var seconds = 0.0
  private var last: Double?

  /// - Parameter now: seconds of a clock that should never be set, and need not start anywhere.
  mutating func look(at now: Double) {
    if let last { seconds += min(max(0, now - last), Self.longest) }
    last = now
  }
}

/// For how long workers have been seen without a new heartbeat, in seconds of a `WatchClock`: neither a sleep
/// of the machine nor a step of any clock makes a worker that lives a silent one.
struct SilenceWatch {
  private var clock = WatchClock()
  /// By the path of the attempt: its newest heartbeat, and when that one was first seen.
  private var beats: [String: (time: Double, seen: Double)] = [:]

  /// - Parameter now: seconds of a clock that should never be set, and need not start anywhere.
  mutating func look(at now: Double) { clock.look(at: now) }

  /// Seconds for which an attempt has been watched since its last heartbeat was new.
  ///
  /// - Parameter beat: the time of its heartbeat, by whatever clock.
  mutating func silence(of attempt: String, beat: Double) -> Double {
    guard let known = beats[attempt], known.time == beat else {
      beats[attempt] = (beat, clock.seconds)
      return 0
    }
    return clock.seconds - known.seen
  }
}

/// The wait after a worker could not be started because processes, descriptors or memory have run out: each
/// time twice as long, from a second to a minute.
struct StartPause {
  private static let first = 1.0
  private static let longest = 60.0
  /// Seconds without any worker at work after which nobody waits any longer.
  private static let hopeless = 120.0

  private var length = 0.0
  private var left = 0.0
  private var idle = 0.0
  /// Why the last start failed.
  private(set) var reason = ""

  /// Whether nothing is to be started now.
  var isOn: Bool { left > 0 }

  /// Whether for two minutes nobody was at work and nobody could be started.
  var isHopeless: Bool { idle >= Self.hopeless }

  /// - Returns: a sentence for people, where they have not been told.
  mutating func begin(_ reason: String, atWork: Int) -> String? {
    let isNew = length == 0
    self.reason = reason
    length = isNew ? Self.first : min(Self.longest, length * 2)
    left = length
    guard isNew else { return nil }
    let others = atWork == 0 ? "none is at work" : atWork == 1 ? "1 is at work" : "\(atWork) are at work"
    return "a worker could not be started (\(reason)), \(others); tried again when one ends, or in a while. "
      + NoRoomForWorkers.advice
  }

  /// Some seconds have passed.
  ///
  /// - Returns: whether the pause has ended with them.
  mutating func isOver(after seconds: Double, atWork: Int) -> Bool {
    idle = length > 0 && atWork == 0 ? idle + seconds : 0
    guard left > 0 else { return false }
    left = max(0, left - seconds)
    return left == 0
  }

  /// Something has run: there is room.
  mutating func end() { self = StartPause() }
}

/// No worker could be started for two minutes.
package struct NoRoomForWorkers: UserError, Equatable {
  package var exitStatus: ExitStatus { .unavailable }
  package let reason: String

  static let advice =
    "`ulimit -u` and `ulimit -n` show how many processes and open files there may be; the memory of the "
    + "machine or its container may be short too."

  package var description: String {
    "No worker could be started for 2 minutes: \(reason). Nothing is lost. \(Self.advice) Raise what is too "
      + "low, and run the same command again."
  }
}
