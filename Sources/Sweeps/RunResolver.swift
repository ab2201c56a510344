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
  /// Settings that tell the cells of the table apart.
  private let columns: [String]
  private var readers: [String: MethodReader] = [:]
  /// Filters of the block in hand that have removed something, and axes of it that no method has read yet.
  private var usedFilters: Set<Int> = []
  private var unreadAxes: [String] = []
  private var rows: RowMemos
  private var lessonNumbers = Numbering<ByteString>()
  private var recipeNumbers = Numbering<ByteString>()
  private var methodNumbers = Numbering<ByteString>()
  private var cellNumbers = Numbering<CellParts>()
  /// What was looked at together: whether this program can compute it.
  private var checkedPairings: Set<Pairing> = []
  private var lastPairing: Pairing?

  init(_ vocabulary: GridVocabulary, teacherSeeds: GridSpec.TeacherSeeds, columns: [String]) {
    (self.vocabulary, self.teacherSeeds, self.columns) = (vocabulary, teacherSeeds, columns)
    options = Dictionary(grouping: vocabulary.methods.flatMap(\.options), by: \.name)
    settingNames = Set(GridKeys.common).union(options.keys)
    rows = RowMemos(nil, options: [:])
  }
}

/// What the rows of a block have in common, by the settings that decide it.
private struct RowMemos {
  private static let lesson: Set<String> = [
    "student", "method", "dataset", "trainImages", "testImages", "validationImages", "teachers",
    "teacherEpochs", "teacherRecipe", "recipe", "epochs", "batchSize", "convolution", "numerics", "trainer",
    "views",
  ]
  private static let recipe: Set<String> = [
    "student", "recipe", "epochs", "batchSize", "learningRate", "weightDecay", "labelSmoothing", "dropPath",
    "warmupEpochs", "colourJitter", "convolution", "numerics",
  ]

  var lessons: RowMemo<Taught?>
  var recipes: RowMemo<RecipePart>
  var methods: RowMemo<MethodPart>
  var rules: RowMemo<OptionRules>
  /// Options of a method that rows set, in canonical order, by the method's name.
  var given: [String: [OptionDescription]] = [:]

  /// - Parameters:
  ///   - block: nil for a row of `include`.
  ///   - options: of all methods, by their names.
  init(_ block: GridSpec.Block?, options: [String: [OptionDescription]]) {
    lessons = RowMemo(block, Self.lesson)
    recipes = RowMemo(block, Self.recipe)
    methods = RowMemo(block, Set(options.keys).union(["method", "preset"]))
    let choices = options.filter { !$0.value.allSatisfy(\.isAmount) }
    rules = RowMemo(block, Set(choices.keys).union(["method", "preset"]))
  }
}

/// A lesson with the method that it is given under.
private struct Taught {
  let lesson: Lesson
  let method: MethodReader
  /// Where the grid names the method.
  let spot: GridSpot
}

/// A method as rows meet it.
private final class MethodReader {
  let method: MethodDescription
  /// In canonical order.
  let options: [OptionDescription]
  /// Of each column of the table.
  let reads: [Bool]

  init(_ method: MethodDescription, columns: [String]) {
    self.method = method
    options = method.options.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    reads = columns.map { method.reads($0) }
  }
}

/// What decides whether a run can be computed.
private struct Pairing: Hashable {
  let lesson: Int
  let method: String
  let colourJitter: DecimalNumber
}

/// The numbers of the parts that a cell is made of.
private struct CellParts: Hashable {
  let lesson: Int
  let recipe: Int
  let method: Int
}

// MARK: Names and values, each once

extension RunResolver {
  /// Looks at every name and value that can be judged before there are runs.
  mutating func check(_ grid: GridSpec) {
    for block in grid.blocks { check(block) }
    for problem in ReportCheck.names(grid, vocabulary, settings: settingNames) { report(problem) }
  }

  /// Looks at every setting of a block: whether there is such a setting, and whether the value can be one.
  private mutating func check(_ block: GridSpec.Block) {
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
      return lookUp(teachers: chosen, of: setting)
    }
    guard let names = setting.value.array, !names.isEmpty else {
      report(setting.spot.problem("teachers is \(setting.value) and should be a list of networks"))
      return
    }
    lookUp(teachers: names, of: setting)
  }

  private mutating func lookUp(teachers: [JSONValue], of setting: GridSpec.Setting) {
    for (index, teacher) in teachers.enumerated() where !Self.isImported(teacher) {
      _ = network(teacher, at: setting.spot(ofElement: index))
    }
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
  /// - Parameter row: one of `include`; nil for those of the block's product.
  mutating func begin(_ block: GridSpec.Block, include row: [String: GridSpec.Setting]? = nil) {
    rows = RowMemos(row == nil ? block : nil, options: options)
    guard row == nil else { return }
    methodNumbers.reserve(rows.methods.combinations)
    cellNumbers.reserve(GridRow(block).combinations())
    usedFilters = []
    unreadAxes = (block.axes + block.zip.flatMap(\.self)).map(\.name)
  }

  /// Complains about filters without effect and warns about axes that nothing reads.
  mutating func finish(_ block: GridSpec.Block) {
    for (index, filter) in block.exclude.enumerated() where !usedFilters.contains(index) {
      report(filter.spot.problem("exclude no. \(index + 1) removes no run"))
    }
    for axis in block.axes + block.zip.flatMap(\.self) where unreadAxes.contains(axis.name) {
      warnings.append(axis.spot.problem("no method of this block reads \"\(axis.name)\"", .warning))
    }
  }

  mutating func excludes(_ row: GridRow, _ block: GridSpec.Block) -> Bool {
    var isOut = false
    for (index, filter) in block.exclude.enumerated() where matches(row, filter) {
      usedFilters.insert(index)
      isOut = true
    }
    return isOut
  }

  private func matches(_ row: GridRow, _ filter: GridSpec.Filter) -> Bool {
    filter.conditions.allSatisfy { name, _, condition in
      let value = row[name]?.value ?? standing(name, in: row) ?? .null
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

  /// The value of a setting that a row does not name: its method's, its recipe's, or what every run has. Nil where its run has none.
  private func standing(_ name: String, in row: GridRow) -> JSONValue? {
    let method = row["method"].flatMap { methods[$0.value] }
    if let option = method?.options.first(where: { $0.name == name }) {
      let preset = row["preset"]?.value.string
      return method?.presets.first { $0.name == preset }?.options[name] ?? option.standard
    }
    switch name {
    case "preset": return method?.presets.first.map { .string($0.name) }
    case "dataset": return Self.standardDataset
    case "validationImages", "views": return 0
    case "recipe": return .string(RecipeSpec.Name.student.rawValue)
    case "teacherRecipe" where method?.readsTeachers == true:
      return .string(RecipeSpec.Name.teacher.rawValue)
    default: break
    }
    guard let network = row["student"].flatMap({ networks[$0.value] }) else { return nil }
    let recipe = recipe(row, of: network)
    switch name {
    case "epochs": return .number(DecimalNumber(recipe.epochs))
    case "teacherEpochs" where method?.readsTeachers == true: return .number(DecimalNumber(recipe.epochs))
    case "batchSize": return .number(DecimalNumber(recipe.batchSize))
    case "learningRate": return .number(recipe.learningRate)
    case "weightDecay": return .number(recipe.weightDecay)
    case "labelSmoothing": return .number(recipe.labelSmoothing)
    case "dropPath": return .number(recipe.dropPath)
    case "colourJitter": return .number(recipe.colourJitter)
    case "warmupEpochs": return .number(DecimalNumber(recipe.warmupEpochs))
    case "convolution": return .string(recipe.convolution.rawValue)
    case "numerics": return .string(recipe.numerics.rawValue)
    default: return nil
    }
  }

  private static let standardDataset: JSONValue = "synthetic"

  /// Whether two values of a setting are one: aliases are.
  private func means(_ a: JSONValue, _ b: JSONValue, in setting: String) -> Bool {
    if a == b { return true }
    switch setting {
    case "method": return methods[a].map { $0.name == methods[b]?.name } == true
    case "student": return networks[a].map { $0 == networks[b] } == true
    default: return false
    }
  }

  /// The cell that a row asks for; nil where something is wrong with it.
  ///
  /// - Parameter block: its number.
  /// - Returns: with whether no row before asked for the same runs.
  mutating func cell(_ row: GridRow, block: Int) -> (cell: RunCell, isNew: Bool)? {
    guard let taught = taught(row) else { return nil }
    let recipe = recipePart(row, of: taught.lesson.student)
    let part = methodPart(taught.method, row, at: taught.spot)
    // Once a setting is known to be read, there is nothing more to find out about it.
    if !unreadAxes.isEmpty {
      unreadAxes.removeAll { taught.method.method.reads($0) && !part.unread.contains($0) }
    }
    look(at: row, taught, recipe, part)
    let parts = CellParts(lesson: taught.lesson.number, recipe: recipe.number, method: part.number)
    let (number, isNew) = cellNumbers.number(of: parts)
    let cell = RunCell(
      taught.lesson, recipe, part, labels: labels(row, taught.method, part), block: block, number: number)
    return (cell, isNew)
  }

  /// Complains once about what this program cannot compute.
  private mutating func look(at row: GridRow, _ taught: Taught, _ recipe: RecipePart, _ part: MethodPart) {
    let pairing = Pairing(
      lesson: taught.lesson.number, method: part.name, colourJitter: recipe.spec.colourJitter)
    guard pairing != lastPairing else { return }
    lastPairing = pairing
    guard checkedPairings.insert(pairing).inserted else { return }
    let cell = RunCell(taught.lesson, recipe, part, labels: [], block: 0, number: 0)
    guard let (setting, sentence) = vocabulary.obstacle(cell.spec(seed: 0)) else { return }
    report((row[setting]?.spot ?? taught.spot).problem(sentence))
  }

  /// Who learns what from whom in a row; nil where something is wrong with it.
  private mutating func taught(_ row: GridRow) -> Taught? {
    if let known = rows.lessons.value(for: row) { return known }
    let taught = newlyTaught(rows.lessons.deciding(row))
    rows.lessons.remember(taught, for: row)
    return taught
  }

  private mutating func newlyTaught(_ row: GridRow) -> Taught? {
    guard let student = row["student"], let name = row["method"] else {
      let missing = row["student"] == nil ? "student" : "method"
      if let spot = row.spot { report(spot.problem("a run here has no \"\(missing)\"")) }
      return nil
    }
    guard let network = network(student.value, at: student.spot),
      let method = method(name.value, at: name.spot),
      var dataset = dataset(row["dataset"]?.value ?? Self.standardDataset, at: student.spot)
    else { return nil }
    dataset.trainImages = row["trainImages"]?.value.integer
    dataset.testImages = row["testImages"]?.value.integer
    dataset.validationImages = row["validationImages"]?.value.integer ?? 0
    let taught = method.readsTeachers ? teachers(row, network, dataset, at: name.spot) : []
    guard let teachers = taught else { return nil }
    var trainer: TrainerSpec?
    if let setting = row["trainer"] { trainer = self.trainer(setting.value, at: setting.spot) }
    let views = row["views"]?.value.integer ?? 0
    func lesson(_ number: Int) -> Lesson {
      Lesson(
        dataset: dataset, student: network, teachers: teachers, views: views, trainer: trainer,
        seeds: teacherSeeds, number: number)
    }
    let number = lessonNumbers.number(of: ByteString(lesson(0).encoding)).number
    if readers[method.name] == nil { readers[method.name] = MethodReader(method, columns: columns) }
    return Taught(lesson: lesson(number), method: readers[method.name]!, spot: name.spot)
  }

  private mutating func recipePart(_ row: GridRow, of network: ModelSpec) -> RecipePart {
    if let known = rows.recipes.value(for: row) { return known }
    let recipe = recipe(rows.recipes.deciding(row), of: network)
    let bytes = recipe.canonicalBytes
    let part = RecipePart(recipe, bytes: bytes, number: recipeNumbers.number(of: ByteString(bytes)).number)
    rows.recipes.remember(part, for: row)
    return part
  }

  /// The recipe that a row names, without what it says beside the name.
  private func namedRecipe(_ row: GridRow, of network: ModelSpec) -> RecipeSpec {
    RecipeSpec.named(
      row["recipe"]?.value.string.flatMap(RecipeSpec.Name.init) ?? .student, family: network.family,
      epochs: row["epochs"]?.value.integer, batchSize: row["batchSize"]?.value.integer)
  }

  private func recipe(_ row: GridRow, of network: ModelSpec) -> RecipeSpec {
    func number(_ name: String) -> DecimalNumber? { row[name]?.value.number }
    var recipe = namedRecipe(row, of: network)
    recipe.learningRate = number("learningRate") ?? recipe.learningRate
    recipe.weightDecay = number("weightDecay") ?? recipe.weightDecay
    recipe.labelSmoothing = number("labelSmoothing") ?? recipe.labelSmoothing
    recipe.dropPath = number("dropPath") ?? recipe.dropPath
    recipe.colourJitter = number("colourJitter") ?? recipe.colourJitter
    if recipe.schedule == .cosine, let epochs = row["warmupEpochs"]?.value.integer {
      recipe.warmupEpochs = epochs
    }
    recipe.takeArithmetic(from: row)
    return recipe
  }

  /// What is set of a method's options and makes a difference: the preset's, then those that are set alone. Complaints are reported once.
  private mutating func methodPart(_ reader: MethodReader, _ row: GridRow, at spot: GridSpot) -> MethodPart {
    if let known = rows.methods.value(for: row) { return known }
    let part = newMethodPart(reader, rows.methods.deciding(row), at: spot)
    rows.methods.remember(part, for: row)
    return part
  }

  private mutating func newMethodPart(_ reader: MethodReader, _ row: GridRow, at spot: GridSpot) -> MethodPart
  {
    let method = reader.method
    let known = optionsGiven(reader, row)
    var given: [ChosenOption] = []
    given.reserveCapacity(known.count)
    var complaint: (option: OptionDescription, expected: String)?
    for option in known {
      guard let value = row[option.name]?.value else { continue }
      given.append(ChosenOption(option.name, value))
      if complaint == nil, let expected = option.complaint(about: value) { complaint = (option, expected) }
    }
    if let preset = row["preset"]?.value.string,
      let bundle = method.presets.first(where: { $0.name == preset })?.options, !bundle.isEmpty
    {
      for (name, value) in bundle where !given.contains(where: { $0.name == name }) {
        given.append(ChosenOption(name, value))
      }
      given.sort { $0.precedes($1) }
    }
    let rules = rules(method, given, row)
    let set = method.reduced(given, rules)
    if let (option, expected) = complaint {
      if !rules.unread.contains(option.name), let setting = row[option.name] {
        report(
          setting.spot.problem(
            "\(option.name) of \(method.name) is \(setting.value) and should be \(expected)"))
      }
    } else {
      for problem in rules.problems { report(spot.problem("\(method.name): \(problem)")) }
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
    _ method: MethodDescription, _ given: [ChosenOption], _ row: GridRow
  ) -> OptionRules {
    if let known = rows.rules.value(for: row) { return known }
    let rules = method.rules(given)
    rows.rules.remember(rules, for: row)
    return rules
  }

  /// Options of a method that the rows of this block set.
  private mutating func optionsGiven(_ reader: MethodReader, _ row: GridRow) -> [OptionDescription] {
    if let known = rows.given[reader.method.name] { return known }
    let options = reader.options.filter { row[$0.name] != nil }
    rows.given[reader.method.name] = options
    return options
  }

  private mutating func teachers(
    _ row: GridRow, _ student: ModelSpec, _ dataset: DatasetSpec, at spot: GridSpot
  ) -> [TeacherSpec]? {
    guard let setting = row["teachers"] else {
      report(spot.problem("this method needs \"teachers\": a list of networks"))
      return nil
    }
    let values = setting.value.object.map { Self.subset($0).teachers } ?? setting.value.array ?? []
    let own = namedRecipe(row, of: student)
    let epochs = row["teacherEpochs"]?.value.integer ?? own.epochs
    let teachers = values.enumerated().compactMap { index, value -> TeacherSpec? in
      let spot = setting.spot(ofElement: index)
      if Self.isImported(value) {
        var teacher = imported(value, dataset, at: spot)
        teacher?.recipe.takeArithmetic(from: row)
        return teacher
      }
      guard let network = network(value, at: spot) else { return nil }
      var recipe = RecipeSpec.named(
        row["teacherRecipe"]?.value.string.flatMap(RecipeSpec.Name.init) ?? .teacher,
        family: network.family, epochs: epochs, batchSize: own.batchSize)
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
  private func labels(_ row: GridRow, _ reader: MethodReader, _ part: MethodPart) -> [JSONValue] {
    let method = reader.method
    return columns.indices.map { index in
      let column = columns[index]
      if column == "method" { return .string(method.name) }
      guard reader.reads[index], !part.unread.contains(column) else { return .null }
      if column == "trainer", let value = row[column]?.value {
        return value.object?["name"] ?? .string(trainers[value]??.command.joined(separator: " ") ?? "trainer")
      }
      if let value = row[column]?.value { return value }
      if let option = part.options.first(where: { $0.name == column }) { return option.value }
      if column == "preset" { return method.presets.first.map { .string($0.name) } ?? .null }
      return method.options.first { $0.name == column }?.standard ?? .null
    }
  }
}

extension GridSpec.Setting {
  /// The place of one of several names.
  fileprivate func spot(ofElement index: Int) -> GridSpot {
    elementSpots.indices.contains(index) ? elementSpots[index] : spot
  }
}

extension RecipeSpec {
  /// A run and its teachers are computed alike.
  fileprivate mutating func takeArithmetic(from row: GridRow) {
    if let kind = row["convolution"]?.value.string.flatMap(ConvolutionKind.init) { convolution = kind }
    if let kind = row["numerics"]?.value.string.flatMap(NumericsKind.init) { numerics = kind }
  }
}
