internal import Specs

/// Turns the settings of a row into the run that its method reads. Every name and value is looked up once.
///
/// `+Names` judges names and values, `+Filters` says which rows are excluded, `+Recipe`, `+Lesson` and
/// `+Method` make the parts of a run, `+OldWords` knows what older grids call a setting.
struct RunResolver {
  var problems: [GridProblem] = []
  var warnings: [GridProblem] = []
  private var reported: Set<GridProblem> = []

  let vocabulary: GridVocabulary
  let teacherSeeds: GridSpec.TeacherSeeds
  /// Settings that recipes hold, in the order of the catalog.
  let recipeSettings: [SettingDescription]
  /// Settings that tell the cells of the table apart.
  let columns: [String]

  var networks: [JSONValue: ModelSpec] = [:]
  /// What the grid calls them.
  var names = WrittenNames()
  var imported: [JSONValue: [DatasetSpec: TeacherSpec]] = [:]
  var datasets: [JSONValue: DatasetSpec] = [:]
  var annotatedDatasets: [JSONValue: DatasetSpec] = [:]
  var trainers: [JSONValue: TrainerSpec?] = [:]
  var methods: [JSONValue: MethodDescription] = [:]
  var readers: [String: MethodReader] = [:]

  /// Filters of the block in hand that have removed something, and axes of it that no method has read yet.
  var usedFilters: Set<Int> = []
  var unreadAxes: [String] = []
  var rows: RowMemos
  var lessonNumbers = Numbering<ByteString>()
  var recipeNumbers = Numbering<ByteString>()
  var methodNumbers = Numbering<ByteString>()
  var transferNumbers = Numbering<ByteString>()
  var cellNumbers = Numbering<CellParts>()
  /// What was looked at together: whether this program can compute it.
  private var checkedPairings: Set<Pairing> = []
  private var lastPairing: Pairing?
  /// What methods were asked about already: whether a training of this length is long
  /// enough for their options.
  private var checkedLengths: Set<MethodLength> = []
  private var lastLength: MethodLength?
  /// What each place that uses an old word means by it.
  var oldWords: [OldWordPlace: OldWordMeanings] = [:]

  init(_ vocabulary: GridVocabulary, teacherSeeds: GridSpec.TeacherSeeds, columns: [String]) {
    self.vocabulary = vocabulary
    self.teacherSeeds = teacherSeeds
    self.columns = columns
    recipeSettings = vocabulary.settings.entries.filter(\.isOfRecipe)
    rows = RowMemos(nil, vocabulary.settings)
  }

  mutating func report(_ problem: GridProblem) {
    if reported.insert(problem).inserted { problems.append(problem) }
  }

  mutating func warn(_ problem: GridProblem) {
    if reported.insert(problem).inserted { warnings.append(problem) }
  }
}

/// A lesson with the method that it is given under.
struct Taught {
  let lesson: Lesson
  let method: MethodReader
  /// Where the grid names the method.
  let spot: GridSpot
}

/// A method as rows meet it.
final class MethodReader {
  let method: MethodDescription
  /// In canonical order.
  let options: [SettingDescription]
  /// Of each column of the table.
  let reads: [Bool]

  init(_ method: MethodDescription, columns: [String], _ settings: SettingCatalog) {
    self.method = method
    options = method.options.sorted {
      $0.encodedName.utf8.lexicographicallyPrecedes($1.encodedName.utf8)
    }
    reads = columns.map { name in settings[name].map { method.reads($0) } ?? false }
  }
}

/// What decides whether a run can be computed.
private struct Pairing: Hashable {
  let lesson: Int
  let method: String
  let colourJitter: DecimalNumber
}

/// What decides whether a training is long enough for a method.
private struct MethodLength: Hashable {
  let method: Int
  let teachers: Int
  let epochs: Int
}

/// The numbers of the parts that a cell is made of.
struct CellParts: Hashable {
  let lesson: Int
  let recipe: Int
  let method: Int
  /// 0 for none.
  let transfer: Int
}

// MARK: Rows

extension RunResolver {
  /// - Parameter row: one of `include`; nil for those of the block's product.
  mutating func begin(_ block: GridSpec.Block, include row: [String: GridSpec.Setting]? = nil) {
    rows = RowMemos(row == nil ? block : nil, vocabulary.settings)
    rows.isBesideBlocks = block.isBesideBlocks
    rows.spot = block.spot
    guard row == nil else { return }
    methodNumbers.reserve(rows.methods.combinations)
    cellNumbers.reserve(GridRow(block).combinations())
    usedFilters = []
    unreadAxes = (block.axes + block.zip.flatMap(\.self)).map(\.name)
  }

  /// Complains about filters without effect and words with two meanings, and warns about
  /// axes that nothing reads.
  mutating func finish(_ block: GridSpec.Block) {
    for (index, filter) in block.exclude.enumerated() where !usedFilters.contains(index) {
      report(filter.spot.problem("exclude no. \(index + 1) removes no run"))
    }
    for axis in block.axes + block.zip.flatMap(\.self) where unreadAxes.contains(axis.name) {
      warn(axis.spot.problem("no method of this block reads \"\(axis.name)\"", .warning))
    }
    reportOldWords()
  }

  /// The cell that a row asks for; nil where something is wrong with it.
  ///
  /// - Parameter block: its number.
  /// - Returns: the cell, and whether it is new: whether no row before asked for the same runs.
  mutating func cell(_ row: GridRow, block: Int) -> (cell: RunCell, isNew: Bool)? {
    guard let asked = transferPart(row) else { return nil }
    let transfer = asked.part
    guard let taught = transfer?.source.isStudent == false ? untaught(row, transfer!) : taught(row) else {
      return nil
    }
    let recipe = recipePart(row, of: taught.lesson.student)
    let part = methodPart(taught, row)
    // Once a setting is known to be read, there is nothing more to find out about it.
    if !unreadAxes.isEmpty {
      unreadAxes = unreadAxes.filter { !isRead($0, taught.method.method, recipe.spec, part, transfer) }
    }
    if transfer?.source.isStudent != false {
      look(at: row, taught, recipe, part)
      warnAboutLength(row, taught, recipe.spec.epochs, part)
    }
    if let transfer { look(at: row, transfer, taught.lesson) }
    let parts = CellParts(
      lesson: taught.lesson.number, recipe: recipe.number, method: part.number,
      transfer: transfer.map { $0.number + 1 } ?? 0)
    let (number, isNew) = cellNumbers.number(of: parts)
    let cell = RunCell(
      taught.lesson, recipe, part, transfer: transfer,
      labels: labels(row, taught.method, recipe, part, transfer), block: block, number: number)
    return (cell, isNew)
  }

  /// Whether a setting makes a difference to a run, by the name that the grid has for it.
  private func isRead(
    _ name: String, _ method: MethodDescription, _ recipe: RecipeSpec, _ part: MethodPart,
    _ transfer: TransferPart?
  ) -> Bool {
    if vocabulary.settings[name]?.place == .transfer { return transfer.map { reads(name, $0) } ?? false }
    // A backbone from elsewhere has learnt already.
    if transfer?.source.isStudent == false, name != "student", name != "method" {
      return vocabulary.settings[name]?.place == .recipeOfAll
    }
    if let option = method.option(formerly: name), !isOwnWord(name, recipe.schedule) {
      return !part.unread.contains(option.name)
    }
    guard let setting = vocabulary.settings[name], method.reads(setting), !part.unread.contains(name) else {
      return false
    }
    if case .schedule(let schedule) = setting.readers { return recipe.schedule == schedule }
    return true
  }

  /// Passes on what a method says of a training of this length.
  private mutating func warnAboutLength(_ row: GridRow, _ taught: Taught, _ epochs: Int, _ part: MethodPart) {
    let teachers = taught.lesson.teacherCount
    let length = MethodLength(method: part.number, teachers: teachers, epochs: epochs)
    guard length != lastLength else { return }
    lastLength = length
    guard checkedLengths.insert(length).inserted else { return }
    for sentence in taught.method.method.warnings(part.options, teachers: teachers, epochs: epochs) {
      warn(taught.spot.problem("\(part.name): \(sentence)", .warning))
    }
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

  /// The values that tell cells apart: what the grid says, or the default; null for
  /// what the run does not read.
  private func labels(
    _ row: GridRow, _ reader: MethodReader, _ recipe: RecipePart, _ part: MethodPart,
    _ transfer: TransferPart?
  ) -> [JSONValue] {
    let method = reader.method
    return columns.indices.map { index in
      let column = columns[index]
      if let transfer, let shown = label(of: column, row, transfer) { return shown }
      if column == "method" { return .string(method.name) }
      guard reader.reads[index], isRead(column, method, recipe.spec, part, transfer) else { return .null }
      if column == "trainer", let value = row[column]?.value {
        let spec = trainers[value] ?? nil
        return value.object?["name"]
          ?? .string(spec?.name ?? spec?.command.joined(separator: " ") ?? "trainer")
      }
      if let value = row[column]?.value { return value }
      if column == "preset" { return method.presets.first.map { .string($0.name) } ?? .null }
      let option = method.option(formerly: column) ?? method.options.first { $0.name == column }
      guard let option else { return .null }
      return part.options.first { $0.name == option.encodedName }?.value ?? option.standard
    }
  }
}

/// What the rows of a block have in common, by the settings that decide it.
struct RowMemos {
  var lessons: RowMemo<Taught?>
  var recipes: RowMemo<RecipePart>
  var methods: RowMemo<MethodPart>
  var transfers: RowMemo<AskedTransfer?>
  var rules: RowMemo<OptionRules>
  /// Options of a method that rows set, in canonical order, by the method's name.
  var given: [String: [SettingDescription]] = [:]
  /// Of the block in hand.
  var isBesideBlocks = false
  var spot: GridSpot?

  /// - Parameter block: nil for a row of `include`.
  init(_ block: GridSpec.Block?, _ settings: SettingCatalog) {
    lessons = RowMemo(block, settings.names(in: [.run, .recipeBase, .recipeOfAll]))
    recipes = RowMemo(
      block, settings.names(in: [.recipeBase, .recipe, .recipeOfAll]).union(["student"]))
    transfers = RowMemo(block, settings.names(in: [.transfer, .recipeOfAll]))
    // An old word means an option or not, by the recipe; one teacher leaves most of them unread.
    let options = settings.entries.filter { $0.place == .method }
    let others: Set<String> = ["method", "teachers", "recipe"]
    methods = RowMemo(block, Self.words(options).union(others))
    rules = RowMemo(block, Self.words(options.filter { !$0.isAmount }).union(others))
  }

  private static func words(_ options: [SettingDescription]) -> Set<String> {
    Set(options.map(\.name)).union(options.compactMap(\.formerName))
  }
}
