internal import Specs

// Names and values, each looked at once.

extension RunResolver {
  /// Looks at every name and value that can be judged before there are runs.
  mutating func check(_ grid: GridSpec) {
    for block in grid.blocks { check(block) }
    for problem in ReportCheck.names(grid, vocabulary) { report(problem) }
    for claim in grid.claims?.claims ?? [] { check(claim) }
  }

  /// Looks at every setting of a block: whether there is such a setting, and whether the value can be one.
  private mutating func check(_ block: GridSpec.Block) {
    for (name, setting) in block.base.sorted(by: {
      ($0.value.spot.offset, $0.key) < ($1.value.spot.offset, $1.key)
    }) {
      check(name, setting)
    }
    for axis in block.axes + block.zip.flatMap(\.self) {
      guard let description = description(axis.name, at: axis.spot) else { continue }
      for setting in axis.values { check(setting, of: description) }
    }
    for axis in block.axes { checkRepeats(axis) }
    for row in block.include {
      for (name, setting) in row.sorted(by: { $0.key < $1.key })
      where block.base[name]?.spot.offset != setting.spot.offset {
        check(name, setting)
      }
    }
    for condition in block.exclude.flatMap(\.conditions) {
      // A misspelt name in a filter would otherwise only be told that it removes nothing.
      guard let description = description(condition.name, at: condition.spot) else { continue }
      for value in condition.condition.values { lookUp(value, of: description.kind, at: condition.spot) }
    }
  }

  /// Looks at the methods and the settings that a claim names.
  private mutating func check(_ claim: ClaimSpec) {
    guard let place = claim.place else { return }
    let methods = vocabulary.methods.map(\.name)
    for name in [claim.first, claim.second] where !methods.contains(name) {
      let alias = vocabulary.methods.first { $0.aliases.contains(name) }?.name
      let hint = (alias ?? NearestName.of(name, among: methods)).map { "; did you mean \"\($0)\"?" } ?? ""
      report(
        place.compare.problem("unknown method \"\(name)\"\(hint) (`mtkd-sweep methods` lists them)"))
    }
    for (condition, spot) in zip(claim.conditions, place.conditions) {
      guard let description = description(condition.name, at: spot) else { continue }
      for value in condition.condition.values { lookUp(value, of: description.kind, at: spot) }
    }
  }

  private mutating func check(_ name: String, _ setting: GridSpec.Setting) {
    guard let description = description(name, at: setting.nameSpot ?? setting.spot) else { return }
    check(setting, of: description)
  }

  /// The setting of a name; nil, with a complaint, where there is none.
  private mutating func description(_ name: String, at spot: GridSpot) -> SettingDescription? {
    if let setting = vocabulary.settings[name] { return setting }
    if Settings.later.contains(name) {
      report(spot.problem("\"\(name)\" is not in this version yet"))
    } else if vocabulary.settings.groups.contains(name) {
      let members = vocabulary.settings.names.filter { $0.hasPrefix("\(name).") }
      report(
        spot.problem("expected an object of settings after \"\(name)\": \(members.joined(separator: ", "))"))
    } else {
      let hint = vocabulary.settings.nearest(to: name).map { "; did you mean \"\($0)\"?" } ?? ""
      report(spot.problem("unknown setting \"\(name)\"\(hint) (`mtkd-sweep settings` lists them)"))
    }
    return nil
  }

  private mutating func check(_ setting: GridSpec.Setting, of description: SettingDescription) {
    if let expected = description.complaint(about: setting.value, isPlain: setting.isInteger) {
      return report(
        setting.spot.problem("\(description.name) is \(setting.written) and should be \(expected)"))
    }
    switch description.kind {
    case .teachers: checkTeachers(setting)
    case .preset:
      let presets = vocabulary.presets
      if !(setting.value.string.map(presets.contains) ?? false) {
        report(
          setting.spot.problem(
            "\(description.name) is \(setting.written) and should be one of "
              + "\(presets.joined(separator: ", "))"
          ))
      }
    default: lookUp(setting.value, of: description.kind, at: setting.spot)
    }
  }

  /// Warns about a value that an axis has twice, written alike or by an alias: its runs are counted once.
  private mutating func checkRepeats(_ axis: GridSpec.Axis) {
    // The values of a range stand in one place and are different.
    guard axis.values.count > 1, axis.values[0].spot.offset != axis.values[1].spot.offset else { return }
    var seen: [JSONValue: String] = [:]
    for setting in axis.values {
      let name = methods[setting.value].map { JSONValue.string($0.name) } ?? setting.value
      if let other = seen[name] {
        let same = other == setting.written ? "" : ", as \(other),"
        warn(
          setting.spot.problem(
            "\(setting.written) appears twice\(same) in the axis \"\(axis.name)\"; its runs are made once",
            .warning))
      } else {
        seen[name] = setting.written
      }
    }
  }

  /// Complains about a name that nothing has.
  private mutating func lookUp(_ value: JSONValue, of kind: SettingKind, at spot: GridSpot) {
    switch kind {
    case .network: _ = network(value, at: spot)
    case .method: _ = method(value, at: spot)
    case .dataset: _ = dataset(value, at: spot)
    case .annotatedDataset: _ = annotatedDataset(value, at: spot)
    case .trainer: _ = trainer(value, at: spot)
    default: break
    }
  }

  private mutating func checkTeachers(_ setting: GridSpec.Setting) {
    guard let members = setting.value.object else {
      return lookUp(teachers: setting.value.array ?? [], of: setting)
    }
    let (chosen, complaint) = Self.subset(members)
    if let complaint { report(setting.spot.problem(complaint)) }
    lookUp(teachers: chosen, of: setting)
  }

  private mutating func lookUp(teachers: [JSONValue], of setting: GridSpec.Setting) {
    for (index, teacher) in teachers.enumerated() where !Self.isImported(teacher) {
      _ = network(teacher, at: setting.spot(ofElement: index))
    }
  }

  /// Whether a teacher is one whose weights come from a file.
  static func isImported(_ teacher: JSONValue) -> Bool {
    teacher.object.map { $0["import"] != nil || $0["file"] != nil } ?? false
  }

  /// `{ "pool": […], "take": M }` as a single value: the first M of the pool.
  static func subset(_ members: [String: JSONValue]) -> (teachers: [JSONValue], complaint: String?) {
    let pool = members["pool"]?.array ?? []
    guard let take = members["take"]?.integer, take > 0 else {
      return (pool, "\"take\" is how many teachers of the pool: an integer, 1 or more")
    }
    guard take <= pool.count else {
      return (pool, "take \(take) of a pool of \(counted(pool.count, "teacher"))")
    }
    if let choose = members["choose"], choose != "prefix" {
      return (pool, "\"choose\": \"all\" makes several pools; write it under \"axes\"")
    }
    return (Array(pool.prefix(take)), nil)
  }

  // Lookups, remembered by what the grid writes

  mutating func network(_ value: JSONValue, at spot: GridSpot) -> ModelSpec? {
    if let known = networks[value] { return known }
    if Self.isImported(value) {
      report(spot.problem("weights from a file are for teachers; a student is trained"))
      return nil
    }
    do {
      let spec = try vocabulary.network(value)
      networks[value] = spec
      names.note(value, spec)
      return spec
    } catch let error as UnknownName {
      report(spot.problem(unknown("network", error.name, vocabulary.networks, "models")))
    } catch {
      report(spot.problem("\(error)"))
    }
    return nil
  }

  mutating func method(_ value: JSONValue, at spot: GridSpot) -> MethodDescription? {
    if let known = methods[value] { return known }
    let name = value.string ?? value.description
    if let found = vocabulary.methods.first(where: { $0.name == name || $0.aliases.contains(name) }) {
      methods[value] = found
      return found
    }
    report(spot.problem(unknown("method", name, vocabulary.methods.map(\.name), "methods")))
    return nil
  }

  mutating func trainer(_ value: JSONValue, at spot: GridSpot) -> TrainerSpec? {
    if let known = trainers[value] { return known }
    do {
      trainers[value] = try vocabulary.trainer(value)
    } catch {
      trainers[value] = .some(nil)
      report(spot.problem("\(error)"))
    }
    return trainers[value] ?? nil
  }

  mutating func dataset(_ value: JSONValue, at spot: GridSpot) -> DatasetSpec? {
    if let known = datasets[value] { return known }
    do {
      let spec = try vocabulary.dataset(value.string ?? value.description)
      datasets[value] = spec
      return spec
    } catch let error as UnknownName {
      report(spot.problem(unknown("dataset", error.name, vocabulary.datasets, "datasets")))
    } catch {
      report(spot.problem("\(error)"))
    }
    return nil
  }

  mutating func annotatedDataset(_ value: JSONValue, at spot: GridSpot) -> DatasetSpec? {
    if let known = annotatedDatasets[value] { return known }
    do {
      let spec = try vocabulary.annotatedDataset(value.string ?? value.description)
      annotatedDatasets[value] = spec
      return spec
    } catch let error as UnknownName {
      report(
        spot.problem(unknown("dataset of a transfer", error.name, vocabulary.annotatedDatasets, "datasets")))
    } catch {
      report(spot.problem("\(error)"))
    }
    return nil
  }

  private func unknown(_ kind: String, _ name: String, _ known: [String], _ command: String) -> String {
    let hint = NearestName.of(name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
    return "unknown \(kind) \"\(name)\"\(hint) (`mtkd-sweep \(command)` lists them)"
  }
}

extension GridSpec.Setting {
  /// The place of one of several names.
  func spot(ofElement index: Int) -> GridSpot {
    elementSpots.indices.contains(index) ? elementSpots[index] : spot
  }
}
