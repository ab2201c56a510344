internal import Datasets
internal import Networks
internal import Specs
internal import Storage
internal import Sweeps
internal import Transfers

extension BackboneStage: StageKind {
  static var isPartOfRun: Bool { true }
  func title(_ names: WrittenNames) -> String {
    var name = names.title(of: network)
    if case .weights(let weights) = source {
      name = names.title(of: TeacherSpec(network: network, weights: weights))
    }
    return switch source {
    case .student(let key, _, let epoch): "backbone \(name) of \(key.short), \(epoch) epoch"
    case .random(let seed): "random backbone \(name) seed \(seed)"
    case .weights(let weights): "backbone \(name) from weights \(weights.digest.short)"
    }
  }
  var sourceWeights: ImportedWeights? { if case .weights(let weights) = source { weights } else { nil } }

  func run(in workspace: Workspace) throws {
    try workspace.record(.started(step: 0, ProgramIdentity.provenance()))
    let trunk = try BackboneBody.trunk(self, in: workspace)
    try workspace.publish(
      [(BackboneBody.file, trunk.encoded)],
      Metrics(["arrays": Double(trunk.arrays.entries.count)]))
  }
}

/// Takes a trunk out of a student, a file or a random network.
enum BackboneBody {
  static let file = "backbone.safetensors"

  fileprivate static func trunk(_ stage: BackboneStage, in workspace: Workspace) throws -> Trunk {
    switch stage.source {
    case .student(let key, let dataset, let epoch):
      let images = try DatasetBody.dataset(dataset, in: workspace).train
      let file = epoch == "best" ? TrainingBody.bestFile : TrainingBody.finalFile
      return try Trunk(
        stage.network, InputNormalisation(images), from: Safetensors(decoding: workspace.input(key, file)))
    case .random(let seed):
      return try Trunk(random: stage.network, seed: seed)
    case .weights(let weights):
      return try Trunk(
        stage.network, weights.normalisation ?? .imageNet,
        from: Safetensors(decoding: WeightsFolder(workspace.store).read(weights.digest)))
    }
  }

  /// The published trunk of a stage.
  static func trunk(_ key: ContentKey, in workspace: Workspace) throws -> Trunk {
    try Trunk(decoding: workspace.input(key, file))
  }
}
