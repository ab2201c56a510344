internal import Specs

extension RunResolver {
  /// What is set of a method's options and makes a difference: the preset's, then those that are set alone.
  /// Complaints are reported once.
  mutating func methodPart(_ taught: Taught, _ row: GridRow) -> MethodPart {
    if let known = rows.methods.value(for: row) { return known }
    let part = newMethodPart(taught, rows.methods.deciding(row))
    rows.methods.remember(part, for: row)
    return part
  }

  private mutating func newMethodPart(_ taught: Taught, _ row: GridRow) -> MethodPart {
    let method = taught.method.method
    let known = optionsGiven(taught.method, row)
    var given: [ChosenOption] = []
    given.reserveCapacity(known.count)
    var complaint: (option: SettingDescription, setting: GridSpec.Setting, expected: String)?
    for option in known {
      guard let setting = setting(option, of: method, in: row) else { continue }
      given.append(ChosenOption(option.encodedName, setting.value))
      if complaint == nil, let expected = option.complaint(about: setting.value, isPlain: setting.isInteger) {
        complaint = (option, setting, expected)
      }
    }
    if let preset = row["preset"]?.value.string,
      let bundle = method.presets.first(where: { $0.name == preset })?.options, !bundle.isEmpty
    {
      for (name, value) in bundle {
        let name = method.encodedName(of: name)
        if !given.contains(where: { $0.name == name }) { given.append(ChosenOption(name, value)) }
      }
      given.sort { $0.precedes($1) }
    }
    let rules = rules(method, given, row, teachers: taught.lesson.teacherCount)
    let set = method.reduced(given, rules)
    if let (option, setting, expected) = complaint {
      if !rules.unread.contains(option.name) {
        report(
          setting.spot.problem(
            "\(option.name) of \(method.name) is \(setting.written) and should be \(expected)"))
      }
    } else {
      for problem in rules.problems { report(taught.spot.problem("\(method.name): \(problem)")) }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(96)
    MethodSpec.append(method.name, set, revision: method.revision, to: &bytes)
    return MethodPart(
      method.name, set, revision: method.revision, unread: rules.unread, bytes: bytes,
      number: methodNumbers.number(of: ByteString(bytes)).number)
  }

  /// What a method's rules say, asked once for rows that differ in amounts alone.
  private mutating func rules(
    _ method: MethodDescription, _ given: [ChosenOption], _ row: GridRow, teachers: Int
  ) -> OptionRules {
    if let known = rows.rules.value(for: row) { return known }
    let rules = method.rules(given, teachers: teachers == 0 ? nil : teachers)
    rows.rules.remember(rules, for: row)
    return rules
  }

  /// Options of a method that the rows of this block set, by their names or by old ones.
  private mutating func optionsGiven(_ reader: MethodReader, _ row: GridRow) -> [SettingDescription] {
    if let known = rows.given[reader.method.name] { return known }
    let options = reader.options.filter { option in
      row[option.name] != nil || option.formerName.map { row[$0] != nil } == true
    }
    rows.given[reader.method.name] = options
    return options
  }
}
