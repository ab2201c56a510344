package import Networks
package import Tensors

/// One-stage detection with the focal loss (Lin et al. 2017): what is learnt from a group of images,
/// and what is found in one.
package struct RetinaNet: Sendable {
  package var rules: DetectionRules
  /// Whose rounding and strides anchors have.
  package var anchorRounding: DetectionRules
  package var classes: Int
  package var anchors: Anchors
  private let pyramid: FeaturePyramid
  private let head: RetinaHead

  package init(
    _ scope: Scope, trunk inputs: [Int], width: Int, classes: Int, anchors: Anchors, top: FeaturePyramid.Top,
    tower: (depth: Int, std: Double) = (4, 0.01), rules: DetectionRules
  ) {
    self.rules = rules
    anchorRounding = rules
    self.classes = classes
    self.anchors = anchors
    pyramid = FeaturePyramid(
      scope / "backbone" / "fpn", inputs: inputs, width: width, top: top, rules: rules)
    head = RetinaHead(
      scope / "head", width: width, classes: classes, anchors: anchors.perCell, depth: tower.depth,
      towerStd: tower.std)
  }

  /// What the head says of every anchor of a group.
  package struct Output {
    /// `[images, anchors, classes]`.
    package let logits: Tensor
    /// `[images, anchors, 4]`.
    package let deltas: Tensor
    package let boxes: [Corners]
    package let maps: [(height: Int, width: Int)]
  }

  /// - Parameter maps: C3 to C5 of the trunk.
  package func callAsFunction(_ maps: [Tensor], _ group: DetectionGroup, _ pass: Pass) -> Output {
    let levels = pyramid(maps, pass)
    let (logits, deltas) = head(levels, pass)
    let sizes = levels.map { (height: $0.shape[2], width: $0.shape[3]) }
    return Output(
      logits: logits, deltas: deltas,
      boxes: anchors.boxes(rules: anchorRounding, maps: sizes, padded: group.padded), maps: sizes)
  }

  /// Which object each anchor of an image is to find.
  package func matches(_ output: Output, _ truth: DetectionTruth, _ group: DetectionGroup, image: Int)
    -> [BoxMatch]
  {
    let matcher = BoxMatcher(rules: rules, positive: 0.5, negative: 0.4, lowQuality: 0)
    return matcher.matches(
      output.boxes, truth.boxes,
      taking: rules == .mmdet
        ? anchors.taking(
          maps: output.maps, boxes: output.boxes, image: group.images[image], own: group.own(image)) : nil)
  }

  /// The focal loss of classes and the L1 loss of boxes, both `[]`.
  ///
  /// mmdet divides sums over the group by the number of its positives, at least one an image; torchvision
  /// averages each image's own ratio.
  package func losses(_ output: Output, _ truths: [DetectionTruth], _ group: DetectionGroup) -> (
    classes: Tensor, boxes: Tensor
  ) {
    let precision = output.logits.precision
    let anchorCount = output.boxes.count
    let coding = BoxCoding(rules: rules)
    var targets = Array(repeating: 0.0, count: truths.count * anchorCount * classes)
    var weights = Array(repeating: 1.0, count: truths.count * anchorCount)
    var rows: [Int] = []
    var deltas: [[Double]] = []
    var boxWeights: [Double] = []
    let all = truths.indices.map { matches(output, truths[$0], group, image: $0) }
    let positives = all.map { $0.count { if case .object = $0 { true } else { false } } }
    let together = Double(positives.reduce(0) { $0 + max($1, 1) })
    for (image, truth) in truths.enumerated() {
      let share =
        rules == .mmdet ? 1 / together : 1 / Double(max(positives[image], 1)) / Double(truths.count)
      for (anchor, match) in all[image].enumerated() {
        let row = image * anchorCount + anchor
        switch match {
        case .ignored: weights[row] = 0
        case .negative: weights[row] = share
        case .object(let object):
          weights[row] = share
          targets[row * classes + truth.labels[object]] = 1
          rows.append(row)
          boxWeights.append(share)
          deltas.append(coding.encoded(truth.boxes[object], from: output.boxes[anchor]))
        }
      }
    }
    let logits = output.logits.reshaped([weights.count, classes])
    let focal = logits.focalLoss(Tensor(targets, logits.shape, precision))
      .scaled(byRow: Tensor(weights, [weights.count], precision)).sum()
    let predicted = output.deltas.reshaped([weights.count, 4]).rows(rows)
    let boxes = predicted.smoothL1(.rows(deltas, precision), beta: 0)
      .scaled(byRow: Tensor(boxWeights, [rows.count], precision)).sum()
    return (focal, boxes)
  }

  /// What counts at test time.
  package struct Selection: Hashable, Sendable {
    /// Scores up to this are nothing.
    package var threshold = 0.05
    /// Of each level, the best pairs of anchor and class.
    package var perLevel = 1000
    package var suppression = 0.5
    package var kept = 100

    package init() {}
  }

  /// The objects of each image, by falling score.
  ///
  /// Throws where a score is not a number.
  package func found(_ output: Output, _ group: DetectionGroup, _ selection: Selection = Selection())
    throws(ScoreError) -> [[FoundObject]]
  {
    let logits = output.logits.sigmoid().doubles
    let deltas = output.deltas.fours()
    let coding = BoxCoding(rules: rules)
    let anchorCount = output.boxes.count
    var found: [[FoundObject]] = []
    for (image, size) in group.images.enumerated() {
      var objects: [FoundObject] = []
      var first = 0
      for map in output.maps {
        let count = map.height * map.width * anchors.perCell
        let offset = (image * anchorCount + first) * classes
        let pairs = (0..<count * classes).filter { !(logits[offset + $0] <= selection.threshold) }
        for pair in Suppression.largest(pairs.map { logits[offset + $0] }, selection.perLevel) {
          let anchor = first + pairs[pair] / classes
          let box = coding.decoded(deltas[image * anchorCount + anchor], from: output.boxes[anchor])
          objects.append(
            FoundObject(
              box: box.clipped(height: Double(size.height), width: Double(size.width)),
              label: pairs[pair] % classes, score: logits[offset + pairs[pair]]))
        }
        first += count
      }
      let kept = try Suppression.kept(
        objects.map(\.box), scores: objects.map(\.score), groups: objects.map(\.label),
        threshold: selection.suppression, limit: selection.kept)
      found.append(kept.map { objects[$0] })
    }
    return found
  }
}
