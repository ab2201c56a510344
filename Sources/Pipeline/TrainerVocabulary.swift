internal import Foundation
internal import Networks
internal import Specs
internal import Storage

/// The trainers of a grid that describe themselves, by what the grid writes of them.
private struct DescribedTrainers: Sendable {
  private var known: [JSONValue: Result<(spec: TrainerSpec, description: DescribedTrainer), any Error>] = [:]

  /// Asks each trainer that a grid names once.
  init(of grid: GridSpec, in gridFolder: String, _ inquiry: TrainerInquiry) {
    for value in Self.trainers(of: grid) where known[value] == nil {
      let isNamed = value.string.map(Catalog.trainers.names.contains) ?? false
      guard isNamed || value.object?["protocol"] == .number(DecimalNumber(2)) else { continue }
      known[value] = Result {
        let spec = try TrainerFiles.spec(value, in: gridFolder)
        return (spec, try inquiry.description(of: spec))
      }
    }
  }

  private static func trainers(of grid: GridSpec) -> [JSONValue] {
    grid.blocks.flatMap { block in
      let axes = (block.axes + block.zip.flatMap(\.self)).filter { $0.name == "trainer" }
      let alone = ([block.base] + block.include).compactMap { $0["trainer"]?.value }
      return alone + axes.flatMap { $0.values.map(\.value) }
    }
  }

  /// - Returns: nil for a trainer that does not describe itself.
  func spec(_ value: JSONValue) throws -> TrainerSpec? {
    guard let found = try known[value]?.get() else { return nil }
    var spec = found.spec
    if spec.metrics.isEmpty { spec.metrics = found.description.metrics }
    spec.teaching = found.description.teaching
    return spec
  }

  /// In an order of their own, so that equal grids say equal things.
  var all: [(spec: TrainerSpec, description: DescribedTrainer)] {
    known.sorted { $0.key.description < $1.key.description }.compactMap { try? $0.value.get() }
  }

  func description(of trainer: TrainerSpec) -> DescribedTrainer? {
    all.first { $0.spec.canonicalBytes == trainer.canonicalBytes }?.description
  }
}

extension GridVocabulary {
  /// The same with what the trainers of a grid say that they can do. Trainers of version 1 are not asked.
  ///
  /// - Parameters:
  ///   - grid: nil where it could not be read.
  ///   - folder: of the store where answers are kept; nil where no store is looked at.
  func asking(_ grid: GridSpec?, in gridFolder: String, _ folder: StoreFolder?) -> GridVocabulary {
    guard let grid else { return self }
    let trainers = DescribedTrainers(of: grid, in: gridFolder, TrainerInquiry(store: folder))
    var vocabulary = self
    let usual = trainer
    vocabulary.trainer = { try trainers.spec($0) ?? usual($0) }
    let own = (methods: Set(methods.flatMap { [$0.name] + $0.aliases }), networks: Set(networks))
    var clash: String?
    for (_, description) in trainers.all {
      for method in description.methods where !vocabulary.methods.contains(where: { $0.name == method.name })
      {
        guard !own.methods.contains(method.name) else { continue }
        let methods = vocabulary.methods + [Self.description(of: method)]
        do throws(AmbiguousSetting) {
          vocabulary.settings = try SettingCatalog(methods: methods)
          vocabulary.methods = methods
        } catch {
          clash = "\(error)"
        }
      }
    }
    let foreign = trainers.all.flatMap { $0.description.networks ?? [] }.filter { !own.networks.contains($0) }
    vocabulary.networks += foreign
    let network = network
    vocabulary.network = { value in
      let name = value.string ?? value.object?["family"]?.string
      guard let name, foreign.contains(name) else { return try network(value) }
      return ModelSpec(family: name, parameters: (value.object ?? [:]).filter { $0.key != "family" })
    }
    let (obstacle, ambiguity) = (obstacle, clash)
    vocabulary.obstacle = { run in
      if let ambiguity, run.trainer != nil { return ("trainer", ambiguity) }
      return Self.obstacle(run, trainers, own.methods, foreign) ?? obstacle(run)
    }
    return vocabulary
  }

  private static func description(of method: DescribedTrainer.Method) -> MethodDescription {
    MethodDescription(
      name: method.name, summary: method.summary, readsTeachers: method.readsTeachers, reads: [],
      options: method.options)
  }

  /// A teacher that this program is to train and that only a trainer knows.
  private static func strangeTeacher(
    _ run: RunSpec, _ foreign: [String]
  ) -> (setting: String, sentence: String)? {
    let strange = run.teachers.first { $0.trainer == nil && foreign.contains($0.network.family) }
    guard let name = strange?.network.family else { return nil }
    return (
      "teachers",
      "this program, which trains the teachers of this run, does not know the network \"\(name)\". "
        + "A trainer that trains teachers says \"teachers\": true of itself (docs/trainers.md)"
    )
  }

  /// What of a run its trainer does not know.
  private static func obstacle(
    _ run: RunSpec, _ trainers: DescribedTrainers, _ ownMethods: Set<String>, _ foreign: [String]
  ) -> (setting: String, sentence: String)? {
    func unknown(_ kind: String, _ name: String, among known: [String], by who: String) -> String {
      let hint = NearestName.of(name, among: known).map { "; did you mean \"\($0)\"?" } ?? "."
      return "\(who) does not know the \(kind) \"\(name)\"\(hint) It knows \(known.joined(separator: ", "))"
    }
    guard let trainer = run.trainer, let description = trainers.description(of: trainer) else {
      let who = run.trainer == nil ? "this program's own trainer" : "a trainer that does not describe itself"
      if !ownMethods.contains(run.method.name) {
        return ("method", "\(who) does not know the method \"\(run.method.name)\"")
      }
      if foreign.contains(run.student.family) {
        return ("student", "\(who) does not know the network \"\(run.student.family)\"")
      }
      return strangeTeacher(run, foreign)
    }
    let who = "the trainer \(trainer.name ?? trainer.command.joined(separator: " "))"
    let methods = description.methods.map(\.name)
    if !methods.contains(run.method.name) {
      return ("method", unknown("method", run.method.name, among: methods, by: who))
    }
    func strange(_ network: ModelSpec) -> String? {
      let known = NetworkNames.all.filter { $0.spec == network }.flatMap { [$0.id, $0.published] }
      guard let networks = description.networks, !known.contains(where: networks.contains),
        !networks.contains(network.family)
      else { return nil }
      return unknown("network", NetworkNames.title(of: network), among: networks, by: who)
    }
    if let sentence = strange(run.student) { return ("student", sentence) }
    if let obstacle = strangeTeacher(run, foreign) { return obstacle }
    for teacher in run.teachers where teacher.trainer != nil {
      if let sentence = strange(teacher.network) { return ("teachers", sentence) }
    }
    if let tasks = description.tasks, !tasks.contains("classification") {
      return (
        "trainer", "\(who) does \(tasks.joined(separator: ", ")), and a grid asks for classification"
      )
    }
    return nil
  }
}
