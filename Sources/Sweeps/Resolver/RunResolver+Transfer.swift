internal import Specs

/// What a row says of a transfer: one, or none.
struct AskedTransfer {
  let part: TransferPart?
}

extension RunResolver {
  /// What a row's backbone is put to; nil where something is wrong with it.
  mutating func transferPart(_ row: GridRow) -> AskedTransfer? {
    if let known = rows.transfers.value(for: row) { return known }
    let part = newTransfer(rows.transfers.deciding(row))
    rows.transfers.remember(part, for: row)
    return part
  }

  private var transferSettings: [SettingDescription] {
    vocabulary.settings.entries.filter { $0.place == .transfer }
  }

  private mutating func newTransfer(_ row: GridRow) -> AskedTransfer? {
    let said = transferSettings.filter { row[$0.name] != nil }
    guard let first = said.first else { return AskedTransfer(part: nil) }
    let (detector, segmentor) = (row["transfer.detector"], row["transfer.segmentor"])
    let spot = row.nameSpot(first.name) ?? row[first.name]!.spot
    if let detector, let segmentor {
      report(
        segmentor.spot.problem(
          "a transfer has one head, and this one has \"\(detector.value.title)\" and "
            + "\"\(segmentor.value.title)\"; two blocks of a grid hold both tasks"))
      return nil
    }
    guard let setting = detector ?? segmentor, let head = setting.value.string else {
      let known = TransferTask.allCases.map { "\"\($0.setting)\" (\($0.heads.joined(separator: ", ")))" }
      report(spot.problem("a transfer needs \(known.joined(separator: " or "))"))
      return nil
    }
    let task = detector != nil ? TransferTask.detection : .segmentation
    guard let recipe = recipe(row, task, at: setting.spot),
      let dataset = transferDataset(row, task, head, at: setting.spot)
    else { return nil }
    var given: [String: JSONValue] = [:]
    for setting in said {
      let name = String(setting.name.dropFirst("transfer.".count))
      guard TransferRecipes.fields.contains(where: { $0.name == name }) else { continue }
      guard TransferRecipes.fields(of: task).contains(where: { $0.name == name }) else {
        report(fieldProblem(name, task, row[setting.name]!.nameSpot ?? row[setting.name]!.spot))
        return nil
      }
      given[name] = row[setting.name]!.value
    }
    let fields = TransferRecipes.resolved(recipe, head: head, dataset: dataset.name, given: given)
    if let batch = fields["batchSize"]?.integer, let group = fields["lossGroup"]?.integer,
      batch % group != 0
    {
      let spot = (row["transfer.batchSize"] ?? row["transfer.lossGroup"])?.spot ?? setting.spot
      report(
        spot.problem(
          "a batch of \(batch) is no whole number of groups of \(group) images; choose a \"batchSize\" "
            + "that is a multiple of \"lossGroup\""))
      return nil
    }
    if let sentence = TransferRecipes.unsupported(fields, head: head) {
      report(setting.spot.problem(sentence))
      return nil
    }
    guard let source = backbone(row) else { return nil }
    var computed = RecipeSpec.none
    takeComputation(&computed, from: row)
    let part = TransferPart(
      TransferSpec(task: task, head: head, dataset: dataset, fields: fields), of: source,
      seeds: row["transfer.seeds"]?.value.integer ?? 1,
      computation: Dictionary(computed.computation.map { ($0.name, $0.value) }) { $1 }
    ) { transferNumbers.number(of: $0).number }
    return AskedTransfer(part: part)
  }

  private func fieldProblem(_ name: String, _ task: TransferTask, _ spot: GridSpot) -> GridProblem {
    let known = TransferRecipes.fields(of: task).map(\.name)
    let hint = NearestName.of(name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
    return spot.problem(
      "no recipe of the task \(task.rawValue) has a field \"\(name)\"\(hint) "
        + "(`mtkd-sweep recipes` lists them)"
    )
  }

  private mutating func recipe(_ row: GridRow, _ task: TransferTask, at spot: GridSpot) -> TransferRecipe? {
    let name = row["transfer.recipe"]?.value.string ?? task.usualRecipe
    guard let recipe = TransferRecipes.recipe(name) else { return nil }
    guard recipe.task == task else {
      let known = TransferRecipes.recipes(of: task).map(\.name)
      report(
        (row["transfer.recipe"]?.spot ?? spot).problem(
          "the recipe \"\(name)\" is one of \(recipe.task.rawValue), and the run's task is \(task.rawValue): "
            + "take \(known.joined(separator: ", "))"))
      return nil
    }
    return recipe
  }

  private mutating func transferDataset(
    _ row: GridRow, _ task: TransferTask, _ head: String, at spot: GridSpot
  ) -> DatasetSpec? {
    guard let setting = row["transfer.dataset"] else {
      report(spot.problem("a transfer needs a \"dataset\" to train \(head) on"))
      return nil
    }
    guard var dataset = annotatedDataset(setting.value, at: setting.spot) else { return nil }
    dataset.trainImages = row["transfer.trainImages"]?.value.integer
    dataset.testImages = row["transfer.testImages"]?.value.integer
    dataset.validationImages = row["transfer.validationImages"]?.value.integer ?? 0
    if let sentence = vocabulary.transferObstacle(task, head, dataset) {
      report(setting.spot.problem(sentence))
      return nil
    }
    return dataset
  }

  private mutating func backbone(_ row: GridRow) -> BackboneSource? {
    guard let setting = row["transfer.backbone"], let members = setting.value.object else {
      return .student(epoch: row["transfer.epoch"]?.value.string ?? "last")
    }
    if let named = members["random"] {
      return network(named, at: setting.spot).map { .random($0) }
    }
    do {
      let teacher = try vocabulary.backbone(setting.value)
      names.note(setting.value, teacher)
      return .weights(teacher)
    } catch {
      report(setting.spot.problem("\(error)"))
      return nil
    }
  }

  /// Complains once about a network that is no trunk.
  mutating func look(at row: GridRow, _ transfer: TransferPart, _ lesson: Lesson) {
    let dataset = transfer.source.isStudent ? lesson.dataset : nil
    let network = transfer.network(of: lesson)
    guard let sentence = vocabulary.trunkObstacle(network, names[network], dataset) else { return }
    let name = transfer.source.isStudent ? "student" : "transfer.backbone"
    guard let spot = row[name]?.spot ?? row.spot ?? rows.spot else { return }
    report(spot.problem(sentence))
  }

  /// Whether a setting makes a difference to a transfer.
  func reads(_ name: String, _ transfer: TransferPart) -> Bool {
    let member = String(name.dropFirst("transfer.".count))
    switch member {
    case "detector": return transfer.spec.task == .detection
    case "segmentor": return transfer.spec.task == .segmentation
    case "epoch": return transfer.source.isStudent
    case "label": return !transfer.source.isStudent
    default:
      let isField = TransferRecipes.fields.contains { $0.name == member }
      return !isField || transfer.spec.fields[member] != nil
    }
  }

  /// What a column shows of a run with a transfer, where that is not what the grid says.
  func label(of column: String, _ row: GridRow, _ transfer: TransferPart) -> JSONValue? {
    if !transfer.source.isStudent, column == "student" || column == "method" {
      if let said = row["transfer.label"]?.value.object?[column] { return said }
      let members = row["transfer.backbone"]?.value.object ?? [:]
      if column == "student" { return members["random"] ?? members["network"] ?? members["import"] }
      return members["random"] == nil ? "imported" : "random"
    }
    guard column.hasPrefix("transfer."), row[column] == nil, reads(column, transfer) else { return nil }
    let member = String(column.dropFirst("transfer.".count))
    switch member {
    case "recipe": return .string(transfer.spec.task.usualRecipe)
    case "detector", "segmentor": return .string(transfer.spec.head)
    default: return transfer.spec.fields[member] ?? vocabulary.settings[column]?.standard
    }
  }

  /// The lesson of a run whose backbone comes from elsewhere: it reads no student,
  /// method, teachers or dataset.
  mutating func untaught(_ row: GridRow, _ transfer: TransferPart) -> Taught? {
    for name in ["student", "method", "teachers", "dataset"] {
      guard let setting = row[name], isAxis(name, in: row) else { continue }
      report(
        setting.spot.problem(
          "\"\(name)\" has no influence on a backbone from elsewhere; write these runs as a "
            + "block of their own"
        ))
      return nil
    }
    guard let baseline = vocabulary.methods.first(where: { !$0.readsTeachers }) else { return nil }
    func lesson(_ number: Int) -> Lesson {
      Lesson(
        dataset: DatasetSpec(name: ""), student: transfer.network, teachers: [], views: 0, trainer: nil,
        seeds: teacherSeeds, number: number)
    }
    let number = lessonNumbers.number(of: ByteString(lesson(0).encoding)).number
    if readers[baseline.name] == nil {
      readers[baseline.name] = MethodReader(baseline, columns: columns, vocabulary.settings)
    }
    let spot = row["transfer.backbone"]?.spot ?? row.spot
    guard let spot else { return nil }
    return Taught(lesson: lesson(number), method: readers[baseline.name]!, spot: spot)
  }

  /// Whether several values of a setting are asked for in the block in hand.
  private func isAxis(_ name: String, in row: GridRow) -> Bool { row.turns(name) }
}

extension TransferPart {
  /// Of a backbone that comes from elsewhere.
  fileprivate var network: ModelSpec {
    switch source {
    case .random(let network): network
    case .weights(let teacher): teacher.network
    case .student: preconditionFailure("a student's network is its lesson's")
    }
  }
}
