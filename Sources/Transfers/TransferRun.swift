package import Datasets
package import Networks
package import Specs
package import Tensors

/// One seeded transfer: a trunk trained as part of a detector or a segmentor. A value with a `step()`, like a
/// student's run: it opens no file, starts no task and prints nothing.
package struct TransferRun: Sendable {
  package let spec: TransferSpec
  package private(set) var state: ModelState
  /// Steps taken.
  package private(set) var stepCount = 0
  private let learner: any Learner
  private let dataset: AnnotatedDataset
  private let test: AnnotatedSplit
  /// Held out of the training images.
  private let validation: AnnotatedSplit?
  private var optimizer: SGD
  /// Sums of losses since the last record, by their names.
  private var sums: [String: Double] = [:]

  /// - Parameters:
  ///   - seed: T: of first weights, order, flips, crops, samples and dropout; the trunk has its own.
  ///   - limit: bytes of pixels of a split that are kept in memory at most. Decides no bit.
  package init(
    _ spec: TransferSpec, on trunk: Trunk, _ dataset: AnnotatedDataset, seed: Int,
    convolution: ConvolutionChoice = .auto, keeping limit: Int = KeptImages.limit
  ) throws {
    let seed = UInt64(bitPattern: Int64(seed))
    self.spec = spec
    self.dataset = dataset
    switch spec.task {
    case .detection: learner = try DetectionLearner(spec, on: trunk, dataset, seed: seed, limit)
    case .segmentation: learner = try SegmentationLearner(spec, on: trunk, dataset, seed: seed, limit)
    }
    test = try dataset.test.kept(learner.testParts, limit: limit)
    validation = try dataset.validation?.kept(learner.testParts, limit: limit)
    state = ModelState(learner.declarations, seed: seed, purpose: "transfer/init")
    trunk.fill(&state, behind: learner.trunkPrefix)
    state.convolution = convolution
    optimizer = learner.optimizer
  }

  package var totalSteps: Int { learner.schedule.steps }
  package var isFinished: Bool { stepCount == totalSteps }
  /// Records of the whole run.
  package var recordCount: Int { learner.schedule.records(endingBy: totalSteps) }
  /// Whether the next step is the first one of a record.
  package var isAtRecordStart: Bool { stepCount == 0 || learner.schedule.isEnd(stepCount) }
  /// Read before and after evaluations by whoever wants to know what they cost: numbers whose
  /// differences mean something.
  package var stopwatch: (@Sendable () -> [Double])?

  /// What a step did.
  package struct Report: Sendable {
    package let record: Int
    package let loss: Double
    /// Where this step ended what a record is about.
    package let finished: EpochRecord?
    /// What the stopwatch says of the evaluations that it ended with.
    package let evaluationCost: [Double]?
  }

  /// Trains on the next batch. Nil when the run is over.
  ///
  /// - Throws: `TransferDiverged`, or an error of images that cannot be had. The run is then no longer one.
  package mutating func step() throws -> Report? {
    if isFinished { return nil }
    let (record, begin) = (
      learner.schedule.records(endingBy: stepCount), learner.schedule.begin(ofRecordAt: stepCount)
    )
    var lesson = try learner.lesson(stepCount, &state)
    lesson.gradients.clip(to: learner.clipNorm)
    let rate = learner.rate(stepCount)
    optimizer.step(&state, lesson.gradients, rate: rate)
    stepCount += 1
    for (name, value) in lesson.losses { sums[name, default: 0] += value }
    let loss = lesson.losses[""] ?? 0
    guard learner.schedule.isEnd(stepCount) else {
      return Report(record: record, loss: loss, finished: nil, evaluationCost: nil)
    }
    let (finished, cost) = try finish(record, from: begin, rate: rate)
    return Report(record: record, loss: loss, finished: finished, evaluationCost: cost)
  }

  /// - Parameter begin: steps before the record.
  private mutating func finish(
    _ record: Int, from begin: Int, rate: Double
  ) throws -> (record: EpochRecord, evaluationCost: [Double]?) {
    let steps = Double(stepCount - begin)
    var metrics = ["learningRate": rate]
    for (name, sum) in sums { metrics[TransferMetrics.loss(name)] = sum / steps }
    sums = [:]
    let isDue = learner.schedule.isDue(after: stepCount)
    let start = stopwatch?()
    // The test images are looked at after the last step by whoever keeps the predictions.
    if isDue, !isFinished { metrics.merge(try worth(on: test)) { $1 } }
    if isDue || isFinished, let validation {
      for (name, value) in try worth(on: validation) {
        metrics["validation" + name.dropFirst("test".count)] = value
      }
    }
    let cost = start.flatMap { start in stopwatch.map { zip($0(), start).map { $0 - $1 } } }
    let finished = EpochRecord(
      epoch: record, step: stepCount, metrics: Metrics(metrics),
      state: ContentKey(hashing: snapshot.encoded()))
    return (finished, cost)
  }

  /// What the model as it is now is worth on some images, by the names of test metrics.
  private func worth(on split: AnnotatedSplit) throws -> [String: Double] {
    let images = try (0..<split.count).map { try split.image($0, learner.testParts) }
    let predictions = try images.map { try learner.prediction($0, state) }
    return try TransferEvaluation(predictions, of: images, in: dataset, spec).metrics
  }

  package var testCount: Int { test.count }

  /// What the model says of a test image now.
  package func prediction(_ index: Int) throws -> Prediction {
    try learner.prediction(try test.image(index, learner.testParts), state)
  }
}

extension TransferEvaluation {
  /// Judged as the recipe says.
  package init(
    _ predictions: [Prediction], of test: [AnnotatedImage], in dataset: AnnotatedDataset, _ spec: TransferSpec
  ) throws {
    try self.init(
      predictions, of: test, in: dataset, task: spec.task,
      absentCountsAsZero: spec.fields["meanOver"]?.string == "all")
  }
}

extension TransferRun {
  /// All that the next step needs. There is no generator state: see `RandomStream`.
  package var snapshot: Snapshot {
    var snapshot = Snapshot()
    state.save(to: &snapshot, under: "model/")
    optimizer.save(to: &snapshot, under: "optimizer/")
    snapshot.put("step", stepCount)
    let names = sums.keys.sorted()
    snapshot.put("sums", names.map { sums[$0]! })
    snapshot.put("sums.names", text: names.joined(separator: " "))
    return snapshot
  }

  package mutating func restore(from snapshot: Snapshot) throws {
    try state.restore(from: snapshot, under: "model/")
    try optimizer.restore(from: snapshot, under: "optimizer/")
    stepCount = try snapshot.integer("step")
    guard (0...totalSteps).contains(stepCount) else {
      throw SnapshotError.unexpected("step", found: "\(stepCount)", expected: "0 to \(totalSteps)")
    }
    let values = try snapshot.doubles("sums")
    // The whole loss is the one whose name is empty.
    let names = try snapshot.text("sums.names").split(separator: " ", omittingEmptySubsequences: false)
    sums = values.isEmpty ? [:] : Dictionary(zip(names.map { String($0) }, values)) { $1 }
  }
}
