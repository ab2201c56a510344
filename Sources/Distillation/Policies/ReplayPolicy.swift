package import Networks
package import Tensors

/// DDPG: the actor and critic of DPG with a replay memory, target copies and Adam (agent `ddpg`,
/// `methods.md` 3.3, our design).
///
/// At the end of an epoch as many minibatches are drawn as the epoch had batches, each of 64 different
/// transitions; the critic's step comes before the actor's, then both target copies follow. Episodes have one
/// step and the discount is 0, so the critic's target is the reward: the target copies do not influence
/// training. In warm-up epochs only the critic learns.
package struct ReplayPolicy: Agent {
  package static let name = "ddpg"
  /// Transitions; bounds the memory at 20 000 (S + 2M + 1) numbers.
  private static let capacity = 20_000
  private static let minibatch = 64
  private static let criticRate = 1e-3
  private static let actorRate = 1e-4
  private static let criticDecay = 1e-2
  private static let tau = 0.005

  private let network: PolicyNetwork
  private let critic: ScalarNetwork
  private let widths: [Int]
  private let terms: [TeacherMix.Term]
  private let seed: UInt64
  private var actorState: ModelState
  private var criticState: ModelState
  private var actorTarget: ModelState
  private var criticTarget: ModelState
  private var actorAdam = Adam()
  private var criticAdam = Adam(weightDecay: Self.criticDecay)
  private var memory = ReplayMemory(capacity: Self.capacity)
  /// Minibatches drawn so far: names the stream of the next.
  private var draws = 0

  package init(_ settings: AgentSettings) {
    network = PolicyNetwork(.joint, widths: settings.widths, hidden: settings.hidden)
    critic = DeterministicPolicy.critic(settings)
    actorState = ModelState(network.declarations, seed: settings.seed, precision: settings.precision)
    criticState = ModelState(critic.declarations, seed: settings.seed, precision: settings.precision)
    (actorTarget, criticTarget) = (actorState, criticState)
    (widths, terms, seed) = (settings.widths, settings.terms, settings.seed)
  }

  package func act(on scene: Experience, samples: [Int], epoch: Int) -> AgentAction {
    DeterministicPolicy.act(
      network, actorState, on: scene, samples: samples, epoch: epoch, terms, seed: seed)
  }

  package mutating func learn(from history: [Experience], epoch: Int) -> [PolicyStep] {
    var isWarmup = false
    for experience in history {
      guard let choice = experience.choice else { continue }
      isWarmup = choice.isWarmup
      memory.append(
        states: Tensor.concatenated(experience.states, axis: 1),
        actions: Tensor.concatenated([choice.logit, choice.feature], axis: 1), rewards: experience.reward)
    }
    guard memory.count > 0 else { return [] }
    return history.map { step(batch: $0.batch, isWarmup: isWarmup) }
  }

  private mutating func step(batch: Int, isWarmup: Bool) -> PolicyStep {
    var stream = RandomStream(seed: seed, "ddpg minibatch", draws)
    draws += 1
    let chosen = Array(stream.shuffled(count: memory.count).prefix(Self.minibatch))
    let (states, actions, rewards) = memory.rows(chosen)
    let teachers = widths.count
    let (loss, gradients) = DeterministicPolicy.criticStep(
      critic, criticState, states, actions.sliced(axis: 1, from: 0, to: teachers),
      actions.sliced(axis: 1, from: teachers, to: 2 * teachers), rewards)
    criticAdam.step(&criticState, gradients, rate: Self.criticRate)
    var (objective, length) = (0.0, 0.0)
    if !isWarmup {
      let (value, gradients) = DeterministicPolicy.actorStep(
        network, actorState, critic, criticState, split(states))
      actorAdam.step(&actorState, gradients, rate: Self.actorRate)
      (objective, length) = (value, norm(of: gradients.compactMap(\.self)))
    }
    criticTarget.follow(criticState, tau: Self.tau)
    actorTarget.follow(actorState, tau: Self.tau)
    var step = PolicyStep(
      batch: batch, objective: objective, gradientNorm: length,
      parameterNorm: norm(of: actorState.parameters.map { actorState[$0] }))
    step.valueLoss = loss
    step.valueGradientNorm = norm(of: gradients.compactMap(\.self))
    step.valueNorm = norm(of: criticState.parameters.map { criticState[$0] })
    step.rows = chosen
    return step
  }

  /// Each teacher's columns.
  private func split(_ states: Tensor) -> [Tensor] {
    var start = 0
    return widths.map { width in
      defer { start += width }
      return states.sliced(axis: 1, from: start, to: start + width)
    }
  }

  package func save(to snapshot: inout Snapshot, under prefix: String) {
    actorState.save(to: &snapshot, under: prefix)
    criticState.save(to: &snapshot, under: prefix)
    actorTarget.save(to: &snapshot, under: prefix + "target/")
    criticTarget.save(to: &snapshot, under: prefix + "target/")
    actorAdam.save(to: &snapshot, under: prefix + "adam/actor/")
    criticAdam.save(to: &snapshot, under: prefix + "adam/critic/")
    memory.save(to: &snapshot, under: prefix + "memory/")
    snapshot.put(prefix + "draws", draws)
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    try actorState.restore(from: snapshot, under: prefix)
    try criticState.restore(from: snapshot, under: prefix)
    try actorTarget.restore(from: snapshot, under: prefix + "target/")
    try criticTarget.restore(from: snapshot, under: prefix + "target/")
    try actorAdam.restore(from: snapshot, under: prefix + "adam/actor/")
    try criticAdam.restore(from: snapshot, under: prefix + "adam/critic/")
    try memory.restore(from: snapshot, under: prefix + "memory/")
    draws = try snapshot.integer(prefix + "draws")
  }
}

extension ModelState {
  /// self <- tau other + (1 - tau) self, parameter by parameter: the target copies of DDPG.
  package mutating func follow(_ other: ModelState, tau: Double) {
    for slot in parameters { self[slot].blend(with: other[slot], keeping: 1 - tau) }
  }
}

/// Transitions in the order of their arrival; the oldest make room for the newest.
package struct ReplayMemory: Sendable {
  private struct Chunk {
    let states: Tensor
    let actions: Tensor
    let rewards: Tensor
  }

  private let capacity: Int
  private var chunks: [Chunk] = []
  /// Transitions of the first chunk that are gone.
  private var gone = 0

  package init(capacity: Int) { self.capacity = capacity }

  package var count: Int { chunks.reduce(-gone) { $0 + $1.rewards.count } }

  /// - Parameters:
  ///   - states: `[batch, width]`.
  ///   - actions: `[batch, 2 teachers]`.
  ///   - rewards: `[batch]`.
  package mutating func append(states: Tensor, actions: Tensor, rewards: Tensor) {
    chunks.append(Chunk(states: states.detached, actions: actions.detached, rewards: rewards.detached))
    gone += max(0, count - capacity)
    while let first = chunks.first, gone >= first.rewards.count, chunks.count > 1 {
      gone -= first.rewards.count
      chunks.removeFirst()
    }
  }

  /// Transitions by age, 0 the oldest.
  package func rows(_ indices: [Int]) -> (states: Tensor, actions: Tensor, rewards: Tensor) {
    var ends: [Int] = []
    for chunk in chunks { ends.append((ends.last ?? 0) + chunk.rewards.count) }
    let places = indices.map { index in
      let place = index + gone
      let chunk = ends.firstIndex { place < $0 }!
      return (chunk: chunks[chunk], row: place - (chunk > 0 ? ends[chunk - 1] : 0))
    }
    func gathered(_ tensor: (Chunk) -> Tensor) -> Tensor {
      Tensor.concatenated(places.map { tensor($0.chunk).rows([$0.row]) }, axis: 0)
    }
    return (gathered(\.states), gathered(\.actions), gathered(\.rewards))
  }
}

extension ReplayMemory: Snapshotting {
  package func save(to snapshot: inout Snapshot, under prefix: String) {
    snapshot.put(prefix + "place", [chunks.count, gone])
    for (index, chunk) in chunks.enumerated() {
      snapshot.put("\(prefix)\(index).states", chunk.states)
      snapshot.put("\(prefix)\(index).actions", chunk.actions)
      snapshot.put("\(prefix)\(index).rewards", chunk.rewards)
    }
  }

  package mutating func restore(from snapshot: Snapshot, under prefix: String) throws {
    let place = try snapshot.integers(prefix + "place")
    guard place.count == 2 else {
      throw SnapshotError.unexpected(prefix + "place", found: "\(place.count) integers", expected: "2")
    }
    gone = place[1]
    chunks = try (0..<place[0]).map { index in
      Chunk(
        states: try snapshot.tensor("\(prefix)\(index).states"),
        actions: try snapshot.tensor("\(prefix)\(index).actions"),
        rewards: try snapshot.tensor("\(prefix)\(index).rewards"))
    }
  }
}
