internal import Datasets
internal import Networks
internal import Specs
internal import Tensors

/// The loss of a transfer stopped being finite.
package struct TransferDiverged: Error, Equatable, CustomStringConvertible {
  /// From 0.
  package let epoch: Int
  package let step: Int
  /// Such as `rpn.box`.
  package let part: String

  package var description: String {
    "The loss \(part) was not finite in epoch \(epoch + 1), at step \(step + 1)."
  }
}

/// What a step has led to before the optimiser acts.
struct Lesson {
  /// Parts of the loss by their names, before their weights, and the whole as `""`; means over the groups.
  var losses: [String: Double]
  /// By slot.
  var gradients: [Tensor?]
}

/// What a transfer teaches a backbone: a detector's or a segmentor's training as functions of the step alone.
protocol Learner: Sendable {
  /// All arrays, those of the backbone under `trunkPrefix`.
  var declarations: [SlotDeclaration] { get }
  var trunkPrefix: String { get }
  var schedule: TransferSchedule { get }
  var optimizer: SGD { get }
  /// The longest gradient; 0 for any.
  var clipNorm: Double { get }
  func rate(_ step: Int) -> Double
  /// - Throws: `TransferDiverged`.
  func lesson(_ step: Int, _ state: inout ModelState) throws -> Lesson
  /// What of a test image a prediction and its evaluation read.
  var testParts: AnnotatedParts { get }
  /// What the model says of a test image.
  func prediction(_ image: AnnotatedImage, _ state: ModelState) throws -> Prediction
}
