/// Every setting that a grid can name, each with one meaning.
package struct SettingCatalog: Sendable {
  /// Common settings in the order of the guide, then options of methods in the order of their names.
  package let entries: [SettingDescription]
  /// Names of groups: `transfer`, where there is a `transfer.detector`.
  package let groups: Set<String>
  private let places: [String: Int]
  /// Names of the methods that read an entry, by the entry's name; in the order of their catalog.
  private let methods: [String: [String]]

  /// - Parameter common: settings that are not one method's own.
  /// - Throws: `AmbiguousSetting` where one name would have two meanings.
  package init(
    _ common: [SettingDescription] = Settings.common, methods: [MethodDescription]
  ) throws(AmbiguousSetting) {
    var known: [String: SettingDescription] = [:]
    func add(_ setting: SettingDescription, of owner: String) throws(AmbiguousSetting) -> Bool {
      if let other = known[setting.name] {
        guard other == setting else { throw AmbiguousSetting(name: setting.name, owner: owner) }
        return false
      }
      known[setting.name] = setting
      return true
    }
    for setting in common where try !add(setting, of: "the list of common settings") {
      throw AmbiguousSetting(name: setting.name, owner: "the list of common settings")
    }
    var options: [SettingDescription] = []
    for method in methods {
      for option in method.options where try add(option, of: method.name) { options.append(option) }
    }
    // Encodings and old grids may call a setting by another's name, as long as the
    // two go to different places.
    var encoded: Set<[String]> = []
    for setting in common + options {
      let part =
        switch setting.place {
        case .method: "method"
        case .run: "run"
        case .transfer: "transfer"
        case .recipeBase, .recipe, .recipeOfAll: "recipe"
        }
      guard encoded.insert([part, setting.encodedName]).inserted else {
        throw AmbiguousSetting(name: setting.encodedName, owner: setting.name)
      }
      if let name = setting.formerName, let other = known[name], other.place == setting.place {
        throw AmbiguousSetting(name: name, owner: setting.name)
      }
    }
    entries = common + options.sorted { $0.name < $1.name }
    places = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($0.element.name, $0.offset) })
    groups = Set(
      entries.compactMap { entry in entry.name.firstIndex(of: ".").map { String(entry.name[..<$0]) } })
    self.methods = Dictionary(
      uniqueKeysWithValues: entries.map { entry in
        (entry.name, methods.filter { $0.reads(entry) }.map(\.name))
      })
  }

  package subscript(name: String) -> SettingDescription? { places[name].map { entries[$0] } }

  package var names: [String] { entries.map(\.name) }

  /// Names of the methods whose runs can differ in a setting.
  package func readers(of setting: SettingDescription) -> [String] { methods[setting.name] ?? [] }

  /// The setting that a misspelt name, or another program's word, was probably meant to be.
  package func nearest(to name: String) -> String? {
    let word = name.lowercased()
    if let entry = entries.first(where: { $0.synonyms.contains { $0.lowercased() == word } }) {
      return entry.name
    }
    return NearestName.of(name, among: names)
  }

  /// Settings whose values go to one of these places.
  package func names(in places: Set<SettingDescription.Place>) -> Set<String> {
    Set(entries.lazy.filter { places.contains($0.place) }.map(\.name))
  }
}

/// Two meanings of one name: a fault of the program, found when it starts.
package struct AmbiguousSetting: Error, Equatable, CustomStringConvertible {
  package let name: String
  /// Who declares it the second time.
  package let owner: String

  package init(name: String, owner: String) {
    self.name = name
    self.owner = owner
  }

  package var description: String {
    "The setting '\(name)' of \(owner) has another meaning already. Give one of the two another name."
  }
}
