package import Tensors

/// The regions that a region head learns from: of all images of a group, positives of an
/// image before its negatives.
package struct RegionSample: Sendable {
  /// With the image that each is of.
  package private(set) var boxes: [(image: Int, box: Corners)] = []
  /// The object of its image that each region is to find; nil for background.
  package private(set) var objects: [Int?] = []
  /// Whether each region is an object's own box that was added.
  package private(set) var isTruth: [Bool] = []

  /// Adds the truths in front of each image's proposals, matches, and lets `choose` take some.
  ///
  /// mmdet matches proposals before it adds the truths, so that with low quality each object also takes its
  /// best proposal away from another; an added truth is positive for itself.
  package init(
    _ proposals: [[Corners]], _ truths: [DetectionTruth], _ matcher: BoxMatcher, head: Int,
    choosing choose: BoxChoice
  ) {
    for (image, truth) in truths.enumerated() {
      let own = truth.boxes.indices.map { BoxMatch.object($0) }
      let matches = own + matcher.matches(proposals[image], truth.boxes)
      let candidates = truth.boxes + proposals[image]
      let (positive, negative) = choose(image, head, matches)
      boxes += (positive + negative).map { (image, candidates[$0]) }
      objects += matches.objects(positive).map { $0 } + negative.map { _ in nil }
      isTruth += (positive + negative).map { $0 < truth.boxes.count }
    }
  }

  /// Places of the regions that have an object.
  package var positives: [Int] { objects.indices.filter { objects[$0] != nil } }
}

/// Losses of region heads.
package enum RegionLosses {
  /// The cross-entropy over all sampled regions and the loss of boxes over positives, divided by the number
  /// of all sampled regions; `[]`.
  ///
  /// - Parameters:
  ///   - deltas: `[regions, 4]` for one box that serves all classes, else `[regions, 4 × boxes]`, of which
  ///     only the object's own learns.
  ///   - beta: the bend of the box loss; 0 for L1.
  package static func boxes(
    _ logits: Tensor, _ deltas: Tensor, _ sample: RegionSample, _ truths: [DetectionTruth],
    classes: RegionClasses, coding: BoxCoding, beta: Double
  ) -> (classes: Tensor, boxes: Tensor) {
    let count = sample.boxes.count
    guard count > 0 else {
      return (logits.sum() * 0, deltas.sum() * 0)
    }
    let labels = sample.objects.enumerated().map { index, object in
      object.map { classes.output(of: truths[sample.boxes[index].image].labels[$0]) } ?? classes.background
    }
    let positives = sample.positives
    let perRegion = deltas.shape[1] / 4
    let rows = positives.map { $0 * perRegion + (perRegion == 1 ? 0 : labels[$0]) }
    let targets = positives.map { index in
      let (image, box) = sample.boxes[index]
      return coding.encoded(truths[image].boxes[sample.objects[index]!], from: box)
    }
    let predicted = deltas.reshaped([count * perRegion, 4]).rows(rows)
    return (
      logits.crossEntropy(labels: labels).mean(),
      predicted.smoothL1(.rows(targets, deltas.precision), beta: beta).sum() / Double(count)
    )
  }

  /// The mean cross-entropy of the pixels of the object's own mask over positives; 0 without any, `[]`.
  ///
  /// - Parameter logits: `[positives, classes, side, side]`.
  package static func masks(
    _ logits: Tensor, _ sample: RegionSample, _ truths: [DetectionTruth], classes: RegionClasses,
    rules: DetectionRules
  ) -> Tensor {
    let positives = sample.positives
    guard !positives.isEmpty else { return logits.sum() * 0 }
    let side = logits.shape[2]
    let rows = positives.enumerated().map { row, index in
      let truth = truths[sample.boxes[index].image]
      return row * logits.shape[1] + classes.output(of: truth.labels[sample.objects[index]!])
    }
    let own = logits.reshaped([positives.count * logits.shape[1], side * side]).rows(rows)
    let targets = targets(sample, truths, side: side, rules: rules)
    return own.binaryCrossEntropy(targets.converted(to: logits.precision).reshaped(own.shape)).mean()
  }

  /// Of all positives: `[positives, side, side]`.
  package static func targets(
    _ sample: RegionSample, _ truths: [DetectionTruth], side: Int, rules: DetectionRules
  ) -> Tensor {
    let positives = sample.positives
    let parts = truths.indices.compactMap { image -> Tensor? in
      let members = positives.filter { sample.boxes[$0].image == image }
      guard !members.isEmpty, let masks = truths[image].masks else { return nil }
      return MaskGeometry.targets(
        masks, members.map { (sample.boxes[$0].box, sample.objects[$0]!) }, side: side, rules: rules)
    }
    return .concatenated(parts, axis: 0)
  }
}
