import Foundation
import Pipeline
import Reports
import Specs
import Storage

/// How a sweep goes on: what is at work, how fast runs end, how long the rest may take, what went wrong.
struct SweepStanding {
  let counts: StateCounts
  let name: String
  /// Runs of the sweep that workers are at.
  let atWork: Int
  let isHeld: Bool
  /// Seconds since 1970, of the runs that have ended and whose folders are here, ascending.
  let ends: [Double]
  let troubles: [Trouble]

  /// Failures of one reason.
  struct Trouble {
    let word: String
    let reason: String
    var keys: [ContentKey]
  }

  init(of sweep: String, in store: ResultStore, _ folder: StoreFolder, _ state: LiveState) throws {
    name = sweep
    counts = try store.counts(of: sweep)
    let standings = try store.standings(of: sweep)
    let keys = Set(standings.map(\.key))
    atWork = state.running.count { keys.contains($0.key) }
    isHeld = state.holder != nil
    ends = standings.compactMap { entry in
      guard let state = entry.state, state != .open else { return nil }
      return folder.stage(entry.key).changed.map(Double.init)
    }.sorted()
    var troubles: [Trouble] = []
    for (key, state) in standings {
      guard let state, let reason = state.reason.map({ ForeignText.line($0) }) else { continue }
      if let place = troubles.firstIndex(where: { $0.word == state.word && $0.reason == reason }) {
        troubles[place].keys.append(key)
      } else {
        troubles.append(Trouble(word: state.word, reason: reason, keys: [key]))
      }
    }
    self.troubles = troubles
  }

  /// Runs an hour, over those that ended in the last hour; nil before two have.
  func rate(at now: Double) -> Double? {
    let recent = ends.filter { $0 > now - 3600 && $0 <= now }
    guard recent.count > 1, let first = recent.first, now - first >= 1 else { return nil }
    // The first one's end is where the span begins.
    return Double(recent.count - 1) / (now - first) * 3600
  }

  /// `2 at work, 40.0 runs an hour, 18 to 39 m left`; where nobody runs it, when something happened last.
  func sentence(at now: Double) -> String {
    let last = ends.last.map { " (last result \(TimeOfDay.local(Int($0))))" } ?? ""
    guard counts.open > 0 else {
      return counts.all == 0 ? "Nothing is planned." : "Nothing is left to run\(last)."
    }
    guard isHeld else {
      return "Nobody is running it: \(counts.all - counts.open) of \(counts.all) runs are over\(last)."
    }
    var words = ["\(counted(atWork, "run")) at work"]
    if let rate = rate(at: now) {
      let middle = Double(counts.open) / rate * 3600
      words.append("\(NumberFormat.fixed(rate, rate < 10 ? 1 : 0)) runs an hour")
      words.append("\(duration(middle * 0.7)) to \(duration(middle * 1.5)) left")
    } else {
      words.append("time left not known yet")
    }
    return words.joined(separator: ", ") + last + "."
  }

  func markup(at now: Double) -> Markup {
    let items = troubles.map { trouble -> Markup in
      let links = trouble.keys.prefix(3).map { key -> Markup in
        " <a class=mono href=\"/runs/\(key.description)\">\(key.short)</a>"
      }
      let rest: Markup =
        trouble.keys.count > 3
        ? " <a href=\"/sweeps/\(Gate.encoded(name))?q=\(trouble.word)#runs\">and \(trouble.keys.count - 3) more</a>"
        : ""
      return
        "<li><span class=\"tag \(trouble.word)\">\(trouble.keys.count) \(trouble.word)</span> \(trouble.reason)\(links)\(rest)</li>"
    }
    let failures: Markup = items.isEmpty ? "" : "<ul class=\"notes failures\">\(items)</ul>"
    return "\(DashboardPages.bar(counts))<p class=facts>\(sentence(at: now))</p>\(failures)"
  }
}
