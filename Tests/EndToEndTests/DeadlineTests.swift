import Foundation
import Testing

@testable import Commands

@Suite struct DeadlineTests {
  /// 2023-11-14 22:13:20 UTC.
  private let now = Date(timeIntervalSince1970: 1_700_000_000)

  private func seconds(_ text: String) -> Double? {
    Deadline(text, after: now, in: .gmt).map { $0.date.timeIntervalSince(now) }
  }

  @Test(arguments: [
    ("23:00", 2800.0), ("07:30", 33_400), ("7:30", 33_400), ("22:13", 86_380), ("2h30m", 9000), ("90s", 90),
    ("1d", 86_400),
    ("1.5h", 5400), ("2023-11-15T00:00", 6400), ("2023-11-15 00:00", 6400),
  ])
  func `a time of day is the next one, a length counts from now`(_ text: String, _ expected: Double) {
    #expect(seconds(text) == expected)
  }

  @Test(arguments: [
    "", "2", "h", "2h3", "2x", "25:00", "12:60", "12:3x", "12", "-1h", "0s", "2023-11-14T22:00",
    "2023-02-30T10:00", "2024-13-01T10:00",
    "tomorrow", "2024-01-01", "1e9h",
  ])
  func `anything else is no time`(_ text: String) { #expect(seconds(text) == nil) }
}
