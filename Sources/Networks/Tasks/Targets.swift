public import Specs
public import Tensors

/// What the samples of a batch should come out as, in the form of their task, with the losses and
/// answers that follow from it.
///
/// Methods, sums and evaluations see targets only through this; what a target is (a label, boxes, a map of
/// classes) is known to its task alone. Outputs are those of the task's head, one row a sample.
public protocol Targets: Sendable {
  /// Samples.
  var count: Int { get }
  /// The loss of each sample that evaluations report, `[batch]`, with its record.
  func loss(of output: Tensor) -> Tensor
  /// The loss of each sample that training minimises, `[batch]`, with its record.
  func trainingLoss(of output: Tensor) -> Tensor
  /// The same targets as a recipe trains towards them.
  func trained(by recipe: RecipeSpec) -> any Targets
  /// Whether each sample is answered right.
  func hits(of output: Tensor) -> [Bool]
  /// How many answers each output prefers to the right one.
  func ranks(of output: Tensor) -> [Int]
  /// The group of each sample, from 0, by which weights and embeddings are averaged.
  var groups: [Int] { get }
  var groupCount: Int { get }
  /// What metrics call a group: `class`.
  var groupName: String { get }
  /// These targets, then others of the same task.
  func joined(with others: [any Targets]) -> any Targets
}
