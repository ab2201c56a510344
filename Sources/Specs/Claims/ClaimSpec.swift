/// One claim of a grid: that two methods differ, in every cell where both stand.
///
///     { "compare": "mtkd-rl - ca-mkd", "smallest": 0.3, "where": { "student": ["shufflenetv2"] } }
package struct ClaimSpec: Sendable {
  /// The two methods; differences are the first minus the second.
  package var first: String
  package var second: String
  /// Settings that a comparison must have, as in `exclude`.
  package var conditions: [(name: String, condition: GridSpec.Filter.Condition)] = []
  /// Settings over which means are taken, seed by seed, before anything is compared.
  package var average: [String] = []
  /// Nil for the report's.
  package var metric: String?
  package var select: ReportSelection?
  /// In units of the metric: a difference below it does not matter. Above 0; nil where the claim names none.
  package var smallest: DecimalNumber?
  /// Where the grid says it; nil for a claim that was read from a store.
  package var place: Place?

  package struct Place: Sendable {
    package let claim: GridSpot
    package let compare: GridSpot
    package let select: GridSpot?
    package let average: GridSpot?
    /// Of each condition's name.
    package let conditions: [GridSpot]
  }

  package init(first: String, second: String) {
    self.first = first
    self.second = second
  }

  /// Whether both make the same comparisons of the same numbers.
  func isSame(as other: ClaimSpec) -> Bool {
    first == other.first && second == other.second && metric == other.metric && select == other.select
      && average == other.average
      && conditions.map(\.name) == other.conditions.map(\.name)
      && conditions.map(\.condition.json) == other.conditions.map(\.condition.json)
  }

  /// As a grid writes it: `mtkd-rl - ca-mkd`.
  package var compare: String { "\(first) - \(second)" }
}

/// All claims of a grid, and the seeds that they may ask for. In no key: claims change no result.
/// docs/statistics.md says what they mean.
package struct ClaimSet: Sendable {
  package var claims: [ClaimSpec]
  /// Over the whole family of comparisons, above 0 and at most 0.5.
  package var level = DecimalNumber(mantissa: 5, exponent: -2)
  /// Every seed that a cell may get, in the order in which it gets them.
  package var seeds: [Int]
  /// Seeds that every cell gets first.
  package var count: Int
  /// How many seeds an open comparison gets at once.
  package var step = 1

  /// Comparisons of a grid at most.
  package static let most = 1000

  package init(claims: [ClaimSpec], seeds: [Int], count: Int) {
    self.claims = claims
    self.seeds = seeds
    self.count = count
  }
}

/// Two sides that a claim compares.
package struct ClaimPair: Hashable, Sendable {
  /// Place of the claim in its grid.
  package let claim: Int
  /// Places of cells among those that were given: one, or those whose mean is compared.
  package let first: [Int]
  package let second: [Int]
  /// What the two sides have in common; null for the method and for what means are taken over.
  package let common: [JSONValue]
}

extension ClaimSet {
  /// The comparisons that the claims make, in the order of the claims and of the cells: two sides whose
  /// labels agree in everything but the method. A setting that one of the two does not read agrees with every
  /// value. Where a claim takes means, both sides are over the same values of the settings that it averages.
  ///
  /// - Parameters:
  ///   - columns: what the labels are called; `method` is among them.
  ///   - cells: the labels of each cell, beside `columns`.
  package func pairs(columns: [String], cells: [[JSONValue]]) -> [ClaimPair] {
    guard let method = columns.firstIndex(of: "method") else { return [] }
    let byMethod = Dictionary(grouping: cells.indices) { cells[$0][method] }
    var pairs: [ClaimPair] = []
    for (place, claim) in claims.enumerated() {
      let averaged = claim.average.compactMap { columns.firstIndex(of: $0) }
      func sides(_ name: String) -> [AveragedSide] {
        let own = (byMethod[.string(name)] ?? []).filter { cell in
          averaged.isEmpty || claim.admits(cells[cell], columns, among: claim.average)
        }
        return AveragedSide.sides(of: own, cells, over: averaged)
      }
      let seconds = sides(claim.second)
      for first in sides(claim.first) {
        for second in seconds {
          guard let common = Self.common(first.labels, second.labels, besides: method),
            claim.admits(common, columns), first.covers(second)
          else { continue }
          pairs.append(
            ClaimPair(claim: place, first: first.members, second: second.members, common: common))
        }
      }
    }
    return pairs
  }

  /// The labels that two cells share, null for the method; nil where they differ in another one.
  package static func common(_ a: [JSONValue], _ b: [JSONValue], besides method: Int) -> [JSONValue]? {
    var common: [JSONValue] = []
    for place in a.indices {
      if place == method {
        common.append(.null)
      } else if a[place] == b[place] || b[place] == .null {
        common.append(a[place])
      } else if a[place] == .null {
        common.append(b[place])
      } else {
        return nil
      }
    }
    return common
  }
}

/// Cells that agree in everything but the settings that a claim averages; a cell by
/// itself where it averages none.
private struct AveragedSide {
  /// Null for what means are taken over.
  let labels: [JSONValue]
  var members: [Int]
  /// Of each member: its values of the averaged settings.
  var combinations: [[JSONValue]]

  static func sides(of places: [Int], _ cells: [[JSONValue]], over averaged: [Int]) -> [AveragedSide] {
    var sides: [AveragedSide] = []
    var known: [[JSONValue]: Int] = [:]
    for place in places {
      var labels = cells[place]
      for column in averaged { labels[column] = .null }
      let combination = averaged.map { cells[place][$0] }
      if let side = known[labels] {
        sides[side].members.append(place)
        sides[side].combinations.append(combination)
      } else {
        known[labels] = sides.count
        sides.append(AveragedSide(labels: labels, members: [place], combinations: [combination]))
      }
    }
    return sides
  }

  /// Whether both are over the same values; a setting that one of the two does not read
  /// agrees with every value.
  func covers(_ other: AveragedSide) -> Bool {
    func agree(_ a: [JSONValue], _ b: [JSONValue]) -> Bool {
      zip(a, b).allSatisfy { $0 == $1 || $0 == .null || $1 == .null }
    }
    func isCovered(_ some: [[JSONValue]], by others: [[JSONValue]]) -> Bool {
      some.allSatisfy { one in others.contains { agree(one, $0) } }
    }
    return isCovered(combinations, by: other.combinations) && isCovered(other.combinations, by: combinations)
  }
}

extension ClaimSpec {
  /// Whether labels meet the conditions on settings that are not averaged.
  fileprivate func admits(_ labels: [JSONValue], _ columns: [String]) -> Bool {
    conditions.allSatisfy { name, condition in
      if average.contains(name) { return true }
      guard let place = columns.firstIndex(of: name), labels[place] != .null else { return false }
      return condition.admits(labels[place])
    }
  }

  /// Whether a cell meets the conditions on some settings; one that its method does not
  /// read meets every condition.
  fileprivate func admits(_ labels: [JSONValue], _ columns: [String], among names: [String]) -> Bool {
    conditions.allSatisfy { name, condition in
      guard names.contains(name), let place = columns.firstIndex(of: name), labels[place] != .null else {
        return true
      }
      return condition.admits(labels[place])
    }
  }
}

extension GridSpec.Filter.Condition {
  /// Whether a label meets the condition. Only numbers meet bounds.
  fileprivate func admits(_ label: JSONValue) -> Bool {
    switch self {
    case .oneOf(let values): return values.contains(label)
    case .bounds(let not, let less, let lessOrEqual, let greater, let greaterOrEqual):
      if not.contains(label) { return false }
      if less == nil, lessOrEqual == nil, greater == nil, greaterOrEqual == nil { return true }
      guard let number = label.number else { return false }
      return less.map { number < $0 } ?? true && lessOrEqual.map { number <= $0 } ?? true
        && greater.map { number > $0 } ?? true && greaterOrEqual.map { number >= $0 } ?? true
    }
  }
}

// MARK: In a store

extension ClaimSet {
  /// The canonical encoding that a store keeps with a sweep.
  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("claims", .array(claims.map(\.json)), to: &bytes)
    object.member("count", count, to: &bytes)
    object.member("level", .number(level), to: &bytes)
    object.member("seeds", .array(seeds.map { .number(DecimalNumber($0)) }), to: &bytes)
    object.member("step", step, to: &bytes)
    object.end(&bytes)
  }

  /// Reads what `append` wrote.
  package init(_ json: JSONValue, at path: String = "claims") throws(SpecError) {
    let object = try SpecObject(json, at: path)
    var claims: [ClaimSpec] = []
    let entries = try object.optional("claims", SpecObject.array) ?? []
    for (place, claim) in entries.enumerated() {
      claims.append(try ClaimSpec(claim, at: "\(path).claims[\(place)]"))
    }
    let seeds = (try object.optional("seeds", SpecObject.array) ?? []).compactMap(\.integer)
    let count = try object.integer("count")
    guard !claims.isEmpty, count >= 1, count <= seeds.count, Set(seeds).count == seeds.count else {
      throw SpecError(path: path, expected: "claims with a count of at most all their seeds")
    }
    self.init(claims: claims, seeds: seeds, count: count)
    step = try object.integer("step")
    guard let level = object["level"]?.number, level > DecimalNumber(0), level.double <= 0.5, step >= 1 else {
      throw SpecError(path: object.path("level"), expected: "a level above 0 and at most 0.5")
    }
    self.level = level
  }
}

extension ClaimSpec {
  var json: JSONValue {
    var members: [String: JSONValue] = ["first": .string(first), "second": .string(second)]
    members["metric"] = metric.map { .string($0) }
    members["select"] = select.map { .string($0.rawValue) }
    members["smallest"] = smallest.map { .number($0) }
    if !average.isEmpty { members["average"] = .array(average.map { .string($0) }) }
    if !conditions.isEmpty {
      members["where"] = .array(
        conditions.map { .object(["name": .string($0.name), "condition": $0.condition.json]) })
    }
    return .object(members)
  }

  fileprivate init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(first: try object.string("first"), second: try object.string("second"))
    metric = try object.optional("metric", SpecObject.string)
    if let word = try object.optional("select", SpecObject.string) {
      guard let known = ReportSelection(rawValue: word) else {
        throw SpecError(path: object.path("select"), expected: "a word that this program knows")
      }
      select = known
    }
    smallest = object["smallest"]?.number
    average = (try object.optional("average", SpecObject.array) ?? []).compactMap(\.string)
    for entry in try object.optional("where", SpecObject.array) ?? [] {
      let part = try SpecObject(entry, at: object.path("where"))
      conditions.append(
        (try part.string("name"), try .init(part["condition"] ?? .null, at: part.path("condition"))))
    }
  }
}

extension GridSpec.Filter.Condition {
  var json: JSONValue {
    switch self {
    case .oneOf(let values): return .object(["in": .array(values)])
    case .bounds(let not, let less, let lessOrEqual, let greater, let greaterOrEqual):
      var members: [String: JSONValue] = ["not": .array(not)]
      members["lt"] = less.map { .number($0) }
      members["le"] = lessOrEqual.map { .number($0) }
      members["gt"] = greater.map { .number($0) }
      members["ge"] = greaterOrEqual.map { .number($0) }
      return .object(members)
    }
  }

  fileprivate init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    if let values = try object.optional("in", SpecObject.array) {
      self = .oneOf(values)
    } else {
      self = .bounds(
        not: try object.optional("not", SpecObject.array) ?? [], less: object["lt"]?.number,
        lessOrEqual: object["le"]?.number, greater: object["gt"]?.number,
        greaterOrEqual: object["ge"]?.number)
    }
  }
}
