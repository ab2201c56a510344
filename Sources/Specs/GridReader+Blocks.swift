extension GridReader {
  mutating func block(
    _ parts: [GridMember], named name: String?, at spot: GridSpot, base: [String: GridSpec.Setting],
    seeds: [Int]
  ) -> GridSpec.Block {
    func part(_ name: String) -> GridNode? { parts.last { $0.name == name }?.node }
    var block = GridSpec.Block(
      name: name, base: base, spot: spot, axes: part("axes").map { axes($0) } ?? [], zip: [], exclude: [],
      include: [],
      seeds: seeds)
    for group in list(part("zip"), "a list of groups of axes") {
      let axes = axes(group)
      if Set(axes.map(\.values.count)).count > 1 {
        let counts = axes.map { "\($0.name) \($0.values.count)" }.joined(separator: ", ")
        problems.append(group.spot.problem("the lists of a zip have one length, not \(counts)"))
      }
      block.zip.append(axes)
    }
    for filter in list(part("exclude"), "a list of filters") { block.exclude.append(self.filter(filter)) }
    for row in list(part("include"), "a list of runs") {
      guard let members = row.members else {
        let _: String? = complain(row, "the settings of a run")
        continue
      }
      block.include.append(base.merging(flattened(members).map { ($0.name, $0.setting) }) { $1 })
    }
    var seen: Set<String> = []
    for axis in block.axes + block.zip.flatMap(\.self) where !seen.insert(axis.name).inserted {
      problems.append(axis.spot.problem("there are two axes \"\(axis.name)\""))
    }
    return block
  }

  private mutating func list(_ node: GridNode?, _ expected: String) -> [GridNode] {
    guard let node else { return [] }
    return node.elements ?? complain(node, expected) ?? []
  }

  private mutating func axes(_ node: GridNode) -> [GridSpec.Axis] {
    guard let members = node.members else { return complain(node, "an object of axes") ?? [] }
    if members.isEmpty { problems.append(node.spot.problem("no axes between the braces")) }
    return flattened(members).map { member in
      if member.name == "seed" || member.name == "seeds" {
        problems.append(
          member.spot.problem("seeds are replicates, not an axis; write \"seeds\" at the top level"))
      }
      let values = values(member.node, of: member.name)
      if values.isEmpty, problems.isEmpty {
        problems.append(member.node.spot.problem("the axis \"\(member.name)\" is empty"))
      }
      return GridSpec.Axis(name: member.name, spot: member.spot, values: values)
    }
  }

  /// The values of an axis: a list, a range in decimals, or subsets of a pool.
  private mutating func values(_ node: GridNode, of axis: String) -> [GridSpec.Setting] {
    if let elements = node.elements {
      if elements.isEmpty { problems.append(node.spot.problem("the axis \"\(axis)\" is empty")) }
      return elements.map(\.setting)
    }
    guard let members = node.members, let first = members.first else {
      return complain(node, "a list of values, or { \"range\": [first, last, step] }") ?? []
    }
    if members.contains(where: { $0.name == "pool" }) { return subsets(node, members) }
    let kinds = ["range", "linspace", "logspace"]
    check(members, among: kinds)
    guard kinds.contains(first.name) else { return [] }
    guard members.count == 1 else { return complain(node, "one of range, linspace and logspace") ?? [] }
    let numbers = (first.node.elements ?? []).compactMap(\.value.number)
    guard numbers.count == 3, first.node.elements?.count == 3 else {
      return complain(first.node, "three numbers") ?? []
    }
    switch DecimalRange.values(first.name, numbers) {
    case .success(let values):
      return values.map {
        GridSpec.Setting(value: .number($0), isInteger: $0.integer != nil, spot: first.node.spot)
      }
    case .failure(let problem):
      problems.append(first.node.spot.problem(problem.description))
      return []
    }
  }

  /// `{ "pool": […], "take": [1, 2], "choose": "prefix" }`: M teachers each, as prefixes of the
  /// pool or as all its subsets.
  mutating func subsets(_ node: GridNode, _ members: [GridMember]) -> [GridSpec.Setting] {
    check(members, among: ["pool", "take", "choose"])
    func part(_ name: String) -> GridNode? { members.first { $0.name == name }?.node }
    guard let pool = part("pool")?.elements, !pool.isEmpty else {
      return complain(part("pool") ?? node, "a pool of teachers") ?? []
    }
    // The whole pool stands in for what cannot be taken, so that its names are judged all the same.
    func taken(_ teachers: [GridNode], at spot: GridSpot) -> GridSpec.Setting {
      GridSpec.Setting(
        value: .array(teachers.map(\.value)), isInteger: false, spot: spot,
        elementSpots: teachers.map(\.spot))
    }
    guard let take = part("take") else {
      let _: String? = complain(node, "how many teachers to \"take\"")
      return [taken(pool, at: node.spot)]
    }
    let choose = part("choose")?.value ?? "prefix"
    if choose != "prefix", choose != "all" {
      let _: String? = complain(part("choose") ?? node, "\"prefix\" or \"all\"")
    }
    if let list = take.elements, list.isEmpty {
      problems.append(take.spot.problem("an empty list of how many teachers to take"))
      return [taken(pool, at: take.spot)]
    }
    return (take.elements ?? [take]).flatMap { element -> [GridSpec.Setting] in
      guard let count = element.integer, count > 0 else {
        let _: String? = complain(element, "an integer, 1 or more")
        return [taken(pool, at: element.spot)]
      }
      guard count <= pool.count else {
        problems.append(element.spot.problem("take \(count) of a pool of \(counted(pool.count, "teacher"))"))
        return [taken(pool, at: element.spot)]
      }
      let chosen = choose == "all" ? Self.combinations(pool[...], count) : [Array(pool.prefix(count))]
      return chosen.map { taken($0, at: element.spot) }
    }
  }

  /// All ways to take `count` in the order of the pool.
  private static func combinations(_ names: ArraySlice<GridNode>, _ count: Int) -> [[GridNode]] {
    guard count > 0 else { return [[]] }
    guard let first = names.first, names.count >= count else { return [] }
    return combinations(names.dropFirst(), count - 1).map { [first] + $0 }
      + combinations(names.dropFirst(), count)
  }

  mutating func filter(_ node: GridNode) -> GridSpec.Filter {
    guard let members = node.members, !members.isEmpty else {
      let _: String? = complain(node, "a filter: { setting: value }")
      return GridSpec.Filter(conditions: [], spot: node.spot)
    }
    return GridSpec.Filter(
      conditions: flattened(members).map { ($0.name, $0.spot, condition($0.node)) }, spot: node.spot)
  }

  private mutating func condition(_ node: GridNode) -> GridSpec.Filter.Condition {
    if let elements = node.elements {
      if elements.isEmpty {
        problems.append(node.spot.problem("an empty list of values, which nothing is in"))
      }
      return .oneOf(elements.map(\.value))
    }
    guard let members = node.members else { return .oneOf([node.value]) }
    if members.isEmpty {
      problems.append(node.spot.problem("no bound between the braces; write one of not, lt, le, gt, ge"))
    }
    check(members, among: ["not", "lt", "le", "gt", "ge"])
    var bounds: [String: DecimalNumber] = [:]
    for member in members where member.name != "not" {
      bounds[member.name] = member.node.value.number ?? complain(member.node, "a number")
    }
    let not = members.first { $0.name == "not" }?.node
    return .bounds(
      not: not.map { $0.elements?.map(\.value) ?? [$0.value] } ?? [], less: bounds["lt"],
      lessOrEqual: bounds["le"],
      greater: bounds["gt"], greaterOrEqual: bounds["ge"])
  }

  mutating func preferences(
    _ run: [GridNode], _ report: [GridNode]
  ) -> (run: GridSpec.RunPreferences, report: ReportPreferences, spots: [String: [GridSpot]]) {
    var (runs, reports) = (GridSpec.RunPreferences(), ReportPreferences())
    var spots: [String: [GridSpot]] = [:]
    for member in run.flatMap({ objectMembers($0, among: GridKeys.run) }) {
      let node = member.node
      switch member.name {
      case "workers": runs.workers = integer(node, 1...1024)
      case "threadsPerRun": runs.threadsPerRun = integer(node, 1...GridKeys.mostThreads) ?? 1
      case "order": runs.order = word(node, of: GridSpec.RunPreferences.Order.self) ?? .seedMajor
      case "retries": runs.retries = integer(node, 0...10) ?? 2
      case "onDiverged": runs.onDiverged = word(node, of: GridSpec.RunPreferences.OnDiverged.self) ?? .record
      case "maxMinutesPerRun":
        let minutes = node.value.number.flatMap { $0 > DecimalNumber(0) ? $0 : nil }
        runs.maxMinutesPerRun = minutes ?? complain(node, "a number of minutes above 0")
      case "devices":
        runs.devices = node.value.string == "auto" ? ["auto"] : names(node)
        if Set(runs.devices).count < runs.devices.count {
          problems.append(node.spot.problem("a device that is named twice"))
        }
      case "devicesPerRun": runs.devicesPerRun = integer(node, 1...GridKeys.mostDevices) ?? 1
      case "runsPerDevice": runs.runsPerDevice = integer(node, 1...GridKeys.mostDevices) ?? 1
      case "deviceCheck": runs.deviceCheck = names(node)
      default: break
      }
    }
    if runs.devicesPerRun > 1, runs.runsPerDevice > 1, let node = run.first {
      problems.append(
        node.spot.problem(
          "either devicesPerRun or runsPerDevice is above 1: a run has several devices, or a part of one"))
    }
    for member in report.flatMap({ objectMembers($0, among: GridKeys.report) }) {
      let node = member.node
      spots[member.name] = [node.spot] + (node.elements ?? []).map(\.spot)
      switch member.name {
      case "metric":
        reports.metric =
          node.value.string.flatMap { $0.isEmpty ? nil : $0 } ?? complain(node, "the name of a metric")
      case "direction": reports.direction = word(node, of: MetricDirection.self)
      case "select": reports.select = word(node, of: ReportSelection.self) ?? .last
      case "epoch": reports.epoch = word(node, of: ReportEpoch.self) ?? .last
      case "rows": reports.rows = names(node)
      case "columns": reports.columns = names(node)
      case "average": reports.average = names(node)
      case "compareTo": reports.compareTo = comparisons(node)
      case "test": reports.test = word(node, of: ReportTest.self) ?? .pairedT
      case "correction": reports.correction = word(node, of: ReportCorrection.self) ?? .holm
      case "paperValues": reports.paperValues = paperTable(node)
      default: break
      }
    }
    return (runs, reports, spots)
  }

  private mutating func objectMembers(_ node: GridNode, among known: [String]) -> [GridMember] {
    guard let members = node.members else { return complain(node, "an object") ?? [] }
    check(members, among: known)
    return members
  }

  private mutating func integer(_ node: GridNode, _ range: ClosedRange<Int>) -> Int? {
    if let value = node.integer, range.contains(value) { return value }
    return complain(node, "an integer from \(range.lowerBound) to \(range.upperBound)")
  }

  /// Methods or pairs, as texts or as `{ "compare": "mtkd-rl - ca-mkd", "average": ["student"] }`.
  private mutating func comparisons(_ node: GridNode) -> [String] {
    guard let elements = node.elements else {
      return complain(node, "a list of methods or pairs of them") ?? []
    }
    return elements.map { element in
      if let name = element.value.string { return name }
      guard let members = element.members else {
        return complain(
          element, "a method, a pair such as \"mtkd-rl - ca-mkd\", or an object with \"compare\"") ?? ""
      }
      check(members, among: GridKeys.comparison)
      func part(_ name: String) -> GridNode? { members.last { $0.name == name }?.node }
      guard let name = part("compare")?.value.string, !name.isEmpty else {
        return complain(part("compare") ?? element, "a method or a pair of methods to \"compare\"") ?? ""
      }
      return ReportPreferences.family(name, over: part("average").map { names($0) } ?? [])
    }
  }

  mutating func names(_ node: GridNode) -> [String] {
    let names = (node.elements ?? []).compactMap(\.value.string)
    return node.elements?.count == names.count ? names : complain(node, "a list of names") ?? []
  }

  /// `preset:paper/table1`, by the presets that follow a table of the paper.
  private mutating func paperTable(_ node: GridNode) -> String? {
    guard let name = node.value.string else { return complain(node, "the name of a table of the paper") }
    let known = GridKeys.paperTables.map { GridKeys.paperPrefix + $0 }
    if known.contains(name) { return name }
    let hint = NearestName.of(name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
    note("unknown table of the paper \"\(name)\"\(hint) Known: \(known.joined(separator: ", "))", node)
    return nil
  }

  private mutating func note(_ message: String, _ node: GridNode) {
    problems.append(node.spot.problem(message))
  }
}

/// Values between two ends, computed in decimals.
package enum DecimalRange {
  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// How many values one axis may have.
  package static let longest = 1_000_000

  /// - Parameters:
  ///   - kind: `range` is [first, last, step]; `linspace` and `logspace` are [first, last,
  ///     count]. Both ends are included.
  package static func values(_ kind: String, _ numbers: [DecimalNumber]) -> Result<[DecimalNumber], Problem> {
    let (first, last) = (numbers[0], numbers[1])
    func failure(_ text: String) -> Result<[DecimalNumber], Problem> { .failure(Problem(description: text)) }
    if kind == "range" {
      let step = numbers[2]
      guard step > DecimalNumber(0), first <= last else {
        return failure("a range needs first ≤ last and a step above 0")
      }
      guard (last.double - first.double) / step.double < Double(longest) else {
        return failure("more than \(longest) values")
      }
      var values: [DecimalNumber] = []
      while let offset = step.multiplied(by: values.count), let value = first.adding(offset), value <= last {
        values.append(value)
      }
      guard values.last == last else {
        return failure("the step \(step) leads from \(first) to \(values.last ?? first), not to \(last)")
      }
      return .success(values)
    }
    guard let count = numbers[2].integer, count >= 2, count <= longest else {
      return failure("the third number is a count, 2 or more")
    }
    if kind == "logspace", first <= DecimalNumber(0) || last <= DecimalNumber(0) {
      return failure("logspace needs ends above 0")
    }
    let (a, b) = (first.double, last.double)
    let span = kind == "linspace" ? b - a : b / a
    guard a.isFinite, b.isFinite, span.isFinite, kind == "linspace" || span > 0 else {
      return failure("the ends are too far apart")
    }
    let values = (0..<count).map { index -> DecimalNumber in
      if index == 0 { return first }
      if index == count - 1 { return last }
      let share = Double(index) / Double(count - 1)
      return rounded(kind == "linspace" ? a + share * span : a * power(span, share))
    }
    guard Set(values).count == count else {
      return failure("\(counted(count, "value")) that ten digits cannot tell apart")
    }
    return .success(values)
  }

  /// Ten significant digits: enough for any axis, and without the tail of binary fractions.
  private static func rounded(_ value: Double) -> DecimalNumber {
    guard value != 0 else { return DecimalNumber(0) }
    var (scaled, exponent) = (value, 0)
    while abs(scaled) < 1e9 { (scaled, exponent) = (scaled * 10, exponent - 1) }
    while abs(scaled) >= 1e10 { (scaled, exponent) = (scaled / 10, exponent + 1) }
    return DecimalNumber(mantissa: Int64(scaled.rounded()), exponent: exponent)
  }
}

#if canImport(Glibc)
  private import Glibc
#endif

private func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
