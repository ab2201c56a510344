internal import Detection
internal import Networks
internal import Specs
internal import Tensors

/// A trunk with one of the four detectors on it.
struct Detector: Sendable {
  private enum Top: Sendable {
    case dense(RetinaNet, RetinaNet.Selection)
    case regions(RegionDetector, RegionSelections)
  }

  struct RegionSelections: Sendable {
    let training: ProposalNetwork.Selection
    let test: ProposalNetwork.Selection
    let found: RegionDetector.Selection
    let anchors: BoxSampler
    let regions: BoxSampler
  }

  private enum Average: String, CaseIterable { case logits, probabilities }

  private let trunk: any Backbone
  private let top: Top

  init(
    _ spec: TransferSpec, _ settings: DetectionSettings, _ scope: Scope, trunk network: ModelSpec,
    classes: Int
  ) throws {
    trunk = try NetworkNames.trunk(network, scope / "backbone" / "body")
    let channels = NetworkNames.trunkChannels(network)
    let width = try spec.integer("fpnWidth")
    let rounding: DetectionRules = settings.anchorRounding == .tv ? .tv : .mmdet
    if settings.kind == .retinanet {
      var detector = RetinaNet(
        scope, trunk: Array(channels.suffix(3)), width: width, classes: classes,
        anchors: settings.anchors,
        top: .learnt(
          from: try spec.word("p6From", of: FeaturePyramid.Top.Source.self), relu: try spec.flag("p7ReLU")),
        tower: (try spec.integer("towerDepth"), try spec.number("towerStd")), rules: settings.rules)
      detector.anchorRounding = rounding
      var selection = RetinaNet.Selection()
      selection.kept = settings.detections
      top = .dense(detector, selection)
      return
    }
    let kind: RegionDetector.Kind =
      settings.kind == .mask ? .mask : settings.kind == .cascade ? .cascade : .faster
    let border = try spec.number("allowedBorder")
    var detector = RegionDetector(
      kind, scope, trunk: channels, width: width, hidden: try spec.integer("hidden"),
      maskWidth: kind == .mask ? try spec.integer("maskWidth") : 0,
      classes: RegionClasses(count: classes, isBackgroundFirst: false),
      anchors: settings.anchors,
      allowedBorder: border < 0 ? nil : border, rules: settings.rules)
    detector.anchorRounding = rounding
    detector.sampling = try spec.integer("roiSampling")
    detector.isAligned = try spec.flag("roiAligned")
    var found = RegionDetector.Selection()
    found.kept = settings.detections
    if kind == .cascade {
      found.averagesProbabilities = try spec.word("cascadeAverage", of: Average.self) == .probabilities
    }
    top = .regions(
      detector,
      RegionSelections(
        training: ProposalNetwork.Selection(
          perLevel: try spec.integer("rpnPre"), kept: try spec.integer("rpnPost")),
        test: ProposalNetwork.Selection(
          perLevel: try spec.integer("rpnPreTest"), kept: try spec.integer("rpnPostTest")),
        found: found, anchors: BoxSampler(number: try spec.integer("rpnSample"), share: 0.5),
        regions: BoxSampler(number: try spec.integer("roiSample"), share: 0.25)))
  }

  /// Head 0 is the proposal network.
  func sampler(head: Int) -> BoxSampler {
    guard case .regions(_, let selections) = top else { preconditionFailure("RetinaNet samples nothing") }
    return head == 0 ? selections.anchors : selections.regions
  }

  /// C2 to C5.
  private func maps(_ images: Tensor, _ pass: Pass) -> [Tensor] {
    let features = trunk.features(of: images, pass)
    return (1...4).map { features[.stage($0)] }
  }

  /// The losses of a group by their names, before their weights, and the loss whose gradient is taken.
  func losses(
    _ shown: ShownGroup, _ pass: Pass, choosing choose: BoxChoice
  ) throws -> (terms: [(String, Double)], total: Tensor) {
    let maps = maps(shown.images, pass)
    switch top {
    case .dense(let detector, _):
      let output = detector(Array(maps.suffix(3)), shown.group, pass)
      let losses = detector.losses(output, shown.truths, shown.group)
      return (
        [("cls", losses.classes.scalar), ("box", losses.boxes.scalar)], losses.classes + losses.boxes
      )
    case .regions(let detector, let selections):
      let features = detector.features(maps, shown.group, pass)
      let regions = try detector.proposals.proposals(features.output, shown.group, selections.training)
      let losses = detector.losses(
        features, regions.map { $0.map(\.box.roundedToSingle) }, shown.truths, shown.group, pass,
        choosing: choose)
      return (losses.terms.map { ($0.name, $0.loss.scalar) }, losses.total)
    }
  }

  /// The objects of one image, by falling score.
  func found(_ shown: ShownGroup, _ pass: Pass) throws -> [FoundObject] {
    let maps = maps(shown.images, pass)
    switch top {
    case .dense(let detector, let selection):
      return try detector.found(detector(Array(maps.suffix(3)), shown.group, pass), shown.group, selection)[0]
    case .regions(let detector, let selections):
      let features = detector.features(maps, shown.group, pass)
      return try detector.found(
        features, shown.group, proposing: selections.test, selections.found, pass)[0]
    }
  }
}
