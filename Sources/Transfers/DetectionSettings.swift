internal import Detection
internal import Specs

/// A detector's recipe, read from a specification.
struct DetectionSettings: Sendable {
  enum Kind: String, CaseIterable, Sendable {
    case retinanet
    case faster = "faster-rcnn"
    case mask = "mask-rcnn"
    case cascade = "cascade-rcnn"
  }

  enum Schedule: String, CaseIterable { case step, cosine }
  enum Rounding: String, CaseIterable { case none, tv }

  let kind: Kind
  let rules: DetectionRules
  let epochs: Int
  let batchSize: Int
  let lossGroup: Int
  let shortSide: Int
  let longSide: Int
  let aspectBins: [Double]
  let evalEvery: Int
  let frozenStages: Int
  let trunkNorm: TrunkNorm
  let anchorRounding: Rounding
  let anchorScale: Double
  let detections: Int
  let clipNorm: Double
  let momentum: Double
  let weightDecay: Double

  init(_ spec: TransferSpec) throws(SpecError) {
    guard let kind = Kind(rawValue: spec.head) else {
      throw SpecError(
        path: "head", expected: "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.kind = kind
    // torchvision has no Cascade R-CNN.
    rules = kind == .cascade ? .mmdet : try spec.word("rules", of: DetectionRules.self)
    epochs = try spec.integer("epochs")
    batchSize = try spec.integer("batchSize")
    lossGroup = try spec.integer("lossGroup")
    shortSide = try spec.integer("shortSide")
    longSide = try spec.integer("longSide")
    aspectBins = try spec.numbers("aspectBins")
    evalEvery = try spec.integer("evalEvery")
    frozenStages = try spec.integer("frozenStages")
    trunkNorm = try spec.word("trunkNorm", of: TrunkNorm.self)
    anchorRounding = try spec.word("anchorRounding", of: Rounding.self)
    anchorScale = try spec.number("anchorScale")
    detections = try spec.integer("detections")
    clipNorm = try spec.number("clipNorm")
    momentum = try spec.number("momentum")
    weightDecay = try spec.number("weightDecay")
  }

  /// Sides of an image as the detector sees it: as large as the recipe says, in proportion.
  func size(height: Int, width: Int) -> (height: Int, width: Int) {
    guard shortSide > 0 else { return (height, width) }
    let factor = min(
      Double(shortSide) / Double(min(height, width)), Double(longSide) / Double(max(height, width)))
    func side(_ side: Int) -> Int {
      let exact = Double(side) * factor
      return max(Int(rules == .mmdet ? exact + 0.5 : exact), 1)
    }
    return (side(height), side(width))
  }

  /// A side as it is filled up with zeros.
  static func padded(_ side: Int) -> Int { (side + 31) / 32 * 32 }

  var anchors: Anchors {
    kind == .retinanet ? .retinaNet(scale: anchorScale) : .rpn(scale: anchorScale)
  }
}

/// The learning rate of a detector's transfer, step by step.
struct DetectionRates: Sendable {
  let base: Double
  let schedule: DetectionSettings.Schedule
  let milestones: [Double]
  let warmupSteps: Int
  let warmupFactor: Double
  let stepsPerEpoch: Int
  let totalSteps: Int

  init(_ spec: TransferSpec, stepsPerEpoch: Int, epochs: Int) throws(SpecError) {
    base = try spec.number("learningRate")
    schedule = try spec.word("schedule", of: DetectionSettings.Schedule.self)
    milestones = schedule == .step ? try spec.numbers("milestones") : []
    let steps = try spec.integer("warmupSteps")
    warmupSteps = try spec.flag("warmupWithinEpoch") ? min(steps, stepsPerEpoch - 1) : steps
    warmupFactor = try spec.number("warmupFactor")
    self.stepsPerEpoch = stepsPerEpoch
    totalSteps = epochs * stepsPerEpoch
  }

  /// - Parameter step: from 0.
  func rate(_ step: Int) -> Double {
    var rate = base
    switch schedule {
    case .step:
      let epoch = Double(step / stepsPerEpoch)
      for milestone in milestones where milestone <= epoch { rate *= 0.1 }
    case .cosine: rate *= HalfCosine.value(step, of: totalSteps)
    }
    guard step < warmupSteps else { return rate }
    return rate * (warmupFactor + (1 - warmupFactor) * Double(step) / Double(warmupSteps))
  }
}
