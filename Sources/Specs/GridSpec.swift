/// A grid file as read: blocks of settings, not yet multiplied out.
package struct GridSpec: Sendable {
  package var name: String
  package var note: String?
  package var blocks: [Block]
  package var teacherSeeds: TeacherSeeds
  package var run: RunPreferences
  package var report: ReportPreferences
  /// Nil for a grid that claims nothing. Blocks then have all seeds that claims may ask for.
  package var claims: ClaimSet?
  /// Where the members of `report` stand, for complaints that need the vocabulary or the expanded grid: the
  /// value, then the elements of a list.
  package var reportSpots: [String: [GridSpot]] = [:]

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
    /// Whether it is the file's own block where the file has others.
    package var isBesideBlocks = false
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
    /// Of the name before it; nil for the values of an axis.
    package var nameSpot: GridSpot?
    /// Of the names in a list or a pool of teachers, in their order; empty for everything else.
    package var elementSpots: [GridSpot] = []

    /// The value as its file has it: `2.0` is not `2`.
    package var written: String { spot.written(value) }
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

      /// Values that the condition names.
      package var values: [JSONValue] {
        switch self {
        case .oneOf(let values): values
        case .bounds(let not, _, _, _, _): not
        }
      }
    }
  }

  /// How to work: changes no result.
  package struct RunPreferences: Sendable {
    package enum Order: String, CaseIterable, Sendable {
      case seedMajor, cellMajor, shortestFirst
    }

    package var workers: Int?
    /// Threads of each run; they decide no bit.
    package var threadsPerRun = 1
    package var order = Order.seedMajor
    /// How often a stage whose worker died is started again.
    package var retries = 2
    package var onDiverged = OnDiverged.record
    package var maxMinutesPerRun: DecimalNumber?
    /// Devices of this machine that runs of trainers are given, by name; or the one
    /// word `auto`. Empty for none.
    package var devices: [String] = []
    package var devicesPerRun = 1
    package var runsPerDevice = 1
    /// A command that says whether the device in its environment works.
    package var deviceCheck: [String] = []

    /// What a run whose loss is not finite any more means for the others; it is a result in any case.
    package enum OnDiverged: String, CaseIterable, Sendable {
      case record
      /// Other seeds of its cell that have not started are left alone.
      case stopCell
      /// As Ctrl-C once.
      case stopSweep
    }
  }
}

/// A grid as far as it could be read, and what is wrong with how it is written.
package struct GridDraft: Sendable {
  /// As the user typed it.
  package let file: String
  /// Whatever could be made out, for judging the names in it; nil where the text is no grid at all.
  package let grid: GridSpec?
  package let problems: [GridProblem]
}

/// Where in which file something stands.
package struct GridPlace: Hashable, Sendable {
  package let file: String
  /// From 1.
  package let line: Int
  package let column: Int

  package init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// A grid's text, for messages that show it.
package final class GridSource: Sendable {
  package let file: String
  let contents: [UInt8]
  /// Offsets of the first byte of each line.
  private let starts: [Int]

  package init(file: String, bytes: [UInt8]) {
    self.file = file
    contents = bytes
    starts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
  }

  /// A line, from 1, without its end; empty where there is none.
  func line(_ number: Int) -> String {
    guard starts.indices.contains(number - 1) else { return "" }
    let end = number < starts.count ? starts[number] - 1 : contents.count
    return String(decoding: contents[starts[number - 1]..<end], as: UTF8.self)
  }

  /// Whether the text looks like YAML: a name with a colon, a dash or three of them, where JSON has a brace.
  var isYAML: Bool {
    if file.hasSuffix(".yaml") || file.hasSuffix(".yml") { return true }
    let lines = String(decoding: contents.prefix(4096), as: UTF8.self).split(separator: "\n")
    let first = lines.first { !$0.allSatisfy(\.isWhitespace) && !$0.hasPrefix("#") } ?? ""
    let word = first.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    return first.hasPrefix("---") || first.hasPrefix("- ")
      || (!word.isEmpty && first.dropFirst(word.count).hasPrefix(":"))
  }

  /// Where a byte stands.
  func place(of offset: Int) -> GridPlace {
    // The last start that is not behind the offset, by halving: a grid may have thousands of problems.
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    let column = String(decoding: contents[starts[low]..<max(starts[low], offset)], as: UTF8.self).count + 1
    return GridPlace(file: file, line: low + 1, column: column)
  }
}

/// A byte of a grid's text.
package struct GridSpot: Sendable {
  package let source: GridSource
  package let offset: Int

  package init(_ source: GridSource, _ offset: Int) {
    self.source = source
    self.offset = offset
  }

  /// A value that stands here, as the file has it.
  func written(_ value: JSONValue) -> String {
    guard value.number != nil else { return value.description }
    let digits = source.contents[min(offset, source.contents.count)...].prefix { JSONReader.isNumeric($0) }
    // The values of a range stand where the range does.
    return digits.isEmpty ? value.description : String(decoding: digits, as: UTF8.self)
  }

  package var place: GridPlace { source.place(of: offset) }

  package func problem(_ message: String, _ severity: GridProblem.Severity = .error) -> GridProblem {
    let place = place
    return GridProblem(place: place, severity: severity, message: message, source: source.line(place.line))
  }
}

/// Something that a grid gets wrong, or that its author should know.
package struct GridProblem: Hashable, Sendable {
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
package struct GridRejected: UserError {
  package var exitStatus: ExitStatus { .badInput }
  /// More than this many are not printed.
  package static let limit = 20

  package let problems: [GridProblem]

  /// - Parameter problems: in any order; kept by file, as they come, and by place.
  package init(_ problems: [GridProblem]) {
    var files: [String: Int] = [:]
    for problem in problems where files[problem.place.file] == nil { files[problem.place.file] = files.count }
    func rank(_ problem: GridProblem) -> (Int, Int, Int) {
      (files[problem.place.file]!, problem.place.line, problem.place.column)
    }
    self.problems = problems.sorted { rank($0) < rank($1) }
  }

  package var description: String {
    let shown = problems.prefix(Self.limit).map(\.rendered)
    let rest = problems.count - shown.count
    return (shown + (rest > 0 ? ["… and \(rest) more"] : [])).joined(separator: "\n")
  }

  package var nextStep: String? {
    guard let file = problems.first?.place.file, !file.hasPrefix("preset:") else { return nil }
    return "Correct \(file) and type `mtkd-sweep check \(shellWord(file))`."
  }
}
