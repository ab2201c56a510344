/// A grid file as read: blocks of settings, not yet multiplied out.
package struct GridSpec: Sendable {
  package var name: String
  package var note: String?
  package var blocks: [Block]
  package var teacherSeeds: TeacherSeeds
  package var run: RunPreferences
  package var report: ReportPreferences
  /// Where the members of `report` stand, for complaints that need the expanded grid.
  package var reportSpots: [String: GridSpot] = [:]

  package enum TeacherSeeds: String, CaseIterable, Sendable {
    /// One pool for all seeds, as in the paper.
    case fixed
    /// A pool for each seed.
    case perSeed
  }

  /// One product of axes with its exceptions.
  package struct Block: Sendable {
    package var name: String?
    package var base: [String: Setting]
    /// Of the block itself, for messages about its size.
    package var spot: GridSpot
    /// In the order of the file.
    package var axes: [Axis]
    /// Groups of axes that are walked together.
    package var zip: [[Axis]]
    package var exclude: [Filter]
    package var include: [[String: Setting]]
    package var seeds: [Int]
  }

  package struct Axis: Sendable {
    package let name: String
    package let spot: GridSpot
    package let values: [Setting]
  }

  /// A value and the place that says it.
  package struct Setting: Sendable {
    package let value: JSONValue
    /// Whether a number was written without point and exponent, or comes out of a range as a whole one.
    package let isInteger: Bool
    package let spot: GridSpot
  }

  /// What a run must look like to be left out: all conditions at once.
  package struct Filter: Sendable {
    package let conditions: [(name: String, spot: GridSpot, condition: Condition)]
    package let spot: GridSpot

    package enum Condition: Sendable {
      case oneOf([JSONValue])
      /// Every bound holds, and the value is none of `not`.
      case bounds(
        not: [JSONValue], less: DecimalNumber?, lessOrEqual: DecimalNumber?, greater: DecimalNumber?,
        greaterOrEqual: DecimalNumber?)
    }
  }

  /// How to work: changes no result.
  package struct RunPreferences: Sendable {
    package enum Order: String, CaseIterable, Sendable {
      case seedMajor, cellMajor, shortestFirst
    }

    package var workers: Int?
    package var order = Order.seedMajor
    /// How often a stage whose worker died is started again.
    package var retries = 2
    package var maxMinutesPerRun: DecimalNumber?
  }
}

/// Where in which file something stands.
package struct GridPlace: Hashable, Sendable {
  package let file: String
  /// From 1.
  package let line: Int
  package let column: Int
}

/// A grid's text, for messages that show it.
package final class GridSource: Sendable {
  package let file: String
  fileprivate let bytes: [UInt8]
  fileprivate let lines: [String]

  package init(file: String, bytes: [UInt8]) {
    (self.file, self.bytes) = (file, bytes)
    lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  var contents: [UInt8] { bytes }

  /// A line, from 1; empty where there is none.
  func line(_ number: Int) -> String { (1...lines.count).contains(number) ? lines[number - 1] : "" }
}

/// A byte of a grid's text.
package struct GridSpot: Sendable {
  package let source: GridSource
  package let offset: Int

  package init(_ source: GridSource, _ offset: Int) { (self.source, self.offset) = (source, offset) }

  package var place: GridPlace {
    let (line, column) = JSONReader.place(of: offset, in: source.bytes)
    return GridPlace(file: source.file, line: line, column: column)
  }

  package func problem(_ message: String, _ severity: GridProblem.Severity = .error) -> GridProblem {
    let place = place
    return GridProblem(place: place, severity: severity, message: message, source: source.line(place.line))
  }
}

/// Something that a grid gets wrong, or that its author should know.
package struct GridProblem: Equatable, Sendable {
  package enum Severity: Sendable { case error, warning }

  package let place: GridPlace
  package let severity: Severity
  /// A sentence without its place, such as `unknown method "mktd-rl"; did you mean "mtkd-rl"?`.
  package let message: String
  /// The line of the file.
  package let source: String

  /// The place, the sentence, the line and a caret under what is meant.
  package var rendered: String {
    let mark = severity == .warning ? "warning: " : ""
    let head = "\(place.file):\(place.line):\(place.column): \(mark)\(message)"
    if source.isEmpty { return head }
    // Long lines are cut around the place; tabs keep their width under the caret.
    let start = max(0, place.column - 81)
    let line = source.dropFirst(start).prefix(120)
    let pad = line.prefix(place.column - 1 - start).map { $0 == "\t" ? "\t" : " " }.joined()
    return "\(head)\n  \(line)\n  \(pad)^"
  }
}

/// A grid that cannot be run, with everything that is wrong with it.
package struct GridRejected: Error, CustomStringConvertible {
  /// More than this many are not printed.
  package static let limit = 20

  package let problems: [GridProblem]

  package init(_ problems: [GridProblem]) { self.problems = problems }

  package var description: String {
    let shown = problems.prefix(Self.limit).map(\.rendered)
    let rest = problems.count - shown.count
    return (shown + (rest > 0 ? ["… and \(rest) more"] : [])).joined(separator: "\n")
  }
}
