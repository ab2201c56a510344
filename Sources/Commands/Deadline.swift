import ArgumentParser
import Foundation

/// `--until 07:30`, `--until 2h30m`, `--until 2031-05-04T07:30`: when no more work is meant to be done.
struct Deadline: ExpressibleByArgument {
  let date: Date

  init?(argument: String) { self.init(argument, after: .now, in: .current) }

  /// Which moment was understood: `Workers are asked to stop at 2031-05-04 07:30:00 +0200, in 8 h 20 m.`
  func sentence(from now: Date, in zone: TimeZone) -> String {
    let format = Date.ISO8601FormatStyle(timeZone: zone)
      .year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false)
      .timeZone(separator: .omitted)
    let moment = date.formatted(format)
    return "Workers are asked to stop at \(moment), in \(duration(date.timeIntervalSince(now)))."
  }

  /// - Parameters:
  ///   - text: a time of day, which is the next one; a length of `d`, `h`, `m`, `s`; or a date with a time.
  init?(_ text: String, after now: Date, in zone: TimeZone) {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    if let seconds = Self.length(text) {
      date = now + seconds
    } else if let (hour, minute) = Self.clock(text),
      let next = calendar.nextDate(
        after: now, matching: DateComponents(hour: hour, minute: minute, second: 0), matchingPolicy: .nextTime
      )
    {
      date = next
    } else if let moment = Self.moment(text, calendar), moment > now {
      date = moment
    } else {
      return nil
    }
  }

  /// `2h30m` in seconds.
  static func length(_ text: String) -> Double? {
    let units: [Character: Double] = ["d": 86400, "h": 3600, "m": 60, "s": 1]
    var (total, digits) = (0.0, "")
    for character in text {
      if let unit = units[character], let number = Double(digits) {
        (total, digits) = (total + number * unit, "")
      } else if character.isASCII, character.isNumber || character == "." {
        digits.append(character)
      } else {
        return nil
      }
    }
    return digits.isEmpty && total > 0 && total < 1e9 ? total : nil
  }

  private static func clock(_ text: String) -> (hour: Int, minute: Int)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }), let hour = Int(parts[0]),
      let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
    else { return nil }
    return (hour, minute)
  }

  private static func moment(_ text: String, _ calendar: Calendar) -> Date? {
    let halves = text.split { $0 == "T" || $0 == " " }
    guard halves.count == 2, let (hour, minute) = clock(String(halves[1])) else { return nil }
    let day = halves[0].split(separator: "-", omittingEmptySubsequences: false).compactMap { Int($0) }
    guard day.count == 3 else { return nil }
    let parts = DateComponents(year: day[0], month: day[1], day: day[2], hour: hour, minute: minute)
    guard let date = calendar.date(from: parts), calendar.component(.day, from: date) == day[2],
      calendar.component(.month, from: date) == day[1]
    else {
      return nil
    }
    return date
  }
}
