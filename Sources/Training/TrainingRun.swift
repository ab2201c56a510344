package import Distillation
package import Networks
package import Specs
package import Tensors

/// A frozen network that a student learns from.
package struct Teacher: Sendable {
  package let network: BuiltNetwork
  package let state: ModelState

  package init(_ network: BuiltNetwork, _ state: ModelState) { (self.network, self.state) = (network, state) }
}

/// The loss stopped being finite.
package struct TrainingDiverged: Error, Equatable, CustomStringConvertible {
  /// Both from 0.
  package let epoch: Int
  package let step: Int

  package var description: String { "The loss was not finite in epoch \(epoch + 1), at step \(step + 1)." }
}

/// What one step did.
package struct StepReport: Sendable {
  package let epoch: Int
  /// Of the batch within its epoch, from 0.
  package let batch: Int
  package let batches: Int
  package let samples: Int
  package let loss: MethodLoss
  /// The l2 norm of all gradients of the loss, before weight decay; computed only where a test asks.
  package let gradientNorm: Double?
  package let policySteps: [PolicyStep]
  /// Where this was the last step of an epoch.
  package let finishedEpoch: EpochRecord?
}

/// One seeded run of a student under a method: a value with a `step()`. It opens no file, starts no task and prints nothing.
package struct TrainingRun: Sendable {
  package let recipe: RecipeSpec
  package let network: BuiltNetwork
  package private(set) var state: ModelState
  package private(set) var optimizer: SGD
  /// Epochs finished, and steps of all epochs.
  package private(set) var epoch = 0
  package private(set) var stepCount = 0

  /// For tests that compare gradients.
  package var measuresGradients = false

  private let teachers: [Teacher]
  private let source: any BatchSource
  private let rates: RateSchedule
  private var method: any DistillationMethod
  /// Of the next batch within its epoch.
  private var batch = 0
  private var sums = EpochSums()
  private var order: [[Int]] = []

  /// - Parameters:
  ///   - student: built on the source's task; what the method trains jointly is declared behind it.
  ///   - seed: of initial values and of the policy; the source has its own.
  package init(
    student: ModelSpec, teachers: [Teacher], method: MethodSpec, recipe: RecipeSpec, source: any BatchSource,
    seed: Int,
    precision: Precision = .single
  ) throws {
    let seed = UInt64(bitPattern: Int64(seed))
    let kind = try Catalog.methods.entry(method.name)
    let options = try MethodOptions(method.options, kind.description)
    let task = source.task
    let cost = try NetworkCost(student, task)
    var made: (any DistillationMethod)?
    network = try BuiltNetwork(student, task) { scope in
      made = kind.init(
        options,
        MethodContext(
          scope: scope / "distillation", student: ActivationShape(map: cost.map, embedding: cost.embedding),
          teachers: teachers.map { ActivationShape($0.network, task) }, classes: task.classes, seed: seed,
          precision: precision))
    }
    self.method = made!
    (self.teachers, self.recipe, self.source) = (teachers, recipe, source)
    state = network.state(seed: seed, precision: precision)
    optimizer = SGD(
      momentum: recipe.momentum.double, nesterov: recipe.nesterov, weightDecay: recipe.weightDecay.double)
    rates = .multiStep(
      base: recipe.learningRate.double, milestones: recipe.milestones, gamma: recipe.gamma.double)
  }

  package var isFinished: Bool { epoch == recipe.epochs }

  /// Steps of the whole run.
  package var totalSteps: Int { recipe.epochs * source.order(epoch: 0).count }

  /// Trains on the next batch. Nil when the run is over.
  package mutating func step() throws(TrainingDiverged) -> StepReport? {
    if isFinished { return nil }
    if order.isEmpty { order = source.order(epoch: epoch) }
    let (images, labels) = source.trainingBatch(order[batch], epoch: epoch)
    let taught = teachers.map { $0.network.network(images, Pass($0.state, .inference)) }
    let (loss, gradients, observed) = try evaluate(images, labels, taught)
    let norm = measuresGradients ? gradients.norm : nil
    optimizer.step(&state, gradients, rate: rates.rate(epoch: epoch))

    let (built, changed, now) = (network, state, (epoch, batch))
    var policySteps = method.finishStep(observed) {
      let pass = Pass(changed, .training)
      let student = built.network(images, pass)
      return (
        DistillationBatch(labels: labels, student: student, teachers: taught, epoch: now.0, index: now.1),
        pass
      )
    }
    sums.add(
      loss, samples: labels.count,
      correct: zip(observed.student.logits.largestPerRow(), labels).count { $0 == $1 })
    sums.add(policySteps)
    (batch, stepCount) = (batch + 1, stepCount + 1)

    var finished: EpochRecord?
    if batch == order.count {
      let last = method.finishEpoch()
      sums.add(last)
      policySteps += last
      finished = finishEpoch()
    }
    return StepReport(
      epoch: now.0, batch: now.1, batches: order.count, samples: labels.count, loss: loss, gradientNorm: norm,
      policySteps: policySteps, finishedEpoch: finished)
  }

  /// The student's forward and backward pass; running statistics change here.
  private mutating func evaluate(
    _ images: Tensor, _ labels: [Int], _ taught: [Activations]
  ) throws(TrainingDiverged) -> (MethodLoss, [Tensor?], DistillationBatch) {
    let pass = Pass(state, .training)
    let student = network.network(images, pass)
    let observed = DistillationBatch(
      labels: labels, student: student, teachers: taught, epoch: epoch, index: batch)
    let loss = method.loss(of: observed, pass)
    guard loss.total.scalar.isFinite else { throw TrainingDiverged(epoch: epoch, step: stepCount) }
    let gradients = pass.gradients(of: loss.total)
    pass.commit(to: &state)
    return (loss, gradients, observed)
  }

  private mutating func finishEpoch() -> EpochRecord {
    let evaluation = evaluate()
    var metrics = sums.metrics
    metrics["learningRate"] = rates.rate(epoch: epoch)
    metrics["test.acc1"] = evaluation.accuracy
    metrics["test.loss"] = evaluation.loss
    (epoch, batch, order, sums) = (epoch + 1, 0, [], EpochSums())
    return EpochRecord(
      epoch: epoch - 1, step: stepCount, metrics: Metrics(metrics),
      state: ContentKey(hashing: snapshot.encoded()))
  }

  package func evaluate() -> Evaluation {
    func opened(_ source: some BatchSource) -> Evaluation { Evaluation(network.network, state, on: source) }
    return opened(source)
  }
}

extension TrainingRun {
  /// All that the next step needs: arrays, optimiser, method, place, and the sums of the epoch so far. There is no generator state: see
  /// `RandomStream`.
  package var snapshot: Snapshot {
    var snapshot = Snapshot()
    state.save(to: &snapshot, under: "model/")
    optimizer.save(to: &snapshot, under: "optimizer/")
    method.save(to: &snapshot, under: "method/")
    sums.save(to: &snapshot, under: "sums/")
    snapshot.put("place", [epoch, batch, stepCount])
    return snapshot
  }

  package mutating func restore(from snapshot: Snapshot) throws {
    try state.restore(from: snapshot, under: "model/")
    try optimizer.restore(from: snapshot, under: "optimizer/")
    try method.restore(from: snapshot, under: "method/")
    try sums.restore(from: snapshot, under: "sums/")
    let place = try snapshot.integers("place")
    guard place.count == 3 else {
      throw SnapshotError.unexpected("place", found: "\(place.count) integers", expected: "3")
    }
    (epoch, batch, stepCount, order) = (place[0], place[1], place[2], [])
  }
}

extension ActivationShape {
  fileprivate init(_ built: BuiltNetwork, _ task: ImageTask) {
    let pass = Pass(built.state(seed: 0), .inference)
    let activations = built.network(.zeros([1, task.channels, task.height, task.width]), pass)
    self.init(
      map: Shape(Array(activations.map.shape.dimensions[1...])), embedding: activations.embedding.shape[1])
  }
}

extension [Tensor?] {
  fileprivate var norm: Double {
    compactMap(\.self).reduce(0) { $0 + $1.l2Norm * $1.l2Norm }.squareRoot()
  }
}
