internal import Datasets
internal import Specs
internal import Storage
internal import Sweeps

extension DatasetStage: StageKind {
  static var readsFiles: Bool { true }
  func title(_ names: WrittenNames) -> String { "dataset \(dataset.name)" }
  var datasetName: String? { dataset.name }

  func run(in workspace: Workspace) throws { try DatasetBody.run(self, in: workspace) }
}

/// Reads the files of a dataset once, checks every record, and publishes the images that runs will see.
enum DatasetBody {
  static let file = "images.bin"
  /// What is known of the dataset beside its images: a JSON object.
  static let description = "dataset.json"

  static func run(_ stage: DatasetStage, in workspace: Workspace) throws {
    try workspace.record(.started(step: 0, ProgramIdentity.provenance()))
    var spec = stage.dataset
    spec.folder = workspace.dataFolder
    if AnnotatedCatalog.has(spec.name) { return try check(spec, in: workspace) }
    let dataset = try DatasetCatalog.read(spec, index: .of(workspace.store))
    try workspace.publish(
      [(file, dataset.packed), (description, Array(document(dataset).description.utf8))],
      Metrics([
        "train.images": Double(dataset.train.count), "test.images": Double(dataset.test.count),
        "classes": Double(dataset.task.classes),
      ]))
  }

  /// Images with objects or label maps stay where they are; what is published says that they were looked at.
  private static func check(_ spec: DatasetSpec, in workspace: Workspace) throws {
    let dataset = try AnnotatedCatalog.open(spec, index: .of(workspace.store))
    let document: JSONValue = [
      "classNames": .array(dataset.classNames.map { .string($0) }),
      "semanticNames": .array(dataset.semanticNames.map { .string($0) }),
    ]
    try workspace.publish(
      [(description, Array(document.description.utf8))],
      Metrics([
        "train.images": Double(dataset.train.count), "test.images": Double(dataset.test.count),
        "classes": Double(max(dataset.classNames.count, dataset.semanticNames.count)),
      ]))
  }

  /// The published images of a stage.
  static func dataset(_ key: ContentKey, in workspace: Workspace) throws -> Dataset {
    let name = "\(workspace.store.stage(key).output)/\(file)"
    return try Dataset(packed: workspace.input(key, file), name: name)
  }

  private static func document(_ dataset: Dataset) -> JSONValue {
    var members: [String: JSONValue] = [
      "classNames": .array(dataset.classNames.map { .string($0) })
    ]
    if let facts = dataset.facts { members["summary"] = .string(facts.summary) }
    return .object(members)
  }

  /// Of a published description; nil where it is none.
  static func classNames(_ bytes: [UInt8]) -> [String]? {
    (try? JSONReader.read(bytes).value)?.object?["classNames"]?.array?.compactMap(\.string)
  }
}
