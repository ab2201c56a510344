internal import Datasets
internal import Networks
internal import Specs
internal import Sweeps

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
    return nil
  }

  /// Why a network can be no trunk; nil where it can.
  ///
  /// - Parameter dataset: of the student that it is.
  static func trunk(_ network: ModelSpec, trainedOn dataset: DatasetSpec?) -> String? {
    let name = NetworkNames.title(of: network)
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
