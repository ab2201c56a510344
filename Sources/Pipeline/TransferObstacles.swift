internal import Datasets
internal import Networks
internal import Specs
internal import Sweeps
internal import Transfers

/// What stands in the way of a transfer, in sentences that a grid's position goes before.
enum TransferObstacles {
  /// Why a head cannot be trained on a dataset; nil where nothing is in the way.
  static func head(_ head: String, of task: TransferTask, on dataset: DatasetSpec) -> String? {
    guard let kind = try? AnnotatedCatalog.kind(of: dataset.name) else { return nil }
    let asked: AnnotatedTask = task == .detection ? .detection : .segmentation
    guard kind.tasks.contains(asked) else {
      let fitting = Catalog.annotatedDatasets.entries.filter { $0.tasks.contains(asked) }.map(\.name)
      return "\(head) is for \(task.rawValue), and \(dataset.name) has no annotations for that; "
        + "take \(fitting.joined(separator: ", "))"
    }
    if head == "mask-rcnn", !kind.knowsMasks || dataset.facts?.hasMasks == false {
      let others = TransferTask.detection.heads.filter { $0 != head }
      let fitting = Catalog.annotatedDatasets.entries.filter { $0.tasks.contains(asked) && $0.knowsMasks }
      return "mask-rcnn is trained on masks, and objects of \(dataset.name) have boxes alone; "
        + "take \(others.joined(separator: ", ")), or a dataset with masks: "
        + fitting.map(\.name).joined(separator: ", ")
    }
    return nil
  }

  /// What annotations tell of all transfers of a grid before anything is trained, each sentence once.
  ///
  /// - Throws: `DatasetError` where one cannot be trained.
  static func notes(
    _ expansion: GridExpansion, dataFolders: [String], index: PhotographIndexing
  ) throws -> [String] {
    struct Opened: Hashable {
      let spec: DatasetSpec
      let reading: AnnotatedReading
    }
    var seen: Set<Int> = []
    var opened: [Opened: AnnotatedDataset] = [:]
    var notes: [String] = []
    for transfer in expansion.runs.lazy.compactMap(\.cell.transfer) {
      let spec = transfer.spec
      guard spec.dataset.digest != nil, seen.insert(transfer.number).inserted else { continue }
      let place = Opened(spec: spec.dataset, reading: AnnotatedReading(spec))
      let dataset =
        try opened[place]
        ?? AnnotatedCatalog.open(spec.dataset, searching: dataFolders, index: index, place.reading)
      opened[place] = dataset
      let isGenerated = try AnnotatedCatalog.kind(of: spec.dataset.name).generates
      for note in try TransferOutlook.notes(spec, dataset, isGenerated: isGenerated) {
        // Phrases, as what is said of datasets is: whoever prints one ends it.
        let phrase = note.hasSuffix(".") ? String(note.dropLast()) : note
        if !notes.contains(phrase) { notes.append(phrase) }
      }
    }
    return notes
  }

  /// Why a network can be no trunk; nil where it can.
  ///
  /// - Parameters:
  ///   - name: as the grid writes it.
  ///   - dataset: of the student that it is.
  static func trunk(_ network: ModelSpec, _ name: String?, trainedOn dataset: DatasetSpec?) -> String? {
    let name = name ?? NetworkNames.title(of: network)
    guard NetworkNames.isTrunk(network) else {
      let known = NetworkNames.all.filter { NetworkNames.isTrunk($0.spec) }.map(\.id)
      return "\(name) can be no trunk of a detector or a segmentor, which need maps of strides 4 to 32; "
        + "take \(known.joined(separator: ", "))"
    }
    guard let facts = dataset.flatMap({ DatasetCatalog.facts(of: $0) }), facts.channels != 3 else {
      return nil
    }
    return "\(name) would be trained on images of \(counted(facts.channels, "channel")), "
      + "and a transfer's have 3; take a dataset of colour images"
  }
}

/// A stage that reads images of a transfer where they lie.
protocol ReadsAnnotations {
  var dataset: DatasetSpec { get }
}

extension DatasetStage: ReadsAnnotations {}

extension TransferStage: ReadsAnnotations {
  var dataset: DatasetSpec { transfer.dataset }
}

extension EvaluationStage: ReadsAnnotations {
  var dataset: DatasetSpec { transfer.dataset }
}
