internal import Specs

extension RunResolver {
  /// Who learns what from whom in a row; nil where something is wrong with it.
  mutating func taught(_ row: GridRow) -> Taught? {
    if let known = rows.lessons.value(for: row) { return known }
    let taught = newlyTaught(rows.lessons.deciding(row))
    rows.lessons.remember(taught, for: row)
    return taught
  }

  private mutating func newlyTaught(_ row: GridRow) -> Taught? {
    guard let student = row["student"], let name = row["method"] else {
      reportMissing(row["student"] == nil ? "student" : "method", in: row)
      return nil
    }
    guard let network = network(student.value, at: student.spot),
      let method = method(name.value, at: name.spot),
      let named = shown(row["dataset"]?.value ?? vocabulary.settings["dataset"]?.standard ?? .null, in: row),
      var dataset = dataset(named, at: row["dataset"]?.spot ?? student.spot)
    else { return nil }
    dataset.trainImages = row["trainImages"]?.value.integer
    dataset.testImages = row["testImages"]?.value.integer
    dataset.validationImages = row["validationImages"]?.value.integer ?? 0
    let taught = method.readsTeachers ? teachers(row, network, dataset, at: name.spot) : []
    var trainer: TrainerSpec?
    if let setting = row["trainer"] { trainer = self.trainer(setting.value, at: setting.spot) }
    guard let teachers = taught?.map({ $0.trained(by: trainer) }) else { return nil }
    let views = row["views"]?.value.integer ?? 0
    let agreement = method.readsTeachers && row["agreement"]?.value.bool == true
    func lesson(_ number: Int) -> Lesson {
      Lesson(
        dataset: dataset, student: network, teachers: teachers, views: views, trainer: trainer,
        agreement: agreement, seeds: teacherSeeds, number: number)
    }
    let number = lessonNumbers.number(of: ByteString(lesson(0).encoding)).number
    if readers[method.name] == nil {
      readers[method.name] = MethodReader(method, columns: columns, vocabulary.settings)
    }
    return Taught(lesson: lesson(number), method: readers[method.name]!, spot: name.spot)
  }

  /// A dataset with how its photographs are measured in its name: `imagenet:FOLDER` becomes
  /// `imagenet-bicubic-crop0.9:FOLDER`. Nil where the dataset has no photographs, and where the crop is none.
  private mutating func shown(_ dataset: JSONValue, in row: GridRow) -> JSONValue? {
    var suffix = ""
    if row["resize"]?.value.string == "bicubic" { suffix += "-bicubic" }
    if let crop = row["crop"], let share = crop.value.number,
      crop.value != vocabulary.settings["crop"]?.standard
    {
      guard share.double <= 1 else {
        report(crop.spot.problem("\"crop\" is \(share); expected a share of at most 1"))
        return nil
      }
      suffix += "-crop\(share)"
    }
    guard !suffix.isEmpty, let text = dataset.string else { return dataset }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0].hasPrefix("imagenet") || parts[0].hasPrefix("imagefolder") else {
      if let spot = row["resize"]?.spot ?? row["crop"]?.spot {
        report(
          spot.problem(
            "\"resize\" and \"crop\" are how photographs are measured (imagenet, imagefolder-SIDE), and "
              + "\(text) has images of one size"
          ))
      }
      return nil
    }
    let skips = parts[0].hasSuffix("-skip")
    let name = "\(skips ? parts[0].dropLast("-skip".count) : parts[0])\(suffix)\(skips ? "-skip" : "")"
    return .string(parts.count > 1 ? "\(name):\(parts[1])" : name)
  }

  /// A run needs a student and a method. Top-level axes beside blocks are often meant to
  /// multiply with them, and do not.
  private mutating func reportMissing(_ setting: String, in row: GridRow) {
    if rows.isBesideBlocks, let spot = rows.spot {
      let sentence =
        "these stand beside \"blocks\" and are a block of their own, whose runs have no \"\(setting)\"; "
        + "write it in the top-level \"base\", or move them into each block: they do not multiply with it"
      return report(spot.problem(sentence))
    }
    guard let spot = row.spot ?? rows.spot else { return }
    report(spot.problem("a run here has no \"\(setting)\"; write one in \"base\" or \"axes\""))
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
    let images = row["teacherTrainImages"]?.value.integer
    let name = row["teacherRecipe"]?.value.string.flatMap(RecipeSpec.Name.init) ?? .teacher
    let teachers = values.enumerated().compactMap { index, value -> TeacherSpec? in
      let spot = setting.spot(ofElement: index)
      if Self.isImported(value) {
        guard var teacher = imported(value, dataset, at: spot) else { return nil }
        takeComputation(&teacher.recipe, from: row)
        return teacher
      }
      guard let network = network(value, at: spot) else { return nil }
      var recipe = RecipeSpec.named(name, family: network.family, epochs: epochs, batchSize: own.batchSize)
      takeComputation(&recipe, from: row)
      warnAboutMilestones(recipe, "teacherEpochs", row)
      var teacher = TeacherSpec(network: network, recipe: recipe, seed: 0)
      if images != dataset.trainImages { teacher.trainImages = images }
      return teacher
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
      names.note(value, teacher)
      return teacher
    } catch {
      report(spot.problem("\(error)"))
      return nil
    }
  }
}
