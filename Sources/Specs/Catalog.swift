/// Entries that a grid or a command can name: a list in the source, read top to bottom.
package struct Catalog<Entry: Sendable>: Sendable {
  /// What an entry is called in a sentence, such as "method".
  package let kind: String
  package let entries: [Entry]
  /// The program's command that lists the entries; nil where there is none.
  private let listedBy: String?
  private let nameOf: @Sendable (Entry) -> String

  package init(
    _ kind: String, listedBy: String? = nil, _ entries: [Entry],
    name: @escaping @Sendable (Entry) -> String
  ) {
    self.kind = kind
    self.listedBy = listedBy
    self.entries = entries
    nameOf = name
  }

  /// In the order of the list.
  package var names: [String] { entries.map(nameOf) }

  /// These entries, then those that the program in use adds.
  package var extended: Catalog {
    let added: [Entry] = Extensions.current.entries()
    return added.isEmpty ? self : Catalog(kind, listedBy: listedBy, entries + added, name: nameOf)
  }

  package func entry(_ name: String) throws(UnknownName) -> Entry {
    guard let entry = entries.first(where: { nameOf($0) == name }) else {
      throw UnknownName(kind: kind, name: name, known: names, listedBy: listedBy)
    }
    return entry
  }
}

/// A name that no entry of a catalog has.
package struct UnknownName: UserError, Equatable {
  package var exitStatus: ExitStatus { .missingInput }
  package let kind: String
  package let name: String
  package let known: [String]
  /// The program's command that lists the known names; nil where there is none.
  package let listedBy: String?

  package init(kind: String, name: String, known: [String], listedBy: String? = nil) {
    self.kind = kind
    self.name = name
    self.known = known
    self.listedBy = listedBy
  }

  package var description: String {
    let hint = NearestName.of(name, among: known).map { " Did you mean '\($0)'?" } ?? ""
    return "There is no \(kind) named '\(name)'.\(hint) \(NearestName.list(known))"
  }
  package var nextStep: String? { listedBy.map { "`mtkd-sweep \($0)` lists them." } }
}

/// The known name that a misspelt one was probably meant to be.
package enum NearestName {
  /// A sentence that lists what there is instead.
  package static func list(_ known: [String]) -> String {
    known.isEmpty ? "None is known." : "Known: \(known.joined(separator: ", "))."
  }

  /// What things are called elsewhere.
  private static let synonyms = [
    "tex": "latex", "md": "markdown", "htm": "html", "txt": "text", "json-lines": "json",
  ]

  /// Within two edits or a third of the length; the first of the nearest. Nil where none is near.
  package static func of(_ name: String, among known: [String]) -> String? {
    if let word = synonyms[name.lowercased()], known.contains(word) { return word }
    let limit = max(2, name.count / 3)
    let distances = known.map { (name: $0, distance: distance(name, $0)) }
    guard let best = distances.min(by: { $0.distance < $1.distance }), best.distance <= limit,
      best.distance < max(name.count, best.name.count)
    else { return nil }
    return best.name
  }

  /// Edits from one text to the other: insertions, deletions, replacements and swaps of
  /// neighbours, each counted once.
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.lowercased().unicodeScalars), Array(b.lowercased().unicodeScalars))
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var rows = [Array(0...b.count)]
    for i in 1...a.count {
      var row = [i]
      for j in 1...b.count {
        let change = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
        var best = min(change, rows[i - 1][j] + 1, row[j - 1] + 1)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          best = min(best, rows[i - 2][j - 2] + 1)
        }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
