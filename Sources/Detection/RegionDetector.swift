package import Networks
package import Tensors

/// Two-stage detection: regions are proposed, then judged. Faster R-CNN (Ren et al. 2015), Mask R-CNN (He et
/// al. 2017) with masks, Cascade R-CNN (Cai and Vasconcelos 2018) with three heads one after the other.
package struct RegionDetector: Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    case faster, mask, cascade
  }

  /// What a region head is given and how it learns.
  package struct Stage: Sendable {
    package var matcher: BoxMatcher
    package var coding: BoxCoding
    /// The bend of its box loss.
    package var beta: Double
    /// Its losses' share of the total.
    package var weight: Double
    fileprivate let head: BoxHead
  }

  package let kind: Kind
  package let rules: DetectionRules
  package let classes: RegionClasses
  package private(set) var proposals: ProposalNetwork
  package private(set) var stages: [Stage]
  /// Samples a cell and axis of pooled regions; 0 for as many as the cell has pixels.
  package var sampling: Int
  package var isAligned: Bool
  /// Whose rounding and strides anchors have.
  package var anchorRounding: DetectionRules {
    get { proposals.anchorRounding }
    set { proposals.anchorRounding = newValue }
  }
  private let pyramid: FeaturePyramid
  private let masks: MaskHead?

  /// - Parameters:
  ///   - inputs: channels of C2 to C5.
  ///   - hidden: units of the hidden layers of a box head.
  ///   - allowedBorder: how far anchors may reach over the border in training; nil for as far as they like.
  ///   - rules: Cascade R-CNN follows mmdet's whatever they are.
  package init(
    _ kind: Kind, _ scope: Scope, trunk inputs: [Int], width: Int, hidden: Int, maskWidth: Int,
    classes: RegionClasses, anchors: Anchors, allowedBorder: Double?, rules given: DetectionRules
  ) {
    let rules = kind == .cascade ? .mmdet : given
    self.kind = kind
    self.rules = rules
    self.classes = classes
    sampling = rules == .mmdet ? 0 : 2
    isAligned = rules == .mmdet
    pyramid = FeaturePyramid(
      scope / "backbone" / "fpn", inputs: inputs, width: width, top: .sampled, rules: rules)
    proposals = ProposalNetwork(
      scope / "rpn", width: width, anchors: anchors, allowedBorder: allowedBorder,
      beta: kind == .cascade || rules == .tv ? 1.0 / 9 : 0, rules: rules)
    let heads = scope / "roi_heads"
    func box(_ names: BoxHead.Names, isAgnostic: Bool) -> BoxHead {
      BoxHead(
        names, inputs: width * 49, hidden: hidden, classes: classes, isAgnostic: isAgnostic, rules: rules)
    }
    if kind == .cascade {
      let stds = [[0.1, 0.1, 0.2, 0.2], [0.05, 0.05, 0.1, 0.1], [0.033, 0.033, 0.067, 0.067]]
      stages = zip(stds, [(0.5, 1.0), (0.6, 0.5), (0.7, 0.25)]).enumerated().map { index, settings in
        let (stds, (overlap, weight)) = settings
        return Stage(
          matcher: BoxMatcher(rules: rules, positive: overlap, negative: overlap),
          coding: BoxCoding(stds: stds, rules: rules), beta: 1, weight: weight,
          head: box(.flat(heads / index), isAgnostic: true))
      }
    } else {
      let lowQuality: Double? = kind == .mask && rules == .mmdet ? 0.5 : nil
      stages = [
        Stage(
          matcher: BoxMatcher(rules: rules, positive: 0.5, negative: 0.5, lowQuality: lowQuality),
          coding: BoxCoding(stds: [0.1, 0.1, 0.2, 0.2], rules: rules), beta: rules == .tv ? 1.0 / 9 : 0,
          weight: 1, head: box(.torchvision(heads), isAgnostic: false))
      ]
    }
    masks =
      kind == .mask ? MaskHead(heads, inputs: width, width: maskWidth, classes: classes) : nil
  }

  /// What the trunk's maps and the proposal network say of a group.
  package struct Features {
    /// P2 to P6.
    package let levels: [Tensor]
    package let output: ProposalNetwork.Output
  }

  /// - Parameter maps: C2 to C5 of the trunk.
  package func features(_ maps: [Tensor], _ group: DetectionGroup, _ pass: Pass) -> Features {
    let levels = pyramid(maps, pass)
    return Features(levels: levels, output: proposals(levels, group, pass))
  }

  fileprivate func pooled(_ levels: [Tensor], _ boxes: [(image: Int, box: Corners)], side: Int) -> Tensor {
    RegionFeatures.pooled(levels, boxes, side: side, sampling: sampling, isAligned: isAligned)
  }
}

// MARK: Training

extension RegionDetector {
  /// The losses of a group by their names, with their share of the total.
  package struct Losses {
    package private(set) var terms: [(name: String, loss: Tensor, weight: Double)] = []

    mutating func add(_ name: String, _ loss: Tensor, weight: Double = 1) {
      terms.append((name, loss, weight))
    }

    package var total: Tensor {
      terms.dropFirst().reduce(terms[0].loss * terms[0].weight) { $0 + $1.loss * $1.weight }
    }
  }

  /// The losses of a group, `[]` each.
  ///
  /// - Parameters:
  ///   - regions: proposals of each image, constants.
  ///   - observe: called with each head's sample before it learns, and with the boxes that
  ///     Cascade's next head starts from.
  package func losses(
    _ features: Features, _ regions: [[Corners]], _ truths: [DetectionTruth], _ group: DetectionGroup,
    _ pass: Pass, choosing choose: BoxChoice,
    observing observe: (_ stage: Int, _ sample: RegionSample, _ refined: [[Corners]]) -> Void = { _, _, _ in }
  ) -> Losses {
    var losses = Losses()
    let (objectness, boxes) = proposals.losses(features.output, truths, group, choosing: choose)
    losses.add("rpn.cls", objectness)
    losses.add("rpn.box", boxes)
    var regions = regions
    for (index, stage) in stages.enumerated() {
      let suffix = stages.count > 1 ? "\(index)" : ""
      let sample = RegionSample(regions, truths, stage.matcher, head: index + 1, choosing: choose)
      let (logits, deltas) = stage.head(pooled(features.levels, sample.boxes, side: 7), pass)
      let terms = RegionLosses.boxes(
        logits, deltas, sample, truths, classes: classes, coding: stage.coding, beta: stage.beta)
      losses.add("cls\(suffix)", terms.classes, weight: stage.weight)
      losses.add("box\(suffix)", terms.boxes, weight: stage.weight)
      if index + 1 < stages.count {
        regions = refined(deltas, sample, stage.coding, group)
      }
      observe(index, sample, regions)
      if let masks {
        let positives = sample.positives.map { sample.boxes[$0] }
        let logits = masks(pooled(features.levels, positives, side: 14), pass)
        losses.add("mask", RegionLosses.masks(logits, sample, truths, classes: classes, rules: rules))
      }
    }
    return losses
  }

  /// What a head makes of its sampled boxes, without gradient, clipped, those that were added truths left
  /// out; rounded to single precision, in which regions are handed on.
  private func refined(
    _ deltas: Tensor, _ sample: RegionSample, _ coding: BoxCoding, _ group: DetectionGroup
  ) -> [[Corners]] {
    var regions: [[Corners]] = group.images.map { _ in [] }
    for (row, numbers) in deltas.detached.fours().enumerated() where !sample.isTruth[row] {
      let (image, box) = sample.boxes[row]
      let size = group.images[image]
      let region = coding.decoded(numbers, from: box)
        .clipped(height: Double(size.height), width: Double(size.width))
      regions[image].append(region.roundedToSingle)
    }
    return regions
  }
}

// MARK: Test

extension RegionDetector {
  /// What counts at test time.
  package struct Selection: Hashable, Sendable {
    /// Scores up to this are nothing.
    package var threshold = 0.05
    package var suppression = 0.5
    package var kept = 100
    /// Whether Cascade's heads are averaged before the softmax (mmdet) or behind it (detectron2).
    package var averagesProbabilities = false

    package init() {}
  }

  /// What the heads say of proposals: logits, averaged over Cascade's heads, and the boxes
  /// that each class would have.
  ///
  /// - Returns: of each proposal the logits `[regions, K + 1]` and probabilities, and the last boxes,
  ///   one or one for each class.
  package func judged(
    _ features: Features, _ regions: [(image: Int, box: Corners)], _ group: DetectionGroup, _ pass: Pass,
    averagingProbabilities: Bool = false
  ) -> (logits: Tensor, probabilities: Tensor, boxes: [[Corners]]) {
    var regions = regions
    var logits: [Tensor] = []
    var boxes: [[Corners]] = []
    for stage in stages {
      let (classLogits, deltas) = stage.head(pooled(features.levels, regions, side: 7), pass)
      logits.append(classLogits.detached)
      let numbers = deltas.detached.fours()
      let perRegion = deltas.shape[1] / 4
      boxes = regions.enumerated().map { index, region in
        let size = group.images[region.image]
        return (0..<perRegion).map {
          stage.coding.decoded(numbers[index * perRegion + $0], from: region.box)
            .clipped(height: Double(size.height), width: Double(size.width))
        }
      }
      if perRegion == 1 { regions = zip(regions, boxes).map { ($0.image, $1[0]) } }
    }
    func mean(_ parts: [Tensor]) -> Tensor {
      parts.count == 1 ? parts[0] : parts.dropFirst().reduce(parts[0]) { $0 + $1 } / Double(parts.count)
    }
    let average = mean(logits)
    let probabilities = averagingProbabilities ? mean(logits.map { $0.softmax() }) : average.softmax()
    return (average, probabilities, boxes)
  }

  /// The objects of each image, by falling score.
  ///
  /// Throws where a score is not a number.
  package func found(
    _ features: Features, _ group: DetectionGroup, proposing: ProposalNetwork.Selection,
    _ selection: Selection = Selection(), _ pass: Pass
  ) throws(ScoreError) -> [[FoundObject]] {
    let proposed = try proposals.proposals(features.output, group, proposing)
    var found: [[FoundObject]] = []
    for (image, regions) in proposed.enumerated() {
      guard !regions.isEmpty else {
        found.append([])
        continue
      }
      let (_, probabilities, boxes) = judged(
        features, regions.map { (image, $0.box) }, group, pass,
        averagingProbabilities: selection.averagesProbabilities)
      found.append(try kept(probabilities.doubles, boxes, selection))
    }
    guard let masks else { return found }
    for image in found.indices where !found[image].isEmpty {
      let logits = masks(pooled(features.levels, found[image].map { (image, $0.box) }, side: 14), pass)
      let pixels = logits.shape[2] * logits.shape[3]
      let values = logits.sigmoid().doubles
      for index in found[image].indices {
        let first = (index * logits.shape[1] + classes.output(of: found[image][index].label)) * pixels
        found[image][index].mask = Array(values[first..<first + pixels])
      }
    }
    return found
  }

  /// Pairs of a region and a class above the threshold, suppressed within each class.
  private func kept(
    _ probabilities: [Double], _ boxes: [[Corners]], _ selection: Selection
  ) throws(ScoreError) -> [FoundObject] {
    var objects: [FoundObject] = []
    for (region, choices) in boxes.enumerated() {
      for label in 0..<classes.count {
        let output = classes.output(of: label)
        let score = probabilities[region * (classes.count + 1) + output]
        guard !(score <= selection.threshold) else { continue }
        let box = choices[choices.count == 1 ? 0 : output]
        if rules == .tv, box.width < 0.01 || box.height < 0.01 { continue }
        objects.append(FoundObject(box: box, label: label, score: score))
      }
    }
    let kept = try Suppression.kept(
      objects.map(\.box), scores: objects.map(\.score), groups: objects.map(\.label),
      threshold: selection.suppression, limit: selection.kept)
    return kept.map { objects[$0] }
  }
}
