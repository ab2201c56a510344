internal import Specs

extension RunResolver {
  mutating func excludes(_ row: GridRow, _ block: GridSpec.Block) -> Bool {
    var isOut = false
    for (index, filter) in block.exclude.enumerated() where matches(row, filter) {
      usedFilters.insert(index)
      isOut = true
    }
    return isOut
  }

  private mutating func matches(_ row: GridRow, _ filter: GridSpec.Filter) -> Bool {
    for (name, spot, condition) in filter.conditions {
      let value = value(name, in: row, at: spot) ?? .null
      guard holds(condition, of: value, in: name) else { return false }
    }
    return true
  }

  private func holds(
    _ condition: GridSpec.Filter.Condition, of value: JSONValue, in name: String
  ) -> Bool {
    switch condition {
    case .oneOf(let values): return values.contains { means($0, value, in: name) }
    case .bounds(let not, let less, let lessOrEqual, let greater, let greaterOrEqual):
      if not.contains(where: { means($0, value, in: name) }) { return false }
      if less == nil, lessOrEqual == nil, greater == nil, greaterOrEqual == nil { return true }
      guard let number = value.number else { return false }
      return less.map { number < $0 } != false && lessOrEqual.map { number <= $0 } != false
        && greater.map { number > $0 } != false && greaterOrEqual.map { number >= $0 } != false
    }
  }

  /// The value that the run of a row has of a setting, named or not; nil where it has none.
  private mutating func value(_ name: String, in row: GridRow, at spot: GridSpot) -> JSONValue? {
    let method = row["method"].flatMap { methods[$0.value] }
    if let method, let option = method.option(formerly: name), row[option.name] == nil {
      guard !isOwnWord(name, schedule(row)) else {
        report(spot.problem(twoMeanings(name, option, method)))
        return nil
      }
      return row[name]?.value ?? standing(option, method, in: row)
    }
    if let value = row[name]?.value { return value }
    guard let setting = vocabulary.settings[name] else { return nil }
    if let word = setting.formerName, let value = row[word]?.value, !isOwnWord(word, schedule(row)) {
      return value
    }
    return standing(setting, method, in: row)
  }

  /// The value of a setting that a row does not name: its method's, its recipe's, or what every run has.
  /// Nil where its run has none.
  private func standing(
    _ setting: SettingDescription, _ method: MethodDescription?, in row: GridRow
  ) -> JSONValue? {
    if setting.readers == .methodsThatListIt {
      guard let method, method.reads(setting) else { return nil }
      let preset = row["preset"]?.value.string
      return method.presets.first { $0.name == preset }?.options[setting.name] ?? setting.standard
    }
    if method?.reads(setting) == false { return nil }
    switch setting.default {
    case .required, .absent: return nil
    case .ofMethod: return method?.presets.first.map { .string($0.name) }
    case .of(let name):
      return row[name]?.value ?? vocabulary.settings[name].flatMap { standing($0, method, in: row) }
    case .value(let value) where !setting.isOfRecipe: return value
    case .value, .ofRecipe:
      guard let network = row["student"].flatMap({ networks[$0.value] }) else { return nil }
      return recipe(row, of: network)[setting]
    }
  }

  /// Whether two values of a setting are one: aliases are.
  private func means(_ a: JSONValue, _ b: JSONValue, in setting: String) -> Bool {
    if a == b { return true }
    switch vocabulary.settings[setting]?.kind {
    case .method: return methods[a].map { $0.name == methods[b]?.name } == true
    case .network: return networks[a].map { $0 == networks[b] } == true
    default: return false
    }
  }
}
