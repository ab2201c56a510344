package import Networks
package import Specs
package import Tensors

/// What a student learns from, besides its targets.
///
/// A method is a value: its policies, histories and statistics go into snapshots with the run.
package protocol DistillationMethod: Sendable, Snapshotting {
  static var description: MethodDescription { get }
  /// - Parameter options: every option of the description, resolved and checked.
  /// Throws what reading the training images throws, where the method must see them first.
  init(_ options: MethodOptions, _ context: MethodContext) throws
  /// The loss of one batch; gradients flow into the student and into what the method declared in its scope.
  mutating func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss
  /// After the student's step. Throws what recalling images throws.
  mutating func finishStep(_ batch: DistillationBatch, _ student: SteppedStudent) throws -> StepOutcome
  /// After the last batch of an epoch.
  mutating func finishEpoch() -> [PolicyStep]
  /// Whether batches smaller than the recipe's are left out, as if their images did not exist.
  var skipsShortBatches: Bool { get }
}

/// For methods without anything to remember.
extension DistillationMethod {
  package mutating func finishStep(_ batch: DistillationBatch, _ student: SteppedStudent) -> StepOutcome {
    StepOutcome()
  }
  package mutating func finishEpoch() -> [PolicyStep] { [] }
  package var skipsShortBatches: Bool { false }
  package func save(to snapshot: inout Snapshot, under prefix: String) {}
  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {}
}

/// What a method must know before the first batch.
package struct MethodContext {
  /// Where jointly trained arrays are declared, after the student's own.
  package let scope: Scope
  package let student: ActivationShape
  package let teachers: [ActivationShape]
  /// Of each teacher, the part after its feature map: a map `[batch, channels, height, width]` to logits. In evaluation mode with constant
  /// parameters; gradients flow into the map.
  package let heads: [@Sendable (Tensor) -> Tensor]
  /// Of each teacher, the mean embedding of each class over the training images without augmentation, `[classes, width]`. A pass of every
  /// teacher over all images: only for methods that need it.
  package let classMeans: () throws -> [Tensor]
  package let classes: Int
  /// Of the recipe.
  package let epochs: Int
  package let batchSize: Int
  /// Of the run; policies draw from streams of their own.
  package let seed: UInt64
  package let precision: Precision

  package init(
    scope: Scope, student: ActivationShape, teachers: [ActivationShape],
    heads: [@Sendable (Tensor) -> Tensor], classMeans: @escaping () throws -> [Tensor], classes: Int,
    epochs: Int,
    batchSize: Int, seed: UInt64, precision: Precision
  ) {
    self.scope = scope
    self.student = student
    self.teachers = teachers
    self.heads = heads
    self.classMeans = classMeans
    self.classes = classes
    self.epochs = epochs
    self.batchSize = batchSize
    self.seed = seed
    self.precision = precision
  }
}

/// Sizes of a network's taps for one image.
package struct ActivationShape: Hashable, Sendable {
  /// Channels, height, width of the map at the end of each stage, in the order of evaluation.
  package let stages: [Shape]
  /// Width of f.
  package let embedding: Int

  /// Channels, height, width of F.
  package var map: Shape { stages[stages.count - 1] }

  package init(stages: [Shape], embedding: Int) {
    self.stages = stages
    self.embedding = embedding
  }

  /// Of a network with one stage.
  package init(map: Shape, embedding: Int) { self.init(stages: [map], embedding: embedding) }

  package init(_ cost: NetworkCost) { self.init(stages: cost.stages, embedding: cost.embedding) }
}

/// One batch as all networks saw it: the same augmented images for student and teachers.
package struct DistillationBatch {
  /// Where the images are among the training images.
  package let samples: [Int]
  package let targets: any Targets
  /// In training mode, with its record.
  package let student: Activations
  /// In evaluation mode, constants.
  package let teachers: [Activations]
  /// From 0.
  package let epoch: Int
  /// Of the batch within its epoch, from 0.
  package let index: Int

  /// The student's task loss of each sample, as its recipe trains it: `[batch]`.
  package var taskLoss: Tensor { targets.trainingLoss(of: student.logits) }

  package init(
    samples: [Int], targets: any Targets, student: Activations, teachers: [Activations], epoch: Int,
    index: Int
  ) {
    self.samples = samples
    self.targets = targets
    self.student = student
    self.teachers = teachers
    self.epoch = epoch
    self.index = index
  }
}

/// The loss of one batch and what it is made of (equation 2).
package struct MethodLoss {
  /// Shape `[]`, with its record.
  package let total: Tensor
  /// Batch means without alpha and beta; nil where the method has no such term.
  package let task: Double
  package let logit: Double?
  package let feature: Double?
  /// What the terms are multiplied by within the total.
  package let scales: TermScales
  package var details: LossDetails

  package init(
    total: Tensor, task: Double, logit: Double?, feature: Double?, scales: TermScales = TermScales(),
    details: LossDetails
  ) {
    self.total = total
    self.task = task
    self.logit = logit
    self.feature = feature
    self.scales = scales
    self.details = details
  }
}

/// The factors of a loss's terms.
package struct TermScales: Hashable, Sendable {
  package var task = 1.0
  package var logit = 0.0
  package var feature = 0.0

  package init(task: Double = 1, logit: Double = 0, feature: Double = 0) {
    self.task = task
    self.logit = logit
    self.feature = feature
  }
}

/// The numbers behind a batch's loss, as constants; matrices are `[batch, teachers]`.
package struct LossDetails: Sendable {
  /// H, `[batch]`.
  package var studentCrossEntropy: Tensor
  package var kl: Tensor?
  package var distance: Tensor?
  /// What the logit weights multiply, whatever the logit loss is; and what the feature weights multiply.
  package var logitCosts: Tensor?
  package var featureCosts: Tensor?
  /// nd, where it is part of the loss (ND).
  package var directNorm: Tensor?
  package var teacherCrossEntropy: Tensor?
  /// Of the student's map in each teacher's form, sent through that teacher's classifier (CA-MKD).
  package var transformedCrossEntropy: Tensor?
  package var cosine: Tensor?
  /// Executed weights of the logit and the feature term.
  package var logitWeights: Tensor?
  package var featureWeights: Tensor?
  package var policyLogit: Tensor?
  package var policyFeature: Tensor?
  /// `[batch, teachers]`, or `[batch]` where the reward is one a sample. Nil while it is not known yet.
  package var reward: Tensor?
  package var normalisedReward: Tensor?
  /// What an agent will learn from (MTKD-RL).
  package var choice: Choice?
  /// The regulariser and the angle loss without their factors (AMTML-KD).
  package var penalty: Double?
  package var angle: Double?

  package init(studentCrossEntropy: Tensor) { self.studentCrossEntropy = studentCrossEntropy }
}

/// What a method did after the student's step.
package struct StepOutcome: Sendable {
  package var policySteps: [PolicyStep] = []
  /// Where it was paid for the changed student; else it is in the loss's details.
  package var reward: Tensor?
  package var normalisedReward: Tensor?
  /// Samples that the policy does not learn from, because a state or reward is not finite.
  package var nonfiniteSamples = 0
  /// Entries of a full buffer that this batch's samples took, in the order of the samples (MMKD).
  package var overwritten: [Int]?

  package init() {}
}

/// The student after a step, for methods that look further than the batch in hand. Looking changes nothing.
package struct SteppedStudent {
  package let state: ModelState
  package let optimizer: SGD
  /// The learning rate of the epoch.
  package let rate: Double
  /// The batch in hand, its teachers' activations included.
  package let current: RecalledBatch
  /// Other training images as their epochs showed them.
  package let recall: ([SampleView]) throws -> RecalledBatch

  package init(
    state: ModelState, optimizer: SGD, rate: Double, current: RecalledBatch,
    recall: @escaping ([SampleView]) throws -> RecalledBatch
  ) {
    self.state = state
    self.optimizer = optimizer
    self.rate = rate
    self.current = current
    self.recall = recall
  }
}

/// A training image as one epoch showed it.
package struct SampleView: Hashable, Sendable {
  /// From 0.
  package let epoch: Int
  /// Among the training images.
  package let sample: Int

  package init(epoch: Int, sample: Int) {
    self.epoch = epoch
    self.sample = sample
  }
}

/// Images that any state of the student can be evaluated on.
package struct RecalledBatch {
  /// Evaluates the student that a pass holds; everything else is already known.
  package let observed: (Pass) -> DistillationBatch

  package init(observed: @escaping (Pass) -> DistillationBatch) { self.observed = observed }
}

/// One update of a policy.
package struct PolicyStep: Sendable {
  /// Of the stored batch within its epoch.
  package let batch: Int
  /// J or the loss, before the step.
  package let objective: Double
  /// Of its gradient over all policy parameters, and of the parameters after the step.
  package let gradientNorm: Double
  package let parameterNorm: Double
  /// The mixing factors after the step, where they are trained.
  package var logitMix: [Double]?
  package var featureMix: [Double]?
  /// Of the critic or baseline: its loss before the step, the norm of that loss's gradient, and the norm of
  /// its parameters after the step.
  package var valueLoss: Double?
  package var valueGradientNorm: Double?
  package var valueNorm: Double?
  /// The pass over the history, from 0, and how many samples stood at the clipped term (PPO).
  package var turn: Int?
  package var clipped: Int?
  /// log_std of the logit and the feature head after the step (PPO).
  package var logStds: [Double]?
  /// What was drawn: transitions of the memory, oldest first (DDPG), or entries of the buffer (MMKD).
  package var rows: [Int]?
  /// The training images behind `rows` (MMKD).
  package var drawn: [Int]?

  package init(batch: Int, objective: Double, gradientNorm: Double, parameterNorm: Double) {
    self.batch = batch
    self.objective = objective
    self.gradientNorm = gradientNorm
    self.parameterNorm = parameterNorm
  }
}

/// A method's options, complete and of the right types, by the names that a grid uses.
package struct MethodOptions: Sendable {
  private let values: [String: JSONValue]

  /// Fills in defaults.
  ///
  /// - Parameter set: by encoded names, as a `MethodSpec` has them.
  /// - Throws: `InvalidOption` for an option that the method does not have or a value that it does not take.
  package init(_ set: [String: JSONValue], _ description: MethodDescription) throws(InvalidOption) {
    for (name, value) in set.sorted(by: { $0.key < $1.key }) {
      guard let option = description.options.first(where: { $0.encodedName == name }) else {
        throw InvalidOption(method: description.name, problem: "there is no option '\(name)'")
      }
      if let expected = option.complaint(about: value) {
        throw InvalidOption(
          method: description.name, problem: "'\(option.name)' is \(value) and should be \(expected)")
      }
    }
    let chosen = set.map { ChosenOption($0.key, $0.value) }
    values = description.resolved(description.reduced(set))
    if let problem = description.rules(chosen).problems.first {
      throw InvalidOption(method: description.name, problem: problem)
    }
  }

  package func number(_ name: String) -> Double { values[name]!.number!.double }
  package func integer(_ name: String) -> Int? { values[name]!.integer }
  package func word(_ name: String) -> String { values[name]!.string! }
  package func flag(_ name: String) -> Bool { values[name]!.bool! }
  package func words(_ name: String) -> [String] { values[name]!.array!.compactMap(\.string) }
}

/// Options that a method does not take.
package struct InvalidOption: UserError, Equatable {
  package var exitStatus: ExitStatus { .badInput }
  package let method: String
  package let problem: String

  package var description: String {
    "\(method): \(problem). `mtkd-sweep methods \(method)` lists its options."
  }
}
