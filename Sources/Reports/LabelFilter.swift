internal import Specs

/// A condition on the labels of a run: `alpha>=1`, `method=mtkd-rl`, `student!=resnet8`, `seed<=3`.
///
/// Pools of teachers compare by their size. A run whose method does not read the setting
/// does not meet the condition.
package struct LabelFilter: Equatable, Sendable {
  package enum Relation: String, CaseIterable, Sendable {
    // Longer signs first: they begin like the shorter ones.
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case equal = "="
  }

  package let name: String
  package let relation: Relation
  /// Several where `|` stands between them; one for an order.
  package let values: [String]

  /// - Throws: `InvalidFilter` for a text that is no condition.
  package init(_ text: String) throws(InvalidFilter) {
    guard let start = text.firstIndex(where: { "!<>=".contains($0) }) else {
      throw InvalidFilter(text: text, problem: "there is no =, !=, <, <=, > or >= in it")
    }
    let (left, right) = (text[..<start], text[start...])
    guard let relation = Relation.allCases.first(where: { right.hasPrefix($0.rawValue) }) else {
      throw InvalidFilter(text: text, problem: "'\(right.prefix(2))' is no comparison")
    }
    func trimmed(_ text: Substring) -> String {
      String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    self.name = trimmed(left)
    self.relation = relation
    // `==` is accepted for `=`.
    let rest = right.dropFirst(relation.rawValue.count)
    values = (relation == .equal && rest.hasPrefix("=") ? rest.dropFirst() : rest)
      .split(separator: "|", omittingEmptySubsequences: false).map(trimmed)
    guard !name.isEmpty, !values.contains("") else {
      throw InvalidFilter(text: text, problem: "something is missing beside '\(relation.rawValue)'")
    }
    let isOrder = ![.equal, .notEqual].contains(relation)
    if isOrder, values.count > 1 || DecimalNumber(values[0]) == nil {
      throw InvalidFilter(text: text, problem: "'\(relation.rawValue)' compares with one number")
    }
  }

  package func admits(_ run: SweepResults.Run, _ columns: [String]) -> Bool {
    let label: JSONValue
    if name == "seed" {
      label = .number(DecimalNumber(run.seed))
    } else if let place = columns.firstIndex(of: name) {
      label = run.labels[place]
    } else {
      return false
    }
    switch relation {
    case .equal: return values.contains { Self.isEqual(label, $0) }
    case .notEqual: return label != .null && !values.contains { Self.isEqual(label, $0) }
    case .less: return compare(label) { $0 < $1 }
    case .lessOrEqual: return compare(label) { $0 <= $1 }
    case .greater: return compare(label) { $0 > $1 }
    case .greaterOrEqual: return compare(label) { $0 >= $1 }
    }
  }

  private static func isEqual(_ label: JSONValue, _ text: String) -> Bool {
    if label == .null { return false }
    if let number = label.number ?? size(label), let other = DecimalNumber(text) { return number == other }
    return ReportTable.text(label) == text
  }

  private func compare(_ label: JSONValue, _ holds: (DecimalNumber, DecimalNumber) -> Bool) -> Bool {
    guard let number = label.number ?? Self.size(label), let bound = DecimalNumber(values[0]) else {
      return false
    }
    return holds(number, bound)
  }

  /// Teachers in a pool.
  private static func size(_ label: JSONValue) -> DecimalNumber? {
    Teachers.members(label).map { DecimalNumber($0.count) }
  }
}

/// A condition that does not read as one.
package struct InvalidFilter: Error, Equatable, CustomStringConvertible {
  package let text: String
  package let problem: String

  /// - Parameter problem: what is wrong with it, in words that a full stop follows.
  package init(text: String, problem: String) {
    self.text = text
    self.problem = problem
  }

  package var description: String {
    "'\(text)' is no condition: \(problem). Write one like 'alpha>=1', 'method=mtkd-rl|ca-mkd' or 'seed<=3'."
  }
}

/// Labels that are pools of teachers.
enum Teachers {
  /// The members of a list, or of the first `take` of a `pool`; nil for another label.
  static func members(_ label: JSONValue) -> [JSONValue]? {
    if let list = label.array { return list }
    guard let pool = label.object?["pool"]?.array else { return nil }
    return Array(pool.prefix(label.object?["take"]?.integer ?? pool.count))
  }
}
