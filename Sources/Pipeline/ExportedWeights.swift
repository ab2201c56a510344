internal import Datasets
internal import Networks
internal import Specs
internal import Sweeps

/// Weights of a run as other programs read them.
package enum ExportedWeights {
  /// A state dictionary of the network alone, without what the method trained beside it.
  ///
  /// - Parameters:
  ///   - spec: the text of `spec.json` of a teacher or student.
  ///   - checkpoint: its state.
  ///   - metadata: what the file says of itself, beside the network, the method and how images are normalised.
  package static func file(
    of spec: String, checkpoint: [UInt8], metadata: [String: String]
  ) throws -> [UInt8] {
    let request = try StageRequest(document: Array(spec.utf8))
    guard let trained = try request.stage.network else {
      throw WeightsError("A \(request.kind) has no weights.")
    }
    var exported = Safetensors()
    exported.metadata = metadata
    exported.metadata["dataset"] = trained.dataset.name
    exported.metadata["method"] = trained.method
    exported.metadata["network"] = String(decoding: trained.model.canonicalBytes, as: UTF8.self)
    exported.metadata["normalisation"] = trained.normalisation.map {
      String(decoding: $0.canonicalBytes, as: UTF8.self)
    }
    let state = try Safetensors(decoding: checkpoint)
    let built = try BuiltNetwork(trained.model, DatasetCatalog.task(of: trained.dataset))
    for declaration in built.declarations {
      guard let entry = state[declaration.path] else {
        throw WeightsError("The checkpoint has no array '\(declaration.path)'.")
      }
      exported.append(entry)
    }
    return exported.encoded()
  }
}
