/// Seeds as a grid writes them.
struct SeedList {
  /// Those that every cell gets.
  var first: [Int] = []
  /// Those that claims may ask for besides.
  var more: [Int] = []
  var step = 1
  /// Of `upTo`, where it is written.
  var limitSpot: GridSpot?
  var stepSpot: GridSpot?
}

extension GridReader {
  /// A list of seeds, or `{ "count": 3, "first": 1, "upTo": 20, "step": 1 }`.
  mutating func seeds(_ node: GridNode) -> SeedList {
    if let list = node.elements {
      let seeds = list.compactMap { element -> Int? in
        if let seed = element.integer, seed >= 0 { return seed }
        return complain(element, "a seed: an integer, 0 or more")
      }
      if list.isEmpty { problems.append(node.spot.problem("an empty list of seeds")) }
      if Set(seeds).count != seeds.count { problems.append(node.spot.problem("a seed appears twice")) }
      return SeedList(first: seeds)
    }
    guard let members = node.members else {
      return complain(node, "a list of seeds or { \"count\": 3, \"first\": 1 }") ?? SeedList()
    }
    check(members, among: GridKeys.seeds)
    if members.contains(where: { $0.name == "upTo" }),
      let list = members.first(where: { $0.node.elements != nil })
    {
      problems.append(
        list.node.spot.problem(
          "a list of seeds cannot grow: write { \"count\": 3, \"first\": 1, \"upTo\": 20 }"))
      return SeedList()
    }
    func member(_ name: String) -> GridMember? { members.last { $0.name == name } }
    guard let number = member("count")?.node.integer, number > 0, number <= 1_000_000 else {
      return complain(member("count")?.node ?? node, "a \"count\" of seeds, from 1 to 1000000") ?? SeedList()
    }
    let start = member("first")
    guard let first = start == nil ? 1 : start?.node.integer, first >= 0 else {
      return complain(start?.node ?? node, "a first seed: an integer, 0 or more") ?? SeedList()
    }
    var seeds = SeedList(first: Array(first..<(first + number)))
    seeds.limitSpot = member("upTo")?.spot
    seeds.stepSpot = member("step")?.spot
    if let limit = member("upTo")?.node {
      if let most = limit.integer, most >= number, most <= 1_000_000 {
        seeds.more = Array((first + number)..<(first + most))
      } else if let most = limit.integer, most < number {
        problems.append(
          limit.spot.problem(
            "\"upTo\" is the most seeds that a cell may get, \"count\" of them at first: \(most) is "
              + "below \(number)"
          ))
      } else {
        let _: Int? = complain(limit, "the most seeds that a cell may get, from \(number) to 1000000")
      }
    }
    if let step = member("step")?.node {
      if let size = step.integer, (1...1_000_000).contains(size) {
        seeds.step = size
      } else {
        let _: Int? = complain(step, "how many seeds an open claim gets at once, from 1")
      }
    }
    return seeds
  }

  /// The claims of a grid.
  ///
  /// - Parameters:
  ///   - node: of `claims`; nil where the grid makes none.
  ///   - seeds: of the whole grid.
  ///   - blocks: spots of seeds that blocks have of their own.
  mutating func claims(
    _ node: GridNode?, _ seeds: SeedList, ownSeeds blocks: [GridSpot]
  ) -> ClaimSet? {
    guard let node else {
      if let spot = seeds.limitSpot ?? seeds.stepSpot {
        problems.append(
          spot.problem(
            "seeds grow where a claim needs them, and this grid has no \"claims\": write \"claims\": "
              + "[{ \"compare\": \"A - B\" }], or all seeds as \"count\""))
      }
      return nil
    }
    guard let elements = node.elements, !elements.isEmpty else {
      return complain(node, "a list of claims, such as [{ \"compare\": \"mtkd-rl - aver-kd\" }]")
    }
    for spot in blocks {
      problems.append(
        spot.problem(
          "a grid with claims has the same seeds in all of its blocks; write them at the top level"))
    }
    var set = ClaimSet(claims: [], seeds: seeds.first + seeds.more, count: seeds.first.count)
    set.step = seeds.step
    var level: (value: DecimalNumber, spot: GridSpot)?
    for element in elements {
      guard let (claim, own) = claim(element) else { continue }
      if set.claims.contains(where: { $0.isSame(as: claim) }) {
        problems.append(
          element.spot.problem("this claim stands here twice, and each one costs the others power"))
      }
      set.claims.append(claim)
      guard let own else { continue }
      if let known = level, known.value != own.value {
        problems.append(
          own.spot.problem(
            "all claims of a grid are one family and have one level; another one says \(known.value)"))
      }
      level = own
    }
    if let level { set.level = level.value }
    return set.claims.isEmpty ? nil : set
  }

  private mutating func claim(
    _ node: GridNode
  ) -> (ClaimSpec, level: (value: DecimalNumber, spot: GridSpot)?)? {
    guard let members = node.members else {
      return complain(node, "a claim, such as { \"compare\": \"mtkd-rl - aver-kd\" }")
    }
    check(members, among: GridKeys.claim)
    func part(_ name: String) -> GridNode? { members.last { $0.name == name }?.node }
    guard let compare = part("compare") else {
      return complain(node, "a claim with a pair of methods to \"compare\"")
    }
    let names = ReportPreferences.methods(inFamily: compare.value.string ?? "")
    guard names.count == 2 else {
      return complain(compare, "a pair of methods, such as \"mtkd-rl - aver-kd\"")
    }
    if names[0] == names[1] {
      problems.append(compare.spot.problem("\(names[0]) cannot differ from itself: name two methods"))
    }
    var claim = ClaimSpec(first: names[0], second: names[1])
    let filter = part("where").map { self.filter($0) }
    claim.conditions = filter?.conditions.map { ($0.name, $0.condition) } ?? []
    claim.average = part("average").map { self.names($0) } ?? []
    claim.place = ClaimSpec.Place(
      claim: node.spot, compare: compare.spot, select: part("select")?.spot, average: part("average")?.spot,
      conditions: filter?.conditions.map(\.spot) ?? [])
    if let metric = part("metric") {
      claim.metric =
        metric.value.string.flatMap { $0.isEmpty ? nil : $0 } ?? complain(metric, "the name of a metric")
    }
    if let select = part("select") { claim.select = word(select, of: ReportSelection.self) }
    if claim.select == .bestOnTest, let spot = part("select")?.spot {
      problems.append(spot.problem(GridProblem.claimOnTest))
    }
    if let smallest = part("smallest") {
      let number = smallest.value.number.flatMap { $0.double > 0 ? $0 : nil }
      claim.smallest = number ?? complain(smallest, "the smallest difference that matters, above 0")
    }
    guard let node = part("level") else { return (claim, nil) }
    guard let level = node.value.number, level.double > 0, level.double <= 0.5 else {
      let _: Int? = complain(node, "a level above 0 and at most 0.5")
      return (claim, nil)
    }
    return (claim, (level, node.spot))
  }
}

extension GridProblem {
  package static let claimOnTest =
    "a claim must not choose epochs by what it is judged by: select \"last\" or \"bestOnValidation\""
}
