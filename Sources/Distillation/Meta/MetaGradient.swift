package import Networks
package import Tensors

/// Gradients of one loss at a state: of the student, and of what is learned by looking ahead (empty where the loss does not read it).
package typealias Slopes = (ModelState) -> (student: [Tensor?], meta: [Tensor?])

/// The loss of one step of a look ahead.
package struct InnerLoss {
  /// Fixes what counts as constant at the state where the step starts, and gives the slopes at states close by.
  package let at: (ModelState) -> Slopes

  package init(at: @escaping (ModelState) -> Slopes) { self.at = at }
}

/// The derivative of a loss after steps of SGD with respect to what the steps' losses were made with.
///
/// Backwards through v' = μ v + g + λ ψ and ψ' = ψ - η v' (with Nesterov ψ' = ψ - η (g + λ ψ + μ v')), with p the adjoint of the weights and b
/// that of the momentum buffer:
///
///     e_v = b - η p, e = e_v                      with Nesterov: e_v = b - η μ p, e = e_v - η p
///     slopes += ∂/∂ω (grad L(ψ; ω) · e),   p += λ e + Hessian e,   b = μ e_v
///
/// Both products are central differences of ordinary gradients at ψ ± ε e, ε = 0.01 / |e|. A parameter without a gradient in a step is left
/// alone by the optimiser, and so is its adjoint.
///
/// - Source: `methods.md` 5.7.
package struct MetaGradient {
  package let outerLoss: Double
  /// In the order of the meta gradients; empty where no step reads anything.
  package let slopes: [Tensor?]
  /// The student after each step.
  package let trajectory: [ModelState]

  package init(
    of outer: (ModelState) -> (loss: Double, gradients: [Tensor?]), through losses: [InnerLoss],
    from start: ModelState, _ sgd: SGD, rate: Double
  ) {
    var (state, optimizer) = (start, sgd)
    var steps: [(state: ModelState, slopes: Slopes, moves: [Bool])] = []
    var trajectory: [ModelState] = []
    for loss in losses {
      let slopes = loss.at(state)
      let gradients = slopes(state).student
      steps.append((state, slopes, gradients.map { $0 != nil }))
      optimizer.step(&state, gradients, rate: rate)
      trajectory.append(state)
    }
    let end = outer(state)
    (outerLoss, self.trajectory) = (end.loss, trajectory)

    var weights = end.gradients
    var buffers = [Tensor?](repeating: nil, count: weights.count)
    var total: [Tensor?] = []
    for step in steps.reversed() {
      var adjoints = [Tensor?](repeating: nil, count: weights.count)
      for slot in weights.indices where step.moves[slot] {
        let push = weights[slot].map { $0 * (sgd.nesterov ? -rate * sgd.momentum : -rate) }
        let velocity = added(buffers[slot], push)
        adjoints[slot] = sgd.nesterov ? added(velocity, weights[slot].map { $0 * -rate }) : velocity
        buffers[slot] = velocity.map { $0 * sgd.momentum }
      }
      let length = norm(of: adjoints.compactMap(\.self))
      guard length > 0, length.isFinite else { continue }
      let epsilon = 0.01 / length
      let ahead = step.slopes(step.state.moved(along: adjoints, by: epsilon))
      let behind = step.slopes(step.state.moved(along: adjoints, by: -epsilon))
      func difference(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
        added(a, b.map { $0 * -1 }).map { $0 / (2 * epsilon) }
      }
      for (slot, adjoint) in adjoints.enumerated() {
        let decay = step.state.declarations[slot].decays ? sgd.weightDecay : 0
        weights[slot] = added(weights[slot], adjoint.map { $0 * decay })
        weights[slot] = added(weights[slot], difference(ahead.student[slot], behind.student[slot]))
      }
      if total.isEmpty { total = Array(repeating: nil, count: ahead.meta.count) }
      for index in ahead.meta.indices {
        total[index] = added(total[index], difference(ahead.meta[index], behind.meta[index]))
      }
    }
    slopes = total
  }
}

/// Nil counts as zero.
private func added(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
  guard let a, let b else { return a ?? b }
  return a + b
}

/// The l2 norm of all elements of several tensors.
func norm(of tensors: [Tensor]) -> Double {
  tensors.reduce(0) { $0 + $1.l2Norm * $1.l2Norm }.squareRoot()
}

extension ModelState {
  /// self + factor × direction.
  fileprivate func moved(along direction: [Tensor?], by factor: Double) -> ModelState {
    var moved = self
    for (slot, step) in zip(slots, direction) {
      if let step { moved[slot] = self[slot] + step * factor }
    }
    return moved
  }
}
