internal import Networks
public import Specs
internal import Storage
public import Sweeps

/// A kind of stage with all that the program has to know of it. A new kind is one file that conforms a
/// specification to this protocol, and one line in `Catalog.stageKinds` or a call of `Extensions.add`:
///
///     struct CalibrationStage: StageKind {
///       static let kind = "calibration"
///       static let role = StageRole.result
///       static let revision = 1
///       var run: RunSpec
///       var inputs: [ContentKey] { [run.datasetKey, run.studentKey] }
///       static func stages(after run: RunSpec) -> [CalibrationStage] { [CalibrationStage(run: run)] }
///       …
///       func run(in workspace: Workspace) throws { … }
///     }
public protocol StageKind: StageSpec {
  /// The stages of this kind that a plan has for one of its runs, each once, after the run (default: none).
  static func stages(after run: RunSpec) -> [Self]
  /// Whether the store keeps its last, best and final state, from which its output is written anew where its
  /// folder is gone (default: no).
  static var hasCheckpoints: Bool { get }
  /// Whether it reads files from outside of the store, so that it runs where these are (default: no).
  static var readsFiles: Bool { get }
  /// Whether it is a part of a run, which diverges with it; what many runs read blocks them (default: no).
  static var isPartOfRun: Bool { get }
  /// What a person calls the stage where no grid says more, such as `teacher resnet56 seed 2`.
  ///
  /// - Parameter names: what the grid calls networks.
  func title(_ names: WrittenNames) -> String
  /// The file that it is made from, where that was trained elsewhere (default: none).
  var sourceWeights: ImportedWeights? { get }
  /// That file, and those that its inputs are made from.
  var importedWeights: [ImportedWeights] { get }
  /// Keys of outputs that it reads where they are there (default: none).
  var optionalInputs: [ContentKey] { get }
  /// Inputs that a verification executes again with it, because its numbers come from them (default: none).
  var verifiedInputs: [ContentKey] { get }
  /// The network that it leaves, for other programs (default: none).
  var network: TrainedNetwork? { get }
  /// Somebody else's trainer that does its work (default: none).
  var trainer: TrainerSpec? { get }
  /// The names under which a grid's folders of files are searched for it; nil where it reads none.
  var datasetName: String? { get }
  /// What it takes; nil where that is not worth a forecast.
  ///
  /// - Parameter hasHelpers: whether the outputs of helpers are read.
  func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost?
  /// Does the work of one attempt: records what happens, writes snapshots, leaves on request, publishes.
  func run(in workspace: Workspace) throws
}

extension StageKind {
  /// What it is called where no grid is at hand.
  var title: String { title(WrittenNames()) }
  public static func stages(after run: RunSpec) -> [Self] { [] }
  public static var hasCheckpoints: Bool { false }
  public static var readsFiles: Bool { false }
  public static var isPartOfRun: Bool { false }
  public var sourceWeights: ImportedWeights? { nil }
  public var importedWeights: [ImportedWeights] { sourceWeights.map { [$0] } ?? [] }
  public var optionalInputs: [ContentKey] { [] }
  public var verifiedInputs: [ContentKey] { [] }
  public var network: TrainedNetwork? { nil }
  public var trainer: TrainerSpec? { nil }
  public var datasetName: String? { nil }
  public func cost(hasHelpers: Bool, _ meter: inout CostMeter) throws -> StageCost? { nil }
}

/// A network that a stage leaves as its final state.
public struct TrainedNetwork: Sendable {
  let model: ModelSpec
  let dataset: DatasetSpec
  /// How it was trained: `teacher`, or the method's name.
  let method: String
  /// Nil where the dataset's own holds.
  let normalisation: InputNormalisation?
}

/// What a stage is expected to take.
public struct StageCost: Sendable {
  let multiplyAdds: Double
  /// What measurements of such work are kept under, from the most particular name to the most general.
  let topics: [String]
  /// Of its output and its states in the store.
  let diskBytes: Double
  /// At its worst, where that is counted before anything is measured.
  var memory: TransferMemory?
  /// Multiply-adds a CPU second, where nothing of its topics has been measured.
  var assumedRate = AssumedRate.training
  /// The part of it in which teachers are asked.
  var teaching: AskedWork?
  /// Work that reading helpers' outputs spares it.
  var spared: [AskedWork] = []
}

/// Work of teachers.
struct AskedWork: Sendable {
  let multiplyAdds: Double
  let topics: [String]
  let assumedRate: Double
}

extension Catalog where Entry == any StageKind.Type {
  fileprivate static let kindsHere = Catalog(
    "kind of stage",
    [
      DatasetStage.self, TeacherStage.self, TeacherOutputsStage.self, StudentStage.self, BackboneStage.self,
      TransferStage.self, EvaluationStage.self,
    ]
  ) { $0.kind }

  /// Every kind of stage that this program makes.
  static var stageKinds: Catalog { kindsHere.extended }

  /// Nil for the name of a kind that this program does not know, as an older store may hold it.
  subscript(_ kind: String) -> (any StageKind.Type)? { entries.first { $0.kind == kind } }
}

extension Extensions {
  /// Adds a kind of stage. Plans then have its `stages(after:)` of each of their runs, and workers run them.
  ///
  /// - Throws: `ExtensionError.nameTaken` where another kind has its name.
  public mutating func add(_ kind: any StageKind.Type) throws(ExtensionError) {
    try add(kind, to: .kindsHere) { [$0.kind] }
  }
}

extension SweepPlan {
  /// The plan with what the program in use does after its runs.
  func extended(after runs: some Sequence<RunSpec>) -> SweepPlan {
    let kinds = Extensions.current.entries((any StageKind.Type).self)
    return kinds.isEmpty ? self : adding(runs.flatMap { run in kinds.flatMap { $0.requests(after: run) } })
  }
}

extension StageKind {
  fileprivate static func requests(after run: RunSpec) -> [StageRequest] {
    stages(after: run).map { StageRequest($0) }
  }
}

extension WrittenNames {
  /// What a person calls a network: as the grid writes it; the first of its published names where no grid
  /// does.
  public func title(of network: ModelSpec) -> String { self[network] ?? NetworkNames.title(of: network) }
  func title(of teacher: TeacherSpec) -> String { self[teacher] ?? NetworkNames.title(of: teacher.network) }
}

extension StageRequest {
  /// The stage as its kind knows it.
  ///
  /// - Throws: `UnknownName` for a kind of another program, `SpecError` for a
  ///   specification that does not read.
  var stage: any StageKind {
    get throws { try decoded(as: Catalog.stageKinds.entry(kind)) }
  }

  /// Opens the metatype.
  private func decoded<Kind: StageKind>(as kind: Kind.Type) throws -> any StageKind {
    let stage: Kind = try decoded(as: kind)
    return stage
  }

  /// How the stage is to be computed, as its grid said.
  var numerics: RecipeSpec.NumericsKind {
    get throws {
      func numerics<Kind: StageKind>(_ kind: Kind.Type) throws -> RecipeSpec.NumericsKind {
        try self.numerics(as: kind)
      }
      return try numerics(Catalog.stageKinds.entry(kind))
    }
  }

  /// What a person calls the stage; the name of its kind where this program does not know that.
  func title(_ names: WrittenNames) -> String { (try? stage.title(names)) ?? kind }
  var title: String { title(WrittenNames()) }
}

extension StageRecord {
  /// What the stage is for; nil for a kind that this program does not know.
  var role: StageRole? { Catalog.stageKinds[kind]?.role }

  /// Whether it is one of those that somebody asks for by a grid.
  package var isResult: Bool { role == .result }

  /// Whether the store keeps its states.
  package var hasCheckpoints: Bool { Catalog.stageKinds[kind]?.hasCheckpoints ?? false }
}

extension StageTitle {
  /// Whether the stage is one of those that somebody asks for by a grid.
  package var isResult: Bool { !isPreparation && Catalog.stageKinds[kind]?.role == .result }
}
