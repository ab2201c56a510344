internal import Specs
package import Storage
internal import Sweeps

extension SweepPlanner {
  /// Why a stage is in a plan, or would run again: places of the grid with their values, then what the
  /// store knows, a line each.
  ///
  /// - Parameter prefix: the beginning of the stage's key.
  /// - Returns: nil where neither the plan nor the store has such a stage.
  package static func explanation(
    of prefix: String, in sweep: PlannedSweep, _ store: ResultStore?
  ) throws -> [String]? {
    let wanted = prefix.lowercased()
    let titles = StageTitle.all(sweep)
    let matches = sweep.plan.stages.filter { $0.key.description.hasPrefix(wanted) }
    guard let stage = matches.first else {
      guard let known = try store?.stages(withPrefix: wanted).first else { return nil }
      return [
        "\(known.stage.key.short)  \(known.stage.title)",
        "  \(sweep.path) does not ask for it; the store has it from an earlier grid (\(known.state.words))",
      ]
    }
    if matches.count > 1 {
      return ["\(matches.count) stages of the plan have keys that begin with \(prefix). Give more digits."]
    }
    var lines = ["\(stage.key.short)  \(titles[stage.key]?.text ?? stage.title)"]
    if let place = sweep.plan.runKeys.firstIndex(of: stage.key) {
      lines += request(of: sweep.expansion.runs[place], sweep)
    } else {
      let readers = sweep.plan.stages.filter { ($0.inputs + $0.helpers).contains(stage.key) }
      let first = readers.first.map { titles[$0.key]?.text ?? $0.title } ?? "nothing"
      lines.append(
        "  needed by \(counted(readers.count, "stage")) of \(sweep.path), the first of them: \(first)")
    }
    lines.append("  " + (try state(of: stage, sweep, store)))
    return lines
  }

  /// Where the grid asks for a run, setting by setting.
  private static func request(of run: PlannedRun, _ sweep: PlannedSweep) -> [String] {
    let block = sweep.grid.blocks[run.block]
    let name = block.name.map { " (block \($0))" } ?? ""
    var lines = ["  asked for at \(text(block.spot.place))\(name), seed \(run.seed)"]
    for (column, label) in zip(sweep.expansion.columns, run.labels) where label != .null {
      let axes = block.axes + block.zip.flatMap(\.self)
      let setting =
        axes.first { $0.name == column }?.values.first { $0.value == label }
        ?? block.include.lazy.compactMap { $0[column] }.first { $0.value == label } ?? block.base[column]
      let value = label.string ?? label.description
      lines.append("    \(column) = \(value)  \(setting.map { text($0.spot.place) } ?? "by default")")
    }
    return lines
  }

  private static func text(_ place: GridPlace) -> String { "\(place.file):\(place.line):\(place.column)" }

  private static func state(of stage: StageRequest, _ sweep: PlannedSweep, _ store: ResultStore?) throws
    -> String
  {
    if sweep.done.contains(stage.key) { return "has its result; nothing will run" }
    if let failure = sweep.failed[stage.key] {
      return "failed: \(failure.reason) `mtkd-sweep retry \(stage.key.short)` lets it run again"
    }
    if let known = try store?.stages(withPrefix: stage.key.description).first {
      return "will run: \(known.state.words)"
    }
    guard let store, let changes = try changes(of: stage, sweep, store) else {
      return "will run: it never has"
    }
    return "will run: " + changes
  }

  /// What is other than in the run that this sweep had under the same labels and seed;
  /// nil where there was none.
  private static func changes(_ old: StageRecord, _ new: StageRequest) -> String {
    guard let before = try? JSONReader.read(Array(old.spec.utf8)).value,
      let after = try? JSONReader.read(new.document).value
    else { return "its specification changed" }
    var differences: [String] = []
    compare(before, after, path: "", into: &differences)
    let named = differences.filter { !$0.hasPrefix("inputs") }.map { $0.replacing("spec.", with: "") }
    let shown = (named.isEmpty ? differences : named).prefix(6).joined(separator: "; ")
    return "the run \(old.key.short) in its place had other settings: \(shown)"
  }

  private static func changes(of stage: StageRequest, _ sweep: PlannedSweep, _ store: ResultStore) throws
    -> String?
  {
    guard let place = sweep.plan.runKeys.firstIndex(of: stage.key),
      let record = try store.sweeps().first(where: { $0.name == sweep.name }),
      record.columns == sweep.expansion.columns
    else { return nil }
    let run = sweep.expansion.runs[place]
    let asked = Set(sweep.plan.runKeys)
    let former = try store.points(of: sweep.name).first {
      $0.seed == run.seed && $0.labels == run.labels && !asked.contains($0.key)
    }
    guard let former, let old = try store.stages(withPrefix: former.key.description).first else { return nil }
    return changes(old.stage, stage)
  }

  private static func compare(_ a: JSONValue, _ b: JSONValue, path: String, into differences: inout [String])
  {
    if a == b { return }
    if let a = a.object, let b = b.object {
      for name in Set(a.keys).union(b.keys).sorted() {
        compare(
          a[name] ?? .null, b[name] ?? .null, path: path.isEmpty ? name : "\(path).\(name)",
          into: &differences)
      }
      return
    }
    if let a = a.array, let b = b.array, a.count == b.count {
      for index in a.indices { compare(a[index], b[index], path: "\(path)[\(index)]", into: &differences) }
      return
    }
    func word(_ value: JSONValue) -> String { value == .null ? "nothing" : value.description }
    differences.append("\(path) was \(word(a)) and is \(word(b))")
  }
}

extension StageState {
  fileprivate var words: String {
    switch self {
    case .finished: "finished"
    case .open: "begun and not finished"
    case .failed(let failure): "failed: \(failure.reason)"
    case .blocked(let reason): "could not run: \(reason)"
    }
  }
}
