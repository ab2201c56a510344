package import Networks
package import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// PPO: a logistic-normal policy whose steps are held near the policy that acted (agent `ppo`,
/// `methods.md` 3.4, our design).
///
///     u ~ N(h(s), sigma²), w = softmax(u)       sigma = exp(log_std) for each head, trained, from log 0.5
///     J = mean of min(ratio A, clip(ratio, 0.8, 1.2) A) + 0.01 entropy,    A = r - V(s)
///
/// Densities are taken in u, both heads summed. Four passes over the history with the stored batches
/// as minibatches; A is fixed before the first pass. V is a baseline with mean squared error. In
/// warm-up epochs only V learns.
package struct ProximalPolicy: Agent {
  package static let name = "ppo"
  private static let clip = 0.2
  private static let entropyShare = 0.01
  private static let passes = 4
  private static let rate = 3e-4

  private let network: PolicyNetwork
  private let baseline: ScalarNetwork
  private let spread: Spread
  private var actorState: ModelState
  private var spreadState: ModelState
  private var baselineState: ModelState
  private var actorAdam = Adam()
  private var spreadAdam = Adam()
  private var baselineAdam = Adam()
  private let terms: [TeacherMix.Term]
  private let seed: UInt64

  /// log_std of both heads.
  private struct Spread {
    let logit: Slot
    let feature: Slot
    let declarations: [SlotDeclaration]

    init() {
      let scope = Scope()
      logit = (scope / "spread").parameter("log_std_l", [1], .constant(log(0.5)))
      feature = (scope / "spread").parameter("log_std_f", [1], .constant(log(0.5)))
      declarations = scope.declarations
    }
  }

  package init(_ settings: AgentSettings) {
    network = PolicyNetwork(.joint, widths: settings.widths, hidden: settings.hidden)
    baseline = ScalarNetwork("baseline", inputs: settings.widths.reduce(0, +), hidden: settings.hidden)
    spread = Spread()
    actorState = ModelState(network.declarations, seed: settings.seed, precision: settings.precision)
    spreadState = ModelState(spread.declarations, seed: settings.seed, precision: settings.precision)
    baselineState = ModelState(baseline.declarations, seed: settings.seed, precision: settings.precision)
    (terms, seed) = (settings.terms, settings.seed)
  }

  package func act(on scene: Experience, samples: [Int], epoch: Int) -> AgentAction {
    let scores = network.scores(scene.states, Pass(actorState, .inference))
    let spreads = Pass(spreadState, .inference)
    func drawn(_ scores: Tensor, _ slot: Slot, _ head: Int) -> Tensor {
      let noise = noise(
        "ppo noise", seed: seed, epoch: epoch, samples: samples, head: head, like: scores)
      return scores + noise * exp(spreads[slot].scalar)
    }
    let logit = drawn(scores.logit, spread.logit, 0)
    let feature = drawn(scores.feature, spread.feature, 1)
    let density =
      Self.logDensity(logit, scores.logit, spreads[spread.logit])
      + Self.logDensity(feature, scores.feature, spreads[spread.feature])
    return AgentAction(
      policy: (scores.logit.softmax(), scores.feature.softmax()),
      weights: (logit.softmax(), feature.softmax()), scene, terms,
      choice: Choice(logit: logit, feature: feature, density: density))
  }

  package mutating func learn(from history: [Experience], epoch: Int) -> [PolicyStep] {
    let judged = history.map { experience in
      (experience, advantage: experience.reward - value(of: experience, Pass(baselineState, .inference)))
    }
    return (0..<Self.passes).flatMap { turn in
      judged.map { learn(from: $0.0, advantage: $0.advantage, turn: turn) }
    }
  }

  private func value(of experience: Experience, _ pass: Pass) -> Tensor { baseline(experience.states, pass) }

  private mutating func learn(from experience: Experience, advantage: Tensor, turn: Int) -> PolicyStep {
    let valuePass = Pass(baselineState, .training)
    let loss = ScalarNetwork.loss(value(of: experience, valuePass), target: experience.reward)
    let valueLoss = loss.scalar
    let valueGradients = valuePass.gradients(of: loss)
    baselineAdam.step(&baselineState, valueGradients, rate: Self.rate)

    var (objective, length) = (0.0, 0.0)
    var clipped: Int?
    if let choice = experience.choice, let density = choice.density, !choice.isWarmup {
      let (pass, spreads) = (Pass(actorState, .training), Pass(spreadState, .training))
      let scores = network.scores(experience.states, pass)
      let (wide, far) = (spreads[spread.logit], spreads[spread.feature])
      let now =
        Self.logDensity(choice.logit, scores.logit, wide)
        + Self.logDensity(choice.feature, scores.feature, far)
      let teachers = scores.logit.shape[1]
      let ratio = (now - density).exp()
      let surrogate = Self.surrogate(ratio, advantage, clip: Self.clip)
      clipped = zip((ratio * advantage).doubles, surrogate.doubles).count { $0 > $1 }
      let total =
        surrogate.mean() + (Self.entropy(wide, teachers) + Self.entropy(far, teachers)) * Self.entropyShare
      objective = total.scalar
      let gradients = (-total).gradients()
      let (actor, spread) = (pass.collect(gradients), spreads.collect(gradients))
      length = norm(of: (actor + spread).compactMap(\.self))
      actorAdam.step(&actorState, actor, rate: Self.rate)
      spreadAdam.step(&spreadState, spread, rate: Self.rate)
    }
    var step = PolicyStep(
      batch: experience.batch, objective: objective, gradientNorm: length,
      parameterNorm: norm(
        of: actorState.parameters.map { actorState[$0] } + spreadState.parameters.map { spreadState[$0] }))
    step.valueLoss = valueLoss
    step.valueGradientNorm = norm(of: valueGradients.compactMap(\.self))
    step.valueNorm = norm(of: baselineState.parameters.map { baselineState[$0] })
    step.turn = turn
    step.clipped = clipped
    step.logStds = [spreadState[spread.logit].scalar, spreadState[spread.feature].scalar]
    return step
  }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    for state in [actorState, spreadState, baselineState] { state.save(to: &snapshot, under: prefix) }
    actorAdam.save(to: &snapshot, under: prefix + "adam/actor/")
    spreadAdam.save(to: &snapshot, under: prefix + "adam/spread/")
    baselineAdam.save(to: &snapshot, under: prefix + "adam/baseline/")
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try actorState.restore(from: snapshot, under: prefix)
    try spreadState.restore(from: snapshot, under: prefix)
    try baselineState.restore(from: snapshot, under: prefix)
    try actorAdam.restore(from: snapshot, under: prefix + "adam/actor/")
    try spreadAdam.restore(from: snapshot, under: prefix + "adam/spread/")
    try baselineAdam.restore(from: snapshot, under: prefix + "adam/baseline/")
  }
}

extension ProximalPolicy {
  /// Of a normal distribution around `mean` with the std exp(logStd), summed over columns: `[batch]`.
  ///
  /// - Parameter logStd: `[1]`; gradients flow into it and into the mean.
  package static func logDensity(_ u: Tensor, _ mean: Tensor, _ logStd: Tensor) -> Tensor {
    let (batch, width) = (u.shape[0], u.shape[1])
    let squares = (u - mean).square().rowSums().reshaped([1, batch])
    let scaled = squares.scaled(byRow: (logStd * -2).exp()) * -0.5
    return scaled.adding(logStd * -Double(width), along: 0).reshaped([batch])
      - 0.5 * Double(width) * log(2 * .pi)
  }

  /// min(ratio A, clip(ratio, 1 - clip, 1 + clip) A), `[batch]`. Where the clipped term is the
  /// smaller one nothing flows back.
  package static func surrogate(_ ratio: Tensor, _ advantage: Tensor, clip: Double) -> Tensor {
    let clipped = Tensor(
      ratio.doubles.map { min(max($0, 1 - clip), 1 + clip) }, ratio.shape, ratio.precision)
    let (plain, bound) = (ratio * advantage, clipped * advantage)
    let isPlain = Tensor(
      zip(plain.doubles, bound.doubles).map { $0 <= $1 ? 1.0 : 0 }, ratio.shape, ratio.precision)
    return plain * isPlain + bound * (1 - isPlain)
  }

  /// In nats, of `width` independent normal numbers: shape `[]`.
  package static func entropy(_ logStd: Tensor, _ width: Int) -> Tensor {
    (logStd * Double(width)).sum() + 0.5 * Double(width) * (log(2 * .pi) + 1)
  }
}

private func - (constant: Double, tensor: Tensor) -> Tensor { tensor.affine(-1, constant) }
