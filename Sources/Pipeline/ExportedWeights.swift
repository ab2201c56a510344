internal import Datasets
internal import Networks
package import Specs
package import Storage
internal import Sweeps

/// Weights of a run as other programs read them.
package struct ExportedWeights: Sendable {
  /// A safetensors file.
  package let bytes: [UInt8]
  /// What an image goes through before the network sees it, as a JSON text.
  package let preprocess: String
  /// Five lines for whoever finds the file.
  package let readme: String

  /// A state dictionary of the network alone, without what the method trained beside it.
  ///
  /// - Parameters:
  ///   - spec: the text of `spec.json` of a teacher or student.
  ///   - checkpoint: its state.
  ///   - metadata: what the file says of itself, beside the network, the method, the dataset
  ///     and how images are shown.
  ///   - folder: of the store, which has the images that the run saw.
  ///   - dataFolders: where they are looked for when the store has them no more.
  ///   - names: what the run's grid calls networks.
  package init(
    of spec: String, checkpoint: [UInt8], metadata: [String: String], in folder: StoreFolder,
    dataFolders: [String], names: WrittenNames = WrittenNames()
  ) throws {
    let request = try StageRequest(document: Array(spec.utf8))
    guard let facts = try request.stage.network else {
      throw WeightsError("A \(request.kind) has no weights.")
    }
    let seen = try Self.images(facts.dataset, in: folder, dataFolders: dataFolders)
    let shown = Preprocessing(seen.images, facts.normalisation)
    var exported = Safetensors()
    exported.metadata = metadata
    exported.metadata["dataset"] = facts.dataset.name
    exported.metadata["datasetDigest"] = facts.dataset.digest?.description
    exported.metadata["method"] = facts.method
    exported.metadata["network"] = String(decoding: facts.model.canonicalBytes, as: UTF8.self)
    exported.metadata["normalisation"] = String(decoding: shown.normalisation.canonicalBytes, as: UTF8.self)
    exported.metadata["preprocess"] = shown.json.description
    if !seen.classNames.isEmpty {
      exported.metadata["classNames"] = JSONValue.array(seen.classNames.map { .string($0) }).description
    }
    let state = try Safetensors(decoding: checkpoint)
    let entries = try Self.entries(
      state, of: facts.model, seen.images.task, isForeign: request.stage.trainer != nil)
    for entry in entries { exported.append(entry) }
    bytes = exported.encoded()
    preprocess = shown.json.indented + "\n"
    let network = names[facts.model] ?? NetworkNames.title(of: facts.model)
    readme = """
      \(metadata["title"] ?? network), run \(metadata["run"] ?? "unknown"), written by \
      \(metadata["program"] ?? "mtkd-sweep").
      Network: \(network); method: \(facts.method); \(shown.task.classes) classes of \
      \(facts.dataset.name) (digest \(facts.dataset.digest?.short ?? "unknown")).
      Images: \(shown.summary).
      PyTorch: network.load_state_dict(safetensors.torch.load_file(FILE), strict=True), for a network of this architecture.
      Steps for torchvision.transforms and the classes' names are in the file's metadata (preprocess, classNames).

      """
  }

  /// The arrays of the network alone. Those of a trainer are written as they are where
  /// they are no network of ours.
  private static func entries(
    _ state: Safetensors, of model: ModelSpec, _ task: ImageTask, isForeign: Bool
  ) throws -> [Safetensors.Entry] {
    let paths: [String]
    do { paths = try BuiltNetwork(model, task).declarations.map(\.path) } catch {
      guard isForeign else { throw error }
      return state.entries
    }
    var entries: [Safetensors.Entry] = []
    for path in paths {
      guard let entry = state[path] else {
        if isForeign { return state.entries }
        throw WeightsError("The checkpoint has no array '\(path)'.")
      }
      entries.append(entry)
    }
    return entries
  }

  /// Weights that a trainer named with an epoch, where they were kept.
  ///
  /// - Throws: `WeightsError` with the epochs whose weights there are.
  package static func kept(
    after epochs: Int, of key: ContentKey, in folder: StoreFolder, _ store: ResultStore
  ) throws -> [UInt8] {
    let checkpoints = try store.checkpoints(of: key).filter { $0.kind != .last }
    if let same = checkpoints.first(where: { $0.epoch == epochs - 1 }) {
      return try store.checkpoint(of: key, kind: same.kind).bytes
    }
    let output = try folder.stage(key).published()
    let name = KeptWeights.file(after: epochs)
    if let output, output.names.contains(name) { return try output.read(name) }
    let others = (output?.names ?? []).compactMap(KeptWeights.epochs)
    let known = Set(others + checkpoints.map { $0.epoch + 1 }).sorted().map(String.init)
    throw WeightsError(
      "The weights after \(counted(epochs, "epoch")) were not kept"
        + (known.isEmpty ? "." : ": there are those after \(known.joined(separator: ", ")).")
        + " Of trainers that name weights with their epochs, `run --keep N` keeps those of the N newest."
    )
  }

  /// The images that a run saw, and their classes' names where something says them.
  private static func images(
    _ spec: DatasetSpec, in folder: StoreFolder, dataFolders: [String]
  ) throws -> (images: ImageSet, classNames: [String]) {
    if let output = try folder.stage(DatasetStage(spec).key).published() {
      let dataset = try Dataset(packed: output.read(DatasetBody.file), name: DatasetBody.file)
      let names = (try? output.read(DatasetBody.description)).flatMap(DatasetBody.classNames) ?? []
      return (dataset.test, names)
    }
    do {
      let dataset = try DatasetCatalog.read(spec, searching: dataFolders, index: .of(folder))
      return (dataset.test, dataset.classNames)
    } catch DatasetError.missing(let missing) {
      throw WeightsError(
        "How images of \(spec.name) were normalised is in the dataset, which the store has no more. "
          + "\(missing.advice) Or name its folder's parent with --data.")
    }
  }
}
