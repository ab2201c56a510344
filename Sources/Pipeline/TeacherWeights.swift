package import Datasets
internal import Foundation
internal import Networks
package import Specs
package import Storage
internal import Sweeps
internal import Tensors
internal import Training

/// Weights that `import` has taken in, under a name.
package struct ImportRecord: CanonicallyEncodable {
  package var network: ModelSpec
  package var weights: ImportedWeights
  package var classes: Int
  /// The file as it was named.
  package var source: String
  /// What the network was called; nil where it was left to the file, and of an older program.
  package var networkName: String?

  package var networkTitle: String { networkName ?? NetworkNames.title(of: network) }

  package func append(to bytes: inout [UInt8]) {
    var object = ObjectWriter(to: &bytes)
    object.member("classes", classes, to: &bytes)
    object.member("network", to: &bytes, network.append)
    if let networkName { object.member("networkName", .string(networkName), to: &bytes) }
    object.member("source", .string(source), to: &bytes)
    object.member("weights", to: &bytes, weights.append)
    object.end(&bytes)
  }

  package init(
    network: ModelSpec, weights: ImportedWeights, classes: Int, source: String, networkName: String? = nil
  ) {
    self.networkName = networkName
    self.network = network
    self.weights = weights
    self.classes = classes
    self.source = source
  }

  package init(_ json: JSONValue, at path: String) throws(SpecError) {
    let object = try SpecObject(json, at: path)
    self.init(
      network: try ModelSpec(object["network"] ?? .null, at: object.path("network")),
      weights: try ImportedWeights(object["weights"] ?? .null, at: object.path("weights")),
      classes: try object.integer("classes"), source: try object.string("source"),
      networkName: try object.optional("networkName", SpecObject.string))
  }
}

/// Something about weights from a file that is not as it should be.
package struct WeightsError: UserError, Equatable {
  package var exitStatus: ExitStatus { .badInput }
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// Which statistics images are normalised by before a network from a file sees them.
package enum NormalisationChoice: Hashable, Sendable {
  /// Those that the file states, else the dataset's.
  case stated
  /// The dataset's, whatever the file states.
  case dataset
  case given(InputNormalisation)
}

/// Reads weights that were trained elsewhere and looks whether they fit.
package enum TeacherWeights {
  /// A file looked at.
  package struct Examined: Sendable {
    package let bytes: [UInt8]
    package let network: ModelSpec
    package let weights: ImportedWeights
    /// What was not as it is here.
    package let notes: [String]
  }

  /// Reads a file and fits it to a network.
  ///
  /// - Parameters:
  ///   - network: nil where the file itself says so, as files that `export` wrote do.
  ///   - normalisation: which statistics the network's images are normalised by.
  ///   - task: of the dataset that the network will be shown.
  package static func examine(
    _ path: String, network: ModelSpec?, normalisation: NormalisationChoice, task: ImageTask
  ) throws -> Examined {
    var bytes: [UInt8]
    do throws(FileError) {
      bytes = try AtomicFile.read(path)
    } catch {
      throw WeightsError(error.isAbsent ? "\(path) does not exist." : "\(error)")
    }
    var parts: [String] = []
    if let whole = try WeightShards.joined(bytes, at: path) {
      bytes = whole
      parts = ["its several files were joined to one, which the store keeps"]
    }
    if let sentence = ForeignWeights.sentence(bytes, path) { throw WeightsError(sentence) }
    let file: Safetensors
    do throws(SafetensorsError) { file = try Safetensors(decoding: bytes) } catch {
      throw WeightsError("\(path): \(error)")
    }
    guard let network = try named(path, { try network ?? described(by: file) }) else {
      throw WeightsError("\(path) does not say which network it belongs to. Name it: --network NAME.")
    }
    let stated = try named(path) { try Self.normalisation(of: file) }
    var notes = parts
    let chosen: InputNormalisation?
    switch normalisation {
    case .stated: chosen = stated
    case .dataset, .given:
      chosen = if case .given(let given) = normalisation { given } else { nil }
      if let stated, stated != chosen {
        notes.append(
          "the file says mean \(stated.mean), std \(stated.std), and is shown images normalised in "
            + "another way, as asked"
        )
      }
    }
    if chosen != nil, chosen == stated {
      notes.append("its images are normalised by the file's own mean \(stated!.mean), std \(stated!.std)")
    }
    notes += Self.differences(file, task)
    if let chosen, !chosen.fits(channels: task.channels) {
      throw WeightsError(
        "A normalisation of \(chosen.mean.count) channels does not fit images of \(task.channels).")
    }
    let built = try BuiltNetwork(network, task)
    let imported: StateImport
    do throws(ImportError) { imported = try StateImport(file, into: built) } catch {
      throw WeightsError("\(path): \(error)")
    }
    return Examined(
      bytes: bytes, network: network,
      weights: ImportedWeights(digest: ContentKey(hashing: bytes), normalisation: chosen, path: path),
      notes: notes + imported.notes)
  }

  /// What a file of imported weights says of itself, a line each: how its images are shown,
  /// its classes, its dataset.
  package static func facts(of record: ImportRecord, in folder: WeightsFolder) throws -> [String] {
    let file = try Safetensors(decoding: folder.read(record.weights.digest))
    var lines = ["\(counted(record.classes, "class", "classes")), from \(ForeignText.line(record.source))"]
    lines.append("digest  \(record.weights.digest)")
    lines.append(
      record.weights.normalisation.map { "images normalised by mean \($0.mean), std \($0.std)" }
        ?? "images normalised as the dataset's are")
    if let text = file.metadata["preprocess"], let json = try? JSONReader.read(Array(text.utf8)).value,
      let shown = Preprocessing(json, classes: record.classes)
    {
      lines.append("the file says: images \(shown.summary)")
    }
    for (name, label) in [
      ("dataset", "dataset"), ("datasetDigest", "dataset's digest"), ("method", "method"), ("run", "run"),
      ("program", "written by"),
    ] {
      if let text = file.metadata[name] { lines.append("the file says: \(label) \(ForeignText.line(text))") }
    }
    if let text = file.metadata["classNames"], let names = try? JSONReader.read(Array(text.utf8)).value.array
    {
      let shown = names.prefix(20).map { ForeignText.line($0.string ?? "?", most: 60) }.joined(
        separator: ", ")
      lines.append(
        "the file says: classes \(shown)\(names.count > 20 ? " and \(names.count - 20) more" : "")")
    }
    return lines
  }

  /// Puts the name of a file before what is wrong with it.
  static func named<Value>(_ path: String, _ read: () throws -> Value) throws -> Value {
    do { return try read() } catch let error as WeightsError {
      throw WeightsError("\(path): \(error.description)")
    }
  }

  /// How a teacher does on a dataset's test images.
  package struct Measured: Sendable {
    package let images: Int
    /// Percent.
    package let accuracy: Double
    package let loss: Double
  }

  package static func evaluate(
    _ examined: Examined, on located: LocatedDataset, index: PhotographIndexing
  ) throws -> Measured {
    if let missing = located.missing { throw DatasetError.missing(missing) }
    let dataset = try DatasetCatalog.read(located.spec, index: index)
    let built = try BuiltNetwork(examined.network, dataset.task)
    let state = try StateImport(Safetensors(decoding: examined.bytes), into: built).state
    let teacher = Teacher(
      built, state, renormalisation: renormalisation(examined.weights, dataset))
    let evaluation = try Evaluation(teacher, on: DatasetBatches(dataset, batchSize: 64, seed: 0))
    return Measured(images: evaluation.count, accuracy: evaluation.accuracy, loss: evaluation.loss)
  }

  /// What an export says of its images that is not so of the dataset that the network will be shown.
  private static func differences(_ file: Safetensors, _ task: ImageTask) -> [String] {
    guard let text = file.metadata["preprocess"], let json = try? JSONReader.read(Array(text.utf8)).value,
      let shown = Preprocessing(json, classes: task.classes)
    else { return [] }
    guard shown.task.height != task.height || shown.task.width != task.width else { return [] }
    return [
      "it was trained on images of \(shown.task.height) × \(shown.task.width), and this dataset's have "
        + "\(task.height) × \(task.width)"
    ]
  }

  /// What our own exports say of themselves.
  private static func described(by file: Safetensors) throws -> ModelSpec? {
    try file.metadata["network"].map { text in
      try member("network") { try ModelSpec(JSONReader.read(Array(text.utf8)).value, at: "network") }
    }
  }

  static func normalisation(of file: Safetensors) throws -> InputNormalisation? {
    try file.metadata["normalisation"].map { text in
      try member("normalisation") {
        try InputNormalisation(JSONReader.read(Array(text.utf8)).value, at: "normalisation")
      }
    }
  }

  /// A part of a file's metadata, which anybody may have written.
  private static func member<Value>(_ name: String, _ read: () throws -> Value) throws -> Value {
    do { return try read() } catch {
      throw WeightsError("its metadata are damaged: \"\(name)\" does not read (\(error))")
    }
  }

  /// What a teacher of a dataset is shown.
  ///
  /// - Throws: where the files of the dataset are absent and its name does not say.
  package static func task(of dataset: DatasetSpec) throws -> ImageTask {
    guard let task = DatasetCatalog.facts(of: dataset)?.imageTask else {
      throw WeightsError(
        "whether weights fit \(dataset.name) cannot be said before its files are found; put them where the "
          + "grid says, or name another folder")
    }
    return task
  }

  /// Reads `"dataset"` (nil), `"imagenet"`, or `{ "mean": […], "std": […] }`.
  package static func normalisation(_ value: JSONValue) throws -> InputNormalisation? {
    switch value {
    case "dataset": return nil
    case "imagenet": return .imageNet
    case .object: return try InputNormalisation(value, at: "normalisation")
    default:
      throw WeightsError(
        "a normalisation is \"dataset\", \"imagenet\" or { \"mean\": […], \"std\": […] }, not \(value)")
    }
  }

  /// Reads what `normalisation` reads; `"dataset"` overrules what a file says of itself.
  package static func choice(_ value: JSONValue) throws -> NormalisationChoice {
    try normalisation(value).map { NormalisationChoice.given($0) } ?? .dataset
  }

  package static func record(_ name: String, in folder: WeightsFolder) throws -> ImportRecord {
    guard folder.hasRecord(name) else {
      throw UnknownName(kind: "import", name: name, known: try folder.names())
    }
    do {
      return try ImportRecord(JSONReader.read(folder.readRecord(name)).value, at: name)
    } catch let error as FileError {
      throw error
    } catch {
      throw WeightsError(
        "The import '\(name)' is damaged (\(error)). Remove \(folder.path)/\(name).json and import "
          + "the file again."
      )
    }
  }

  /// - Parameter path: seen from the current folder.
  static func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }

  /// Puts the files that a sweep's teachers come from into the store, so that workers find them by their
  /// digest wherever they are and whatever becomes of the files.
  package static func take(in sweep: PlannedSweep, _ folder: WeightsFolder) throws {
    try take(asked(by: sweep.expansion), folder)
  }

  /// Why weights that a grid asks for are not there, a sentence each.
  static func absences(in expansion: GridExpansion) -> [String] {
    var seen: Set<String> = []
    return asked(by: expansion).compactMap(\.absence).filter { seen.insert($0).inserted }
  }

  /// All weights from elsewhere that runs read: those of teachers, then those of backbones.
  private static func asked(by expansion: GridExpansion) -> [ImportedWeights] {
    var lessons: Set<Int> = []
    var transfers: Set<Int> = []
    var (teachers, backbones): ([ImportedWeights], [ImportedWeights]) = ([], [])
    for cell in expansion.runs.lazy.map(\.cell) {
      if lessons.insert(cell.lesson.number).inserted {
        teachers += cell.lesson.teachers(seed: 0).compactMap(\.weights)
      }
      if let transfer = cell.transfer, transfers.insert(transfer.number).inserted,
        case .weights(let teacher) = transfer.source
      {
        backbones += [teacher.weights].compactMap(\.self)
      }
    }
    return teachers + backbones
  }

  private static func take(_ all: [ImportedWeights], _ folder: WeightsFolder) throws {
    for weights in all where weights.absence == nil && !folder.has(weights.digest) {
      guard let path = weights.path else { throw DamagedWeights(path: folder.file(weights.digest)) }
      guard try folder.put(AtomicFile.read(path)) == weights.digest else {
        throw WeightsError("\(path) changed while the sweep was planned. Run again.")
      }
      try folder.note(source: absolute(path), is: weights.digest)
    }
  }

  /// The network of a teacher with its weights, as workers use it.
  static func teacher(_ spec: TeacherSpec, _ dataset: Dataset, in folder: WeightsFolder) throws -> Teacher {
    guard let weights = spec.weights else { preconditionFailure("a teacher that is trained here") }
    let built = try BuiltNetwork(spec.network, dataset.task)
    var state = try StateImport(Safetensors(decoding: folder.read(weights.digest)), into: built).state
    state.convolution = ConvolutionChoice(spec.recipe.convolution)
    return Teacher(built, state, renormalisation: Self.renormalisation(weights, dataset))
  }

  static func renormalisation(_ weights: ImportedWeights?, _ dataset: Dataset) -> Renormalisation? {
    weights?.normalisation.flatMap { Renormalisation($0, from: dataset.train.mean, dataset.train.std) }
  }
}
