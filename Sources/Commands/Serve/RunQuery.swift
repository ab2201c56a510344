import Reports
import Specs

/// What a reader of the list of runs asks for: `?q=mtkd-rl+seed=1&where=alpha>=1&sort=-last&page=2`.
///
/// All of it is applied to all runs of the sweep, and a page is cut from what comes out.
struct RunQuery: Equatable {
  /// What a list can be sorted by.
  enum Column: String, CaseIterable {
    case run, settings, seed, state, last, best

    var isNumber: Bool { [.seed, .last, .best].contains(self) }
  }

  /// Words and conditions, as they were written.
  var search: String
  /// Conditions like those of `--where`, with commas between them.
  var conditions: String
  /// Nil for the order of the plan.
  var column: Column?
  var isDescending: Bool
  /// From 1.
  var page: Int
  /// Runs on a page.
  static let pageSize = 200

  init(_ query: [String: String] = [:]) {
    search = query["q"] ?? ""
    conditions = query["where"] ?? ""
    let sort = query["sort"] ?? ""
    isDescending = sort.hasPrefix("-")
    column = Column(rawValue: isDescending ? String(sort.dropFirst()) : sort)
    page = max(1, query["page"].flatMap { Int($0) } ?? 1)
  }

  /// The same as the end of an address, without `?`.
  var text: String {
    var parts: [String] = []
    if !search.isEmpty { parts.append("q=\(Gate.encoded(search))") }
    if !conditions.isEmpty { parts.append("where=\(Gate.encoded(conditions))") }
    if let column { parts.append("sort=\(isDescending ? "-" : "")\(column.rawValue)") }
    if page > 1 { parts.append("page=\(page)") }
    return parts.joined(separator: "&")
  }

  /// What a click on a column's head asks for: numbers begin with the largest, words with the first.
  func sorted(by column: Column) -> RunQuery {
    var query = self
    query.isDescending = self.column == column ? !isDescending : column.isNumber
    query.column = column
    query.page = 1
    return query
  }

  func turned(to page: Int) -> RunQuery {
    var query = self
    query.page = page
    return query
  }

  /// The runs that are meant, in their order.
  ///
  /// - Throws: `InvalidFilter` for a condition that is none, or is of a setting that the sweep does not have.
  func found(_ rows: [DashboardPages.RunRow], _ columns: [String]) throws -> [DashboardPages.RunRow] {
    var filters: [LabelFilter] = []
    var words: [String] = []
    for part in conditions.split(separator: ",") { filters.append(try LabelFilter(String(part))) }
    var rest = search.split(separator: " ")[...]
    while let word = rest.popFirst() {
      if word.lowercased() == "seed", let seed = rest.first, Int(seed) != nil {
        // As the page itself writes it.
        filters.append(try LabelFilter("seed=\(rest.removeFirst())"))
      } else if word.contains(where: { "!<>=".contains($0) }) {
        filters.append(try LabelFilter(String(word)))
      } else {
        words.append(word.lowercased())
      }
    }
    let known = columns + ["seed", "state"]
    for filter in filters where !known.contains(filter.name) {
      throw InvalidFilter(
        text: "\(filter.name)\(filter.relation.rawValue)\(filter.values.joined(separator: "|"))",
        problem:
          "no setting of this sweep is called '\(filter.name)'; there are \(known.joined(separator: ", "))")
    }
    let named = columns + ["state"]
    let found = rows.filter { row in
      let run = SweepResults.Run(
        labels: row.settings + [.string(row.state)], seed: row.seed, state: .open)
      return filters.allSatisfy { $0.admits(run, named) } && words.allSatisfy(row.has)
    }
    guard let column else { return found }
    return found.enumerated().sorted { a, b in
      isBefore(a.element, b.element, column) ?? (a.offset < b.offset)
    }.map(\.element)
  }

  /// Whether one run stands before another; nil where neither does.
  private func isBefore(
    _ a: DashboardPages.RunRow, _ b: DashboardPages.RunRow, _ column: Column
  ) -> Bool? {
    func text(_ x: String, _ y: String) -> Bool? { x == y ? nil : (x < y) != isDescending }
    func number(_ x: Double?, _ y: Double?) -> Bool? {
      // What diverged or still runs has no place among results: it stays at the end,
      // whichever way the rest goes.
      let first = a.state == "finished" ? x.flatMap { $0.isFinite ? $0 : nil } : nil
      let second = b.state == "finished" ? y.flatMap { $0.isFinite ? $0 : nil } : nil
      guard let first else { return second == nil ? nil : false }
      guard let second else { return true }
      return first == second ? nil : (first < second) != isDescending
    }
    switch column {
    case .run: return text(a.key.description, b.key.description)
    case .settings: return text(a.labels, b.labels)
    case .state: return text(a.state, b.state)
    case .seed: return a.seed == b.seed ? nil : (a.seed < b.seed) != isDescending
    case .last: return number(a.last, b.last)
    case .best: return number(a.best, b.best)
    }
  }

  /// Whether a text has a word that begins at a word's border; numbers end at one too, so
  /// that 1 is not 16 or 0.1.
  static func hasWord(_ text: String, _ word: String) -> Bool {
    func isInside(_ character: Character) -> Bool {
      character.isLetter || character.isNumber || character == "."
    }
    let isNumber = word.allSatisfy { $0.isNumber || $0 == "." }
    return text.ranges(of: word).contains { range in
      let begins =
        range.lowerBound == text.startIndex || !isInside(text[text.index(before: range.lowerBound)])
      let ends = !isNumber || range.upperBound == text.endIndex || !isInside(text[range.upperBound])
      return begins && ends
    }
  }
}
