import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing

/// What must hold of weights, rewards and policies whatever the numbers are.
@Suite struct WeightPropertyTests {
  private static let precisions = [Precision.double, .single]

  private static func random(
    _ shape: Shape, _ purpose: String, scale: Double = 1, _ precision: Precision = .double
  ) -> Tensor {
    var stream = RandomStream(seed: 11, purpose, shape.count)
    return Tensor((0..<shape.count).map { _ in scale * stream.normal() }, shape, precision)
  }

  private static func isClose(_ a: Tensor, _ b: Tensor, _ tolerance: Double) -> Bool {
    zip(a.doubles, b.doubles).allSatisfy { abs($0 - $1) <= tolerance }
  }

  /// - Parameter scale: of what the heuristics are made from.
  private static func experience(
    _ teachers: Int, batch: Int = 6, width: Int = 5, scale: Double = 1, reward: Tensor? = nil,
    _ precision: Precision = .double
  ) -> Experience {
    func heuristic(_ name: String) -> Tensor { random([batch, teachers], name, scale: scale, precision) }
    return Experience(
      batch: 0,
      states: (0..<teachers).map { random([batch, width], "state \($0)", precision) },
      confidence: TeacherMix.confidence(heuristic("ce")),
      logitDivergence: TeacherMix.divergence(heuristic("kl")),
      featureDivergence: TeacherMix.divergence(heuristic("cos")),
      reward: reward
        ?? Reward.normalised(random([batch, teachers], "reward", precision), .minmaxCentred))
  }

  private static func policy(
    _ teachers: Int, width: Int = 5, _ objective: PolicyGradient.Objective = .linear,
    _ precision: Precision = .double, rate: Double = 0.1, hidden: Int = 16,
    terms: [TeacherMix.Term] = TeacherMix.Term.allCases
  ) -> PolicyGradient {
    var settings = AgentSettings(
      widths: Array(repeating: width, count: teachers), terms: terms, seed: 1, precision: precision)
    settings.networkKind = objective == .bceOnes ? .joint : .perTeacher
    settings.objective = objective
    settings.rate = rate
    settings.hidden = hidden
    return PolicyGradient(settings)
  }

  // MARK: Sums and permutations

  @Test(arguments: 2...5, precisions)
  func `weights sum to 1, lie in 0 to 1 and follow their teachers`(_ teachers: Int, _ precision: Precision) {
    let tolerance = precision == .double ? 1e-12 : 1e-6
    let ce = Self.random([6, teachers], "ce", scale: 3, precision)
    let turned = Array((1..<teachers)) + [0]
    func turn(_ matrix: Tensor) -> Tensor {
      Tensor.concatenated(turned.map { matrix.sliced(axis: 1, from: $0, to: $0 + 1) }, axis: 1)
    }
    let kinds: [(Tensor) -> Tensor] = [
      TeacherMix.confidence, TeacherMix.divergence,
      { EntropyKD.weights($0.square(), .normalised) }, { EntropyKD.weights($0.square(), .inverse) },
      {
        TeacherMix.mixed(
          policy: $0.softmax(), confidence: TeacherMix.confidence($0), divergence: TeacherMix.divergence($0),
          terms: TeacherMix.Term.allCases, factors: nil)
      },
    ]
    for kind in kinds {
      let weights = kind(ce)
      #expect(weights.doubles.allSatisfy { -tolerance <= $0 && $0 <= 1 + tolerance })
      #expect(weights.rowSums().doubles.allSatisfy { abs($0 - 1) <= tolerance })
      #expect(Self.isClose(kind(turn(ce)), turn(weights), tolerance))
    }
    let complement = EntropyKD.weights(ce.square(), .complement).rowSums().doubles
    #expect(complement.allSatisfy { abs($0 - Double(teachers - 1)) <= tolerance * 10 })
  }

  @Test(arguments: 2...5)
  func `a teacher that fits the label better has more confidence`(_ teachers: Int) {
    let ce = Self.random([8, teachers], "order", scale: 2)
    let (errors, weights) = (ce.doubles, TeacherMix.confidence(ce).doubles)
    for row in stride(from: 0, to: errors.count, by: teachers) {
      let order = (row..<(row + teachers)).sorted { errors[$0] < errors[$1] }
      #expect(zip(order, order.dropFirst()).allSatisfy { weights[$0] >= weights[$1] })
    }
    let equal = TeacherMix.confidence(.full(0.7, [3, teachers], .double))
    #expect(equal.doubles.allSatisfy { abs($0 - 1 / Double(teachers)) < 1e-12 })
  }

  @Test(arguments: 2...5)
  func `a permuted pool moves the policy's weights with its parameters`(_ teachers: Int) {
    let policy = Self.policy(teachers)
    let experience = Self.experience(teachers)
    let turned = Array(1..<teachers) + [0]
    var other = Self.policy(teachers)
    for (slot, declaration) in zip(other.state.slots, other.state.declarations) {
      let parts = declaration.path.split(separator: ".").map(String.init)
      let source = "policy.\(turned[Int(parts[1])!]).\(parts[2...].joined(separator: "."))"
      let index = policy.state.declarations.firstIndex { $0.path == source }!
      other.state[slot] = policy.state[policy.state.slots[index]]
    }
    func turn(_ matrix: Tensor) -> Tensor {
      Tensor.concatenated(turned.map { matrix.sliced(axis: 1, from: $0, to: $0 + 1) }, axis: 1)
    }
    let moved = Experience(
      batch: 0, states: turned.map { experience.states[$0] }, confidence: turn(experience.confidence),
      logitDivergence: turn(experience.logitDivergence),
      featureDivergence: turn(experience.featureDivergence), reward: turn(experience.reward))
    let (a, b) = (
      policy.act(on: experience, samples: [], epoch: 1), other.act(on: moved, samples: [], epoch: 1)
    )
    #expect(Self.isClose(b.logit, turn(a.logit), 1e-12))
    #expect(Self.isClose(b.feature, turn(a.feature), 1e-12))
  }

  // MARK: Rewards

  @Test(arguments: 2...5, precisions)
  func `the student's own loss and the scale of rewards do not matter`(
    _ teachers: Int, _ precision: Precision
  ) {
    let tolerance = precision == .double ? 1e-12 : 2e-5
    let reward = Self.random([6, teachers], "raw", precision)
    let shift = Self.random([6], "shift", precision)
    let stretch = (Self.random([6], "stretch", precision)).exp()
    let plain = Reward.normalised(reward, .minmaxCentred)
    for other in [reward.adding(shift, along: 0), reward.scaled(byRow: stretch)] {
      let normalised = Reward.normalised(other, .minmaxCentred)
      #expect(Self.isClose(plain, normalised, tolerance))
      let policy = Self.policy(teachers, .linear, precision)
      let a = policy.gradients(of: Self.experience(teachers, reward: plain, precision)).gradients
      let b = policy.gradients(of: Self.experience(teachers, reward: normalised, precision)).gradients
      for (a, b) in zip(a, b) { #expect(Self.isClose(a!, b!, tolerance)) }
    }
  }

  @Test(arguments: 2...5)
  func `the mean in equation 7 matters to the logarithm and not to the linear objective`(_ teachers: Int) {
    let reward = Self.random([6, teachers], "raw")
    func gradients(_ kind: Reward.Normalisation, _ objective: PolicyGradient.Objective) -> [Tensor] {
      let policy = Self.policy(teachers, objective)
      return policy.gradients(of: Self.experience(teachers, reward: Reward.normalised(reward, kind)))
        .gradients.map { $0! }
    }
    func agree(_ objective: PolicyGradient.Objective) -> Bool {
      zip(gradients(.minmaxRaw, objective), gradients(.minmaxCentred, objective)).allSatisfy {
        Self.isClose($0, $1, 1e-12)
      }
    }
    #expect(agree(.linear))
    #expect(!agree(.log))
  }

  @Test(arguments: Reward.Normalisation.allCases.filter { $0 != .none })
  func `rewards that do not differ are worth nothing`(_ kind: Reward.Normalisation) {
    let shape: Shape = kind.isPerTeacher ? [4, 3] : [12]
    #expect(Reward.normalised(.full(-3.25, shape, .double), kind).doubles.allSatisfy { $0 == 0 })
    let single: Shape = kind.isPerTeacher ? [1, 1] : [1]
    #expect(Reward.normalised(.full(-3.25, single, .double), kind).doubles == [0])
  }

  // MARK: Policies

  @Test(arguments: 2...5)
  func `a small step climbs, and a step with the sign of equation 6 as printed falls`(_ teachers: Int) {
    let experience = Self.experience(teachers)
    func change(_ rate: Double) -> Double {
      var policy = Self.policy(teachers, rate: rate)
      let before = policy.gradients(of: experience).objective
      _ = policy.learn(from: experience)
      return policy.gradients(of: experience).objective - before
    }
    #expect(change(1e-4) > 0)
    #expect(change(-1e-4) < 0)
  }

  @Test func `the paper's policy finds each sample's best teacher`() {
    let reward = Reward.normalised(Self.random([6, 3], "best"), .minmaxCentred)
    var policy = Self.policy(3, width: 16, rate: 1, hidden: 64)
    let experience = Self.experience(3, width: 16, reward: reward)
    for _ in 0..<3000 { _ = policy.learn(from: experience) }
    let weights = policy.act(on: experience, samples: [], epoch: 1).policyLogit.doubles
    for (sample, best) in reward.largestPerRow().enumerated() { #expect(weights[sample * 3 + best] > 0.99) }
  }

  @Test func `the release's policy is drawn to equal weights whatever the reward`() {
    // Heuristics near 1/3, which weights in [0, 1] can make up for: w = 3/M - c - d.
    let experience = Self.experience(3, width: 16, scale: 0.3, reward: .full(1, [6], .double))
    var policy = Self.policy(3, width: 16, .bceOnes, rate: 0.5, hidden: 64)
    for _ in 0..<3000 { _ = policy.learn(from: experience) }
    let action = policy.act(on: experience, samples: [], epoch: 1)
    let all: [Double] = action.logit.doubles + action.feature.doubles
    let distance: Double = all.reduce(0) { $0 + abs($1 - 1.0 / 3) } / 36
    #expect(distance < 1e-6)
  }

  @Test(arguments: [PolicyGradient.Objective.linear, .bceOnes])
  func `a policy that is paid nothing stays as it is`(_ objective: PolicyGradient.Objective) {
    let shape: Shape = objective == .bceOnes ? [6] : [6, 3]
    var policy = Self.policy(3, objective)
    let before = policy.state.slots.map { policy.state[$0].doubles }
    let step = policy.learn(from: Self.experience(3, reward: .zeros(shape, .double)))
    #expect(step.objective == 0 && step.gradientNorm == 0)
    #expect(policy.state.slots.map { policy.state[$0].doubles } == before)
  }

  @Test(arguments: Catalog.agents.names)
  func `an agent's noise belongs to the sample, not to its place`(_ name: String) throws {
    var settings = AgentSettings(
      widths: [5, 5], terms: TeacherMix.Term.allCases, seed: 1, precision: .double)
    settings.hidden = 8
    let agent = try Catalog.agents.entry(name).init(settings)
    let scene = Self.experience(2)
    let order = [3, 1, 5, 0, 4, 2]
    let turned = Experience(
      batch: 0, states: scene.states.map { $0.rows(order) }, confidence: scene.confidence.rows(order),
      logitDivergence: scene.logitDivergence.rows(order),
      featureDivergence: scene.featureDivergence.rows(order), reward: scene.reward.rows(order))
    let samples = [10, 11, 12, 13, 14, 15]
    let a = agent.act(on: scene, samples: samples, epoch: 2)
    let b = agent.act(on: turned, samples: order.map { samples[$0] }, epoch: 2)
    #expect(Self.isClose(a.logit.rows(order), b.logit, 1e-12))
    let later = agent.act(on: scene, samples: samples, epoch: 3)
    #expect(Self.isClose(a.logit, later.logit, 1e-12) == (name == "pg"))
  }

  @Test(arguments: ["dpg", "ddpg"])
  func `a critic learns what actions are worth`(_ name: String) throws {
    var settings = AgentSettings(
      widths: [3, 3], terms: TeacherMix.Term.allCases, seed: 1, precision: .double)
    settings.hidden = 16
    var agent = try Catalog.agents.entry(name).init(settings)
    var losses: [Double] = []
    for round in 0..<60 {
      let scene = Self.experience(2, batch: 16, width: 3)
      let choice = try #require(
        agent.act(on: scene, samples: Array(0..<16), epoch: round).choice)
      // Paid for the first teacher's weight.
      let reward = choice.logit.sliced(axis: 1, from: 0, to: 1).reshaped([16]) * 4
      let paid = Experience(
        batch: 0, states: scene.states, confidence: scene.confidence,
        logitDivergence: scene.logitDivergence, featureDivergence: scene.featureDivergence, reward: reward,
        choice: choice)
      losses += agent.learn(from: [paid], epoch: round).compactMap(\.valueLoss)
    }
    #expect(losses.last! < losses[0] * 0.8)
  }

  @Test func `a replay memory holds the newest and gives back what came in`() {
    var memory = ReplayMemory(capacity: 5)
    for batch in 0..<4 {
      let values = [0, 1, 2].map { Double(batch * 3 + $0) }
      memory.append(
        states: Tensor(values, [3, 1], .double), actions: Tensor(values, [3, 1], .double),
        rewards: Tensor(values, [3], .double))
    }
    #expect(memory.count == 5)
    #expect(memory.rows([0, 4, 2]).rewards.doubles == [7, 11, 9])
  }

  @Test func `a hard buffer fills first and is then overwritten by what was wrong`() {
    var buffer = HardBuffer(capacity: 5)
    var stream = RandomStream(seed: 1, "buffer")
    func views(_ range: Range<Int>) -> [SampleView] { range.map { SampleView(epoch: 0, sample: $0) } }
    #expect(buffer.add(views(0..<3), isWrong: [false, false, false], &stream) == nil)
    buffer.add(views(3..<6), isWrong: [true, true, true], &stream)
    #expect(buffer.views == views(0..<5))
    let places = buffer.add(views(6..<9), isWrong: [false, true, true], &stream)
    #expect(places?.map { buffer.views[$0].sample } == [7, 8])
    #expect(buffer.count == 5)
    #expect(
      Set(buffer.views).isSuperset(of: [SampleView(epoch: 0, sample: 7), SampleView(epoch: 0, sample: 8)]))
    #expect(!buffer.views.contains(SampleView(epoch: 0, sample: 6)))
    #expect(Set(buffer.draw(5, &stream)).count == 5)
  }

  // MARK: Minimum norm

  @Test(arguments: 2...8)
  func `minimum-norm weights are feasible, do not depend on scale and beat every other point`(_ count: Int) {
    var stream = RandomStream(seed: 3, "vectors", count)
    let vectors = (0..<count).map { _ in (0..<4).map { _ in stream.normal() + 0.3 } }
    func length(_ weights: [Double]) -> Double {
      (0..<4).reduce(0) { sum, column in
        let entry = zip(weights, vectors).reduce(0) { $0 + $1.0 * $1.1[column] }
        return sum + entry * entry
      }
    }
    for bound in [0.6, 1, 1.5 / Double(count)] {
      let weights = AgreeingWeights.weights(vectors, bound: bound)
      #expect(abs(weights.reduce(0, +) - 1) < 1e-9)
      #expect(weights.allSatisfy { -1e-9 <= $0 && $0 <= max(bound, 1 / Double(count)) + 1e-9 })
      let scaled = AgreeingWeights.weights(vectors.map { $0.map { $0 * 1e-5 } }, bound: bound)
      #expect(zip(weights, scaled).allSatisfy { abs($0 - $1) < 1e-6 })
      for _ in 0..<200 {
        // A random point of the box on the simplex, by mixing corners.
        var point = [Double](repeating: 0, count: count)
        let parts = (0..<3).map { _ in stream.uniform() }
        for part in parts {
          var rest = 1.0
          for index in stream.shuffled(count: count) {
            let weight = min(max(bound, 1 / Double(count)), rest)
            point[index] += weight * part / parts.reduce(0, +)
            rest -= weight
          }
        }
        #expect(length(weights) <= length(point) + 1e-8)
      }
    }
    #expect(
      AgreeingWeights.weights(vectors, bound: 1 / Double(count)).allSatisfy {
        abs($0 - 1 / Double(count)) < 1e-12
      })
  }

  @Test func `few and many vectors are solved alike`() {
    var stream = RandomStream(seed: 3, "both ways")
    let vectors = (0..<6).map { _ in (0..<9).map { _ in stream.normal() } }
    // A seventh vector too long to be used sends the same problem to the other solver.
    let far = vectors + [(0..<9).map { _ in 1e3 }]
    let (few, many) = (
      AgreeingWeights.weights(vectors, bound: 0.6), AgreeingWeights.weights(far, bound: 0.6)
    )
    #expect(zip(few, many).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  @Test func `vectors that vanish or are no numbers weigh alike`() {
    for value in [0, Double.nan, .infinity] {
      let weights = AgreeingWeights.weights(Array(repeating: [value, value], count: 3), bound: 0.6)
      #expect(weights == Array(repeating: 1 / 3.0, count: 3))
    }
  }

  @Test func `map gradients are solved at length 1 and scaled back`() {
    let vectors = [[2.0, 0], [0, 1]]
    // Equal halves of unit vectors, divided by 2 and by 1.
    let weights = AgreeingWeights.unitWeights(vectors) { AgreeingWeights.weights($0, bound: 1) }
    #expect(abs(weights[0] - 1 / 3.0) < 1e-9 && abs(weights[1] - 2 / 3.0) < 1e-9)
  }

  // MARK: Losses

  @Test(arguments: precisions)
  func `DIST vanishes for equal logits and does not see a shift`(_ precision: Precision) {
    let tolerance = precision == .double ? 1e-6 : 1e-4
    let logits = Self.random([6, 5], "logits", precision)
    let dist = DIST(temperature: 1)
    #expect(dist.costs(student: logits, teachers: [logits]).doubles.allSatisfy { abs($0) < tolerance })
    let (other, shift) = (Self.random([6, 5], "other", precision), Self.random([6], "shift", precision))
    #expect(
      Self.isClose(
        dist.costs(student: other, teachers: [logits]),
        dist.costs(student: other.adding(shift, along: 0), teachers: [logits]), tolerance))
    let single = dist.terms(student: logits.rows([0]), teacher: other.rows([0]))
    #expect(single.intra.scalar == 0)
  }

  @Test(arguments: precisions)
  func `ND lies in 0 to 2`(_ precision: Precision) {
    let (student, teacher) = (Self.random([40, 3], "g", precision), Self.random([40, 3], "f", precision))
    let directions = DirectNorm.directions(Self.random([40, 3], "e", precision))
    let costs = DirectNorm.costs(student, teacher: teacher, directions: directions).doubles
    #expect(costs.allSatisfy { -1e-6 <= $0 && $0 <= 2 + 1e-6 })
    let same = DirectNorm.costs(directions, teacher: directions, directions: directions).doubles
    #expect(same.allSatisfy { abs($0) < 1e-6 })
  }

  @Test func `every teacher's map is aligned from the student's own`() {
    let map = Self.random([2, 3, 8, 8], "map")
    func teacher(_ side: Int) -> Activations {
      Activations(
        maps: [.zeros([2, 3, side, side], .double)], embedding: .zeros([2, 3], .double),
        logits: .zeros([2, 2], .double))
    }
    func transformed(_ sides: [Int]) -> [Int: [Double]] {
      let scope = Scope()
      let shapes = sides.map { ActivationShape(map: [3, $0, $0], embedding: 3) }
      let regressors = Regressors(
        scope, student: ActivationShape(map: [3, 8, 8], embedding: 3), teachers: shapes)
      var state = ModelState(scope.declarations, seed: 1, precision: .double)
      // The same regressor for every teacher, so that only alignment tells them apart.
      for (slot, declaration) in zip(state.slots, scope.declarations) where declaration.role == .parameter {
        let name = declaration.path.split(separator: ".").dropFirst(2).joined(separator: ".")
        state[slot] = Self.random(declaration.shape, name)
      }
      let maps = regressors.transformed(map, like: sides.map(teacher), Pass(state, .training))
      return Dictionary(uniqueKeysWithValues: zip(sides, maps.map(\.doubles)))
    }
    #expect(transformed([4, 8, 2]) == transformed([8, 2, 4]))
  }
}
