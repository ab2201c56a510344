import Foundation
import Networks
import Pipeline
import Specs
import Storage

/// `mtkd-sweep export RUN --format safetensors`: a run's weights under the names that PyTorch's
/// `load_state_dict(strict=True)` takes.
enum WeightsExport {
  static let format = "safetensors"

  /// Which of a run's states.
  enum Choice: Hashable {
    case last, best
    /// Of a trainer that names weights with its epochs, those after so many of them, where they were kept.
    case after(epochs: Int)

    /// As the command line spells it.
    var word: String {
      switch self {
      case .last: "last"
      case .best: "best"
      case .after(let epochs): "\(epochs)"
      }
    }
  }

  /// The bytes of the file.
  ///
  /// - Parameters:
  ///   - key: of a finished run or teacher, or the beginning of one.
  ///   - dataFolders: where the run's images are looked for when the store has them no more.
  static func file(
    _ key: String, _ choice: Choice, _ location: StoreLocation, dataFolders: [String]
  ) throws -> (exported: ExportedWeights, title: String) {
    let store = try location.open()
    let (stage, state) = try location.stage(key, in: store)
    guard case .finished = state else {
      throw NothingThere(
        description: "\(stage.title) is not finished: there are no weights to export yet.")
    }
    let checkpoint =
      switch choice {
      case .last: try store.checkpoint(of: stage.key, kind: .final).bytes
      case .best: try store.checkpoint(of: stage.key, kind: .best).bytes
      case .after(let epochs):
        try ExportedWeights.kept(after: epochs, of: stage.key, in: location.folder, store)
      }
    var metadata = [
      "format": "pt", "run": stage.key.description, "title": stage.title, "epoch": choice.word,
      "program": "mtkd-sweep \(ProgramIdentity.version)",
    ]
    metadata["commit"] = try store.attempts(of: stage.key).last?.provenance?.commit
    let sweeps = try store.sweeps()
    let asking = try sweeps.first { sweep in
      try store.points(of: sweep.name).contains { $0.key == stage.key }
    }
    metadata["grid"] = asking?.name
    // A teacher is a run of no sweep: the first one that names its network says how.
    let names = try asking?.names ?? store.sweep(askingFor: stage.key)?.names ?? WrittenNames()
    let exported = try ExportedWeights(
      of: stage.spec, checkpoint: checkpoint, metadata: metadata, in: location.folder,
      dataFolders: dataFolders, names: names)
    return (exported, stage.title)
  }
}
