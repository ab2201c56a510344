internal import Specs

/// Short names for networks that a grid spells out: `resnet8*` for `cifar_resnet(depth=8,widths=[4,4,8])`,
/// which stands once below a table.
package struct NetworkAlias: Sendable, Equatable {
  package let name: String
  /// As the grid writes it, in one line.
  package let spelt: String
  /// The label that the grid has; nil for a network that only the teachers' titles name.
  let label: JSONValue?

  package var note: String { "\(name): \(spelt)." }

  /// The family without what it is published for, and its depth: `resnet8`.
  fileprivate static func stem(family: String, depth: String?) -> String {
    let parts = family.split(separator: "_", maxSplits: 1)
    return "\(parts.last ?? "network")\(depth ?? "")"
  }
}

extension SweepResults {
  /// The same results with short names in the place of networks that their grid spells out.
  /// Numbers, keys and order stay.
  package func aliased() -> SweepResults {
    guard aliases.isEmpty else { return self }
    let spelt = speltNetworks()
    if spelt.isEmpty { return self }
    let stems = spelt.map(\.stem)
    var counts: [String: Int] = [:]
    let found = spelt.map { network -> NetworkAlias in
      counts[network.stem, default: 0] += 1
      let isAlone = stems.count { $0 == network.stem } == 1
      return NetworkAlias(
        name: "\(network.stem)*\(isAlone ? "" : "\(counts[network.stem]!)")", spelt: network.text,
        label: network.label)
    }
    let labels = Dictionary(
      found.compactMap { alias in alias.label.map { ($0, JSONValue.string(alias.name)) } }
    ) { first, _ in first }
    func short(_ text: String) -> String {
      found.reduce(text) { $0.replacing($1.spelt, with: $1.name) }
    }
    var results = with(runs.map { $0.labelled($0.labels.map { $0.replacing(labels) }) })
    results.aliases = found
    results.teachers = teachers.map { Teacher(title: short($0.title), accuracy: $0.accuracy) }
    results.constants = constants.map(short)
    return results
  }

  /// The label of a run as its grid has it.
  func original(_ label: JSONValue) -> JSONValue {
    if aliases.isEmpty { return label }
    return label.replacing(
      Dictionary(aliases.compactMap { alias in alias.label.map { (.string(alias.name), $0) } }) { first, _ in
        first
      })
  }

  private struct Spelt {
    let text: String
    let stem: String
    let label: JSONValue?
  }

  /// Each once, in the order of the runs; then those that only teachers are.
  private func speltNetworks() -> [Spelt] {
    var found: [Spelt] = []
    var seen: Set<JSONValue> = []
    func look(_ label: JSONValue) {
      guard label.object != nil || label.array != nil, seen.insert(label).inserted else { return }
      for member in Teachers.members(label) ?? [] { look(member) }
      guard let family = label.object?["family"]?.string else { return }
      let stem = NetworkAlias.stem(family: family, depth: label.object?["depth"]?.integer.map { "\($0)" })
      found.append(Spelt(text: label.title, stem: stem, label: label))
    }
    for run in runs { for label in run.labels { look(label) } }
    for word in teachers.flatMap({ $0.title.split(separator: " ") }) {
      guard let open = word.firstIndex(of: "("), word.hasSuffix(")"),
        !found.contains(where: { $0.text == word })
      else { continue }
      let depth = word[open...].dropFirst().dropLast().split(separator: ",").first { $0.hasPrefix("depth=") }
      let stem = NetworkAlias.stem(
        family: String(word[..<open]), depth: depth.map { String($0.dropFirst("depth=".count)) })
      found.append(Spelt(text: String(word), stem: stem, label: nil))
    }
    return found
  }
}

extension SweepResults.Run {
  fileprivate func labelled(_ labels: [JSONValue]) -> SweepResults.Run {
    SweepResults.Run(
      labels: labels, seed: seed, state: state, numbers: numbers, key: key, programs: programs,
      isVerified: isVerified, lastState: lastState)
  }
}

extension JSONValue {
  /// With other values in the place of some: of itself, of members of a list, and of a pool's.
  fileprivate func replacing(_ values: [JSONValue: JSONValue]) -> JSONValue {
    if let other = values[self] { return other }
    if let list = array { return .array(list.map { $0.replacing(values) }) }
    guard var members = object, let pool = members["pool"]?.array else { return self }
    members["pool"] = .array(pool.map { $0.replacing(values) })
    return .object(members)
  }
}
