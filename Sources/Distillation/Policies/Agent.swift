package import Networks
package import Specs
package import Tensors

/// Who decides on the teachers' weights in MTKD-RL, and learns from what that led to.
package protocol Agent: Sendable, Snapshotting {
  static var name: String { get }
  init(_ settings: AgentSettings)
  /// The weights for one batch; changes nothing. Noise is keyed by (seed, epoch, sample, head).
  ///
  /// - Parameter scene: its reward is not read.
  func act(on scene: Experience, samples: [Int], epoch: Int) -> AgentAction
  /// Learns from stored batches, oldest first.
  mutating func learn(from history: [Experience], epoch: Int) -> [PolicyStep]
}

extension Catalog where Entry == any Agent.Type {
  /// What a grid can name as `policy`.
  package static let agents = Catalog(
    "agent", [PolicyGradient.self, DeterministicPolicy.self, ReplayPolicy.self, ProximalPolicy.self]
  ) { $0.name }
}

/// What an agent is made with.
package struct AgentSettings: Sendable {
  package var networkKind = PolicyNetwork.Kind.joint
  package var normaliser = PolicyNetwork.Normaliser.softmaxTeachers
  /// Of each teacher's state.
  package let widths: [Int]
  package let terms: [TeacherMix.Term]
  package var isDynamic = false
  package var objective = PolicyGradient.Objective.linear
  package var rate = 0.1
  package let seed: UInt64
  package let precision: Precision
  /// Hidden width of all networks.
  package var hidden = 128

  package init(widths: [Int], terms: [TeacherMix.Term], seed: UInt64, precision: Precision) {
    self.widths = widths
    self.terms = terms
    self.seed = seed
    self.precision = precision
  }
}

/// What an agent wants of a batch; matrices are `[batch, teachers]`, constants.
package struct AgentAction: Sendable {
  /// The policy's own weights, without noise.
  package let policyLogit: Tensor
  package let policyFeature: Tensor
  /// The mix that is executed.
  package let logit: Tensor
  package let feature: Tensor
  /// What the agent will learn from; nil where it learns from the state alone.
  package let choice: Choice?

  package init(
    policyLogit: Tensor, policyFeature: Tensor, logit: Tensor, feature: Tensor, choice: Choice? = nil
  ) {
    self.policyLogit = policyLogit
    self.policyFeature = policyFeature
    self.logit = logit
    self.feature = feature
    self.choice = choice
  }

  /// The executed mix of a choice with the heuristics, in equal parts.
  init(
    policy: (logit: Tensor, feature: Tensor), weights: (logit: Tensor, feature: Tensor), _ scene: Experience,
    _ terms: [TeacherMix.Term], choice: Choice
  ) {
    self.init(
      policyLogit: policy.logit, policyFeature: policy.feature,
      logit: TeacherMix.mixed(
        policy: weights.logit, confidence: scene.confidence, divergence: scene.logitDivergence,
        terms: terms, factors: nil),
      feature: TeacherMix.mixed(
        policy: weights.feature, confidence: scene.confidence, divergence: scene.featureDivergence,
        terms: terms, factors: nil), choice: choice)
  }
}

/// What an agent chose for a batch, before the heuristics came in.
package struct Choice: Sendable {
  /// `[batch, teachers]`: weights, or what weights are the softmax of.
  package let logit: Tensor
  package let feature: Tensor
  /// The logarithm of the density with which it was chosen, `[batch]`.
  package var density: Tensor?
  /// Fixed weights were executed: critics and baselines learn from them, actors do not.
  package var isWarmup = false

  package init(logit: Tensor, feature: Tensor, density: Tensor? = nil) {
    self.logit = logit
    self.feature = feature
    self.density = density
  }

  /// 1/M each, as stored of warm-up epochs.
  package static func equal(like weights: Tensor) -> Choice {
    let equal = Tensor.full(1 / Double(weights.shape[1]), weights.shape, weights.precision)
    var choice = Choice(logit: equal, feature: equal)
    choice.isWarmup = true
    return choice
  }

  func rows(_ kept: [Int]) -> Choice {
    var choice = Choice(
      logit: logit.rows(kept), feature: feature.rows(kept), density: density?.rows(kept))
    choice.isWarmup = isWarmup
    return choice
  }
}

/// Standard normal numbers for each sample, by where the sample is and not by where it stands in a batch.
func noise(
  _ purpose: String, seed: UInt64, epoch: Int, samples: [Int], head: Int, like tensor: Tensor
) -> Tensor {
  let width = tensor.shape[1]
  let values = samples.flatMap { sample in
    var stream = RandomStream(seed: seed, purpose, epoch, sample, head)
    return (0..<width).map { _ in stream.normal() }
  }
  return Tensor(values, tensor.shape, tensor.precision)
}
