package import Specs

/// Means over settings: what a claim over several students is about.
///
/// The mean over the settings is taken within each seed, so that comparisons stay paired by seed; mean and
/// std over the seeds come after it. A seed counts only where every cell that is averaged has a number for
/// it, and a row counts only where it has every cell that others of its dataset have.
extension SweepResults {
  /// The same results with one run for each seed of cells that agree in everything but some settings.
  ///
  /// - Parameter names: settings; those that are no column are passed over,
  ///   `ReportLayout.check` complains of them.
  package func averaged(over names: [String]) -> SweepResults {
    let averaged = names.compactMap { columns.firstIndex(of: $0) }
    guard !averaged.isEmpty else { return self }
    let kept = columns.indices.filter { !averaged.contains($0) }
    let scope = ["dataset", "trainImages", "testImages"].compactMap { columns.firstIndex(of: $0) }.filter {
      !averaged.contains($0)
    }
    var groups: [Group] = []
    var known: [[JSONValue]: Int] = [:]
    var wanted: [[JSONValue]: [[JSONValue]]] = [:]
    for run in runs {
      let labels = kept.map { run.labels[$0] }
      let combination = averaged.map { run.labels[$0] }
      let place = known[labels] ?? groups.count
      if place == groups.count {
        known[labels] = place
        groups.append(Group(labels: labels, scope: scope.map { run.labels[$0] }))
      }
      groups[place].add(run, combination)
      if !wanted[groups[place].scope, default: []].contains(combination) {
        wanted[groups[place].scope, default: []].append(combination)
      }
    }
    let names = averaged.map { columns[$0] }
    let merged = groups.flatMap { $0.merged(names, all: wanted[$0.scope] ?? [], select: select) }
    var results = SweepResults(
      name: name, columns: kept.map { columns[$0] }, runs: merged, metric: described, select: select,
      epoch: epoch, selector: selector)
    results.sample = sample
    results.teachers = teachers
    results.constants = constants
    results.dataNotes = dataNotes
    results.note = note
    results.aliases = aliases
    results.averages = zip(names, averaged).map { name, place in
      var values: [JSONValue] = []
      for run in runs where run.labels[place] != .null && !values.contains(run.labels[place]) {
        values.append(run.labels[place])
      }
      return Average(setting: name, values: values)
    }
    return results
  }

  /// A setting over which the numbers are means.
  package struct Average: Equatable, Sendable {
    package let setting: String
    /// All that the results have, in their order.
    package let values: [JSONValue]

    /// `4 students`, `2 values of alpha`.
    package var counted: String { Self.words(setting, values.count) }

    static func words(_ setting: String, _ count: Int) -> String {
      ["student", "dataset"].contains(setting)
        ? Specs.counted(count, setting) : "\(Specs.counted(count, "value")) of \(setting)"
    }
  }

  /// `mean over 4 students`; empty where no setting is averaged.
  package var averageText: String {
    averages.isEmpty ? "" : "mean over \(averages.map(\.counted).joined(separator: " and "))"
  }
}

/// Cells that become one.
private struct Group {
  let labels: [JSONValue]
  let scope: [JSONValue]
  /// Values of the averaged settings, each with its runs by seed.
  private var members: [(combination: [JSONValue], runs: [Int: SweepResults.Run])] = []
  private var seeds: Set<Int> = []

  init(labels: [JSONValue], scope: [JSONValue]) {
    self.labels = labels
    self.scope = scope
  }

  mutating func add(_ run: SweepResults.Run, _ combination: [JSONValue]) {
    seeds.insert(run.seed)
    if let place = members.firstIndex(where: { $0.combination == combination }) {
      members[place].runs[run.seed] = run
    } else {
      members.append((combination, [run.seed: run]))
    }
  }

  /// One run a seed, ascending.
  func merged(
    _ names: [String], all combinations: [[JSONValue]], select: ReportSelection
  ) -> [SweepResults.Run] {
    let absent = combinations.filter { wanted in
      !members.contains { zip($0.combination, wanted).allSatisfy { $0 == $1 || $0 == .null || $1 == .null } }
    }
    return seeds.sorted().map { seed in
      let runs = members.map { (Self.title(names, $0.combination), $0.runs[seed]) }
      if let title = runs.first(where: { $0.1 == nil })?.0 {
        return run(seed, gap: "\(title) has no such seed", runs.compactMap(\.1))
      }
      let present = runs.map { ($0.0, $0.1!) }
      if let state = Self.worst(present) { return run(seed, state, nil, present.map(\.1)) }
      if let first = absent.first {
        let more = absent.count > 1 ? " and \(absent.count - 1) more" : ""
        return run(seed, gap: "there is no cell of \(Self.title(names, first))\(more)", present.map(\.1))
      }
      return run(seed, .finished, Self.mean(present, select), present.map(\.1))
    }
  }

  private static func title(_ names: [String], _ combination: [JSONValue]) -> String {
    let words = zip(names, combination).compactMap { name, label -> String? in
      if label == .null { return nil }
      return name == "student" ? ReportTable.text(label) : "\(name)=\(ReportTable.text(label))"
    }
    return words.isEmpty ? "a cell" : words.joined(separator: " ")
  }

  private func run(_ seed: Int, gap reason: String, _ runs: [SweepResults.Run]) -> SweepResults.Run {
    let reading = SweepResults.Reading.notRecorded(reason: reason)
    return run(seed, .finished, SweepResults.Numbers(last: reading, best: nil, validated: reading), runs)
  }

  private func run(
    _ seed: Int, _ state: RunState, _ numbers: SweepResults.Numbers?, _ runs: [SweepResults.Run]
  ) -> SweepResults.Run {
    var programs: [String] = []
    for program in runs.flatMap(\.programs) where !programs.contains(program) { programs.append(program) }
    let seals = runs.map(\.isVerified)
    let isVerified: Bool? =
      seals.contains(false) ? false : seals.allSatisfy { $0 == true } && !seals.isEmpty ? true : nil
    return SweepResults.Run(
      labels: labels, seed: seed, state: state, numbers: numbers, programs: programs, isVerified: isVerified)
  }

  /// The state that keeps a seed from having a mean: one that is over goes before one that may still come.
  private static func worst(_ runs: [(title: String, run: SweepResults.Run)]) -> RunState? {
    var open: RunState?
    for (title, run) in runs {
      switch run.state {
      case .failed(var failure):
        failure.reason = "\(title): \(failure.reason)"
        return .failed(failure)
      case .blocked(let reason): return .blocked(reason: "\(title): \(reason)")
      case .open: open = .open
      case .finished: break
      }
    }
    return open
  }

  /// The mean of each number that every run has.
  private static func mean(
    _ runs: [(title: String, run: SweepResults.Run)], _ select: ReportSelection
  ) -> SweepResults.Numbers {
    func reading(_ part: (SweepResults.Numbers) -> SweepResults.Reading?, _ name: String)
      -> SweepResults.Reading
    {
      var values: [Double] = []
      for (title, run) in runs {
        switch run.numbers.flatMap(part) {
        case .number(let value): values.append(value)
        case .notFinite: return .notFinite
        case .notRecorded(let reason): return .notRecorded(reason: "\(title): \(reason)")
        case nil: return .notRecorded(reason: "\(title): \(name)")
        }
      }
      return SweepResults.Reading(values.reduce(0, +) / Double(values.count))
    }
    let bests = runs.compactMap { $0.run.numbers?.best }
    let best = bests.count == runs.count ? bests.reduce(0, +) / Double(bests.count) : nil
    let hasValidation = runs.contains { $0.run.numbers?.validated != nil }
    return SweepResults.Numbers(
      last: reading(\.last, "the run did not report the metric"), best: best,
      validated: hasValidation ? reading(\.validated, "no validation metric was recorded") : nil)
  }
}
