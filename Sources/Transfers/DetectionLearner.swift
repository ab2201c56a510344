internal import Datasets
internal import Detection
internal import Evaluation
internal import Networks
internal import Specs
internal import Tensors

/// A detector's training: which images a step shows, what is learnt from them, and what
/// is found in a test image.
struct DetectionLearner: Learner {
  let declarations: [SlotDeclaration]
  let trunkPrefix = "backbone.body."
  /// A record is an epoch.
  let schedule: TransferSchedule
  let optimizer: SGD
  private let settings: DetectionSettings
  private let detector: Detector
  private let shower: DetectionShower
  private let batches: DetectionBatches
  private let rates: DetectionRates
  private let frozen: Set<Slot>
  private let seed: UInt64

  var clipNorm: Double { settings.clipNorm }
  var testParts: AnnotatedParts {
    settings.kind == .mask ? [.pixels, .objects, .masks] : [.pixels, .objects]
  }

  /// - Parameter limit: bytes of pixels that are kept in memory at most.
  init(
    _ spec: TransferSpec, on trunk: Trunk, _ dataset: AnnotatedDataset, seed: UInt64, _ limit: Int
  ) throws {
    settings = try DetectionSettings(spec)
    let scope = Scope()
    detector = try Detector(spec, settings, scope, trunk: trunk.network, classes: dataset.classNames.count)
    declarations = scope.declarations
    let shower = DetectionShower(
      try TrainingImages(dataset.train, classNames: dataset.classNames).split
        .kept(
          settings.kind == .mask ? [.pixels, .objects, .masks] : [.pixels, .objects], limit: limit),
      settings, trunk.normalisation, seed: seed)
    self.shower = shower
    batches = DetectionBatches(
      aspects: (0..<shower.training.count).map { shower.aspect(of: $0) }, borders: settings.aspectBins,
      groupSize: settings.lossGroup, batchSize: settings.batchSize, seed: seed)
    let epoch = batches.batchesPerEpoch
    schedule = TransferSchedule(
      steps: settings.epochs * epoch, interval: epoch, evaluation: settings.evalEvery * epoch)
    rates = try DetectionRates(spec, stepsPerEpoch: epoch, epochs: settings.epochs)
    optimizer = SGD(momentum: settings.momentum, weightDecay: settings.weightDecay)
    frozen =
      FrozenArrays(
        ModelState(unfilled: scope.declarations), behind: trunkPrefix, stages: settings.frozenStages,
        norm: settings.trunkNorm
      ).slots
    self.seed = seed
  }

  func rate(_ step: Int) -> Double { rates.rate(step) }

  func lesson(_ step: Int, _ state: inout ModelState) throws -> Lesson {
    let epoch = step / schedule.interval
    let groups = batches.batches(epoch: epoch)[step % schedule.interval]
    var lesson = Lesson(losses: [:], gradients: [])
    for group in groups {
      let shown = try shower.group(group, epoch: epoch)
      let pass = Pass(
        state, settings.trunkNorm == .trained ? .training : .inference, recordsGradients: true, frozen: frozen
      )
      let (terms, total) = try detector.losses(shown, pass) { image, head, matches in
        let stream = RandomStream(
          seed: seed, "transfer/sample", step, shower.training.places[group[image]], head)
        return detector.sampler(head: head).sample(matches) { stream.word($0) }
      }
      let whole = total.scalar
      for (name, value) in terms + [("", whole)] {
        guard value.isFinite else {
          throw TransferDiverged(epoch: epoch, step: step, part: name.isEmpty ? "as a whole" : name)
        }
        lesson.losses[name, default: 0] += value / Double(groups.count)
      }
      lesson.gradients.add(pass.gradients(of: total), share: 1 / Double(groups.count))
      pass.commit(to: &state)
    }
    return lesson
  }

  func prediction(_ image: AnnotatedImage, _ state: ModelState) throws -> Prediction {
    let shown = try shower.test(image)
    let pass = Pass(state, .inference)
    let found = try detector.found(shown, pass)
    let (down, across) = shown.factors
    return .objects(
      found.map { object in
        let box = Corners(
          object.box.x1 / across, object.box.y1 / down, object.box.x2 / across, object.box.y2 / down)
        return PredictedObject(
          box: Box(x: box.x1, y: box.y1, width: box.width, height: box.height), label: object.label,
          score: object.score, mask: object.mask.map { pasted($0, box, image) })
      })
  }

  /// One after the other: a picture for every mask at once would be too many.
  private func pasted(_ mask: [Double], _ box: Corners, _ image: AnnotatedImage) -> RunLengthMask {
    let picture = MaskGeometry.pasted(
      mask, side: 28, box: box, height: image.height, width: image.width, rules: settings.rules)
    return RunLengthMask(
      height: image.height, width: image.width,
      bits: picture.map { MaskGeometry.isSet($0, rules: settings.rules) })
  }
}

extension [Tensor?] {
  /// Adds a share of other gradients, slot by slot.
  mutating func add(_ others: [Tensor?], share: Double) {
    if isEmpty { self = Array(repeating: nil, count: others.count) }
    for index in indices {
      guard let other = others[index] else { continue }
      let part = share == 1 ? other : other * share
      self[index] = self[index].map { $0 + part } ?? part
    }
  }

  /// Shortens all together to a length.
  mutating func clip(to length: Double) {
    guard length > 0 else { return }
    let norm = reduce(0) { sum, gradient in sum + (gradient.map { $0.l2Norm * $0.l2Norm } ?? 0) }.squareRoot()
    // As PyTorch's `clip_grad_norm_` does.
    let share = length / (norm + 1e-6)
    guard share < 1 else { return }
    self = map { $0.map { $0 * share } }
  }
}
