package import Tensors

/// Changes a model's parameters by their gradients.
package protocol Optimizer: Sendable, Snapshotting {
  /// One step. A parameter without a gradient is left alone: no decay, no buffer.
  ///
  /// - Parameter gradients: by slot, in the order of declaration.
  mutating func step(_ state: inout ModelState, _ gradients: [Tensor?], rate: Double)
}

/// SGD with momentum; weight decay acts on every parameter that does not say otherwise (`methods.md` 7.1).
package struct SGD: Optimizer {
  package let momentum: Double
  package let nesterov: Bool
  package let weightDecay: Double
  /// By slot; nil until the first gradient.
  private var buffers: [Tensor?] = []

  package init(momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0) {
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  package mutating func step(_ state: inout ModelState, _ gradients: [Tensor?], rate: Double) {
    if buffers.isEmpty { buffers = Array(repeating: nil, count: gradients.count) }
    for (slot, gradient) in zip(state.slots, gradients) {
      guard let gradient else { continue }
      state[slot].updateSGD(
        gradient: gradient, momentumBuffer: &buffers[slot.index], rate: rate, momentum: momentum,
        weightDecay: state.declarations[slot.index].decays ? weightDecay : 0, nesterov: nesterov)
    }
  }

  /// The momentum buffer of a slot; nil before its first gradient.
  package func momentumBuffer(_ slot: Slot) -> Tensor? { buffers.isEmpty ? nil : buffers[slot.index] }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "slots", buffers.count)
    for (index, buffer) in buffers.enumerated() {
      if let buffer { snapshot.put("\(prefix)\(index)", buffer) }
    }
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    buffers = try (0..<snapshot.integer(prefix + "slots")).map { index in
      let name = "\(prefix)\(index)"
      return snapshot.has(name) ? try snapshot.tensor(name) : nil
    }
  }
}

/// Adam with bias correction; with `decoupled` weight decay AdamW (`architectures.md` 12).
package struct Adam: Optimizer {
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Double
  private let weightDecay: Double
  private let decoupled: Bool
  private let sparesVectors: Bool
  private var moments: [(first: Tensor, second: Tensor, steps: Int)?] = []

  /// - Parameter sparesVectors: no weight decay on vectors, biases, class tokens and position
  ///   embeddings (`architectures.md` 7).
  package init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    decoupled: Bool = false, sparesVectors: Bool = false
  ) {
    (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
    self.weightDecay = weightDecay
    self.decoupled = decoupled
    self.sparesVectors = sparesVectors
  }

  private func decay(of declaration: SlotDeclaration) -> Double {
    let isSpared =
      declaration.shape.rank < 2 || declaration.path.hasSuffix("cls_token")
      || declaration.path.hasSuffix("pos_embed")
    return sparesVectors && isSpared ? 0 : weightDecay
  }

  package mutating func step(_ state: inout ModelState, _ gradients: [Tensor?], rate: Double) {
    if moments.isEmpty { moments = Array(repeating: nil, count: gradients.count) }
    for (slot, gradient) in zip(state.slots, gradients) {
      guard let gradient else { continue }
      let zeros = Tensor.zeros(gradient.shape, gradient.precision)
      var (first, second, steps) = moments[slot.index] ?? (zeros, zeros, 0)
      moments[slot.index] = nil
      steps += 1
      state[slot].updateAdam(
        gradient: gradient, first: &first, second: &second, step: steps, rate: rate, beta1: beta1,
        beta2: beta2,
        epsilon: epsilon, weightDecay: decay(of: state.declarations[slot.index]), decoupled: decoupled)
      moments[slot.index] = (first, second, steps)
    }
  }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "steps", moments.map { $0?.steps ?? 0 })
    for (index, moment) in moments.enumerated() {
      guard let moment else { continue }
      snapshot.put("\(prefix)\(index).first", moment.first)
      snapshot.put("\(prefix)\(index).second", moment.second)
    }
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    moments = try snapshot.integers(prefix + "steps").enumerated().map { index, steps in
      guard steps > 0 else { return nil }
      return (
        try snapshot.tensor("\(prefix)\(index).first"), try snapshot.tensor("\(prefix)\(index).second"), steps
      )
    }
  }
}
