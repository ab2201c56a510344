package import Networks
package import Tensors

/// DPG: a deterministic actor that climbs what a critic says (agent `dpg`, `methods.md` 3.2, our design).
///
///     actor   mu(s) = softmax of h_l(s), softmax of h_f(s)      executes softmax(h + eps), eps ~ N(0, 0.1²)
///     critic  Q(s, a) of the state and both actions             one step towards the reward, then one step of the actor up Q(s, mu(s))
///
/// One pair of steps a stored batch. In warm-up epochs only the critic learns.
package struct DeterministicPolicy: Agent {
  package static let name = "dpg"
  private static let std = 0.1
  private static let criticRate = 0.01
  private static let actorRate = 0.1

  private let network: PolicyNetwork
  private let critic: ScalarNetwork
  private var actorState: ModelState
  private var criticState: ModelState
  private let terms: [TeacherMix.Term]
  private let seed: UInt64

  package init(_ settings: AgentSettings) {
    network = PolicyNetwork(.joint, widths: settings.widths, hidden: settings.hidden)
    critic = Self.critic(settings)
    actorState = ModelState(network.declarations, seed: settings.seed, precision: settings.precision)
    criticState = ModelState(critic.declarations, seed: settings.seed, precision: settings.precision)
    (terms, seed) = (settings.terms, settings.seed)
  }

  static func critic(_ settings: AgentSettings) -> ScalarNetwork {
    ScalarNetwork(
      "critic", inputs: settings.widths.reduce(0, +) + 2 * settings.widths.count, hidden: settings.hidden)
  }

  package func act(on scene: Experience, samples: [Int], epoch: Int) -> AgentAction {
    Self.act(network, actorState, on: scene, samples: samples, epoch: epoch, terms, seed: seed)
  }

  /// The executed weights of `dpg` and `ddpg`.
  static func act(
    _ network: PolicyNetwork, _ state: ModelState, on scene: Experience, samples: [Int], epoch: Int,
    _ terms: [TeacherMix.Term], seed: UInt64
  ) -> AgentAction {
    let scores = network.scores(scene.states, Pass(state, .inference))
    func disturbed(_ scores: Tensor, _ head: Int) -> Tensor {
      let noise = noise(
        "dpg noise", seed: seed, epoch: epoch, samples: samples, head: head, like: scores)
      return (scores + noise * std).softmax()
    }
    let choice = Choice(logit: disturbed(scores.logit, 0), feature: disturbed(scores.feature, 1))
    return AgentAction(
      policy: (scores.logit.softmax(), scores.feature.softmax()), weights: (choice.logit, choice.feature),
      scene, terms, choice: choice)
  }

  package mutating func learn(from history: [Experience], epoch: Int) -> [PolicyStep] {
    history.compactMap { learn(from: $0) }
  }

  private mutating func learn(from experience: Experience) -> PolicyStep? {
    guard let choice = experience.choice else { return nil }
    var sgd = SGD()
    let states = Tensor.concatenated(experience.states, axis: 1)
    let (loss, gradients) = Self.criticStep(
      critic, criticState, states, choice.logit, choice.feature, experience.reward)
    sgd.step(&criticState, gradients, rate: Self.criticRate)
    var step = PolicyStep(
      batch: experience.batch, objective: 0, gradientNorm: 0,
      parameterNorm: norm(of: actorState.parameters.map { actorState[$0] }))
    if !choice.isWarmup {
      let (value, gradients) = Self.actorStep(
        network, actorState, critic, criticState, experience.states)
      sgd = SGD()
      sgd.step(&actorState, gradients, rate: Self.actorRate)
      step = PolicyStep(
        batch: experience.batch, objective: value, gradientNorm: norm(of: gradients.compactMap(\.self)),
        parameterNorm: norm(of: actorState.parameters.map { actorState[$0] }))
    }
    step.valueLoss = loss
    step.valueGradientNorm = norm(of: gradients.compactMap(\.self))
    step.valueNorm = norm(of: criticState.parameters.map { criticState[$0] })
    return step
  }

  /// The mean of (Q(s, a) - r)², and its gradients.
  package static func criticStep(
    _ critic: ScalarNetwork, _ state: ModelState, _ states: Tensor, _ logit: Tensor, _ feature: Tensor,
    _ reward: Tensor
  ) -> (loss: Double, gradients: [Tensor?]) {
    let pass = Pass(state, .training)
    let loss = ScalarNetwork.loss(critic([states, logit, feature], pass), target: reward)
    return (loss.scalar, pass.gradients(of: loss))
  }

  /// J, the mean of Q(s, mu(s)), and the gradients of -J at the actor.
  static func actorStep(
    _ network: PolicyNetwork, _ actor: ModelState, _ critic: ScalarNetwork, _ state: ModelState,
    _ states: [Tensor]
  ) -> (objective: Double, gradients: [Tensor?]) {
    let pass = Pass(actor, .training)
    let scores = network.scores(states, pass)
    let objective = Self.objective(
      scores.logit, scores.feature, critic, Pass(state, .inference), Tensor.concatenated(states, axis: 1))
    return (objective.scalar, pass.gradients(of: -objective))
  }

  /// J of scores h_l and h_f.
  package static func objective(
    _ logit: Tensor, _ feature: Tensor, _ critic: ScalarNetwork, _ pass: Pass, _ states: Tensor
  ) -> Tensor {
    critic([states, logit.softmax(), feature.softmax()], pass).mean()
  }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    actorState.save(to: &snapshot, under: prefix)
    criticState.save(to: &snapshot, under: prefix)
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try actorState.restore(from: snapshot, under: prefix)
    try criticState.restore(from: snapshot, under: prefix)
  }
}
