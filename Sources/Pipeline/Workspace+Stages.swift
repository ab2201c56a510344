public import Datasets
public import Networks
public import Specs
internal import Sweeps

/// What stages of other programs read and write. A body begins, reads its inputs, computes, and publishes.
///
///     func run(in workspace: Workspace) throws {
///       try workspace.begin()
///       let student = try workspace.student(of: run)
///       let count = student.state.parameters.reduce(0) { $0 + student.state[$1].count }
///       try workspace.publish([], metrics: ["parameters": Double(count)])
///     }
extension Workspace {
  /// Records that the attempt has begun, and which program it is of: the first thing that a body does.
  public func begin() throws { try record(.started(step: 0, ProgramIdentity.provenance())) }

  /// The images that a run reads, its subsets taken.
  ///
  /// - Throws: an error where the stage has not published them; one that has `run.datasetKey` among its
  ///   inputs finds them.
  public func dataset(of run: RunSpec) throws -> Dataset {
    try DatasetBody.dataset(run.datasetKey, in: self)
  }

  /// A run's student after its last epoch.
  ///
  /// - Throws: an error where it is not there; a stage that has `run.datasetKey` and `run.studentKey` among
  ///   its inputs finds it.
  public func student(of run: RunSpec) throws -> (network: BuiltNetwork, state: ModelState) {
    let built = try BuiltNetwork(run.student, dataset(of: run).task)
    var state = ModelState(unfilled: built.declarations)
    try state.load(Safetensors(decoding: input(run.studentKey, TrainingBody.finalFile)))
    return (built, state)
  }

  /// Ends the attempt where somebody asked for an end; the next one begins anew.
  public func leaveIfAsked() throws { if isStopRequested { throw WorkerStopped() } }

  /// Makes files and numbers the stage's output, all or nothing: the last thing that a body does.
  ///
  /// - Parameters:
  ///   - files: their names, without folders, and bytes.
  ///   - metrics: numbers of the whole stage, by their names.
  public func publish(_ files: [(name: String, bytes: [UInt8])], metrics: [String: Double]) throws {
    try publish(files, Metrics(metrics))
  }
}
