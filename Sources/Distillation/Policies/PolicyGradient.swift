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

  package init(
    batch: Int, states: [Tensor], confidence: Tensor, logitDivergence: Tensor, featureDivergence: Tensor, reward: Tensor
  ) {
    (self.batch, self.states, self.confidence) = (batch, states, confidence)
    (self.logitDivergence, self.featureDivergence, self.reward) = (logitDivergence, featureDivergence, reward)
  }
}

/// The policy gradient of MTKD-RL: one plain SGD step a stored batch, oldest first (`methods.md` 2.4, agent `pg`).
package struct PolicyGradient: Sendable {
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
  package private(set) var state: ModelState
  private let terms: [TeacherMix.Term]
  private let objective: Objective
  private let rate: Double
  private var optimizer = SGD()

  package init(
    _ network: PolicyNetwork, terms: [TeacherMix.Term], objective: Objective, rate: Double, seed: UInt64,
    precision: Precision
  ) {
    (self.network, self.terms, self.objective, self.rate) = (network, terms, objective, rate)
    state = ModelState(network.declarations, seed: seed, precision: precision)
  }

  /// The policy's own weights and the mix that is executed, `[batch, teachers]` each.
  package func weights(
    _ experience: Experience, _ pass: Pass
  ) -> (policyLogit: Tensor, policyFeature: Tensor, logit: Tensor, feature: Tensor) {
    let (logit, feature) = network.weights(experience.states, pass)
    let factors = network.factors(pass)
    return (
      logit, feature,
      TeacherMix.mixed(
        policy: logit, confidence: experience.confidence, divergence: experience.logitDivergence, terms: terms,
        factors: factors.logit),
      TeacherMix.mixed(
        policy: feature, confidence: experience.confidence, divergence: experience.featureDivergence, terms: terms,
        factors: factors.feature)
    )
  }

  /// Weights under the current parameters, constants.
  package func currentWeights(
    _ experience: Experience
  ) -> (policyLogit: Tensor, policyFeature: Tensor, logit: Tensor, feature: Tensor) {
    weights(experience, Pass(state, .inference))
  }

  /// One step on one stored batch with the current parameters.
  package mutating func learn(from experience: Experience) -> PolicyStep {
    let value: Double
    let gradients: [Tensor?]
    do {
      let pass = Pass(state, .training)
      let mix = weights(experience, pass)
      let total = objective(mix.logit, mix.feature, experience.reward)
      value = total.scalar
      gradients = pass.gradients(of: objective == .bceOnes ? total : -total)
    }
    optimizer.step(&state, gradients, rate: rate)
    let constants = Pass(state, .inference)
    let factors = network.factors(constants)
    return PolicyStep(
      batch: experience.batch, objective: value, gradientNorm: norm(gradients.compactMap(\.self)),
      parameterNorm: norm(state.parameters.map { state[$0] }), logitMix: factors.logit?.doubles,
      featureMix: factors.feature?.doubles)
  }

  private func objective(_ logit: Tensor, _ feature: Tensor, _ reward: Tensor) -> Tensor {
    let count = Double(logit.shape[0])
    switch objective {
    case .linear: return ((logit + feature) * reward).sum() / count
    case .log: return ((floored(logit) + floored(feature)) * reward).sum() / count
    case .bceOnes:
      return (floored(logit) + floored(feature)).scaled(byRow: reward).sum() / -(count * Double(logit.shape[1]))
    }
  }

  /// log max(a, exp(-100)); the gradient of a floored entry is 0.
  private func floored(_ weights: Tensor) -> Tensor {
    ((weights - Self.least).relu() + Self.least).log()
  }

  private func norm(_ tensors: [Tensor]) -> Double {
    tensors.reduce(0) { $0 + $1.l2Norm * $1.l2Norm }.squareRoot()
  }
}

extension PolicyGradient: Snapshotting {
  package func save(to snapshot: inout Snapshot, under prefix: String) { state.save(to: &snapshot, under: prefix) }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try state.restore(from: snapshot, under: prefix)
  }
}
