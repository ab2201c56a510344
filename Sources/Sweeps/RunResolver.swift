internal import Specs

/// Turns the settings of a row into the run that its method reads. Every name and value is looked up once.
struct RunResolver {
  private(set) var problems: [GridProblem] = []
  private(set) var warnings: [GridProblem] = []
  private var reported: Set<GridProblem> = []

  private let vocabulary: GridVocabulary
  private let teacherSeeds: GridSpec.TeacherSeeds
  /// What any method calls an option of this name.
  private let options: [String: [OptionDescription]]
  private let settingNames: Set<String>
  private var networks: [JSONValue: ModelSpec] = [:]
  private var imported: [JSONValue: [DatasetSpec: TeacherSpec]] = [:]
  private var datasets: [JSONValue: DatasetSpec] = [:]
  private var trainers: [JSONValue: TrainerSpec?] = [:]
  private var methods: [JSONValue: MethodDescription] = [:]
  /// Filters of the block in hand that have removed something, and settings that some method of it has read.
  private var usedFilters: Set<Int> = []
  private var readSettings: Set<String> = []
  private var checkedOptions: Set<MethodSpec> = []
  /// Networks, method and dataset, as rows write them, that were looked at together.
  private var checkedPairings: Set<[JSONValue]> = []
  /// By method and what is given: what makes a difference, and what is not read.
  private var chosenOptions: [MethodSpec: (set: [String: JSONValue], unread: [String])] = [:]

  init(_ vocabulary: GridVocabulary, teacherSeeds: GridSpec.TeacherSeeds) {
    (self.vocabulary, self.teacherSeeds) = (vocabulary, teacherSeeds)
    options = Dictionary(grouping: vocabulary.methods.flatMap(\.options), by: \.name)
    settingNames = Set(GridKeys.common).union(options.keys)
  }
}

// MARK: Names and values, each once

extension RunResolver {
  /// Looks at every setting of a block: whether there is such a setting, and whether the value can be one.
  mutating func check(_ block: GridSpec.Block) {
    for (name, setting) in block.base.sorted(by: {
      ($0.value.spot.offset, $0.key) < ($1.value.spot.offset, $1.key)
    }) {
      check(name, setting)
    }
    for axis in block.axes + block.zip.flatMap(\.self) {
      guard check(name: axis.name, at: axis.spot) else { continue }
      for setting in axis.values { check(value: setting, of: axis.name) }
    }
    for row in block.include {
      for (name, setting) in row.sorted(by: { $0.key < $1.key })
      where block.base[name]?.spot.offset != setting.spot.offset {
        check(name, setting)
      }
    }
    for condition in block.exclude.flatMap(\.conditions) where check(name: condition.name, at: condition.spot)
    {
      // A misspelt name in a filter would otherwise only be told that it removes nothing.
      for value in condition.condition.values { lookUp(value, of: condition.name, at: condition.spot) }
    }
  }

  private mutating func check(_ name: String, _ setting: GridSpec.Setting) {
    if check(name: name, at: setting.nameSpot ?? setting.spot) { check(value: setting, of: name) }
  }

  private mutating func check(name: String, at spot: GridSpot) -> Bool {
    if settingNames.contains(name) { return true }
    if GridKeys.later.contains(name) {
      report(spot.problem("\"\(name)\" is not in this version yet"))
      return false
    }
    let known = GridKeys.common + options.keys.sorted()
    let hint = NearestName.of(name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
    report(spot.problem("unknown setting \"\(name)\"\(hint)"))
    return false
  }

  private mutating func check(value setting: GridSpec.Setting, of name: String) {
    func complain(_ expected: String) {
      report(setting.spot.problem("\(name) is \(setting.value) and should be \(expected)"))
    }
    switch name {
    case "student", "method", "dataset", "trainer": lookUp(setting.value, of: name, at: setting.spot)
    case "teachers": checkTeachers(setting)
    case "epochs", "batchSize", "teacherEpochs", "trainImages", "testImages":
      if !setting.isInteger || (setting.value.integer ?? 0) < 1 { complain("an integer from 1 on") }
    case "validationImages":
      if !setting.isInteger || (setting.value.integer ?? -1) < 0 { complain("an integer from 0 on") }
    case "views":
      if !setting.isInteger || !(0...GridKeys.mostViews).contains(setting.value.integer ?? -1) {
        complain("an integer from 0 to \(GridKeys.mostViews)")
      }
    case "learningRate":
      if !((setting.value.number ?? DecimalNumber(0)) > DecimalNumber(0)) { complain("a number above 0") }
    case "convolution":
      if setting.value.string.flatMap(RecipeSpec.ConvolutionKind.init) == nil {
        complain("\"auto\" or \"direct\"")
      }
    case "numerics":
      if setting.value.string.flatMap(RecipeSpec.NumericsKind.init) == nil {
        complain("\"portable\" or \"native\"")
      }
    case "recipe", "teacherRecipe":
      let names = RecipeSpec.Name.allCases.map(\.rawValue)
      if !(setting.value.string.map(names.contains) ?? false) {
        complain("one of \(names.joined(separator: ", "))")
      }
    case "weightDecay":
      if !((setting.value.number ?? DecimalNumber(-1)) >= DecimalNumber(0)) {
        complain("a number, 0 or more")
      }
    case "labelSmoothing", "dropPath":
      let value = setting.value.number ?? DecimalNumber(-1)
      if !(value >= DecimalNumber(0) && value < DecimalNumber(1)) { complain("a number from 0 to below 1") }
    case "colourJitter":
      let value = setting.value.number ?? DecimalNumber(-1)
      if !(value >= DecimalNumber(0) && value <= DecimalNumber(1)) { complain("a number from 0 to 1") }
    case "warmupEpochs":
      if !setting.isInteger || (setting.value.integer ?? -1) < 0 { complain("an integer from 0 on") }
    case "preset":
      let presets = vocabulary.methods.flatMap { $0.presets.map(\.name) }
      if !(setting.value.string.map(presets.contains) ?? false) {
        complain("one of \(presets.joined(separator: ", "))")
      }
    default:
      let readers = self.options[name] ?? []
      let complaints = readers.map { $0.complaint(about: setting.value) }
      if let expected = complaints.first, !complaints.contains(nil), let expected {
        complain(expected)
      } else if case .integer? = readers.first?.kind, !setting.isInteger {
        complain("an integer")
      }
    }
  }

  /// Complains about a name that nothing has.
  private mutating func lookUp(_ value: JSONValue, of name: String, at spot: GridSpot) {
    switch name {
    case "student": _ = network(value, at: spot)
    case "method": _ = method(value, at: spot)
    case "dataset": _ = dataset(value, at: spot)
    case "trainer": _ = trainer(value, at: spot)
    default: break
    }
  }

  private mutating func checkTeachers(_ setting: GridSpec.Setting) {
    if let members = setting.value.object {
      let (chosen, complaint) = Self.subset(members)
      if let complaint { report(setting.spot.problem(complaint)) }
      for teacher in chosen where !Self.isImported(teacher) { _ = network(teacher, at: setting.spot) }
      return
    }
    guard let names = setting.value.array, !names.isEmpty else {
      report(setting.spot.problem("teachers is \(setting.value) and should be a list of networks"))
      return
    }
    for teacher in names where !Self.isImported(teacher) { _ = network(teacher, at: setting.spot) }
  }

  /// Whether a teacher is one whose weights come from a file.
  private static func isImported(_ teacher: JSONValue) -> Bool {
    teacher.object.map { $0["import"] != nil || $0["file"] != nil } ?? false
  }

  /// `{ "pool": […], "take": M }` as a single value: the first M of the pool.
  private static func subset(_ members: [String: JSONValue]) -> (teachers: [JSONValue], complaint: String?) {
    let pool = members["pool"]?.array ?? []
    if pool.isEmpty {
      return ([], "teachers should be a list of networks, or { \"pool\": […], \"take\": M }")
    }
    guard let take = members["take"]?.integer, take > 0 else {
      return (pool, "\"take\" is how many teachers of the pool: an integer from 1 on")
    }
    guard take <= pool.count else { return (pool, "take \(take) of a pool of \(pool.count) teachers") }
    if let choose = members["choose"], choose != "prefix" {
      return (pool, "\"choose\": \"all\" makes several pools; write it under \"axes\"")
    }
    return (Array(pool.prefix(take)), nil)
  }

  mutating func report(_ problem: GridProblem) {
    if reported.insert(problem).inserted { problems.append(problem) }
  }

  private mutating func network(_ value: JSONValue, at spot: GridSpot) -> ModelSpec? {
    if let known = networks[value] { return known }
    if Self.isImported(value) {
      report(spot.problem("weights from a file are for teachers; a student is trained"))
      return nil
    }
    do {
      let spec = try vocabulary.network(value)
      networks[value] = spec
      return spec
    } catch let error as UnknownName {
      let hint =
        NearestName.of(error.name, among: vocabulary.networks).map { "; did you mean \"\($0)\"?" } ?? ""
      report(spot.problem("unknown network \"\(error.name)\"\(hint) (`mtkd-sweep models` lists them)"))
    } catch {
      report(spot.problem("\(error)"))
    }
    return nil
  }

  private mutating func method(_ value: JSONValue, at spot: GridSpot) -> MethodDescription? {
    if let known = methods[value] { return known }
    let name = value.string ?? value.description
    if let found = vocabulary.methods.first(where: { $0.name == name || $0.aliases.contains(name) }) {
      methods[value] = found
      return found
    }
    let hint =
      NearestName.of(name, among: vocabulary.methods.map(\.name)).map { "; did you mean \"\($0)\"?" } ?? ""
    report(spot.problem("unknown method \"\(name)\"\(hint) (`mtkd-sweep methods` lists them)"))
    return nil
  }

  private mutating func trainer(_ value: JSONValue, at spot: GridSpot) -> TrainerSpec? {
    if let known = trainers[value] { return known }
    do {
      trainers[value] = try vocabulary.trainer(value)
    } catch {
      trainers[value] = .some(nil)
      report(spot.problem("\(error)"))
    }
    return trainers[value] ?? nil
  }

  private mutating func dataset(_ value: JSONValue, at spot: GridSpot) -> DatasetSpec? {
    if let known = datasets[value] { return known }
    guard let name = value.string else {
      report(spot.problem("dataset is \(value) and should be a name, or NAME:FOLDER"))
      return nil
    }
    do {
      let spec = try vocabulary.dataset(name)
      datasets[value] = spec
      return spec
    } catch let error as UnknownName {
      let hint =
        NearestName.of(error.name, among: vocabulary.datasets).map { "; did you mean \"\($0)\"?" } ?? ""
      report(spot.problem("unknown dataset \"\(error.name)\"\(hint) (`mtkd-sweep datasets` lists them)"))
    } catch {
      report(spot.problem("\(error)"))
    }
    return nil
  }
}

// MARK: Rows

extension RunResolver {
  mutating func begin(_ block: GridSpec.Block) { (usedFilters, readSettings) = ([], []) }

  /// Complains about filters without effect and warns about axes that nothing reads.
  mutating func finish(_ block: GridSpec.Block) {
    for (index, filter) in block.exclude.enumerated() where !usedFilters.contains(index) {
      report(filter.spot.problem("exclude no. \(index + 1) removes no run"))
    }
    for axis in block.axes + block.zip.flatMap(\.self) where !readSettings.contains(axis.name) {
      warnings.append(axis.spot.problem("no method of this block reads \"\(axis.name)\"", .warning))
    }
  }

  mutating func excludes(_ row: [String: GridSpec.Setting], _ block: GridSpec.Block) -> Bool {
    var isOut = false
    for (index, filter) in block.exclude.enumerated() where matches(row, filter) {
      usedFilters.insert(index)
      isOut = true
    }
    return isOut
  }

  private func matches(_ row: [String: GridSpec.Setting], _ filter: GridSpec.Filter) -> Bool {
    filter.conditions.allSatisfy { name, _, condition in
      let value = row[name]?.value ?? .null
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
  }

  /// Whether two values of a setting are one: aliases are.
  private func means(_ a: JSONValue, _ b: JSONValue, in setting: String) -> Bool {
    if a == b { return true }
    switch setting {
    case "method": return methods[a].map { $0.name == methods[b]?.name } == true
    case "student": return networks[a].map { $0 == networks[b] } == true
    default: return false
    }
  }

  /// The run of a row, its seed and its teachers' still 0; nil where something is wrong with it.
  mutating func run(
    _ row: [String: GridSpec.Setting]
  ) -> (run: RunSpec, method: MethodDescription, choice: OptionChoice)? {
    guard let student = row["student"], let name = row["method"] else {
      let missing = row["student"] == nil ? "student" : "method"
      if let spot = row.values.map(\.spot).min(by: { $0.offset < $1.offset }) {
        report(spot.problem("a run here has no \"\(missing)\""))
      }
      return nil
    }
    guard let network = network(student.value, at: student.spot),
      let method = method(name.value, at: name.spot),
      var dataset = dataset(row["dataset"]?.value ?? "synthetic", at: student.spot)
    else { return nil }
    dataset.trainImages = row["trainImages"]?.value.integer
    dataset.testImages = row["testImages"]?.value.integer
    dataset.validationImages = row["validationImages"]?.value.integer ?? 0
    let choice = options(of: method, row, at: name.spot)
    // Once a setting is known to be read, there is nothing more to find out about it.
    for setting in row.keys
    where !readSettings.contains(setting) && method.reads(setting) && !choice.unread.contains(setting) {
      readSettings.insert(setting)
    }
    var recipe = recipe(row, of: network)
    recipe.takeArithmetic(from: row)
    let taught =
      method.readsTeachers ? teachers(row, recipe.epochs, recipe.batchSize, dataset, at: name.spot) : []
    guard let teachers = taught else { return nil }
    var run = RunSpec(
      dataset: dataset, student: network, method: MethodSpec(name: method.name, options: choice.set),
      teachers: teachers,
      recipe: recipe, seed: 0, views: row["views"]?.value.integer ?? 0)
    if let setting = row["trainer"] { run.trainer = trainer(setting.value, at: setting.spot) }
    let pairing = ["student", "teachers", "method", "dataset", "trainer", "colourJitter", "views"].map {
      row[$0]?.value ?? .null
    }
    if checkedPairings.insert(pairing).inserted, let (setting, sentence) = vocabulary.obstacle(run) {
      report((row[setting] ?? name).spot.problem(sentence))
    }
    return (run, method, choice)
  }

  /// The recipe that a row names, with what it says beside the name.
  private func recipe(_ row: [String: GridSpec.Setting], of network: ModelSpec) -> RecipeSpec {
    func number(_ name: String) -> DecimalNumber? { row[name]?.value.number }
    var recipe = RecipeSpec.named(
      row["recipe"]?.value.string.flatMap(RecipeSpec.Name.init) ?? .student, family: network.family,
      epochs: row["epochs"]?.value.integer, batchSize: row["batchSize"]?.value.integer)
    recipe.learningRate = number("learningRate") ?? recipe.learningRate
    recipe.weightDecay = number("weightDecay") ?? recipe.weightDecay
    recipe.labelSmoothing = number("labelSmoothing") ?? recipe.labelSmoothing
    recipe.dropPath = number("dropPath") ?? recipe.dropPath
    recipe.colourJitter = number("colourJitter") ?? recipe.colourJitter
    if recipe.schedule == .cosine, let epochs = row["warmupEpochs"]?.value.integer {
      recipe.warmupEpochs = epochs
    }
    return recipe
  }

  /// What is set of a method's options and makes a difference, and the names of those that do not.
  typealias OptionChoice = (set: [String: JSONValue], unread: [String])

  func seeded(_ run: RunSpec, _ seed: Int) -> RunSpec {
    var run = run
    run.seed = seed
    if teacherSeeds == .perSeed {
      for index in run.teachers.indices where run.teachers[index].weights == nil {
        run.teachers[index].seed = seed
      }
    }
    return run
  }

  /// What the grid says of a method's options: the preset's, then those that are set alone.
  private func given(
    of method: MethodDescription, _ row: [String: GridSpec.Setting]
  ) -> [String: JSONValue] {
    let preset = row["preset"]?.value.string
    var set = method.presets.first { $0.name == preset }?.options ?? [:]
    for option in method.options {
      if let value = row[option.name]?.value { set[option.name] = value }
    }
    return set
  }

  private mutating func chosen(
    of method: MethodDescription, _ row: [String: GridSpec.Setting]
  ) -> OptionChoice {
    let given = MethodSpec(name: method.name, options: given(of: method, row))
    if let known = chosenOptions[given] { return known }
    let set = method.reduced(given.options)
    let chosen = (set, method.unread(method.resolved(set)))
    chosenOptions[given] = chosen
    return chosen
  }

  /// What is set of a method's options and makes a difference, and the names of those that do not; complaints are reported once.
  private mutating func options(
    of method: MethodDescription, _ row: [String: GridSpec.Setting], at spot: GridSpot
  ) -> OptionChoice {
    let chosen = chosen(of: method, row)
    guard checkedOptions.insert(MethodSpec(name: method.name, options: chosen.set)).inserted else {
      return chosen
    }
    for option in method.options {
      if let setting = row[option.name], let expected = option.complaint(about: setting.value) {
        report(
          setting.spot.problem(
            "\(option.name) of \(method.name) is \(setting.value) and should be \(expected)"))
        return chosen
      }
    }
    for problem in method.problems(method.resolved(chosen.set)) {
      report(spot.problem("\(method.name): \(problem)"))
    }
    return chosen
  }

  private mutating func teachers(
    _ row: [String: GridSpec.Setting], _ epochs: Int, _ batchSize: Int, _ dataset: DatasetSpec,
    at spot: GridSpot
  ) -> [TeacherSpec]? {
    guard let setting = row["teachers"] else {
      report(spot.problem("this method needs \"teachers\": a list of networks"))
      return nil
    }
    let values = setting.value.object.map { Self.subset($0).teachers } ?? setting.value.array ?? []
    let epochs = row["teacherEpochs"]?.value.integer ?? epochs
    let teachers = values.compactMap { value -> TeacherSpec? in
      if Self.isImported(value) {
        var teacher = imported(value, dataset, at: setting.spot)
        teacher?.recipe.takeArithmetic(from: row)
        return teacher
      }
      guard let network = network(value, at: setting.spot) else { return nil }
      var recipe = RecipeSpec.named(
        row["teacherRecipe"]?.value.string.flatMap(RecipeSpec.Name.init) ?? .teacher,
        family: network.family, epochs: epochs, batchSize: batchSize)
      recipe.takeArithmetic(from: row)
      return TeacherSpec(network: network, recipe: recipe, seed: 0)
    }
    return teachers.count == values.count ? teachers : nil
  }

  /// A teacher whose weights come from a file, looked at once for each dataset.
  private mutating func imported(
    _ value: JSONValue, _ dataset: DatasetSpec, at spot: GridSpot
  ) -> TeacherSpec? {
    if let known = imported[value]?[dataset] { return known }
    do {
      let teacher = try vocabulary.weights(value, dataset)
      imported[value, default: [:]][dataset] = teacher
      return teacher
    } catch {
      report(spot.problem("\(error)"))
      return nil
    }
  }

  /// The values that tell cells apart: what the grid says, or the default; null for what the method does not read.
  func labels(
    _ row: [String: GridSpec.Setting], _ columns: [String], _ method: MethodDescription,
    _ choice: OptionChoice
  ) -> [JSONValue] {
    let (set, unread) = choice
    return columns.map { column in
      if column == "method" { return .string(method.name) }
      guard method.reads(column), !unread.contains(column) else { return .null }
      if column == "trainer", let value = row[column]?.value {
        return value.object?["name"] ?? .string(trainers[value]??.command.joined(separator: " ") ?? "trainer")
      }
      if let value = row[column]?.value ?? set[column] { return value }
      if column == "preset" { return method.presets.first.map { .string($0.name) } ?? .null }
      return method.options.first { $0.name == column }?.standard ?? .null
    }
  }
}

extension RecipeSpec {
  /// A run and its teachers are computed alike.
  fileprivate mutating func takeArithmetic(from row: [String: GridSpec.Setting]) {
    if let kind = row["convolution"]?.value.string.flatMap(ConvolutionKind.init) { convolution = kind }
    if let kind = row["numerics"]?.value.string.flatMap(NumericsKind.init) { numerics = kind }
  }
}
