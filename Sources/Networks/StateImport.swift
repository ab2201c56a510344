internal import Specs
package import Tensors

/// A state dictionary of PyTorch, TorchVision or timm made to fit a network: names checked, and everything
/// that had to be changed said.
package struct StateImport: Sendable {
  package let state: ModelState
  /// Sentences about what was not as it is here: a prefix that was taken away, counters that were
  /// missing, other element types.
  package let notes: [String]

  /// - Throws: `ImportError`: nothing is guessed.
  package init(_ file: Safetensors, into built: BuiltNetwork) throws(ImportError) {
    var notes: [String] = []
    let entries = Self.joined(try Self.withoutPrefix(file.entries, &notes), built, &notes)
    try Self.compare(entries, with: built)
    var state = ModelState(unfilled: built.declarations)
    var missingCounters = 0
    var converted: [String: Int] = [:]
    for (slot, declaration) in zip(state.slots, built.declarations) {
      guard let entry = entries[declaration.path] else {
        state[slot] = .zeros([], .double)
        missingCounters += 1
        continue
      }
      if declaration.role == .counter {
        // Averaging and conversions write counters as floats.
        guard let count = entry.integers?.first ?? entry.tensor?.doubles.first.flatMap({ Int64(exactly: $0) })
        else {
          throw ImportError.type(declaration.path, found: entry.type.rawValue, expected: "an integer")
        }
        state[slot] = Tensor([Double(count)], [], .double)
        continue
      }
      guard let tensor = entry.tensor else {
        throw ImportError.type(declaration.path, found: entry.type.rawValue, expected: "floats")
      }
      if entry.type != .f32 { converted[entry.type.rawValue, default: 0] += 1 }
      let single = tensor.converted(to: .single)
      guard single.isFinite else { throw ImportError.notFinite(declaration.path) }
      if declaration.path.hasSuffix("running_var"), single.doubles.contains(where: { $0 < 0 }) {
        throw ImportError.negativeVariance(declaration.path)
      }
      state[slot] = single
    }
    if missingCounters > 0 {
      notes.append(
        "\(missingCounters) counters num_batches_tracked are missing, as in checkpoints before PyTorch "
          + "0.4.1; they count as 0"
      )
    }
    for (type, count) in converted.sorted(by: { $0.key < $1.key }) {
      notes.append("\(count) arrays are \(type) and were converted to F32")
    }
    self.state = state
    self.notes = notes
  }

  /// What wrappers put before every name: data parallelism, compilation, training programs that keep
  /// the network in a member.
  private static let prefixes = [
    "module.", "_orig_mod.", "model.", "student.", "net.", "network.", "state_dict.", "backbone.",
  ]

  /// Entries of other programs beside a network's arrays: counters of averaging, and
  /// thop's counts of operations.
  private static func isExtra(_ name: String) -> Bool {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    return ["n_averaged", "total_ops", "total_params"].contains(last)
  }

  /// The entries by name. Prefixes are taken away, one after the other, where all names have them.
  private static func withoutPrefix(
    _ entries: [Safetensors.Entry], _ notes: inout [String]
  ) throws(ImportError) -> [String: Safetensors.Entry] {
    let extras = entries.filter { isExtra($0.name) }.map(\.name)
    if !extras.isEmpty {
      notes.append(
        "\(counted(extras.count, "entry", "entries")) ignored that are no part of a network, such as "
          + "'\(extras[0])'"
      )
    }
    let kept = entries.filter { !isExtra($0.name) }
    var dropped = ""
    while let prefix = prefixes.first(where: { prefix in
      !kept.isEmpty && kept.allSatisfy { $0.name.hasPrefix(dropped + prefix) }
    }) {
      dropped += prefix
    }
    let wrapped = kept.count { $0.name.hasPrefix(dropped + "module.") }
    guard wrapped == 0 else {
      throw ImportError.mixedPrefix(dropped + "module.", count: wrapped, of: kept.count)
    }
    if !dropped.isEmpty {
      notes.append("every name began with '\(dropped)', as a wrapper writes it; it was taken away")
    }
    return Dictionary(kept.map { (String($0.name.dropFirst(dropped.count)), $0) }) { $1 }
  }

  /// What programs call a classifier that they keep apart from its backbone.
  private static let heads = ["head.", "classifier.", "fc.", "linear.", "cls_head.fc.", "head.fc."]

  /// A dictionary in two parts, `backbone.…` and a head of one weight and one bias, under the names that the
  /// network has. Nothing is done to any other dictionary.
  private static func joined(
    _ entries: [String: Safetensors.Entry], _ built: BuiltNetwork, _ notes: inout [String]
  ) -> [String: Safetensors.Entry] {
    let trunk = "backbone."
    let rest = entries.keys.filter { !$0.hasPrefix(trunk) }
    guard !rest.isEmpty, rest.count < entries.count,
      let head = heads.last(where: { head in
        rest.allSatisfy { ["\(head)weight", "\(head)bias"].contains($0) }
      })
    else { return entries }
    // The classifier is declared last.
    let own = built.declarations.suffix(2).map(\.path).first { $0.hasSuffix("weight") }
    guard let own else { return entries }
    var result: [String: Safetensors.Entry] = [:]
    for (name, entry) in entries {
      let path =
        name.hasPrefix(trunk)
        ? String(name.dropFirst(trunk.count)) : "\(own.dropLast("weight".count))\(name.dropFirst(head.count))"
      guard result.updateValue(entry, forKey: path) == nil else { return entries }
    }
    notes.append("'\(trunk)…' and '\(head)…' are the two parts of the network; they were put together")
    return result
  }

  private static func compare(
    _ entries: [String: Safetensors.Entry], with built: BuiltNetwork
  ) throws(ImportError) {
    let declarations = built.declarations
    let missing = declarations.filter { $0.role != .counter && entries[$0.path] == nil }.map(\.path)
    let known = Set(declarations.map(\.path))
    let extra = entries.keys.filter { !known.contains($0) }.sorted()
    guard missing.isEmpty, extra.isEmpty else {
      throw ImportError.names(
        missing: missing, extra: extra, candidates: candidates(entries, built.task))
    }
    let wrong = declarations.filter { entries[$0.path].map(\.shape) ?? $0.shape != $0.shape }
    guard let first = wrong.first, let found = entries[first.path]?.shape else { return }
    // The classifier is declared last, and its arrays are the only ones whose first extent
    // is the number of classes.
    let head = Set(declarations.suffix(2).map(\.path))
    if wrong.allSatisfy({ head.contains($0.path) }), found.rank > 0, first.shape[0] == built.task.classes,
      found.dimensions.dropFirst() == first.shape.dimensions.dropFirst()
    {
      throw ImportError.classes(found: found[0], expected: built.task.classes)
    }
    throw ImportError.shape(
      first.path, found: found, expected: first.shape, count: wrong.count,
      candidates: candidates(entries, built.task))
  }

  /// Networks with a name whose arrays have these names and shapes, the number of classes aside.
  private static func candidates(_ entries: [String: Safetensors.Entry], _ task: ImageTask) -> [String] {
    let shapes = entries.mapValues(\.shape)
    return NetworkNames.all.compactMap { id, _, spec in
      var usual = NetworkNames.usualTask(id, spec)
      usual.channels = task.channels
      guard let built = try? BuiltNetwork(spec, usual) else { return nil }
      let head = Set(built.declarations.suffix(2).map(\.path))
      let fits = built.declarations.allSatisfy { declaration in
        guard let shape = shapes[declaration.path] else { return declaration.role == .counter }
        return head.contains(declaration.path)
          ? shape.dimensions.dropFirst() == declaration.shape.dimensions.dropFirst()
          : shape == declaration.shape
      }
      return fits && shapes.count <= built.declarations.count ? id : nil
    }
  }
}

/// Weights that do not fit a network. Each sentence says what was found and what to do.
package enum ImportError: Error, Equatable, CustomStringConvertible {
  case mixedPrefix(String, count: Int, of: Int)
  case names(missing: [String], extra: [String], candidates: [String])
  case shape(String, found: Shape, expected: Shape, count: Int, candidates: [String])
  case classes(found: Int, expected: Int)
  case type(String, found: String, expected: String)
  case notFinite(String)
  case negativeVariance(String)

  package var description: String {
    switch self {
    case .mixedPrefix(let prefix, let count, let all):
      "\(count) of \(all) names begin with '\(prefix)' and the others do not: two dictionaries in one file. "
        + "Save one network alone."
    case .names(let missing, let extra, let candidates):
      "The weights belong to another network: "
        + [Self.list(missing, "missing"), Self.list(extra, "too many")].filter { !$0.isEmpty }
        .joined(separator: "; ") + "." + Self.hint(candidates)
    case .shape(let name, let found, let expected, let count, let candidates):
      "The weights belong to another network: '\(name)' is \(found) where \(expected) is due"
        + (count > 1 ? ", and \(count - 1) more differ." : ".") + Self.hint(candidates)
    case .classes(let found, let expected):
      "The weights classify into \(found) classes and the dataset has \(expected). A teacher needs the "
        + "dataset's classes: name the dataset that it was trained on, or retrain its last layer."
    case .type(let name, let found, let expected):
      "The array '\(name)' holds \(found) where \(expected) is due."
    case .notFinite(let name):
      "The array '\(name)' holds values that are not finite: the weights are damaged."
    case .negativeVariance(let name):
      "The array '\(name)' holds a negative variance, which no training gives: the weights are damaged."
    }
  }

  private static func list(_ names: [String], _ what: String) -> String {
    guard !names.isEmpty else { return "" }
    let rest = names.count > 3 ? " and \(names.count - 3) more" : ""
    return "\(what) \(names.prefix(3).map { "'\($0)'" }.joined(separator: ", "))\(rest)"
  }

  private static func hint(_ candidates: [String]) -> String {
    candidates.isEmpty
      ? " No network with a name has these arrays; `mtkd-sweep models NAME` shows what one has."
      : " They fit \(candidates.joined(separator: " and "))."
  }
}
