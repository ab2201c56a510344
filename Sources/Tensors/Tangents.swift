// Forward derivatives, and those of backward passes: how values and gradients change while leaves move.

/// How fast an operation's result moves with its inputs, and how its pullback changes with them.
struct OperationTangent {
  /// The derivative of the result. Nil where no input moves it.
  let value: Tensor?
  /// From a gradient of the result to the derivatives of the gradients of the inputs that come from what the
  /// pullback captured, the gradient held still; nil where the pullback captured nothing that moves.
  let bend: (@Sendable (Tensor) -> [Tensor?])?

  init(_ value: Tensor?, bend: (@Sendable (Tensor) -> [Tensor?])? = nil) {
    self.value = value
    self.bend = bend
  }
}

extension Tensor {
  /// The same values as a leaf that moves along a direction: everything computed from it carries a
  /// derivative, and so do gradients (`Gradients.derivative(of:)`).
  ///
  /// That is the forward derivative of the backward pass (Pearlmutter 1994): with a loss L of this leaf the
  /// gradient's derivative is the product of the Hessian of L with the direction, exact up to rounding. Units
  /// of piecewise linear functions (ReLU, max pooling) stay on the side where they are.
  ///
  /// - Parameter direction: the leaf's shape and precision, a constant; nil for a leaf that stays.
  package func leaf(moving direction: Tensor?) -> Tensor {
    guard let direction else { return leaf() }
    precondition(
      direction.shape == shape && direction.precision == precision, "\(direction.shape) for \(shape)")
    return with(node: GradientNode(leafMoving: direction.detached))
  }

  /// Whether a leaf behind this tensor moves.
  var isMoving: Bool { node?.isMoving ?? false }

  /// How fast this tensor moves: a constant of its shape, nil where it stays.
  package var tangent: Tensor? { node?.tangent }

  /// Gives an operation's result its derivative, where an input moves. An operation that does not say how it
  /// moves traps as soon as somebody asks.
  ///
  /// - Parameter derivative: takes the inputs and their tangents, all of them constants.
  func moved(with inputs: [Tensor], _ derivative: (_ x: [Tensor], _ tangents: [Tensor?]) -> OperationTangent)
    -> Tensor
  {
    guard let node, node.isMoving else { return self }
    let tangent = derivative(inputs.map(\.detached), inputs.map(\.tangent))
    node.move(along: tangent.value?.detached ?? .zeros(shape, precision), bend: tangent.bend)
    return self
  }

  /// The same for an operation that is linear: its result moves as the operation of its input's tangent.
  func moved(with input: Tensor, linearly operation: (Tensor) -> Tensor) -> Tensor {
    moved(with: [input]) { _, tangents in OperationTangent(tangents[0].map(operation)) }
  }
}

/// The sum of two terms either of which may be missing, which counts as zero.
func sum(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
  guard let a, let b else { return a ?? b }
  return a + b
}
