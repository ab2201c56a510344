package import Datasets
internal import Distillation
internal import Foundation
internal import Networks
package import Specs
package import Storage
internal import Training

extension GridVocabulary {
  /// What this program's catalogs let a grid name.
  ///
  /// - Parameters:
  ///   - dataFolders: folders of datasets, searched in order.
  ///   - gridFolder: what relative folders in a grid are relative to.
  ///   - folder: of the store where `import` keeps what it took in; nil where no store is looked at.
  package static func engine(
    dataFolders: [String], gridFolder: String = ".", in folder: StoreFolder? = nil
  ) -> GridVocabulary {
    var vocabulary = GridVocabulary(
      methods: Catalog.methods.entries.map { $0.description },
      settings: try! SettingCatalog.ofThisProgram.get(), networks: NetworkNames.ids,
      network: { try NetworkNames.spec($0) }, datasets: Catalog.datasets.names,
      dataset: {
        try DatasetCatalog.locate(resolved($0, in: gridFolder), searching: dataFolders, index: .of(folder))
          .spec
      })
    vocabulary.weights = {
      try TeacherWeights.teacher($0, on: $1, in: folder.map(WeightsFolder.init), gridFolder: gridFolder)
    }
    vocabulary.annotatedDataset = {
      try AnnotatedCatalog.locate(resolved($0, in: gridFolder), searching: dataFolders, index: .of(folder))
        .spec
    }
    vocabulary.annotatedDatasets = Catalog.annotatedDatasets.names
    vocabulary.backbone = {
      try TeacherWeights.backbone($0, in: folder.map(WeightsFolder.init), gridFolder: gridFolder)
    }
    vocabulary.transferObstacle = { TransferObstacles.head($1, of: $0, on: $2) }
    vocabulary.trunkObstacle = { TransferObstacles.trunk($0, $1, trainedOn: $2) }
    vocabulary.obstacle = { obstacle($0) }
    vocabulary.trainer = { try TrainerFiles.spec($0, in: gridFolder) }
    return vocabulary
  }

  private static func obstacle(_ run: RunSpec) -> (setting: String, sentence: String)? {
    // What an external trainer can train on is its own affair, and absent files are named elsewhere.
    guard run.trainer == nil, let facts = DatasetCatalog.facts(of: run.dataset) else { return nil }
    if let sentence = incomplete(run.dataset, facts) { return ("dataset", sentence) }
    if let excess = excess(run, facts) { return excess }
    guard let task = facts.imageTask,
      let method = try? Catalog.methods.entry(run.method.name).description
    else { return nil }
    if run.recipe.colourJitter > DecimalNumber(0) {
      if !DatasetCatalog.isOfPhotographs(run.dataset.name) {
        return (
          "colourJitter", "colourJitter changes photographs, and \(run.dataset.name) has none; leave it out"
        )
      }
      if run.views > 0 {
        return ("colourJitter", "fixed views keep their colours; take \"views\": 0 or leave colourJitter out")
      }
    }
    var setting = "student"
    do {
      _ = try BuiltNetwork(run.student, task)
      setting = "teachers"
      // What is not there is not known, and named elsewhere.
      let teachers = try run.teachers.filter { $0.weights?.absence == nil }
        .map { try BuiltNetwork($0.network, task).network }
      if method.readsTeacherHeads, !teachers.allSatisfy(\.backbone.embedsMap) {
        return ("method", NoMapHead(method: method.name).description)
      }
      return nil
    } catch {
      return (setting, "\(error)")
    }
  }

  /// A subset that is larger than what it is taken from.
  private static func excess(_ run: RunSpec, _ facts: DatasetFacts) -> (setting: String, sentence: String)? {
    if let count = run.dataset.testImages, count > facts.mostTestImages {
      return (
        "testImages", "\"testImages\" is \(count), and \(run.dataset.name) has \(facts.mostTestImages)"
      )
    }
    let held = run.dataset.validationImages
    let most = facts.mostTrainImages - held
    let asked =
      [("trainImages", run.dataset.trainImages)]
      + run.teachers.map { ("teacherTrainImages", $0.trainImages) }
    for case (let setting, let count?) in asked where count > most {
      let beside = held > 0 ? " beside \(counted(held, "validation image"))" : ""
      return (
        setting,
        "\"\(setting)\" is \(count), and \(run.dataset.name) has \(max(most, 0)) to train on\(beside)"
      )
    }
    return nil
  }

  /// A published dataset of which images are missing is trained on only where the
  /// grid says how many it wants.
  private static func incomplete(_ dataset: DatasetSpec, _ facts: DatasetFacts) -> String? {
    guard dataset.digest != nil, dataset.trainImages == nil else { return nil }
    let lacksTest = facts.lacksTestImages && dataset.testImages == nil
    guard facts.lacksTrainImages || lacksTest else { return nil }
    let train = "\"trainImages\": \(facts.trainImages - dataset.validationImages)"
    let advice = facts.lacksTrainImages ? train : "\(train), \"testImages\": \(facts.testImages)"
    return
      "\(dataset.name) is incomplete: \(facts.summary); "
      + "get the missing files, or say in the grid that a part is meant: \(advice)"
  }

  /// `NAME:FOLDER` with the folder seen from where the grid is.
  private static func resolved(_ text: String, in gridFolder: String) -> String {
    guard let colon = text.firstIndex(of: ":") else { return text }
    let folder = text[text.index(after: colon)...]
    return folder.hasPrefix("/") || gridFolder == "." ? text : "\(text[..<colon]):\(gridFolder)/\(folder)"
  }
}

extension PhotographIndexing {
  /// Remembers folders of photographs in the store, and tells standard error how it goes.
  package static func of(_ folder: StoreFolder?) -> PhotographIndexing {
    PhotographIndexing(folder: folder.map { "\($0.path)/indexes" }) { text in
      WorkerLog.say(text)
    }
  }
}
