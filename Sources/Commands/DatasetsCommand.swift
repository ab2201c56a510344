import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Reports
import Specs

/// `mtkd-sweep datasets`: what is there and what is not; what one holds; a generated one as files.
struct DatasetsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datasets",
    abstract: "List datasets and whether their files are found, or say what one of them holds.",
    discussion: """
      With --export, a generated dataset of shapes is written as COCO's JSON with images and label maps as PNG, so \
      that another framework trains on the same images.
      """)

  @Argument(help: "One dataset: NAME, or NAME:FOLDER where its files lie in FOLDER.")
  var name: String?

  @Option(
    help: ArgumentHelp("Write a generated dataset with boxes into a new folder.", valueName: "folder"),
    completion: .directory)
  var export: String?

  @Option(
    name: .customLong("train-images"), help: ArgumentHelp("Training images to export.", valueName: "count"))
  var trainImages: Int?
  @Option(
    name: .customLong("test-images"), help: ArgumentHelp("Test images to export.", valueName: "count"))
  var testImages: Int?

  @OptionGroup var data: DataFolders

  @Flag(help: "JSON on standard output.")
  var json = false

  func validate() throws {
    if export != nil, name == nil { throw ValidationError("--export needs the name of a dataset.") }
    for (option, count) in [("--train-images", trainImages), ("--test-images", testImages)] {
      guard let count else { continue }
      guard export != nil else { throw ValidationError("\(option) belongs to --export.") }
      guard count > 0 else { throw ValidationError("\(option) is above 0.") }
    }
  }

  func run() throws {
    guard let name else { return try list() }
    if let export { return try write(name, to: export) }
    try describe(name)
  }

  private static var kinds: [(kind: any NamedDatasetKind, tasks: [String])] {
    Catalog.datasets.entries.map { ($0, ["classification"]) }
      + Catalog.annotatedDatasets.entries.map { ($0, $0.tasks.map(\.rawValue)) }
  }

  private func list() throws {
    var rows: [[String]] = []
    var entries: [JSONValue] = []
    for (kind, tasks) in Self.kinds {
      let located = try kind.locate(DatasetPlace(kind.name, searching: data.folders))
      let isFound = located.missing == nil
      rows.append([kind.name, isFound ? "found" : "absent", tasks.joined(separator: ", "), kind.summary])
      entries.append([
        "name": .string(kind.name), "found": .bool(isFound), "summary": .string(kind.summary),
        "tasks": JSONValue(tasks),
      ])
    }
    Out.put(
      json
        ? Commands.json(["schema": "mtkd-sweep-datasets-1", "datasets": .array(entries)]) : aligned(rows))
  }

  /// What one dataset holds, and what of it a detector would not be trained on.
  private func describe(_ text: String) throws {
    let place = DatasetPlace(text, searching: data.folders, index: .of(nil))
    guard let (kind, tasks) = Self.kinds.first(where: { $0.kind.answers(to: place.name) }) else {
      throw UnknownName(
        kind: "dataset", name: place.name, known: Self.kinds.map(\.kind.name), listedBy: "datasets")
    }
    let located = try kind.locate(place)
    if let missing = located.missing { throw DatasetError.missing(missing) }
    var classes: [String] = []
    var notes: [String] = []
    if let annotated = kind as? any AnnotatedKind {
      let dataset = try annotated.open(located.spec, place, AnnotatedReading())
      classes = dataset.classNames.isEmpty ? dataset.semanticNames : dataset.classNames
      if annotated.tasks.contains(.detection) {
        notes = try TrainingImages(dataset.train, classNames: dataset.classNames).notes
      }
    }
    let facts = located.spec.facts
    guard !json else {
      return Out.put(
        Commands.json([
          "schema": "mtkd-sweep-datasets-1",
          "datasets": [
            [
              "name": .string(located.spec.name), "found": true, "summary": .string(kind.summary),
              "tasks": JSONValue(tasks), "classes": JSONValue(classes), "notes": JSONValue(notes),
              "trainImages": facts.map { JSONValue($0.trainImages) } ?? .null,
              "testImages": facts.map { JSONValue($0.testImages) } ?? .null,
              "digest": located.spec.digest.map { .string($0.description) } ?? .null,
            ]
          ],
        ]))
    }
    Out.put("\(located.spec.name): \(kind.summary)\n")
    Out.put("task: \(tasks.joined(separator: ", "))\n")
    if let facts { Out.put("holds: \(facts.summary)\n") }
    if let digest = located.spec.digest { Out.put("digest: \(digest.short)\n") }
    if !classes.isEmpty { Out.put("classes: \(classes.joined(separator: ", "))\n") }
    for part in facts?.leftOut ?? [] {
      Out.put("left out: \(part.count) (\(part.reason)), first \(part.example)\n")
    }
    for note in notes { Out.put("\(note)\n") }
  }

  private func write(_ text: String, to folder: String) throws {
    let place = DatasetPlace(text, searching: data.folders, index: .of(nil))
    let kind = try AnnotatedCatalog.kind(of: place.name)
    var spec = try kind.locate(place).spec
    guard kind.generates else {
      throw ValidationError(
        "\(place.name) lies in files already; --export writes generated datasets: "
          + Catalog.annotatedDatasets.entries.filter(\.generates).map(\.name).joined(separator: ", ") + ".")
    }
    spec.trainImages = trainImages
    spec.testImages = testImages
    let dataset = try kind.open(spec, place, AnnotatedReading())
    try ExportDestination.folder(folder).write { put in
      try CocoExport(dataset, name: spec.name).files { try put(ExportedFile(path: $0, bytes: $1)) }
    }
    Talk.say(
      "\(counted(dataset.train.count, "training image")) and \(counted(dataset.test.count, "test image")) of "
        + "\(spec.name) are in \(folder), to be read as coco-json:\(folder).")
  }
}
