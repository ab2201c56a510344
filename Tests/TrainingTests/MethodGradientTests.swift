import Distillation
import Networks
import Specs
import TestSupport
import Tensors
import Testing
import Training

/// Gradients of every method's loss against difference quotients, in double.
@Suite struct MethodGradientTests {
  /// One step's evaluation with everything held fixed but the trained arrays.
  private struct Bench {
    let network: BuiltNetwork
    let state: ModelState
    let method: any DistillationMethod
    let images: Tensor
    let targets: any Targets
    let taught: [Activations]
    let epoch: Int

    init(_ variant: MethodVariant, epoch: Int) throws {
      let tiny = variant.tiny()
      let (source, task) = (tiny.source, TinyRun.task)
      let teachers = variant.method == "baseline" ? [] : try tiny.trainedTeachers
      let kind = try Catalog.methods.entry(variant.method)
      let options = try MethodOptions(variant.options, kind.description)
      (images, targets) = source.evaluationBatch([0, 1, 2, 3])
      let images = images
      func shape(_ activations: Activations) -> ActivationShape {
        ActivationShape(
          stages: activations.stages.map { Shape(Array($0.shape.dimensions[1...])) },
          embedding: activations.embedding.shape[1])
      }
      taught = teachers.map { $0.network.network(images, Pass($0.state, .inference)) }
      let spec = try TinyRun.network(8)
      let alone = try BuiltNetwork(spec, task)
      let student = alone.network(images, Pass(alone.state(seed: 1, precision: .double), .inference))
      let shapes = taught.map(shape)
      var made: (any DistillationMethod)?
      network = try BuiltNetwork(spec, task) { scope in
        made = try kind.init(
          options,
          MethodContext(
            scope: scope / "distillation", student: shape(student), teachers: shapes,
            heads: teachers.map { teacher in
              { map in teacher.network.network.logits(of: map, Pass(teacher.state, .inference)) }
            },
            classMeans: { shapes.map { MethodGradientTests.means($0.embedding) } }, classes: task.classes,
            epochs: 3, batchSize: 4, seed: 3, precision: .double))
      }
      method = made!
      state = network.state(seed: 3, precision: .double)
      self.epoch = epoch
    }

    func loss(_ state: ModelState) -> (loss: MethodLoss, pass: Pass) {
      let pass = Pass(state, .training)
      var copy = method
      let batch = DistillationBatch(
        samples: [0, 1, 2, 3], targets: targets, student: network.network(images, pass), teachers: taught,
        epoch: epoch, index: 0)
      return (copy.loss(of: batch, pass), pass)
    }

    /// A random direction over all trained arrays.
    func direction(_ seed: UInt64) -> [Tensor?] {
      zip(state.slots, state.declarations).map { slot, declaration in
        guard declaration.role == .parameter else { return nil }
        var stream = RandomStream(seed: seed, declaration.path)
        return Tensor((0..<declaration.shape.count).map { _ in stream.normal() }, declaration.shape, .double)
      }
    }

    func moved(_ direction: [Tensor?], _ factor: Double) -> ModelState {
      var moved = state
      for (slot, step) in zip(state.slots, direction) {
        if let step { moved[slot] = state[slot] + step * factor }
      }
      return moved
    }
  }

  private static func means(_ width: Int) -> Tensor {
    var stream = RandomStream(seed: 8, "means", width)
    return Tensor((0..<(4 * width)).map { _ in stream.uniform() }, [4, width], .double)
  }

  /// - Parameter value: what the gradient is that of, at a displaced state.
  private func expect(
    _ bench: Bench, _ variant: MethodVariant, agreesWith value: (MethodLoss) -> Double
  ) {
    let (loss, pass) = bench.loss(bench.state)
    let gradients = pass.gradients(of: loss.total)
    for seed in 1...3 as ClosedRange<UInt64> {
      let direction = bench.direction(seed)
      let gradient = zip(gradients, direction).reduce(0.0) { sum, pair in
        guard let gradient = pair.0, let step = pair.1 else { return sum }
        return sum + (gradient * step).sum().scalar
      }
      // Small enough that no unit crosses its kink, large enough that rounding stays below the tolerance.
      let step = 1e-6
      let ahead = value(bench.loss(bench.moved(direction, step)).loss)
      let behind = value(bench.loss(bench.moved(direction, -step)).loss)
      let quotient = (ahead - behind) / (2 * step)
      #expect(
        abs(gradient - quotient) <= 1e-5 * max(1, abs(quotient)),
        "\(variant.testDescription): direction \(seed)"
      )
    }
  }

  /// Losses whose gradient is that of the whole: weights that do not depend on the student,
  /// or that pass gradients on.
  static let whole: [MethodVariant] = [
    MethodVariant("baseline"), MethodVariant("aver-kd"), MethodVariant("aver-kd", ["logitLoss": "dist"]),
    MethodVariant("aver-kd", ["ndMode": "replace"]), MethodVariant("aver-kd-fitnet"),
    MethodVariant("aver-kd-fitnet", ["featureLoss": "spatialKL"]),
    MethodVariant("aver-kd-fitnet", ["logitLoss": "dist", "ndMode": "add"]),
    MethodVariant("aver-kd-fitnet", ["ndMode": "replace"]), MethodVariant("eb-kd"),
    MethodVariant("eb-kd", ["ebkdVariant": "inverse"]), MethodVariant("eb-kd", ["scaling": "released"]),
    MethodVariant("ca-mkd", ["camkdWeightGradient": "through"]),
    MethodVariant("ca-mkd", ["scaling": "released"]), MethodVariant("amtml-kd"),
    MethodVariant("amtml-kd", ["logitLoss": "dist", "ndMode": "add"]),
    MethodVariant("mtkd-rl", ["warmupEpochs": 9]),
  ]

  @Test(arguments: whole)
  func `the gradient is that of the whole loss`(_ variant: MethodVariant) throws {
    expect(try Bench(variant, epoch: 1), variant) { $0.total.scalar }
  }

  /// Losses whose weights depend on the student and are constants all the same.
  static let fixed: [MethodVariant] = {
    let computed = ["ca-mkd", "aekd", "aekd-hint", "mmkd"].map { MethodVariant($0) }
    let agents = Catalog.agents.names.map { MethodVariant("mtkd-rl", ["policy": .string($0)]) }
    return computed + [MethodVariant("mmkd", ["scaling": "released"]), .reference] + agents
  }()

  @Test(arguments: fixed)
  func `weights are constants for the student's gradient`(_ variant: MethodVariant) throws {
    let bench = try Bench(variant, epoch: 1)
    let details = bench.loss(bench.state).loss.details
    let (logit, feature) = (details.logitWeights!, details.featureWeights)
    // Equation 2 put together again, from the terms at the displaced state and the weights at the first.
    expect(bench, variant) { loss in
      let terms = loss.details
      var sum = terms.studentCrossEntropy.sum().scalar
      let logits: Double = (terms.kl! * logit).sum().scalar
      sum += loss.scales.logit * logits
      if let feature {
        let features: Double = (terms.distance! * feature).sum().scalar
        sum += loss.scales.feature * features
      }
      return sum / 4
    }
  }

  @Test(arguments: [false, true])
  func `relations of samples have the gradients of their formulas`(_ isDistance: Bool) {
    var stream = RandomStream(seed: 4, "structure")
    func random() -> Tensor { Tensor((0..<15).map { _ in stream.normal() }, [5, 3], .double) }
    let (student, teacher, direction) = (random(), random(), random())
    func value(_ student: Tensor) -> Tensor {
      isDistance
        ? StructureLoss.distance(student: student, teacher: teacher)
        : StructureLoss.angle(student: student, teacher: teacher)
    }
    let leaf = student.leaf()
    let gradient = (value(leaf).gradients()[leaf]! * direction).sum().scalar
    let step = direction * 1e-6
    let quotient: Double = (value(student + step).scalar - value(student - step).scalar) / 2e-6
    #expect(abs(gradient - quotient) <= 1e-7 * max(1, abs(quotient)))
  }

  @Test func `the distance loss is the mean Huber difference of scaled distances`() {
    let student = Tensor([0, 0, 3, 4, 6, 8], [3, 2], .double)
    let teacher = Tensor([0, 0, 0, 1, 0, 5], [3, 2], .double)
    // Distances 5, 10, 5 over their mean 20/3, and 1, 5, 4 over 10/3; each pair twice, the diagonal zero.
    let differences: [Double] = [5 * 0.15 - 1 * 0.3, 10 * 0.15 - 5 * 0.3, 5 * 0.15 - 4 * 0.3]
    let squares: Double = differences.reduce(0) { $0 + $1 * $1 }
    let expected: Double = squares / 9
    #expect(abs(StructureLoss.distance(student: student, teacher: teacher).scalar - expected) < 1e-12)
  }

  @Test(arguments: [false, true])
  func `a look ahead is differentiated through its steps`(_ nesterov: Bool) throws {
    // Two layers, so that the Hessian is not constant: y = w₂ tanh(w₁ x), and a match loss that ω weighs.
    let scope = Scope()
    let (first, second) = (
      scope.parameter("w1", [1, 3], .normal(std: 1)),
      scope.parameter("w2", [1, 3], .normal(std: 1))
    )
    let start = ModelState(scope.declarations, seed: 2, precision: .double)
    func output(_ pass: Pass) -> Tensor { (pass[second] * pass[first].tanh()).sum() }
    func match(_ pass: Pass, _ omega: Tensor) -> Tensor {
      let weights = omega.softmax()
      let targets = Tensor([1, -2], [1, 2], .double)
      let y = output(pass).reshaped([1, 1])
      let differences = Tensor.concatenated([y, y], axis: 1) - targets
      return (differences.square() * weights).sum()
    }
    func outer(_ pass: Pass) -> Tensor { (output(pass) - 0.5).square() }
    let learned = Scope()
    let weight = learned.parameter("omega", [1, 2], .constant(0))
    func ahead(_ omega: Tensor) -> MetaGradient {
      var meta = ModelState(learned.declarations, seed: 0, precision: .double)
      meta[weight] = omega
      let step = InnerLoss(meta: meta) { _ in { pass, meta in match(pass, meta![weight]) } }
      let labels = InnerLoss { _ in { pass, _ in outer(pass) } }
      return MetaGradient(
        of: outer, through: [step, step, labels], from: start,
        SGD(momentum: 0.9, nesterov: nesterov, weightDecay: 1e-2), rate: 0.05)
    }
    let omega = Tensor([0.3, -0.2], [1, 2], .double)
    let gradients = try #require(ahead(omega).gradients.first ?? nil).doubles
    for index in 0..<2 {
      let nudge = Tensor([index == 0 ? 1e-5 : 0.0, index == 1 ? 1e-5 : 0.0], [1, 2], .double)
      let (above, below) = (ahead(omega + nudge).outerLoss, ahead(omega - nudge).outerLoss)
      let quotient: Double = (above - below) / 2e-5
      #expect(abs(gradients[index] - quotient) <= 1e-8 * max(1, abs(quotient)), "ω[\(index)]")
    }
  }

  @Test func `looking ahead leaves the student as it was`() throws {
    let bench = try Bench(MethodVariant("mmkd"), epoch: 0)
    var method = bench.method
    let pass = Pass(bench.state, .training)
    func observed(_ pass: Pass) -> DistillationBatch {
      DistillationBatch(
        samples: [0, 1, 2, 3], targets: bench.targets, student: bench.network.network(bench.images, pass),
        teachers: bench.taught, epoch: 0, index: 0)
    }
    let batch = observed(pass)
    let loss = method.loss(of: batch, pass)
    var (state, sgd) = (bench.state, SGD(momentum: 0.9, nesterov: true, weightDecay: 1e-4))
    sgd.step(&state, pass.gradients(of: loss.total), rate: 0.05)
    func bytes() -> [UInt8] {
      var snapshot = Snapshot()
      state.save(to: &snapshot, under: "model/")
      sgd.save(to: &snapshot, under: "sgd/")
      return snapshot.encoded()
    }
    let before = bytes()
    let images = RecalledBatch(observed: observed)
    let outcome = try method.finishStep(
      batch,
      SteppedStudent(state: state, optimizer: sgd, rate: 0.05, current: images, recall: { _ in images }))
    #expect(outcome.policySteps.count == 1)
    #expect(outcome.policySteps[0].gradientNorm > 0)
    #expect(bytes() == before)
  }
}
