package import Networks
internal import Specs
internal import Tensors

/// Multi-teacher distillation whose weights are the actions of a policy that is paid for small losses (MTKD-RL, equations 2 to 7).
///
/// Of each batch it builds every teacher's state `[f | z | CE | cos | KL]`, executes the mix of the policy's weights with two heuristics, pays the
/// policy and stores what it learns from. All of that is constant for the student's gradient. In warm-up epochs the executed weights are 1.
///
/// - Source: `methods.md` 2; the presets `paper` and `reference` are bundles of options (2.6).
package struct MTKDRL: DistillationMethod {
  private let distillation: WeightedDistillation
  private let perTeacherReward: Bool
  private let normalisation: Reward.Normalisation
  private let paysAfterUpdate: Bool
  private let divergenceSign: Double
  private let warmupEpochs: Int
  private let warmupWeight: Double
  /// Batches between policy updates within an epoch; nil for none before its end.
  private let interval: Int?
  private var policy: PolicyGradient
  private var normalisers: [RunningNormalisation]
  private var history: [Experience] = []
  /// What the batch in hand will add to the history once it is paid.
  private var pending: Observation?

  package init(_ options: MethodOptions, _ context: MethodContext) {
    distillation = WeightedDistillation(
      alpha: options.number("alpha"), beta: options.number("beta"), temperature: options.number("temperature"),
      features: FitNet(context.scope, student: context.student, teachers: context.teachers))
    perTeacherReward = options.word("rewardScope") == "perTeacher"
    normalisation = Reward.Normalisation(rawValue: options.word("rewardNorm"))!
    paysAfterUpdate = options.word("rewardTiming") == "postUpdate"
    divergenceSign = options.word("divergenceSign") == "released" ? 1 : -1
    warmupEpochs = options.integer("warmupEpochs")!
    warmupWeight = options.word("warmupWeight") == "one" ? 1 : 1 / Double(context.teachers.count)
    interval = options.integer("policyInterval")
    let terms = TeacherMix.Term.allCases.filter { options.words("actionTerms").contains($0.rawValue) }
    let widths = context.teachers.map { $0.embedding + context.classes + 3 }
    policy = PolicyGradient(
      PolicyNetwork(
        PolicyNetwork.Kind(rawValue: options.word("policyNetwork"))!,
        normaliser: PolicyNetwork.Normaliser(rawValue: options.word("weightNormaliser"))!, widths: widths,
        mixes: options.word("mixing") == "dynamic" ? terms.count : 0),
      terms: terms, objective: PolicyGradient.Objective(rawValue: options.word("objective"))!,
      rate: options.number("policyRate"), seed: context.seed, precision: context.precision)
    normalisers = options.word("stateNorm") == "running" ? widths.map { RunningNormalisation(width: $0) } : []
  }

  package mutating func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = distillation.terms(of: batch, pass)
    var observation = Observation(batch, terms, divergenceSign: divergenceSign)
    for index in normalisers.indices {
      observation.states[index] = normalisers[index].standardised(observation.states[index])
    }
    let weights = policy.currentWeights(observation.experience(reward: terms.kl.detached))
    let isWarmup = batch.epoch < warmupEpochs
    let fixed = Tensor.full(warmupWeight, terms.kl.shape, terms.kl.precision)
    let (logit, feature) = isWarmup ? (fixed, fixed) : (weights.logit, weights.feature)
    let loss = distillation.loss(terms, logitWeights: logit, featureWeights: feature)

    observation.logitWeights = logit
    observation.featureWeights = feature
    var details = loss.details
    details.teacherCrossEntropy = observation.crossEntropy
    details.cosine = observation.cosine
    details.policyLogit = weights.policyLogit
    details.policyFeature = weights.policyFeature
    if !paysAfterUpdate {
      let (reward, normalised) = pay(observation, details)
      (details.reward, details.normalisedReward) = (reward, normalised)
      observation.reward = normalised
    }
    pending = observation
    details.nonfiniteSamples = observation.nonfiniteSamples
    return MethodLoss(
      total: loss.total, task: loss.task, logit: loss.logit, feature: loss.feature, details: details)
  }

  package mutating func finishStep(
    _ batch: DistillationBatch, again: () -> (DistillationBatch, Pass)
  ) -> [PolicyStep] {
    guard var observation = pending else { preconditionFailure("a step was finished that had no loss") }
    pending = nil
    if paysAfterUpdate {
      let (changed, pass) = again()
      let terms = distillation.terms(of: changed, pass)
      var details = LossDetails(studentCrossEntropy: terms.task.detached)
      details.kl = terms.kl.detached
      details.distance = terms.distance?.detached
      observation.reward = pay(observation, details).normalised
    }
    if let experience = observation.finiteExperience { history.append(experience) }
    guard let interval, batch.index > 0, batch.index % interval == 0 else { return [] }
    return learn()
  }

  package mutating func finishEpoch() -> [PolicyStep] { learn() }

  private func pay(_ observation: Observation, _ details: LossDetails) -> (reward: Tensor, normalised: Tensor) {
    let (task, kl, distance) = (details.studentCrossEntropy, details.kl!, details.distance!)
    let reward =
      perTeacherReward
      ? Reward.perTeacher(
        task: task, kl: kl, distance: distance, alpha: distillation.alpha, beta: distillation.beta)
      : Reward.perSample(
        task: task, kl: kl, distance: distance, logitWeights: observation.logitWeights!,
        featureWeights: observation.featureWeights!, alpha: distillation.alpha, beta: distillation.beta)
    return (reward, Reward.normalised(reward, normalisation))
  }

  /// One pass over the history, oldest first; then nothing is left. One teacher leaves nothing to choose.
  private mutating func learn() -> [PolicyStep] {
    defer { history = [] }
    return history.first?.confidence.shape[1] == 1 ? [] : history.map { policy.learn(from: $0) }
  }
}

extension MTKDRL {
  package func save(to snapshot: inout Snapshot, under prefix: String) {
    precondition(pending == nil, "a snapshot belongs between steps")
    policy.save(to: &snapshot, under: prefix)
    for (index, normaliser) in normalisers.enumerated() {
      normaliser.save(to: &snapshot, under: "\(prefix)norm.\(index).")
    }
    snapshot.put(prefix + "history", history.map(\.batch))
    for (index, experience) in history.enumerated() {
      experience.save(to: &snapshot, under: "\(prefix)history.\(index).")
    }
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try policy.restore(from: snapshot, under: prefix)
    for index in normalisers.indices { try normalisers[index].restore(from: snapshot, under: "\(prefix)norm.\(index).") }
    history = try snapshot.integers(prefix + "history").enumerated().map { index, batch in
      try Experience(batch: batch, from: snapshot, under: "\(prefix)history.\(index).")
    }
    pending = nil
  }
}

extension Experience {
  fileprivate func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "teachers", states.count)
    for (index, state) in states.enumerated() { snapshot.put("\(prefix)state.\(index)", state) }
    snapshot.put(prefix + "confidence", confidence)
    snapshot.put(prefix + "logitDivergence", logitDivergence)
    snapshot.put(prefix + "featureDivergence", featureDivergence)
    snapshot.put(prefix + "reward", reward)
  }

  fileprivate init(batch: Int, from snapshot: Snapshot, under prefix: String) throws {
    self.init(
      batch: batch,
      states: try (0..<snapshot.integer(prefix + "teachers")).map { try snapshot.tensor("\(prefix)state.\($0)") },
      confidence: try snapshot.tensor(prefix + "confidence"),
      logitDivergence: try snapshot.tensor(prefix + "logitDivergence"),
      featureDivergence: try snapshot.tensor(prefix + "featureDivergence"), reward: try snapshot.tensor(prefix + "reward"))
  }
}
