package import Networks
package import Tensors

/// Proposes regions that may hold an object (Ren et al. 2015).
package struct ProposalNetwork: Sendable {
  package var rules: DetectionRules
  /// Whose rounding and strides anchors have.
  package var anchorRounding: DetectionRules
  package var anchors: Anchors
  /// How far an anchor may reach over the image's border in training, in pixels; nil for as far as it likes.
  /// Under mmdet's rules alone.
  package var allowedBorder: Double?
  /// The bend of the box loss; 0 for L1.
  package var beta: Double
  private let head: ProposalHead

  package init(
    _ scope: Scope, width: Int, anchors: Anchors, allowedBorder: Double? = nil, beta: Double,
    rules: DetectionRules
  ) {
    self.rules = rules
    anchorRounding = rules
    self.anchors = anchors
    self.allowedBorder = allowedBorder
    self.beta = beta
    head = ProposalHead(scope / "head", width: width, anchors: anchors.perCell)
  }

  package struct Output {
    /// Logits, `[images, anchors]`.
    package let objectness: Tensor
    /// `[images, anchors, 4]`.
    package let deltas: Tensor
    package let boxes: [Corners]
    package let maps: [(height: Int, width: Int)]
  }

  /// - Parameter levels: P2 to P6.
  package func callAsFunction(_ levels: [Tensor], _ group: DetectionGroup, _ pass: Pass) -> Output {
    let (objectness, deltas) = head(levels, pass)
    let sizes = levels.map { (height: $0.shape[2], width: $0.shape[3]) }
    return Output(
      objectness: objectness, deltas: deltas,
      boxes: anchors.boxes(rules: anchorRounding, maps: sizes, padded: group.padded), maps: sizes)
  }

  /// Which object each anchor of an image is to find.
  package func matches(_ output: Output, _ truth: DetectionTruth, _ group: DetectionGroup, image: Int)
    -> [BoxMatch]
  {
    let matcher = BoxMatcher(
      rules: rules, positive: 0.7, negative: 0.3, lowQuality: rules == .mmdet ? 0.3 : 0)
    return matcher.matches(
      output.boxes, truth.boxes,
      taking: rules == .mmdet
        ? anchors.taking(
          maps: output.maps, boxes: output.boxes, image: group.images[image], own: group.own(image),
          border: allowedBorder) : nil)
  }

  /// The cross-entropy of objectness and the loss of boxes over a sample of anchors, both `[]`.
  ///
  /// mmdet divides both by the sample's positives and negatives, each at least one an image; torchvision
  /// takes the mean over the sample, and divides the boxes' sum by its size.
  package func losses(
    _ output: Output, _ truths: [DetectionTruth], _ group: DetectionGroup, choosing choose: BoxChoice
  ) -> (objectness: Tensor, boxes: Tensor) {
    let precision = output.objectness.precision
    let anchorCount = output.boxes.count
    let coding = BoxCoding(rules: rules)
    var rows: [Int] = []
    var targets: [Double] = []
    var positives: [Int] = []
    var deltas: [[Double]] = []
    var divisor = 0
    for (image, truth) in truths.enumerated() {
      let matches = matches(output, truth, group, image: image)
      let (positive, negative) = choose(image, 0, matches)
      divisor +=
        rules == .mmdet
        ? max(positive.count, 1) + max(negative.count, 1) : positive.count + negative.count
      rows += (positive + negative).map { image * anchorCount + $0 }
      targets += positive.map { _ in 1 } + negative.map { _ in 0 }
      positives += positive.map { image * anchorCount + $0 }
      for (anchor, object) in zip(positive, matches.objects(positive)) {
        deltas.append(coding.encoded(truth.boxes[object], from: output.boxes[anchor]))
      }
    }
    let share = 1 / Double(max(divisor, 1))
    let logits = output.objectness.reshaped([truths.count * anchorCount, 1]).rows(rows)
    let objectness = logits.binaryCrossEntropy(Tensor(targets, [targets.count, 1], precision)).sum() * share
    let predicted = output.deltas.reshaped([truths.count * anchorCount, 4]).rows(positives)
    let boxes = predicted.smoothL1(.rows(deltas, precision), beta: beta).sum() * share
    return (objectness, boxes)
  }

  /// How many proposals are kept.
  package struct Selection: Hashable, Sendable {
    /// Of each level, by objectness.
    package var perLevel: Int
    /// Of all levels, after suppression.
    package var kept: Int

    package init(perLevel: Int, kept: Int) {
      self.perLevel = perLevel
      self.kept = kept
    }
  }

  /// The best regions of each image with their logits, by falling objectness; constants. Ties: the finer
  /// level, then the lower place.
  ///
  /// Throws where a logit is not a number.
  package func proposals(_ output: Output, _ group: DetectionGroup, _ selection: Selection)
    throws(ScoreError) -> [[(box: Corners, logit: Double)]]
  {
    let logits = output.objectness.doubles
    let deltas = output.deltas.fours()
    let coding = BoxCoding(rules: rules)
    let anchorCount = output.boxes.count
    let least = rules == .tv ? 1e-3 : 0
    var proposals: [[(box: Corners, logit: Double)]] = []
    for (image, size) in group.images.enumerated() {
      var boxes: [Corners] = []
      var scores: [Double] = []
      var levels: [Int] = []
      var first = image * anchorCount
      for (level, map) in output.maps.enumerated() {
        let count = map.height * map.width * anchors.perCell
        for place in Suppression.largest(Array(logits[first..<first + count]), selection.perLevel) {
          let row = first + place
          let box = coding.decoded(deltas[row], from: output.boxes[row - image * anchorCount])
            .clipped(height: Double(size.height), width: Double(size.width))
          let isLarge =
            rules == .tv
            ? box.width >= least && box.height >= least : box.width > least && box.height > least
          guard isLarge else { continue }
          boxes.append(box)
          scores.append(logits[row])
          levels.append(level)
        }
        first += count
      }
      let kept = try Suppression.kept(
        boxes, scores: scores, groups: levels, threshold: 0.7, limit: selection.kept)
      proposals.append(kept.map { (boxes[$0], scores[$0]) })
    }
    return proposals
  }
}
