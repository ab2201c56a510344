package import Networks
package import Specs
package import Tensors

/// What a student learns from, besides labels.
///
/// A method is a value: its policies, histories and statistics go into snapshots with the run.
package protocol DistillationMethod: Sendable, Snapshotting {
  static var description: MethodDescription { get }
  /// - Parameter options: every option of the description, resolved and checked.
  init(_ options: MethodOptions, _ context: MethodContext)
  /// The loss of one batch; gradients flow into the student and into what the method declared in its scope.
  mutating func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss
  /// After the student's step.
  ///
  /// - Parameter again: evaluates the changed student on the same batch, in training mode, changing nothing.
  mutating func finishStep(_ batch: DistillationBatch, again: () -> (DistillationBatch, Pass)) -> [PolicyStep]
  /// After the last batch of an epoch.
  mutating func finishEpoch() -> [PolicyStep]
}

/// For methods without anything to remember.
extension DistillationMethod {
  package mutating func finishStep(
    _ batch: DistillationBatch, again: () -> (DistillationBatch, Pass)
  ) -> [PolicyStep] { [] }
  package mutating func finishEpoch() -> [PolicyStep] { [] }
  package func save(to snapshot: inout Snapshot, under prefix: String) {}
  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {}
}

/// What a method must know before the first batch.
package struct MethodContext {
  /// Where jointly trained arrays are declared, after the student's own.
  package let scope: Scope
  package let student: ActivationShape
  package let teachers: [ActivationShape]
  package let classes: Int
  /// Of the run; policies draw from streams of their own.
  package let seed: UInt64
  package let precision: Precision

  package init(
    scope: Scope, student: ActivationShape, teachers: [ActivationShape], classes: Int, seed: UInt64,
    precision: Precision
  ) {
    (self.scope, self.student, self.teachers) = (scope, student, teachers)
    (self.classes, self.seed, self.precision) = (classes, seed, precision)
  }
}

/// Sizes of a network's taps for one image.
package struct ActivationShape: Hashable, Sendable {
  /// Channels, height, width of F.
  package let map: Shape
  /// Width of f.
  package let embedding: Int

  package init(map: Shape, embedding: Int) { (self.map, self.embedding) = (map, embedding) }
}

/// One batch as all networks saw it: the same augmented images for student and teachers.
package struct DistillationBatch {
  package let labels: [Int]
  /// In training mode, with its record.
  package let student: Activations
  /// In evaluation mode, constants.
  package let teachers: [Activations]
  /// From 0.
  package let epoch: Int
  /// Of the batch within its epoch, from 0.
  package let index: Int

  package init(labels: [Int], student: Activations, teachers: [Activations], epoch: Int, index: Int) {
    (self.labels, self.student, self.teachers) = (labels, student, teachers)
    (self.epoch, self.index) = (epoch, index)
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
  package let details: LossDetails

  package init(total: Tensor, task: Double, logit: Double?, feature: Double?, details: LossDetails) {
    (self.total, self.task, self.logit, self.feature, self.details) = (total, task, logit, feature, details)
  }
}

/// The numbers behind a batch's loss, as constants; matrices are `[batch, teachers]`.
package struct LossDetails: Sendable {
  /// H, `[batch]`.
  package var studentCrossEntropy: Tensor
  package var kl: Tensor?
  package var distance: Tensor?
  package var teacherCrossEntropy: Tensor?
  package var cosine: Tensor?
  /// Executed weights of the logit and the feature term.
  package var logitWeights: Tensor?
  package var featureWeights: Tensor?
  package var policyLogit: Tensor?
  package var policyFeature: Tensor?
  /// `[batch, teachers]`, or `[batch]` where the reward is one a sample. Nil while it is not known yet.
  package var reward: Tensor?
  package var normalisedReward: Tensor?
  package var nonfiniteSamples = 0

  package init(studentCrossEntropy: Tensor) { self.studentCrossEntropy = studentCrossEntropy }
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
  package let logitMix: [Double]?
  package let featureMix: [Double]?
}

/// A method's options, complete and of the right types.
package struct MethodOptions: Sendable {
  private let values: [String: JSONValue]

  /// Fills in defaults. Throws for an option that the method does not have or a value that it does not take.
  package init(_ set: [String: JSONValue], _ description: MethodDescription) throws(InvalidOption) {
    for (name, value) in set.sorted(by: { $0.key < $1.key }) {
      guard let option = description.options.first(where: { $0.name == name }) else {
        throw InvalidOption(method: description.name, problem: "there is no option '\(name)'")
      }
      if let expected = option.complaint(about: value) {
        throw InvalidOption(method: description.name, problem: "'\(name)' is \(value) and should be \(expected)")
      }
    }
    values = description.resolved(set)
    if let problem = description.problems(values).first {
      throw InvalidOption(method: description.name, problem: problem)
    }
  }

  package func number(_ name: String) -> Double { values[name]!.number!.double }
  package func integer(_ name: String) -> Int? { values[name]!.integer }
  package func word(_ name: String) -> String { values[name]!.string! }
  package func words(_ name: String) -> [String] { values[name]!.array!.compactMap(\.string) }
}

/// Options that a method does not take.
package struct InvalidOption: Error, Equatable, CustomStringConvertible {
  package let method: String
  package let problem: String

  package var description: String { "\(method): \(problem). `mtkd-sweep methods \(method)` lists its options." }
}
