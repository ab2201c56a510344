public import Tensors

/// What an evaluation is for.
public enum Phase: Sendable {
  /// Batch statistics, and gradients for parameters.
  case training
  /// Running statistics; nothing changes.
  case inference
}

/// A training step's place: what is dropped in it depends on nothing else.
package struct StepNoise: Hashable, Sendable {
  let seed: UInt64
  let epoch: Int
  let batch: Int
  /// The highest probability with which stochastic depth leaves out a branch.
  let dropPath: Double
  private let isOfTransfer: Bool

  package init(seed: UInt64, epoch: Int, batch: Int, dropPath: Double) {
    self.seed = seed
    self.epoch = epoch
    self.batch = batch
    self.dropPath = dropPath
    isOfTransfer = false
  }

  /// Of a step of a transfer, whose steps are counted through.
  package init(transferSeed: UInt64, step: Int) {
    seed = transferSeed
    epoch = 0
    batch = step
    dropPath = 0
    isOfTransfer = true
  }

  /// The draws of one layer in this step.
  func stream(_ path: String) -> RandomStream {
    isOfTransfer
      ? RandomStream(seed: seed, "transfer/dropout/\(path)", batch)
      : RandomStream(seed: seed, "drop/\(path)", epoch, batch)
  }
}

/// One evaluation of a model: hands out its arrays, collects what the evaluation changes and counts its work.
///
/// Deliberately not `Sendable`: it belongs to one step.
public final class Pass {
  /// Training or inference.
  public let phase: Phase
  /// Where the pass's network and its gradients are computed.
  package let device: Device
  /// Multiply-adds for one image of the convolutions and linear layers evaluated so
  /// far (`architectures.md` 3).
  package private(set) var multiplyAdds = 0
  /// Those of the products of queries, keys and values, which papers count and the column `macs` does not.
  package private(set) var attentionMultiplyAdds = 0
  /// What layers that drop something draw from; nil where nothing is dropped.
  let noise: StepNoise?
  /// How convolutions are computed: as the state says.
  package var convolution: ConvolutionChoice { state.convolution }

  private let state: ModelState
  private let recordsGradients: Bool
  /// Parameters that are constants in this pass.
  private let frozen: Set<Slot>
  /// By slot, how parameters move; empty where they stay.
  private let direction: [Tensor?]
  private var leaves: [Slot: Tensor] = [:]
  private var replacements: [Slot: Tensor] = [:]

  /// - Parameters:
  ///   - recordsGradients: whether parameters are leaves; in inference only where a test wants it.
  ///   - frozen: parameters that stay as they are: they are no leaves, and norms whose scale is among
  ///     them keep their statistics.
  ///   - noise: what stochastic depth and dropout draw from in training; without it nothing is dropped.
  ///   - direction: by slot, where parameters move (`Tensor.leaf(moving:)`): gradients then carry their
  ///     derivatives along it, which are products with the Hessian.
  ///   - device: where it is computed (default: where the caller computes).
  package init(
    _ state: ModelState, _ phase: Phase, recordsGradients: Bool? = nil, frozen: Set<Slot> = [],
    noise: StepNoise? = nil,
    along direction: [Tensor?] = [], on device: Device = .current
  ) {
    self.state = state
    self.phase = phase
    self.device = device
    self.direction = direction
    self.frozen = frozen
    self.noise = phase == .training ? noise : nil
    self.recordsGradients = recordsGradients ?? (phase == .training)
  }

  /// An evaluation where the caller computes: in training every parameter is a leaf, and nothing is dropped.
  public convenience init(_ state: ModelState, _ phase: Phase) {
    self.init(state, phase, recordsGradients: nil)
  }

  /// A leaf, the same for every use in this pass, where the slot is a parameter and gradients are
  /// recorded; else a constant.
  public subscript(slot: Slot) -> Tensor {
    guard recordsGradients, state.declarations[slot.index].role == .parameter, !isFrozen(slot) else {
      return state[slot]
    }
    if let leaf = leaves[slot] { return leaf }
    let leaf = state[slot].leaf(moving: direction.isEmpty ? nil : direction[slot.index])
    leaves[slot] = leaf
    return leaf
  }

  /// Whether a parameter is a constant in this pass by its maker's wish.
  func isFrozen(_ slot: Slot) -> Bool { !frozen.isEmpty && frozen.contains(slot) }

  /// What the slot will hold once the step is over. Ignored in inference.
  public func replace(_ slot: Slot, with value: Tensor) {
    if phase == .training { replacements[slot] = value }
  }

  func count(multiplyAdds: Int) { self.multiplyAdds += multiplyAdds }
  func count(attention multiplyAdds: Int) { attentionMultiplyAdds += multiplyAdds }

  /// The gradient of each slot in the order of declaration, nil where the scalar does not depend on it.
  public func gradients(of scalar: Tensor) -> [Tensor?] {
    device.run { collect(scalar.gradients()) }
  }

  /// The gradient of the sum of output × upstream, as of a scalar.
  public func gradients(of output: Tensor, upstream: Tensor) -> [Tensor?] {
    device.run { collect(output.gradients(upstream: upstream)) }
  }

  /// This pass's share of gradients that several passes led to.
  package func collect(_ gradients: Gradients) -> [Tensor?] {
    state.slots.map { slot in leaves[slot].flatMap { gradients[$0] } }
  }

  /// How fast this pass's share of gradients changes along the pass's direction; nil where it does not.
  package func collectDerivatives(_ gradients: Gradients) -> [Tensor?] {
    state.slots.map { slot in leaves[slot].flatMap { gradients.derivative(of: $0) } }
  }

  /// Changes that take effect when the step ends.
  public func commit(to state: inout ModelState) {
    for (slot, value) in replacements { state[slot] = value }
  }
}

/// A part of a model: an immutable description that holds slots, not arrays.
public protocol Layer: Sendable {
  /// Evaluates the layer, with its arrays as the pass has them.
  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor
}

/// Layers one after the other.
public struct Chain: Layer {
  private let layers: [any Layer]

  /// - Parameter layers: in the order of evaluation.
  public init(_ layers: [any Layer]) { self.layers = layers }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    layers.reduce(input) { $1($0, pass) }
  }
}
