package import Networks
package import Tensors

/// Gradients of one loss: with respect to the student, and to what is learned by looking ahead (empty where
/// the loss does not read it). Where the student moves along a direction these are the derivatives of
/// gradients instead.
package struct InnerGradients {
  package let student: [Tensor?]
  package let meta: [Tensor?]

  package init(student: [Tensor?], meta: [Tensor?] = []) {
    self.student = student
    self.meta = meta
  }
}

/// The loss of one step of a look-ahead: builds its record on a pass of the student.
package struct InnerLoss {
  /// A loss as a function of a pass of the student and, where it reads what is learned, a pass of that.
  package typealias Loss = (_ student: Pass, _ meta: Pass?) -> Tensor

  /// Fixes what counts as constant at the state where the step starts.
  package let at: (ModelState) -> Loss
  /// What is learned by looking ahead; nil for a loss that does not read it.
  private let meta: ModelState?

  package init(meta: ModelState? = nil, at: @escaping (ModelState) -> Loss) {
    self.meta = meta
    self.at = at
  }

  /// Gradients at a state.
  func gradients(_ loss: Loss, _ state: ModelState) -> InnerGradients {
    let student = Pass(state, .training)
    let learned = meta.map { Pass($0, .training) }
    let gradients = loss(student, learned).gradients()
    return InnerGradients(
      student: student.collect(gradients), meta: learned.map { $0.collect(gradients) } ?? [])
  }

  /// The exact derivatives of these gradients along a direction of the student: Hessian e, and ∂/∂ω (grad L ·
  /// e).
  func derivatives(_ loss: Loss, _ state: ModelState, along direction: [Tensor?]) -> InnerGradients {
    let student = Pass(state, .training, along: direction)
    let learned = meta.map { Pass($0, .training) }
    let gradients = loss(student, learned).gradients()
    return InnerGradients(
      student: student.collectDerivatives(gradients),
      meta: learned.map { $0.collectDerivatives(gradients) } ?? [])
  }
}

/// The derivative of a loss after steps of SGD with respect to what the steps' losses were made with.
///
/// Backwards through v' = μ v + g + λ ψ and ψ' = ψ - η v' (with Nesterov ψ' = ψ - η (g + λ ψ + μ v')), with p
/// the adjoint of the weights and b that of the momentum buffer:
///
///     e_v = b - η p, e = e_v                      with Nesterov: e_v = b - η μ p, e = e_v - η p
///     gradients += ∂/∂ω (grad L(ψ; ω) · e),   p += λ e + Hessian e,   b = μ e_v
///
/// Both products come from one pass whose parameters move along e: the forward derivative of the backward
/// pass, exact up to rounding. A parameter without a gradient in a step is left alone by the optimiser, and
/// so is its adjoint.
///
/// - Source: `methods.md` 5.7. Central differences at ψ ± ε e with ε = 0.01 / |e|, as in DARTS, are off by
///   14 % in the median, because ReLUs change sides between the two points.
package struct MetaGradient {
  package let outerLoss: Double
  /// In the order of the meta gradients; empty where no step reads anything.
  package let gradients: [Tensor?]
  /// The student after each step.
  package let trajectory: [ModelState]

  /// One step that was taken.
  private struct Step {
    let state: ModelState
    let inner: InnerLoss
    let loss: InnerLoss.Loss
    let moves: [Bool]
  }

  /// - Parameter outer: the loss after the last step, shape `[]`.
  package init(
    of outer: (Pass) -> Tensor, through losses: [InnerLoss], from start: ModelState, _ sgd: SGD, rate: Double
  ) {
    var state = start
    var optimizer = sgd
    var steps: [Step] = []
    var trajectory: [ModelState] = []
    for inner in losses {
      let loss = inner.at(state)
      let gradients = inner.gradients(loss, state).student
      steps.append(Step(state: state, inner: inner, loss: loss, moves: gradients.map { $0 != nil }))
      optimizer.step(&state, gradients, rate: rate)
      trajectory.append(state)
    }
    self.trajectory = trajectory
    let pass = Pass(state, .training)
    let end = outer(pass)
    outerLoss = end.scalar

    var weights = pass.gradients(of: end)
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
      let products = step.inner.derivatives(step.loss, step.state, along: adjoints)
      for (slot, adjoint) in adjoints.enumerated() {
        let decay = step.state.declarations[slot].decays ? sgd.weightDecay : 0
        weights[slot] = added(weights[slot], adjoint.map { $0 * decay })
        weights[slot] = added(weights[slot], products.student[slot])
      }
      if total.isEmpty { total = Array(repeating: nil, count: products.meta.count) }
      for index in products.meta.indices { total[index] = added(total[index], products.meta[index]) }
    }
    gradients = total
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
