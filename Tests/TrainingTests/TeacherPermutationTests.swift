import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

@testable import Distillation

/// Whose teachers stand in another order ends the same way: what a method holds of each teacher moves with
/// it, and nothing else changes.
@Suite struct TeacherPermutationTests {
  /// Where the teachers of the second run stand in the first.
  private static let order = [2, 0, 1]

  /// How far a variant follows its teachers, and why not further. All that is not named here does so in
  /// every step of a whole run.
  private enum Following: Equatable {
    case always
    /// ND's projector drops out elements by a stream that the teacher's place names; teachers of the
    /// student's width have no projector.
    case withoutProjectors
    /// Agents draw the noise of a sample for all teachers at once, in their order: what is executed does not
    /// follow, while warm-up executes fixed weights. What agents learn follows, given the same choices:
    /// `an agent learns the same of teachers in another order`.
    case inWarmUp
    /// The start of the released solver hands out weights from the first teacher on, up to the bound.
    case never

    init(_ variant: MethodVariant) {
      let options = variant.options
      if options["ndMode"].map({ $0 != "off" }) == true {
        self = .withoutProjectors
      } else if options["policy"].map({ $0 != "pg" }) == true {
        self = .inWarmUp
      } else if options["aekdSolver"] == "releasedStart" {
        self = .never
      } else {
        self = .always
      }
    }
  }

  private static let variants = MethodVariant.all.filter { $0.method != "baseline" }

  /// Both runs, step by step, from arrays that were exchanged as the teachers were.
  private func runs(
    _ variant: MethodVariant, _ change: (inout TinyRun) -> Void = { _ in }
  ) throws -> (a: [StepReport], b: [StepReport], moved: Safetensors, ends: Safetensors) {
    var tiny = variant.tiny { $0.pool = [0, 1, 2] }
    change(&tiny)
    var other = tiny
    other.pool = Self.order.map { tiny.pool![$0] }
    let exchange = try Exchange(tiny, Self.order)
    var (first, second) = (try tiny.run(), try other.run())
    try second.restore(from: Snapshot(decoding: exchange.moved(first.snapshot).encoded()))
    var (a, b): ([StepReport], [StepReport]) = ([], [])
    while let report = try first.step() { a.append(report) }
    while let report = try second.step() { b.append(report) }
    return (a, b, try exchange.moved(first.snapshot), try Safetensors(decoding: second.snapshot.encoded()))
  }

  @Test(arguments: variants)
  func `losses, weights and state follow the teachers`(_ variant: MethodVariant) throws {
    let following = Following(variant)
    let (a, b, moved, ends) = try runs(variant) { tiny in
      if following == .withoutProjectors { tiny.pool = [0, 2, 4] }
      if following == .inWarmUp { tiny.options["warmupEpochs"] = .number(DecimalNumber(tiny.epochs)) }
    }
    guard following != .never else {
      return #expect(Self.distance(a, b) > 1e-3, "an exception that follows its teachers after all is none")
    }
    #expect(a.count == b.count && a.count > 5)
    #expect(Self.distance(a, b) < 1e-8)
    #expect(Set(moved.entries.map(\.name)) == Set(ends.entries.map(\.name)))
    for entry in moved.entries where !Exchange.isByPlace(entry.name) {
      let other = try #require(ends[entry.name], "\(entry.name)")
      guard let (x, y) = entry.tensor.flatMap({ x in other.tensor.map { (x.doubles, $0.doubles) } }) else {
        #expect(entry.bytes == other.bytes, "\(entry.name)")
        continue
      }
      #expect(zip(x, y).allSatisfy { abs($0 - $1) < 1e-7 * max(1, abs($0)) }, "\(entry.name)")
    }
  }

  /// What would be told if the exceptions above were none.
  @Test(arguments: variants.filter { ![.always, .never].contains(Following($0)) })
  func `what is excepted does not follow where it could not`(_ variant: MethodVariant) throws {
    let (a, b, _, _) = try runs(variant)
    #expect(Self.distance(a, b) > 1e-6)
  }

  /// The largest difference in any loss or weight of any step, weights compared teacher by teacher.
  private static func distance(_ a: [StepReport], _ b: [StepReport]) -> Double {
    func difference(_ x: Tensor?, _ y: Tensor?) -> Double {
      guard let x, let y else { return x == nil && y == nil ? 0 : .infinity }
      let turned = Tensor.concatenated(order.map { x.sliced(axis: 1, from: $0, to: $0 + 1) }, axis: 1)
      return zip(turned.doubles, y.doubles).map { abs($0 - $1) }.max() ?? 0
    }
    return zip(a, b).flatMap { a, b -> [Double] in
      let (x, y) = (a.loss.details, b.loss.details)
      let rewards =
        x.reward?.shape.count == x.studentCrossEntropy.shape.count ? [] : [difference(x.reward, y.reward)]
      return rewards + [
        abs(a.loss.total.scalar - b.loss.total.scalar), abs(a.loss.task - b.loss.task),
        abs((a.loss.logit ?? 0) - (b.loss.logit ?? 0)), abs((a.loss.feature ?? 0) - (b.loss.feature ?? 0)),
        difference(x.logitWeights, y.logitWeights), difference(x.featureWeights, y.featureWeights),
        difference(x.policyLogit, y.policyLogit), difference(x.policyFeature, y.policyFeature),
        difference(x.kl, y.kl), difference(x.teacherCrossEntropy, y.teacherCrossEntropy),
      ]
    }.max() ?? .infinity
  }

  // MARK: Agents

  @Test(arguments: Catalog.agents.names)
  func `an agent learns the same of teachers in another order`(_ name: String) throws {
    let widths = [5, 4, 6]
    for kind in name == "pg" ? PolicyNetwork.Kind.allCases : [.joint] {
      func agent(_ widths: [Int]) throws -> any Agent {
        var settings = AgentSettings(
          widths: widths, terms: TeacherMix.Term.allCases, seed: 1, precision: .double)
        settings.hidden = 8
        settings.networkKind = kind
        return try Catalog.agents.entry(name).init(settings)
      }
      let exchange = Exchange(order: Self.order, widths: widths, classes: 1, batch: 1)
      var (a, b) = (try agent(widths), try agent(Self.order.map { widths[$0] }))
      func snapshot(_ agent: any Agent) -> Snapshot {
        var snapshot = Snapshot()
        agent.save(to: &snapshot, under: "method/")
        return snapshot
      }
      try b.restore(from: Snapshot(decoding: exchange.moved(snapshot(a)).encoded()), under: "method/")
      for epoch in 1...3 {
        let scenes = (0..<4).map { scene(widths, epoch, $0, isByTeacher: name == "pg") }
        let history = scenes.enumerated().map { index, scene in
          var scene = scene
          scene.choice = a.act(on: scene, samples: Array(0..<6), epoch: epoch).choice
          return scene
        }
        let x = a.learn(from: history, epoch: epoch)
        let y = b.learn(from: history.map { turned($0) }, epoch: epoch)
        #expect(x.count == y.count && !x.isEmpty)
        for (x, y) in zip(x, y) {
          #expect(abs(x.objective - y.objective) < 1e-9 && abs(x.gradientNorm - y.gradientNorm) < 1e-9)
          #expect(abs((x.valueLoss ?? 0) - (y.valueLoss ?? 0)) < 1e-9)
        }
        // What the policies say without noise.
        let (p, q) = (
          a.act(on: scenes[0], samples: Array(0..<6), epoch: epoch),
          b.act(on: turned(scenes[0]), samples: Array(0..<6), epoch: epoch)
        )
        for (p, q) in [(p.policyLogit, q.policyLogit), (p.policyFeature, q.policyFeature)] {
          #expect(zip(exchange.turned(p, axis: 1).doubles, q.doubles).allSatisfy { abs($0 - $1) < 1e-9 })
        }
      }
      let (moved, ends) = (
        try exchange.moved(snapshot(a)), try Safetensors(decoding: snapshot(b).encoded())
      )
      #expect(Set(moved.entries.map(\.name)) == Set(ends.entries.map(\.name)))
      for entry in moved.entries where !Exchange.isByPlace(entry.name) {
        guard let x = entry.tensor, let y = ends[entry.name]?.tensor else { continue }
        #expect(zip(x.doubles, y.doubles).allSatisfy { abs($0 - $1) < 1e-9 }, "\(entry.name)")
      }
    }
  }

  private func scene(_ widths: [Int], _ epoch: Int, _ index: Int, isByTeacher: Bool) -> Experience {
    func random(_ shape: Shape, _ purpose: String) -> Tensor {
      var stream = RandomStream(seed: 21, purpose, epoch, index)
      return Tensor((0..<shape.count).map { _ in stream.normal() }, shape, .double)
    }
    let reward = random([6, widths.count], "reward")
    return Experience(
      batch: index, states: widths.enumerated().map { random([6, $1], "state \($0)") },
      confidence: TeacherMix.confidence(random([6, widths.count], "ce")),
      logitDivergence: TeacherMix.divergence(random([6, widths.count], "kl")),
      featureDivergence: TeacherMix.divergence(random([6, widths.count], "cos")),
      reward: isByTeacher ? reward : reward.sliced(axis: 1, from: 0, to: 1).reshaped([6]))
  }

  private func turned(_ scene: Experience) -> Experience {
    func turned(_ matrix: Tensor) -> Tensor {
      Tensor.concatenated(Self.order.map { matrix.sliced(axis: 1, from: $0, to: $0 + 1) }, axis: 1)
    }
    let choice = scene.choice.map {
      var choice = Choice(logit: turned($0.logit), feature: turned($0.feature), density: $0.density)
      choice.isWarmup = $0.isWarmup
      return choice
    }
    return Experience(
      batch: scene.batch, states: Self.order.map { scene.states[$0] }, confidence: turned(scene.confidence),
      logitDivergence: turned(scene.logitDivergence), featureDivergence: turned(scene.featureDivergence),
      reward: scene.reward.shape.count == scene.states[0].shape[0] ? scene.reward : turned(scene.reward),
      choice: choice)
  }
}

/// Exchanges in a snapshot what belongs to teachers: arrays of one teacher change their names, arrays of all
/// of them their rows or columns.
private struct Exchange {
  /// Where the teachers of the new order stand in the old one.
  let order: [Int]
  /// Of each teacher's state, in the old order.
  let widths: [Int]
  let classes: Int
  let batch: Int

  init(order: [Int], widths: [Int], classes: Int, batch: Int) {
    self.order = order
    self.widths = widths
    self.classes = classes
    self.batch = batch
  }

  init(_ run: TinyRun, _ order: [Int]) throws {
    let names = run.options["stateEntries"]?.array?.compactMap(\.string)
    let entries = StateEntry.allCases.filter { names?.contains($0.rawValue) ?? true }
    let widths = try run.pool!.map { number in
      let cost = try NetworkCost(run.teacher(number), TinyRun.task)
      let shape = ActivationShape(cost)
      return entries.reduce(0) { $0 + $1.width(shape, classes: TinyRun.task.classes) }
    }
    self.init(order: order, widths: widths, classes: TinyRun.task.classes, batch: run.batchSize)
  }

  /// Numbered by the place of an array among those of a model, which is another in the other order; what they
  /// hold shows in the arrays themselves.
  static func isByPlace(_ name: String) -> Bool {
    name.hasPrefix("optimizer/") || name.hasPrefix("sums/") || name.contains("adam/")
  }

  func moved(_ snapshot: Snapshot) throws -> Safetensors {
    let file = try Safetensors(decoding: snapshot.encoded())
    var moved = Safetensors()
    moved.metadata = file.metadata
    for entry in file.entries {
      if let tensor = entry.tensor, !Self.isByPlace(entry.name) {
        moved.append(name(entry.name), array(tensor, entry.name))
      } else {
        moved.append(
          Safetensors.Entry(name: entry.name, type: entry.type, shape: entry.shape, bytes: entry.bytes))
      }
    }
    return moved
  }

  private func name(_ path: String) -> String {
    var parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    let owners = ["regressor", "nd", "hint", "policy", "norm"]
    for place in parts.indices.dropFirst() {
      let owner = parts[place - 1].split(separator: "/").last.map(String.init) ?? ""
      guard owners.contains(owner), let teacher = Int(parts[place]) else { continue }
      parts[place] = "\(order.firstIndex(of: teacher)!)"
    }
    return parts.joined(separator: ".")
  }

  private func array(_ tensor: Tensor, _ path: String) -> Tensor {
    let ones = Array(repeating: 1, count: order.count)
    func ends(_ suffix: String) -> Bool { path.hasSuffix(suffix) }
    if ends("policy.fc1.weight") || ends("baseline.fc1.weight") || ends(".states") {
      return turned(tensor, axis: 1, [widths])
    }
    if ends("critic.fc1.weight") { return turned(tensor, axis: 1, [widths, ones, ones]) }
    if ends(".actions") { return turned(tensor, axis: 1, [ones, ones]) }
    if path.contains("policy.head_") || path.contains("meta.logit.fc2.") || path.contains("meta.feature.fc2.")
      || ends("adapter.theta")
    {
      return turned(tensor, axis: 0, [ones])
    }
    // The student's block is the last and stays.
    if ends("meta.logit.fc1.weight") { return turned(tensor, axis: 1, [ones.map { $0 * classes }]) }
    if ends("meta.feature.fc1.weight") { return turned(tensor, axis: 1, [ones.map { $0 * batch }]) }
    return tensor
  }

  /// - Parameter groups: widths of the teachers' blocks, for each group of them one after the
  ///   other; what is behind stays.
  func turned(_ tensor: Tensor, axis: Int, _ groups: [[Int]] = [[1, 1, 1]]) -> Tensor {
    var parts: [Tensor] = []
    var start = 0
    for blocks in groups {
      var starts: [Int] = []
      for width in blocks {
        starts.append(start)
        start += width
      }
      parts += order.map { tensor.sliced(axis: axis, from: starts[$0], to: starts[$0] + blocks[$0]) }
    }
    if start < tensor.shape[axis] {
      parts.append(tensor.sliced(axis: axis, from: start, to: tensor.shape[axis]))
    }
    return Tensor.concatenated(parts, axis: axis)
  }
}
