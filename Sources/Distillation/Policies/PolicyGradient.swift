package import Networks
package import Tensors

/// One stored batch that a policy learns from: constants.
package struct Experience: Sendable {
  /// Index of the batch within its epoch.
  package let batch: Int
  /// Of each teacher, `[batch, width]`.
  package let states: [Tensor]
  /// `[batch, teachers]`.
  package let confidence: Tensor
  package let logitDivergence: Tensor
  package let featureDivergence: Tensor
  /// Normalised: `[batch, teachers]`, or `[batch]` where the reward is one a sample.
  package let reward: Tensor
  /// What the agent chose; nil for agents that learn from the state alone.
  package var choice: Choice?

  package init(
    batch: Int, states: [Tensor], confidence: Tensor, logitDivergence: Tensor, featureDivergence: Tensor,
    reward: Tensor, choice: Choice? = nil
  ) {
    self.batch = batch
    self.states = states
    self.confidence = confidence
    self.logitDivergence = logitDivergence
    self.featureDivergence = featureDivergence
    self.reward = reward
    self.choice = choice
  }
}

/// The policy gradient of MTKD-RL: one plain SGD step a stored batch, oldest first
/// (`methods.md` 2.4, agent `pg`).
package struct PolicyGradient: Agent {
  package static let name = "pg"

  package enum Objective: String, CaseIterable, Sendable {
    /// J = (1/B) Σ A (a_l + a_f), ascended: the exact all-actions gradient of the expected reward.
    case linear
    /// (1/B) Σ A (log a_l + log a_f), ascended.
    case log
    /// -(1/(B M)) Σ r (log a_l + log a_f), descended: the release's cross-entropy with every label 1.
    case bceOnes
  }

  /// The logarithm's floor of the release, exp(-100).
  private static let least = 3.720075976020836e-44

  package let network: PolicyNetwork
  package var state: ModelState
  private let terms: [TeacherMix.Term]
  private let objective: Objective
  private let rate: Double
  private var optimizer = SGD()

  package init(_ settings: AgentSettings) {
    network = PolicyNetwork(
      settings.networkKind, normaliser: settings.normaliser, widths: settings.widths,
      mixes: settings.isDynamic ? settings.terms.count : 0, hidden: settings.hidden)
    (terms, objective, rate) = (settings.terms, settings.objective, settings.rate)
    state = ModelState(network.declarations, seed: settings.seed, precision: settings.precision)
  }

  package func act(on scene: Experience, samples: [Int], epoch: Int) -> AgentAction {
    let pass = Pass(state, .inference)
    return action(scene, network.scores(scene.states, pass), network.factors(pass))
  }

  /// The weights of scores h_l and h_f; gradients flow into them and into the mixing factors.
  package func action(
    _ scene: Experience, _ scores: (logit: Tensor, feature: Tensor),
    _ factors: (logit: Tensor?, feature: Tensor?)
  ) -> AgentAction {
    let (logit, feature) = (network.normalised(scores.logit), network.normalised(scores.feature))
    return AgentAction(
      policyLogit: logit, policyFeature: feature,
      logit: TeacherMix.mixed(
        policy: logit, confidence: scene.confidence, divergence: scene.logitDivergence, terms: terms,
        factors: factors.logit),
      feature: TeacherMix.mixed(
        policy: feature, confidence: scene.confidence, divergence: scene.featureDivergence, terms: terms,
        factors: factors.feature))
  }

  package mutating func learn(from history: [Experience], epoch: Int) -> [PolicyStep] {
    history.map { learn(from: $0) }
  }

  /// One step on one stored batch with the current parameters.
  package mutating func learn(from experience: Experience) -> PolicyStep {
    let (value, gradients) = gradients(of: experience)
    optimizer.step(&state, gradients, rate: rate)
    let factors = network.factors(Pass(state, .inference))
    var step = PolicyStep(
      batch: experience.batch, objective: value, gradientNorm: norm(of: gradients.compactMap(\.self)),
      parameterNorm: norm(of: state.parameters.map { state[$0] }))
    (step.logitMix, step.featureMix) = (factors.logit?.doubles, factors.feature?.doubles)
    return step
  }

  /// The objective, and the gradients that a step descends: of the objective where that is a
  /// loss, else of its negative.
  package func gradients(of experience: Experience) -> (objective: Double, gradients: [Tensor?]) {
    let pass = Pass(state, .training)
    let action = action(experience, network.scores(experience.states, pass), network.factors(pass))
    let total = value(action, experience.reward)
    return (total.scalar, pass.gradients(of: objective == .bceOnes ? total : -total))
  }

  /// The objective of an action, shape `[]`.
  package func value(_ action: AgentAction, _ reward: Tensor) -> Tensor {
    objective(action.logit, action.feature, reward)
  }

  private func objective(_ logit: Tensor, _ feature: Tensor, _ reward: Tensor) -> Tensor {
    let count = Double(logit.shape[0])
    switch objective {
    case .linear: return ((logit + feature) * reward).sum() / count
    case .log: return ((floored(logit) + floored(feature)) * reward).sum() / count
    case .bceOnes:
      return (floored(logit) + floored(feature)).scaled(byRow: reward).sum()
        / -(count * Double(logit.shape[1]))
    }
  }

  /// log max(a, exp(-100)); the gradient of a floored entry is 0.
  private func floored(_ weights: Tensor) -> Tensor {
    ((weights - Self.least).relu() + Self.least).log()
  }
}

extension PolicyGradient: Snapshotting {
  package func save(to snapshot: inout Snapshot, under prefix: String) {
    state.save(to: &snapshot, under: prefix)
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try state.restore(from: snapshot, under: prefix)
  }
}
