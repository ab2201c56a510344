/// What a grid can name, handed to the grid reader as data: the orchestration does not
/// know the engine's catalogs.
package struct GridVocabulary: Sendable {
  package var methods: [MethodDescription]
  /// Every setting that a run can have.
  package var settings: SettingCatalog
  /// Canonical names of networks, for hints and listings.
  package var networks: [String]
  /// Reads a network as a grid writes it, a name or `{ "family": …, parameters }`. Throws
  /// `UnknownName` or `InvalidNetwork`.
  package var network: @Sendable (JSONValue) throws -> ModelSpec
  /// Names of datasets, for hints.
  package var datasets: [String]
  /// Reads a dataset as a grid writes it, `NAME` or `NAME:FOLDER`, finds its files where they are
  /// and digests them. A dataset whose files are absent has no digest. Throws `UnknownName` or a
  /// typed error with a sentence.
  package var dataset: @Sendable (String) throws -> DatasetSpec
  /// Reads a trainer as a grid writes it and digests its files. Throws a typed error with a sentence.
  package var trainer: @Sendable (JSONValue) throws -> TrainerSpec = { value in
    TrainerSpec(command: try TrainerSpec.written(value).command)
  }

  /// Why this program cannot compute a run, and the setting that is to blame: a network that does not take
  /// the dataset's images, a method that a network cannot serve. Nil where nothing is in the way.
  package var obstacle: @Sendable (RunSpec) -> (setting: String, sentence: String)? = { _ in nil }

  /// Reads a teacher that was trained elsewhere, `{ "import": NAME }` or `{ "file": PATH, "network": NAME }`,
  /// looks at its weights and says whether they fit the dataset. Weights that are not there are `absent`, and
  /// no error: a grid can be planned without them. Throws an error with a sentence.
  package var weights: @Sendable (_ teacher: JSONValue, _ dataset: DatasetSpec) throws -> TeacherSpec = {
    teacher, _ in
    throw InvalidNetwork(family: "teacher", problem: "\(teacher) cannot be read without a store")
  }

  /// Reads a backbone that was trained elsewhere, as `weights` does.
  package var backbone: @Sendable (JSONValue) throws -> TeacherSpec = { value in
    throw InvalidNetwork(family: "backbone", problem: "\(value) cannot be read without a store")
  }

  /// Finds images with objects or label maps, named `NAME` or `NAME:FOLDER`. Throws as `dataset` does.
  package var annotatedDataset: @Sendable (String) throws -> DatasetSpec = { name in
    throw UnknownName(kind: "dataset of a transfer", name: name, known: [], listedBy: "datasets")
  }
  /// Their names.
  package var annotatedDatasets: [String] = []

  /// Why a head cannot be trained on a dataset; nil where nothing is in the way.
  package var transferObstacle: @Sendable (TransferTask, _ head: String, DatasetSpec) -> String? = {
    _, _, _ in nil
  }

  /// Why a network's backbone cannot be put to a transfer; nil where nothing is in the way.
  ///
  /// - Parameters:
  ///   - name: as the grid writes it.
  ///   - dataset: of the student; nil for a backbone from elsewhere.
  package var trunkObstacle: @Sendable (ModelSpec, _ name: String?, DatasetSpec?) -> String? = {
    _, _, _ in nil
  }

  /// - Parameter settings: those of the methods among them.
  package init(
    methods: [MethodDescription], settings: SettingCatalog, networks: [String],
    network: @escaping @Sendable (JSONValue) throws -> ModelSpec,
    datasets: [String], dataset: @escaping @Sendable (String) throws -> DatasetSpec
  ) {
    self.methods = methods
    self.settings = settings
    self.networks = networks
    self.network = network
    self.datasets = datasets
    self.dataset = dataset
  }

  /// Names of the bundles of options of all methods.
  package var presets: [String] { methods.flatMap { $0.presets.map(\.name) } }
}

/// A family with parameters that it cannot be built from.
public struct InvalidNetwork: UserError, Equatable {
  package var exitStatus: ExitStatus { .badInput }
  /// The name of the family.
  public let family: String
  /// What is wrong, as a phrase.
  public let problem: String

  /// - Parameter problem: a phrase without its full stop; the sentence goes on after it.
  public init(family: String, problem: String) {
    self.family = family
    self.problem = problem
  }

  public var description: String {
    "\(family): \(problem). `mtkd-sweep models` lists networks with their parameters."
  }
}
