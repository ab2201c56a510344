public import Networks
public import Specs
public import Tensors

/// What a student learns from, besides its targets.
///
/// A method is a value: its policies, histories and statistics go into snapshots with the run.
public protocol DistillationMethod: Sendable, Snapshotting {
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
  public mutating func finishStep(_ batch: DistillationBatch, _ student: SteppedStudent) -> StepOutcome {
    StepOutcome()
  }
  public mutating func finishEpoch() -> [PolicyStep] { [] }
  public var skipsShortBatches: Bool { false }
  public func save(to snapshot: inout Snapshot, under prefix: String) {}
  public mutating func restore(from snapshot: Snapshot, under prefix: String) throws {}
}

/// What a method must know before the first batch.
public struct MethodContext {
  /// Where jointly trained arrays are declared, after the student's own.
  public let scope: Scope
  /// What the student has at its taps.
  public let student: ActivationShape
  /// The same of each teacher, in the order of the pool.
  public let teachers: [ActivationShape]
  /// Of each teacher, the part after its feature map: a map `[batch, channels, height, width]` to logits. In
  /// evaluation mode with constant parameters; gradients flow into the map.
  public let heads: [@Sendable (Tensor) -> Tensor]
  /// Of each teacher, the mean embedding of each class over the training images without augmentation,
  /// `[classes, width]`. A pass of every teacher over all images: only for methods that need it.
  public let classMeans: () throws -> [Tensor]
  /// Classes of the task.
  public let classes: Int
  /// Of the recipe.
  public let epochs: Int
  /// Images in a batch, of the recipe.
  public let batchSize: Int
  /// Of the run; policies draw from streams of their own.
  public let seed: UInt64
  /// Of the arrays that the run computes with.
  public let precision: Precision

  /// What a run knows of itself before its first batch; tests of a method make one up.
  public init(
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
public struct ActivationShape: Hashable, Sendable {
  /// Channels, height, width of the map at the end of each stage, in the order of evaluation.
  public let stages: [Shape]
  /// Width of f.
  public let embedding: Int

  /// Channels, height, width of F.
  public var map: Shape { stages[stages.count - 1] }

  /// Shapes of maps at the ends of stages, in the order of evaluation, and the width of f.
  public init(stages: [Shape], embedding: Int) {
    self.stages = stages
    self.embedding = embedding
  }

  /// Of a network with one stage.
  public init(map: Shape, embedding: Int) { self.init(stages: [map], embedding: embedding) }

  package init(_ cost: NetworkCost) { self.init(stages: cost.stages, embedding: cost.embedding) }
}

/// One batch as all networks saw it: the same augmented images for student and teachers.
public struct DistillationBatch: Sendable {
  /// Where the images are among the training images.
  public let samples: [Int]
  /// What the images should come out as.
  public let targets: any Targets
  /// In training mode, with its record.
  public let student: Activations
  /// In evaluation mode, constants.
  public let teachers: [Activations]
  /// From 0.
  public let epoch: Int
  /// Of the batch within its epoch, from 0.
  public let index: Int

  /// The student's task loss of each sample, as its recipe trains it: `[batch]`.
  public var taskLoss: Tensor { targets.trainingLoss(of: student.logits) }

  /// A batch with what the student, recorded, and the teachers, in the order of the pool, make of it.
  public init(
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
public struct MethodLoss: Sendable {
  /// Shape `[]`, with its record.
  public let total: Tensor
  /// Batch means without alpha and beta; nil where the method has no such term.
  public let task: Double
  /// The mean logit term.
  public let logit: Double?
  /// The mean feature term.
  public let feature: Double?
  /// What the terms are multiplied by within the total.
  public let scales: TermScales
  /// Matrices behind the means, for records.
  public var details: LossDetails

  /// The loss to descend on, with the batch means of its terms before their factors (defaults: the
  /// task term alone counts).
  public init(
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
public struct TermScales: Hashable, Sendable {
  /// Of the task loss.
  public var task = 1.0
  /// Of the logit term; alpha of equation 2.
  public var logit = 0.0
  /// Of the feature term; beta of equation 2.
  public var feature = 0.0

  /// The task loss alone, unless other factors are given.
  public init(task: Double = 1, logit: Double = 0, feature: Double = 0) {
    self.task = task
    self.logit = logit
    self.feature = feature
  }
}

/// The numbers behind a batch's loss, as constants; matrices are `[batch, teachers]`.
public struct LossDetails: Sendable {
  /// H, `[batch]`.
  public var studentCrossEntropy: Tensor
  /// Of the logit loss, before its weights.
  public var kl: Tensor?
  /// Of the feature loss, before its weights.
  public var distance: Tensor?
  /// What the logit weights multiply, whatever the logit loss is; and what the feature weights multiply.
  public var logitCosts: Tensor?
  public var featureCosts: Tensor?
  /// nd, where it is part of the loss (ND).
  package var directNorm: Tensor?
  public var teacherCrossEntropy: Tensor?
  /// Of the student's map in each teacher's form, sent through that teacher's classifier (CA-MKD).
  package var transformedCrossEntropy: Tensor?
  public var cosine: Tensor?
  /// Executed weights of the logit and the feature term.
  public var logitWeights: Tensor?
  public var featureWeights: Tensor?
  package var policyLogit: Tensor?
  package var policyFeature: Tensor?
  /// `[batch, teachers]`, or `[batch]` where the reward is one a sample. Nil while it is not known yet.
  public var reward: Tensor?
  public var normalisedReward: Tensor?
  /// What an agent will learn from (MTKD-RL).
  package var choice: Choice?
  /// The regulariser and the angle loss without their factors (AMTML-KD).
  package var penalty: Double?
  package var angle: Double?

  /// The one number that every method has; the others are set where there are any.
  public init(studentCrossEntropy: Tensor) { self.studentCrossEntropy = studentCrossEntropy }
}

/// What a method did after the student's step.
public struct StepOutcome: Sendable {
  /// Updates of the policy in this step.
  public var policySteps: [PolicyStep] = []
  /// Where it was paid for the changed student; else it is in the loss's details.
  public var reward: Tensor?
  public var normalisedReward: Tensor?
  /// Samples that the policy does not learn from, because a state or reward is not finite.
  public var nonfiniteSamples = 0
  /// Entries of a full buffer that this batch's samples took, in the order of the samples (MMKD).
  package var overwritten: [Int]?

  /// Nothing to report.
  public init() {}
}

/// The student after a step, for methods that look further than the batch in hand. Looking changes nothing.
public struct SteppedStudent {
  /// Its arrays after the step.
  public let state: ModelState
  package let optimizer: SGD
  /// The learning rate of the epoch.
  public let rate: Double
  /// The batch in hand, its teachers' activations included.
  public let current: RecalledBatch
  /// Other training images as their epochs showed them.
  public let recall: ([SampleView]) throws -> RecalledBatch

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
public struct SampleView: Hashable, Sendable {
  /// From 0.
  public let epoch: Int
  /// Among the training images.
  public let sample: Int

  /// A training image by its place, and the epoch that showed it.
  public init(epoch: Int, sample: Int) {
    self.epoch = epoch
    self.sample = sample
  }
}

/// Images that any state of the student can be evaluated on.
public struct RecalledBatch {
  /// Evaluates the student that a pass holds; everything else is already known.
  public let observed: (Pass) -> DistillationBatch

  /// Images behind a function that evaluates the student of a pass on them and knows the rest.
  public init(observed: @escaping (Pass) -> DistillationBatch) { self.observed = observed }
}

/// One update of a policy.
public struct PolicyStep: Sendable {
  /// Of the stored batch within its epoch.
  public let batch: Int
  /// J or the loss, before the step.
  public let objective: Double
  /// Of its gradient over all policy parameters, and of the parameters after the step.
  public let gradientNorm: Double
  public let parameterNorm: Double
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

  /// An update that one stored batch led to; the objective is that before it, the parameters those after it.
  public init(batch: Int, objective: Double, gradientNorm: Double, parameterNorm: Double) {
    self.batch = batch
    self.objective = objective
    self.gradientNorm = gradientNorm
    self.parameterNorm = parameterNorm
  }
}

/// A method's options, complete and of the right types, by the names that a grid uses.
public struct MethodOptions: Sendable {
  private let values: [String: JSONValue]

  /// Fills in defaults.
  ///
  /// - Parameter set: by encoded names, as a `MethodSpec` has them.
  /// - Throws: `InvalidOption` for an option that the method does not have or a value that it does not take.
  public init(_ set: [String: JSONValue], _ description: MethodDescription) throws(InvalidOption) {
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

  /// The value of an option of kind `.number`.
  ///
  /// - Precondition: the description has the option.
  public func number(_ name: String) -> Double { values[name]!.number!.double }
  /// The value of an integer option; nil for the word of an `.integerOr`.
  public func integer(_ name: String) -> Int? { values[name]!.integer }
  /// The value of a `.choice`.
  public func word(_ name: String) -> String { values[name]!.string! }
  /// The value of a `.flag`.
  public func flag(_ name: String) -> Bool { values[name]!.bool! }
  /// The value of a `.words`, in its order.
  public func words(_ name: String) -> [String] { values[name]!.array!.compactMap(\.string) }
}

/// Options that a method does not take.
public struct InvalidOption: UserError, Equatable {
  package var exitStatus: ExitStatus { .badInput }
  /// The name of the method.
  public let method: String
  /// What is wrong, as a phrase.
  public let problem: String

  public var description: String {
    "\(method): \(problem). `mtkd-sweep methods \(method)` lists its options."
  }
}
