internal import Datasets
internal import Evaluation
package import Specs
package import Storage
internal import Sweeps
internal import Transfers

/// What a detector has found in its test images, in COCO's format for results:
///
///     [{"bbox":[x,y,width,height],"category_id":1,"image_id":7,"score":0.9,
///       "segmentation":{"counts":"42102","size":[3,4]}}]
///
/// Ids are those of the dataset's own files. Numbers are written in full: another
/// evaluator reads the same bits.
///
/// - Source: cocodataset/cocoapi, `PythonAPI/pycocotools/coco.py`, `loadRes`.
package struct CocoResults: Sendable {
  package let title: String
  /// Of all images that were looked at, those too in which nothing was found: an evaluation is over all.
  package let imageIDs: [Int]
  package let hasMasks: Bool
  private let categoryIDs: [Int]
  private let predictions: [Prediction]

  /// - Parameters:
  ///   - spec: the text of `spec.json` of a finished transfer, or of an evaluation of one.
  ///   - folder: of the store.
  ///   - dataFolders: where the images' annotations are looked for, which have the ids.
  /// - Throws: `NoDetections`, `DatasetError`.
  package init(of spec: String, in folder: StoreFolder, dataFolders: [String]) throws {
    let (key, stage) = try Self.transfer(StageRequest(document: Array(spec.utf8)), in: folder)
    let dataset = try Self.dataset(stage.transfer, in: folder, dataFolders: dataFolders)
    title = stage.title
    imageIDs = (0..<dataset.test.count).map { dataset.test.entry($0).id }
    categoryIDs = dataset.categoryIDs
    do {
      predictions = try TransferBody.predictions(key, images: imageIDs.count, in: folder)
    } catch is MissingInput {
      throw NoDetections.output(key)
    }
    guard predictions.count == imageIDs.count else { throw NoDetections.output(key) }
    hasMasks = predictions.contains { prediction in
      if case .objects(let objects) = prediction { objects.contains { $0.mask != nil } } else { false }
    }
  }

  /// Calls `write` with the file, piece by piece: a record a line.
  package func file(_ write: ([UInt8]) throws -> Void) throws {
    var isFirst = true
    try write(Array("[".utf8))
    for (image, prediction) in zip(imageIDs, predictions) {
      guard case .objects(let objects) = prediction, !objects.isEmpty else { continue }
      var lines: [UInt8] = []
      for object in objects {
        lines += Array((isFirst ? "\n" : ",\n").utf8)
        isFirst = false
        CanonicalJSON.append(record(object, image), to: &lines)
      }
      try write(lines)
    }
    try write(Array("\n]\n".utf8))
  }

  private func record(_ object: PredictedObject, _ image: Int) -> JSONValue {
    // Predictions were read from numbers, so all of them are finite.
    func number(_ value: Double) -> JSONValue { DecimalNumber(value).map { .number($0) } ?? .null }
    let box = object.box
    var members: [String: JSONValue] = [
      "image_id": .number(DecimalNumber(image)),
      "category_id": .number(DecimalNumber(categoryIDs[object.label])),
      "bbox": .array([box.x, box.y, box.width, box.height].map(number)), "score": number(object.score),
    ]
    if let mask = object.mask {
      members["segmentation"] = [
        "counts": .string(mask.text),
        "size": .array([mask.height, mask.width].map { .number(DecimalNumber($0)) }),
      ]
    }
    return .object(members)
  }

  /// The transfer that is meant by its own key or by that of its evaluation.
  private static func transfer(
    _ request: StageRequest, in folder: StoreFolder
  ) throws -> (key: ContentKey, stage: TransferStage) {
    var (key, stage): (ContentKey, TransferStage)
    switch request.kind {
    case TransferStage.kind: (key, stage) = (request.key, try request.decoded(as: TransferStage.self))
    case EvaluationStage.kind:
      let transfers = try request.decoded(as: EvaluationStage.self).transfers
      guard transfers.count == 1 else { throw NoDetections.several(transfers) }
      key = transfers[0]
      guard let document = try? AtomicFile.read(folder.stage(key).spec) else {
        throw NoDetections.output(key)
      }
      stage = try StageRequest(document: document).decoded(as: TransferStage.self)
    default: throw NoDetections.kind(request.kind)
    }
    guard stage.transfer.task == .detection else { throw NoDetections.task(stage.title) }
    return (key, stage)
  }

  private static func dataset(
    _ transfer: TransferSpec, in folder: StoreFolder, dataFolders: [String]
  ) throws -> AnnotatedDataset {
    do {
      return try AnnotatedCatalog.open(
        transfer.dataset, searching: dataFolders, index: .of(folder), AnnotatedReading(transfer))
    } catch DatasetError.missing(let missing) {
      // A grid may have named the dataset's own folder, under any name.
      for root in dataFolders {
        var spec = transfer.dataset
        spec.folder = root
        do {
          return try AnnotatedCatalog.open(spec, index: .of(folder), AnnotatedReading(transfer))
        } catch DatasetError.missing { continue }
      }
      throw NoDetections.dataset(name: missing.name)
    }
  }
}

/// Why a run has no detections to write.
package enum NoDetections: UserError {
  case kind(String)
  case task(String)
  case several([ContentKey])
  /// Its annotations are not here.
  case dataset(name: String)
  case output(ContentKey)

  package var exitStatus: ExitStatus {
    switch self {
    case .dataset, .output: .missingInput
    case .kind, .task, .several: .badInput
    }
  }

  package var description: String {
    switch self {
    case .kind(let kind): "A \(kind) finds no objects: name a run with a \"transfer\" to a detector."
    case .task(let title):
      "\(title) gives a class to every pixel and finds no objects: name a run with a detector."
    case .several(let keys):
      "This run has \(keys.count) transfers, each with detections of its own. Name one of them: "
        + keys.map(\.short).joined(separator: ", ") + "."
    case .dataset(let name):
      "The ids of images and classes are in the annotations of \(name), which are not here. "
        + "Name their folder with --data."
    case .output(let key):
      "The predictions of \(key.short) are not in this store: they stay where it was trained. Export "
        + "there, or run the grid again."
    }
  }
}
