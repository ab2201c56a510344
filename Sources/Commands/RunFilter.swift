import ArgumentParser
import Pipeline
import Specs
import Sweeps

/// `--only 'method=mtkd-rl'`: which runs of a sweep are meant this time.
struct RunFilter: ExpressibleByArgument {
  let name: String
  /// Any of them.
  let values: [String]
  private let text: String

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "=") else { return nil }
    name = String(argument[..<sign])
    values = argument[argument.index(after: sign)...].split(separator: ",").map(String.init)
    text = argument
    if name.isEmpty || values.isEmpty { return nil }
  }

  /// - Throws: `ValidationError` for a name that no run has, and for filters that leave nothing.
  static func matching(_ filters: [RunFilter], in sweep: PlannedSweep) throws -> Set<ContentKey> {
    let known = ["seed"] + sweep.expansion.columns
    for filter in filters where !known.contains(filter.name) {
      let hint = NearestName.of(filter.name, among: known).map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "Runs of \(sweep.name) do not differ in '\(filter.name)'.\(hint) \(NearestName.list(known))"
      )
    }
    var chosen: Set<ContentKey> = []
    for (run, key) in zip(sweep.expansion.runs, sweep.plan.runKeys) {
      let labels =
        zip(sweep.expansion.columns, run.labels).map { ($0, $1) } + [("seed", JSONValue(run.seed))]
      let isMeant = filters.allSatisfy { filter in
        labels.contains { name, label in name == filter.name && filter.values.contains { means($0, label) } }
      }
      if isMeant { chosen.insert(key) }
    }
    guard !chosen.isEmpty else {
      let all = filters.map { "--only \($0.text)" }.joined(separator: " ")
      throw ValidationError(
        "\(all) matches no run. `mtkd-sweep list \(sweep.name)` shows what runs are called.")
    }
    return chosen
  }

  /// `0.50` means one half, and `2` a pool of two teachers.
  private static func means(_ text: String, _ label: JSONValue) -> Bool {
    if let word = label.string { return word == text }
    if let number = label.number { return DecimalNumber(text) == number }
    if let pool = label.array { return DecimalNumber(text)?.integer == pool.count }
    return label.description == text
  }
}
