package import Tensors

package enum Phase: Sendable {
  /// Batch statistics, and gradients for parameters.
  case training
  /// Running statistics; nothing changes.
  case inference
}

/// One evaluation of a model: hands out its arrays, collects what the evaluation changes and counts its work.
///
/// Deliberately not `Sendable`: it belongs to one step.
package final class Pass {
  package let phase: Phase
  /// Multiply-adds of the convolutions and linear layers evaluated so far, for the whole batch (`architectures.md` 3).
  package private(set) var multiplyAdds = 0

  private let state: ModelState
  private let recordsGradients: Bool
  private var leaves: [Slot: Tensor] = [:]
  private var replacements: [Slot: Tensor] = [:]

  /// - Parameter recordsGradients: whether parameters are leaves; in inference only where a test wants it.
  package init(_ state: ModelState, _ phase: Phase, recordsGradients: Bool? = nil) {
    (self.state, self.phase) = (state, phase)
    self.recordsGradients = recordsGradients ?? (phase == .training)
  }

  /// A leaf, the same for every use in this pass, where the slot is a parameter and gradients are recorded; else a constant.
  package subscript(slot: Slot) -> Tensor {
    guard recordsGradients, state.declarations[slot.index].role == .parameter else { return state[slot] }
    if let leaf = leaves[slot] { return leaf }
    let leaf = state[slot].leaf()
    leaves[slot] = leaf
    return leaf
  }

  /// What the slot will hold once the step is over. Ignored in inference.
  package func replace(_ slot: Slot, with value: Tensor) {
    if phase == .training { replacements[slot] = value }
  }

  func count(multiplyAdds: Int) { self.multiplyAdds += multiplyAdds }

  /// The gradient of each slot in the order of declaration, nil where the scalar does not depend on it.
  package func gradients(of scalar: Tensor) -> [Tensor?] { collect(scalar.gradients()) }

  package func gradients(of output: Tensor, upstream: Tensor) -> [Tensor?] {
    collect(output.gradients(upstream: upstream))
  }

  private func collect(_ gradients: Gradients) -> [Tensor?] {
    state.slots.map { slot in leaves[slot].flatMap { gradients[$0] } }
  }

  /// Changes that take effect when the step ends.
  package func commit(to state: inout ModelState) {
    for (slot, value) in replacements { state[slot] = value }
  }
}

/// A part of a model: an immutable description that holds slots, not arrays.
package protocol Layer: Sendable {
  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor
}

/// Layers one after the other.
package struct Chain: Layer {
  private let layers: [any Layer]

  package init(_ layers: [any Layer]) { self.layers = layers }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    layers.reduce(input) { $1($0, pass) }
  }
}
