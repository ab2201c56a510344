internal import Datasets
internal import Networks
internal import Segmentation
internal import Specs
internal import Tensors

/// A segmentor's training: which images a step shows, what is learnt from them, and what class each
/// pixel of a test image gets.
struct SegmentationLearner: Learner {
  let declarations: [SlotDeclaration]
  let trunkPrefix = "backbone."
  let schedule: TransferSchedule
  let optimizer: SGD
  let clipNorm = 0.0
  let testParts: AnnotatedParts = [.pixels, .semantics]
  private let segmentor: Segmentor
  private let training: AnnotatedSplit
  private let shower: SegmentationShower
  /// Between windows in which test images are looked at; nil where they are looked at whole.
  private let slideStride: Int?
  private let lossMean: PixelLoss.Mean
  private let auxiliaryWeight: Double
  private let batchSize: Int
  private let lossGroup: Int
  private let base: Double
  private let least: Double
  private let power: Double
  private let seed: UInt64

  /// - Parameter limit: bytes of pixels that are kept in memory at most.
  init(
    _ spec: TransferSpec, on trunk: Trunk, _ dataset: AnnotatedDataset, seed: UInt64, _ limit: Int
  ) throws {
    self.seed = seed
    schedule = try TransferSchedule(ofSegmentor: spec)
    batchSize = try spec.integer("batchSize")
    lossGroup = try spec.integer("lossGroup")
    slideStride = try spec.fields["test"] == "slide" ? spec.integer("slideStride") : nil
    lossMean = try spec.word("lossMean", of: PixelLoss.Mean.self)
    auxiliaryWeight = try spec.number("auxWeight")
    base = try spec.number("learningRate")
    least = try spec.number("leastRate")
    power = try spec.number("power")
    optimizer = SGD(momentum: try spec.number("momentum"), weightDecay: try spec.number("weightDecay"))
    let scope = Scope()
    segmentor = try Segmentor(spec, scope, trunk: trunk.network, classes: dataset.semanticNames.count)
    declarations = scope.declarations
    shower = try SegmentationShower(spec, trunk.normalisation, seed: seed)
    try shower.check(dataset.train)
    try shower.check(dataset.test, isTest: true)
    training = try dataset.train.kept([.pixels, .semantics], limit: limit)
  }

  func rate(_ step: Int) -> Double {
    (base - least) * FallingPower.value(step, of: schedule.steps, power: power) + least
  }

  /// The images of a step: the shuffled orders of all epochs as one sequence, cut into batches.
  private func images(of step: Int) -> [(image: Int, epoch: Int)] {
    var orders: [Int: [Int]] = [:]
    return (step * batchSize..<(step + 1) * batchSize).map { place in
      let epoch = place / training.count
      let order =
        orders[epoch]
        ?? {
          var stream = RandomStream(seed: seed, "transfer/order", epoch)
          return stream.shuffled(count: training.count)
        }()
      orders[epoch] = order
      return (order[place % training.count], epoch)
    }
  }

  func lesson(_ step: Int, _ state: inout ModelState) throws -> Lesson {
    let shown = try images(of: step).enumerated().map { slot, place in
      try shower.shown(
        training.image(place.image, [.pixels, .semantics]), place: training.places[place.image],
        epoch: place.epoch, step: step, slot: slot)
    }
    let (height, width) = (shown[0].height, shown[0].width)
    let images = Tensor(shown.flatMap(\.values), [shown.count, 3, height, width])
    let pass = Pass(state, .training, noise: StepNoise(transferSeed: seed, step: step))
    let (main, auxiliary) = segmentor(images, pass, hasAuxiliary: true)
    let groups = stride(from: 0, to: shown.count, by: lossGroup)
    /// The mean over the groups, each with a divisor of its own.
    func loss(_ logits: Tensor) -> Tensor {
      let resized = segmentor.resized(logits, height: height, width: width)
      let parts = groups.map { first in
        let last = min(first + lossGroup, shown.count)
        return PixelLoss.value(
          resized.sliced(axis: 0, from: first, to: last), shown[first..<last].flatMap(\.labels), lossMean)
      }
      return parts.dropFirst().reduce(parts[0]) { $0 + $1 } * (1 / Double(parts.count))
    }
    let (mainLoss, auxiliaryLoss) = (loss(main), loss(auxiliary!))
    let total = mainLoss + auxiliaryLoss * auxiliaryWeight
    let losses = ["main": mainLoss.scalar, "aux": auxiliaryLoss.scalar, "": total.scalar]
    for name in ["main", "aux", ""] where losses[name]?.isFinite != true {
      throw TransferDiverged(
        epoch: schedule.records(endingBy: step), step: step, part: name.isEmpty ? "as a whole" : name)
    }
    let gradients = pass.gradients(of: total)
    pass.commit(to: &state)
    return Lesson(losses: losses, gradients: gradients)
  }

  func prediction(_ image: AnnotatedImage, _ state: ModelState) throws -> Prediction {
    let pass = Pass(state, .inference)
    let shown = shower.values(image)
    let picture = Tensor(shown.values, [1, 3, shown.height, shown.width])
    func logits(_ picture: Tensor) -> Tensor {
      segmentor.resized(
        segmentor(picture, pass, hasAuxiliary: false).main, height: picture.shape[2], width: picture.shape[3])
    }
    var whole: Tensor
    if let stride = slideStride, let crop = shower.crop {
      whole = SlidingWindows(
        height: shown.height, width: shown.width, crop: crop, stride: (stride, stride)
      ).logits(of: picture, logits)
    } else {
      whole = logits(picture)
    }
    // mmseg too resizes twice: to what the network was shown, then to what is judged.
    if (shown.height, shown.width) != (image.height, image.width) {
      whole = segmentor.resized(whole, height: image.height, width: image.width)
    }
    return .labels(Self.largest(whole.floats, area: image.height * image.width))
  }

  /// Of each pixel the class of the largest logit, the lowest of equals.
  private static func largest(_ values: [Float], area: Int) -> [UInt8] {
    var labels = [UInt8](repeating: 0, count: area)
    for pixel in 0..<area {
      var best = values[pixel]
      for label in 1..<max(values.count / area, 1) where values[label * area + pixel] > best {
        best = values[label * area + pixel]
        labels[pixel] = UInt8(label)
      }
    }
    return labels
  }
}

extension Segmentor {
  /// As a recipe says.
  init(_ spec: TransferSpec, _ scope: Scope, trunk network: ModelSpec, classes: Int) throws {
    let channels = NetworkNames.trunkChannels(network)
    guard let kind = Kind(rawValue: spec.head) else {
      throw SpecError(path: "head", expected: Kind.allCases.map(\.rawValue).joined(separator: " or "))
    }
    var options = Options(
      kind, classes: classes, width: try spec.integer("width"), alignsCorners: try spec.flag("alignCorners"))
    options.dropsChannels = try spec.flag("dropoutChannels")
    options.start = try spec.word("headInit", of: Start.self)
    if kind == .deeplabv3 {
      options.rates = try spec.numbers("rates").map { Int($0) }
      options.fusion = try spec.word("fusion", of: Fusion.self)
    } else {
      options.poolWidth = try spec.integer("poolWidth")
    }
    let dilation = try spec.word("dilation", of: TrunkDilation.self)
    try self.init(options, scope, channels: (channels[2], channels[3])) {
      try NetworkNames.trunk(network, $0, dilation: dilation)
    }
  }
}
