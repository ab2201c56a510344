package import Networks
internal import Specs
internal import Tensors

/// Multi-teacher distillation whose weights are the actions of a policy that is paid for small losses
/// (MTKD-RL, equations 2 to 7).
///
/// Of each batch it builds every teacher's state `[f | z | CE | cos | KL]`, executes the mix of the policy's
/// weights with two heuristics, pays the policy and stores what it learns from. All of that is constant for
/// the student's gradient. In warm-up epochs the executed weights are 1.
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
  private let entries: [StateEntry]
  private var agent: any Agent
  private var normalisers: [RunningNormalisation]
  private var history: [Experience] = []
  /// What the batch in hand will add to the history once it is paid.
  private var pending: Observation?
  private var epoch = 0

  package init(_ options: MethodOptions, _ context: MethodContext) throws {
    distillation = try WeightedDistillation(options, context, hasFeatures: true)
    let kind = try! Catalog.agents.entry(options.word("policy"))
    // Agents other than the policy gradient are paid by the sample, standardised over
    // the batch (`methods.md` 3).
    let isGradient = kind == PolicyGradient.self
    perTeacherReward = isGradient && options.word("rewardScope") == "perTeacher"
    normalisation =
      isGradient ? Reward.Normalisation(rawValue: options.word("rewardNorm"))! : .zscore
    paysAfterUpdate = options.word("rewardTiming") == "postUpdate"
    divergenceSign = options.word("divergenceSign") == "released" ? 1 : -1
    warmupEpochs = options.integer("policyWarmupEpochs")!
    warmupWeight = options.word("warmupWeight") == "one" ? 1 : 1 / Double(context.teachers.count)
    interval = options.integer("policyInterval")
    let entries = StateEntry.allCases.filter { options.words("stateEntries").contains($0.rawValue) }
    let terms = TeacherMix.Term.allCases.filter { options.words("actionTerms").contains($0.rawValue) }
    let widths = context.teachers.map { teacher in
      entries.reduce(0) { $0 + $1.width(teacher, classes: context.classes) }
    }
    var settings = AgentSettings(
      widths: widths, terms: terms, seed: context.seed, precision: context.precision)
    settings.networkKind = PolicyNetwork.Kind(rawValue: options.word("policyNetwork"))!
    settings.normaliser = PolicyNetwork.Normaliser(rawValue: options.word("weightNormaliser"))!
    settings.isDynamic = options.word("mixing") == "dynamic"
    settings.objective = PolicyGradient.Objective(rawValue: options.word("objective"))!
    settings.rate = options.number("policyRate")
    agent = kind.init(settings)
    normalisers = options.word("stateNorm") == "running" ? widths.map { RunningNormalisation(width: $0) } : []
    self.entries = entries
  }

  package mutating func loss(of batch: DistillationBatch, _ pass: Pass) -> MethodLoss {
    let terms = distillation.terms(of: batch, pass)
    let cosine = Observation.cosine(of: batch, terms)
    var observation = Observation(batch, terms, entries, cosine: cosine, divergenceSign: divergenceSign)
    for index in normalisers.indices {
      observation.states[index] = normalisers[index].standardised(observation.states[index])
    }
    let action = agent.act(
      on: observation.experience(reward: terms.kl), samples: batch.samples, epoch: batch.epoch)
    let isWarmup = batch.epoch < warmupEpochs
    let fixed = Tensor.full(warmupWeight, terms.kl.shape, terms.kl.precision)
    let (logit, feature) = isWarmup ? (fixed, fixed) : (action.logit, action.feature)
    var loss = distillation.loss(terms, logitWeights: logit, featureWeights: feature)

    observation.logitWeights = logit
    observation.featureWeights = feature
    observation.choice = isWarmup ? action.choice.map { _ in .equal(like: fixed) } : action.choice
    loss.details.cosine = observation.cosine
    loss.details.policyLogit = action.policyLogit
    loss.details.policyFeature = action.policyFeature
    loss.details.choice = observation.choice
    if !paysAfterUpdate {
      let (reward, normalised) = pay(observation, terms)
      (loss.details.reward, loss.details.normalisedReward) = (reward, normalised)
      observation.reward = normalised
    }
    pending = observation
    epoch = batch.epoch
    return loss
  }

  package mutating func finishStep(_ batch: DistillationBatch, _ student: SteppedStudent) -> StepOutcome {
    guard var observation = pending else { preconditionFailure("a step was finished that had no loss") }
    pending = nil
    var outcome = StepOutcome()
    if paysAfterUpdate {
      let pass = Pass(student.state, .training)
      let (reward, normalised) = pay(
        observation, distillation.terms(of: student.current.observed(pass), pass))
      (outcome.reward, outcome.normalisedReward) = (reward, normalised)
      observation.reward = normalised
    }
    outcome.nonfiniteSamples = observation.nonfiniteSamples
    if let experience = observation.finiteExperience { history.append(experience) }
    if let interval, batch.index > 0, batch.index % interval == 0 { outcome.policySteps = learn() }
    return outcome
  }

  package mutating func finishEpoch() -> [PolicyStep] { learn() }

  /// The reward by the losses that the student is trained with, whatever they are.
  private func pay(
    _ observation: Observation, _ terms: WeightedDistillation.Terms
  ) -> (reward: Tensor, normalised: Tensor) {
    let (task, logit, feature) = (terms.task.detached, terms.logit.detached, terms.feature!.detached)
    let scales = distillation.scales
    let reward =
      perTeacherReward
      ? Reward.perTeacher(
        task: task, kl: logit, distance: feature, alpha: scales.logit, beta: scales.feature)
      : Reward.perSample(
        task: task, kl: logit, distance: feature, logitWeights: observation.logitWeights!,
        featureWeights: observation.featureWeights!, alpha: scales.logit, beta: scales.feature)
    return (reward, Reward.normalised(reward, normalisation))
  }

  /// One pass over the history, oldest first; then nothing is left. One teacher leaves nothing to choose.
  private mutating func learn() -> [PolicyStep] {
    defer { history = [] }
    return history.first?.confidence.shape[1] == 1 ? [] : agent.learn(from: history, epoch: epoch)
  }
}

extension MTKDRL {
  package func save(to snapshot: inout Snapshot, under prefix: String) {
    precondition(pending == nil, "a snapshot belongs between steps")
    agent.save(to: &snapshot, under: prefix)
    for (index, normaliser) in normalisers.enumerated() {
      normaliser.save(to: &snapshot, under: "\(prefix)norm.\(index).")
    }
    snapshot.put(prefix + "epoch", epoch)
    snapshot.put(prefix + "history", history.map(\.batch))
    for (index, experience) in history.enumerated() {
      experience.save(to: &snapshot, under: "\(prefix)history.\(index).")
    }
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try agent.restore(from: snapshot, under: prefix)
    for index in normalisers.indices {
      try normalisers[index].restore(from: snapshot, under: "\(prefix)norm.\(index).")
    }
    epoch = try snapshot.integer(prefix + "epoch")
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
    guard let choice else { return }
    snapshot.put(prefix + "choice.logit", choice.logit)
    snapshot.put(prefix + "choice.feature", choice.feature)
    snapshot.put(prefix + "choice.isWarmup", choice.isWarmup ? 1 : 0)
    if let density = choice.density { snapshot.put(prefix + "choice.density", density) }
  }

  fileprivate init(batch: Int, from snapshot: Snapshot, under prefix: String) throws {
    self.init(
      batch: batch,
      states: try (0..<snapshot.integer(prefix + "teachers")).map {
        try snapshot.tensor("\(prefix)state.\($0)")
      },
      confidence: try snapshot.tensor(prefix + "confidence"),
      logitDivergence: try snapshot.tensor(prefix + "logitDivergence"),
      featureDivergence: try snapshot.tensor(prefix + "featureDivergence"),
      reward: try snapshot.tensor(prefix + "reward"))
    guard snapshot.has(prefix + "choice.logit") else { return }
    let density = prefix + "choice.density"
    var choice = Choice(
      logit: try snapshot.tensor(prefix + "choice.logit"),
      feature: try snapshot.tensor(prefix + "choice.feature"),
      density: snapshot.has(density) ? try snapshot.tensor(density) : nil)
    choice.isWarmup = try snapshot.integer(prefix + "choice.isWarmup") == 1
    self.choice = choice
  }
}
