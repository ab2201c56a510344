package import Datasets
package import Distillation
package import Networks
package import Specs
package import Tensors

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
  /// Entries of the method's buffer that the batch took, where it has one that is full.
  package let overwritten: [Int]?
  /// Where this was the last step of an epoch.
  package let finishedEpoch: EpochRecord?
  /// What the caller's stopwatch says of the evaluation that ended the epoch.
  package let evaluationCost: [Double]?
  /// And of what the teachers said of the batch; nil without teachers.
  package let teachingCost: TeachingCost?
}

/// One seeded run of a student under a method: a value with a `step()`. It opens no file, starts no
/// task and prints nothing.
package struct TrainingRun: Sendable {
  package let recipe: RecipeSpec
  package let network: BuiltNetwork
  package private(set) var state: ModelState
  package private(set) var optimizer: RecipeOptimizer
  /// Epochs finished, and steps of all epochs.
  package private(set) var epoch = 0
  package private(set) var stepCount = 0

  /// For tests that compare gradients.
  package var measuresGradients = false

  /// How the student's convolutions are computed; for tests, because `reference` is
  /// nobody's choice in a grid.
  package var convolution: ConvolutionChoice {
    get { state.convolution }
    set { state.convolution = newValue }
  }
  /// For callers who measure what training costs: read before and after an evaluation; no number
  /// of the run depends on it.
  package var stopwatch: (@Sendable () -> [Double])?

  private let teachers: TeacherPool
  /// Whether evaluations measure how often the student and each teacher name the same class.
  private let measuresAgreement: Bool
  /// The class that each teacher names for each image that measures, asked for once.
  private var taughtChoices: [ClassificationMetrics.Split: [[Int]]] = [:]
  private let source: any BatchSource
  private let seed: UInt64
  private let rates: RateSchedule
  private var method: any DistillationMethod
  /// Of the next batch within its epoch.
  private var batch = 0
  private var sums = EpochSums()
  private var order: [[Int]] = []

  /// - Parameters:
  ///   - student: built on the source's task; what the method trains jointly is declared behind it.
  ///   - seed: of initial values and of the policy; the source has its own.
  ///   - recorded: what teachers said of the source's fixed views before, in their order; nil for
  ///     those that are evaluated.
  ///   - shared: what the teachers say of a batch, for runs with equal teachers and sources that
  ///     are stepped side by side.
  ///   - measuresAgreement: whether evaluations measure how often the student and each
  ///     teacher name the same class.
  package init(
    student: ModelSpec, teachers: [Teacher], method: MethodSpec, recipe: RecipeSpec, source: any BatchSource,
    seed: Int,
    precision: Precision = .single, recorded: [(any RecordedOutputs)?] = [],
    shared: SharedAnswers? = nil, measuresAgreement: Bool = false
  ) throws {
    let seed = UInt64(bitPattern: Int64(seed))
    let kind = try Catalog.methods.entry(method.name)
    guard method.revision == kind.description.revision else {
      throw OtherRevision(
        method: method.name, asked: method.revision, known: kind.description.revision)
    }
    let options = try MethodOptions(method.options, kind.description)
    let (task, teachers) = (source.task, teachers)
    let cost = try NetworkCost(student, task)
    var made: (any DistillationMethod)?
    network = try BuiltNetwork(student, task) { scope in
      made = try kind.init(
        options,
        MethodContext(
          scope: scope / "distillation", student: ActivationShape(cost),
          teachers: teachers.map { ActivationShape(NetworkCost($0.network)) }, heads: teachers.map(\.head),
          classMeans: { try teachers.map { try $0.classMeans(on: source) } }, classes: task.classes,
          epochs: recipe.epochs, batchSize: recipe.batchSize, seed: seed, precision: precision))
    }
    self.method = made!
    if kind.description.readsTeacherHeads,
      teachers.contains(where: { !$0.network.network.backbone.embedsMap })
    {
      throw NoMapHead(method: method.name)
    }
    if made!.skipsShortBatches, source.order(epoch: 0).first?.count != recipe.batchSize {
      throw NoWholeBatch(method: method.name, batchSize: recipe.batchSize)
    }
    self.recipe = recipe
    self.source = source
    self.measuresAgreement = measuresAgreement
    self.teachers = TeacherPool(
      teachers, recorded: precision == .single ? recorded : [], shared: shared)
    state = network.state(seed: seed, precision: precision)
    state.convolution = ConvolutionChoice(recipe.convolution)
    self.seed = seed
    optimizer = RecipeOptimizer(recipe)
    rates = RateSchedule(recipe)
  }

  package var isFinished: Bool { epoch == recipe.epochs }

  package var isAtEpochStart: Bool { batch == 0 }

  /// Of the next batch, both from 0.
  package var place: (epoch: Int, batch: Int) { (epoch, batch) }

  /// Steps of the whole run.
  package var totalSteps: Int { recipe.epochs * batches(epoch: 0).count }

  private func batches(epoch: Int) -> [[Int]] {
    let order = source.order(epoch: epoch)
    return method.skipsShortBatches ? order.filter { $0.count == recipe.batchSize } : order
  }

  /// Trains on the next batch. Nil when the run is over.
  ///
  /// - Throws: `TrainingDiverged`, or a `DatasetError` where images cannot be had any more. The
  ///   run is then no longer one.
  package mutating func step() throws -> StepReport? {
    if isFinished { return nil }
    if order.isEmpty { order = batches(epoch: epoch) }
    let (now, samples, rate) = ((epoch, batch), order[batch], rates.rate(epoch: epoch))
    let (images, teachingCost) = try shown(samples, epoch: epoch, index: batch)
    let (loss, gradients, observed) = try evaluate(images)
    optimizer.step(&state, gradients, rate: rate)

    let outcome = try method.finishStep(
      observed,
      SteppedStudent(
        state: state, optimizer: optimizer.lookAhead, rate: rate, current: images,
        recall: { [self] in try recalled($0, index: now.1) }))
    var policySteps = outcome.policySteps
    sums.add(loss, observed)
    sums.add(outcome, samples: samples.count)
    (batch, stepCount) = (batch + 1, stepCount + 1)

    var (finished, evaluationCost): (EpochRecord?, [Double]?)
    if batch == order.count {
      let last = method.finishEpoch()
      sums.add(last)
      policySteps += last
      let start = stopwatch?()
      finished = try finishEpoch()
      evaluationCost = start.flatMap { start in stopwatch.map { zip($0(), start).map { $0 - $1 } } }
    }
    return StepReport(
      epoch: now.0, batch: now.1, batches: order.count, samples: samples.count, loss: loss,
      gradientNorm: measuresGradients ? gradients.norm : nil, policySteps: policySteps,
      overwritten: outcome.overwritten, finishedEpoch: finished, evaluationCost: evaluationCost,
      teachingCost: teachingCost)
  }

  /// Images as an epoch shows them, with what the teachers say of them, and what that took.
  private func shown(
    _ samples: [Int], epoch: Int, index: Int
  ) throws(DatasetError) -> (RecalledBatch, TeachingCost?) {
    let (images, targets) = try source.trainingBatch(samples, epoch: epoch)
    let (taught, cost) = teachers.activations(
      images, samples, views: source.views(samples, epoch: epoch), epoch: epoch, stopwatch: stopwatch)
    return (batch(images, targets, samples, taught, epoch: epoch, index: index), cost)
  }

  private func batch(
    _ images: Tensor, _ targets: any Targets, _ samples: [Int], _ taught: [Activations], epoch: Int,
    index: Int
  ) -> RecalledBatch {
    RecalledBatch { [network, targets = targets.trained(by: recipe)] pass in
      DistillationBatch(
        samples: samples, targets: targets, student: network.network(images, pass), teachers: taught,
        epoch: epoch, index: index)
    }
  }

  /// Images of several epochs as one batch.
  private func recalled(_ views: [SampleView], index: Int) throws -> RecalledBatch {
    let single = try views.map { try source.trainingBatch([$0.sample], epoch: $0.epoch) }
    let fixed = views.compactMap { source.views([$0.sample], epoch: $0.epoch)?.first }
    let (images, samples) = (Tensor.concatenated(single.map(\.images), axis: 0), views.map(\.sample))
    let taught = teachers.activations(images, samples, views: fixed.count == views.count ? fixed : nil)
    return batch(
      images, single[0].targets.joined(with: single.dropFirst().map(\.targets)), samples, taught,
      epoch: epoch, index: index)
  }

  /// The student's forward and backward pass; running statistics change here.
  private mutating func evaluate(
    _ images: RecalledBatch
  ) throws(TrainingDiverged) -> (MethodLoss, [Tensor?], DistillationBatch) {
    let pass = Pass(
      state, .training,
      noise: StepNoise(seed: seed, epoch: epoch, batch: batch, dropPath: recipe.dropPath.double))
    let observed = images.observed(pass)
    let loss = method.loss(of: observed, pass)
    guard loss.total.scalar.isFinite else { throw TrainingDiverged(epoch: epoch, step: stepCount) }
    let gradients = pass.gradients(of: loss.total)
    pass.commit(to: &state)
    return (loss, gradients, observed)
  }

  private mutating func finishEpoch() throws(DatasetError) -> EpochRecord {
    let tested = try measured(.test, on: source)
    var metrics = sums.metrics(byGroup: epoch + 1 == recipe.epochs)
    metrics["learningRate"] = rates.rate(epoch: epoch)
    metrics.merge(tested) { $1 }
    if let held = source.heldOut { metrics.merge(try measured(.validation, on: held)) { $1 } }
    (epoch, batch, order, sums) = (epoch + 1, 0, [], EpochSums())
    return EpochRecord(
      epoch: epoch - 1, step: stepCount, metrics: Metrics(metrics),
      state: ContentKey(hashing: snapshot.encoded()))
  }

  private mutating func measured(
    _ split: ClassificationMetrics.Split, on source: any BatchSource
  ) throws(DatasetError) -> [String: Double] {
    if measuresAgreement, taughtChoices[split] == nil {
      taughtChoices[split] = try teachers.choices(on: source)
    }
    return try evaluate(on: source, beside: taughtChoices[split] ?? []).metrics(split)
  }

  package func evaluate() throws(DatasetError) -> Evaluation { try evaluate(on: source, beside: []) }

  private func evaluate(
    on source: any BatchSource, beside choices: [[Int]]
  ) throws(DatasetError) -> Evaluation {
    func opened(_ source: some BatchSource) throws(DatasetError) -> Evaluation {
      try Evaluation(network.network, state, on: source, beside: choices)
    }
    return try opened(source)
  }
}

extension TrainingRun {
  /// All that the next step needs: arrays, optimiser, method, place, and the sums of the epoch so far. There
  /// is no generator state: see `RandomStream`.
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
    epoch = place[0]
    batch = place[1]
    stepCount = place[2]
    order = []
  }
}

/// A run that asks for what a method computed before, or will compute.
package struct OtherRevision: Error, Equatable, CustomStringConvertible {
  package let method: String
  package let asked: Int
  package let known: Int

  package init(method: String, asked: Int, known: Int) {
    self.method = method
    self.asked = asked
    self.known = known
  }

  package var description: String {
    "The run is one of revision \(asked) of \(method), and this program computes revision \(known), which "
      + "has other results. Its records stay readable; to train it anew run its grid again, which "
      + "gives it a new key."
  }
}

/// A method that sends maps through the teachers' classifiers, and a teacher whose classifier reads no map.
package struct NoMapHead: Error, Equatable, CustomStringConvertible {
  package let method: String

  package init(method: String) { self.method = method }

  package var description: String {
    "\(method) sends the student's map through the classifier of each teacher, and a transformer's reads "
      + "its class token. Take another method, or teachers that are no transformers."
  }
}

/// A method that leaves incomplete batches out would have nothing to train on.
package struct NoWholeBatch: Error, Equatable, CustomStringConvertible {
  package let method: String
  package let batchSize: Int

  package var description: String {
    "\(method) trains on whole batches only, and there are fewer than \(batchSize) training images. Lower "
      + "\"batchSize\"."
  }
}

extension Teacher {
  /// What follows the feature map, with constant parameters.
  fileprivate var head: @Sendable (Tensor) -> Tensor {
    { [self] map in network.network.logits(of: map, Pass(state, .inference)) }
  }

  /// The mean embedding of each class over all training images as they are, `[classes, width]`; zeros
  /// for a class without images.
  fileprivate func classMeans(on source: some BatchSource) throws(DatasetError) -> Tensor {
    var sums: [[Double]] = []
    var counts: [Double] = []
    let positions = source.order(epoch: 0).flatMap(\.self).sorted()
    for start in stride(from: 0, to: positions.count, by: 64) {
      let (images, targets) = try source.plainBatch(
        Array(positions[start..<min(positions.count, start + 64)]))
      let embedding = self(images).embedding
      let (values, width) = (embedding.doubles, embedding.shape[1])
      if counts.isEmpty { counts = Array(repeating: 0, count: targets.groupCount) }
      if sums.isEmpty { sums = Array(repeating: Array(repeating: 0, count: width), count: counts.count) }
      for (row, group) in targets.groups.enumerated() {
        counts[group] += 1
        for column in 0..<width { sums[group][column] += values[row * width + column] }
      }
    }
    let means = zip(sums, counts).flatMap { sum, count in sum.map { count > 0 ? $0 / count : 0 } }
    return Tensor(means, [counts.count, means.count / counts.count], precision)
  }

  private var precision: Precision { state.slots.first.map { state[$0].precision } ?? .single }
}

extension [Tensor?] {
  fileprivate var norm: Double {
    compactMap(\.self).reduce(0) { $0 + $1.l2Norm * $1.l2Norm }.squareRoot()
  }
}

extension ConvolutionChoice {
  package init(_ kind: RecipeSpec.ConvolutionKind) {
    self =
      switch kind {
      case .auto: .auto
      case .direct: .direct
      }
  }
}
