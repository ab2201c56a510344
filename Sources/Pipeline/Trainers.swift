internal import Distillation
internal import Networks
internal import Specs
internal import Sweeps
internal import Training

/// Who trains a student: this program's engine, or a command that a grid names.
protocol Trainer: Sendable {
  /// The networks, methods, metrics and tasks that it knows; nil where it keeps them to itself
  /// and takes what it is given.
  var description: TrainerDescription? { get }
  /// Trains one run: records what happens, leaves on request, publishes.
  ///
  /// - Throws: `TrainerFailed` and `TrainingDiverged` for a failure that would happen again.
  func run(_ stage: StudentStage, in workspace: Workspace) throws
}

/// What a trainer can do, by the names that a grid uses.
struct TrainerDescription: Equatable, Sendable {
  var networks: [String]
  var methods: [String]
  /// Of an epoch, as a report may ask for them.
  var metrics: [String]
  var tasks: [String]
}

/// This program's engine.
struct EmbeddedTrainer: Trainer {
  var description: TrainerDescription? {
    TrainerDescription(
      networks: Catalog.networkFamilies.names, methods: Catalog.methods.names,
      metrics: (ClassificationMetrics.descriptions() + Evaluation.addedMetrics).map(\.name),
      tasks: ["classification"])
  }

  func run(_ stage: StudentStage, in workspace: Workspace) throws {
    try TrainingBody.run(stage, in: workspace)
  }
}

enum Trainers {
  static func trainer(of run: RunSpec) -> any Trainer {
    run.trainer.map { CommandTrainer(spec: $0) } ?? EmbeddedTrainer()
  }
}
