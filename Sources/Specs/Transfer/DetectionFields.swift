extension TransferRecipes {
  private static let twoStage = ["faster-rcnn", "mask-rcnn", "cascade-rcnn"]
  private static let dense = ["retinanet"]

  /// The same in all three.
  private static func same(_ value: JSONValue) -> [String: TransferField.Standard] {
    ["mmdet-1x": .value(value), "torchvision": .value(value), "mini-det": .value(value)]
  }

  private static func each(
    _ mmdet: TransferField.Standard, _ torchvision: TransferField.Standard, _ mini: TransferField.Standard
  ) -> [String: TransferField.Standard] {
    ["mmdet-1x": mmdet, "torchvision": torchvision, "mini-det": mini]
  }

  private static func values(
    _ mmdet: JSONValue, _ torchvision: JSONValue, _ mini: JSONValue
  ) -> [String: TransferField.Standard] {
    each(.value(mmdet), .value(torchvision), .value(mini))
  }

  static let detection: [TransferField] = detectionSchedule + detectionNetwork + detectionSamples

  private static let detectionSchedule: [TransferField] = [
    TransferField(
      "rules", .choice(["mmdet", "tv"]), .detection,
      "Whose conventions decide matching, coding, losses, anchors and first weights; Cascade R-CNN always "
        + "follows mmdet's.",
      values("mmdet", "tv", "tv")),
    TransferField(
      "epochs", .integer(minimum: 1), unit: "epochs", .detection, "Length of the transfer's training.",
      values(12, 26, 12)),
    TransferField(
      "batchSize", .integer(minimum: 1), unit: "images", .detection,
      "Images of an optimiser step; another number scales the recipe's learning rate, unless that is given.",
      values(16, 16, 4)),
    TransferField(
      "lossGroup", .integer(minimum: 1), unit: "images", .detection,
      "Images that are padded and normalised together in losses; the gradient is the mean over a "
        + "batch's groups.",
      values(2, 2, 4)),
    TransferField(
      "momentum", .number(.from(0, below: 1)), .detection, "Of SGD, without Nesterov's correction.",
      same(.number(DecimalNumber(mantissa: 9, exponent: -1)))),
    TransferField(
      "weightDecay", .number(.from(0)), .detection, "On all that is trained.",
      same(.number(DecimalNumber(mantissa: 1, exponent: -4)))),
    TransferField(
      "clipNorm", .number(.from(0)), .detection, "The longest gradient, by its l2 norm; 0 for any.",
      values(0, 0, 10)),
    TransferField(
      "learningRate", .number(.above(0)), .detection, "Of the transfer, before its schedule.",
      each(rate, rate, rate)),
    TransferField(
      "schedule", .choice(["step", "cosine"]), .detection,
      "Whether the rate falls to a tenth after the epochs of `milestones`, or as a cosine to 0.",
      values("step", "step", "cosine")),
    TransferField(
      "milestones", .list(.from(0)), unit: "epochs", .detection,
      "Epochs after which the rate falls to a tenth; read under the schedule `step`.",
      values([8, 11], [16, 22], [])),
    TransferField(
      "warmupSteps", .integer(minimum: 0), unit: "steps", .detection,
      "Steps in which the rate rises linearly to its full value, on top of the schedule.",
      values(500, 1000, 100)),
    TransferField(
      "warmupFactor", .number(.from(0, to: 1)), .detection, "Share of the rate at the first step.",
      same(.number(DecimalNumber(mantissa: 1, exponent: -3)))),
    TransferField(
      "warmupWithinEpoch", .flag, .detection, "Whether the warm-up ends before the first epoch does.",
      values(false, true, false)),
    TransferField(
      "shortSide", .integer(minimum: 0), unit: "pixels", .detection,
      "The shorter side of a resized image; 0 for the dataset's own size.", values(800, 800, 0)),
    TransferField(
      "longSide", .integer(minimum: 0), unit: "pixels", .detection,
      "The longer side of a resized image at most.", values(1333, 1333, 0)),
    TransferField(
      "aspectBins", .list(.above(0)), .detection,
      "Borders of width / height between images that do not stand in one group; none for one bin.",
      each(.value([1]), .value(thirds), .value([]))),
    TransferField(
      "evalEvery", .integer(minimum: 0), unit: "epochs", .detection,
      "Epochs of a detector, or steps of a segmentor, between evaluations on the test images while it "
        + "trains; 0 for at the end alone.",
      values(0, 0, 3)),
  ]

  /// 2^(i/3), i = -3 … 3.
  private static let thirds = JSONValue.array(
    ["0.5", "0.6299605249474366", "0.7937005259840998", "1", "1.2599210498948732", "1.5874010519681994", "2"]
      .compactMap { DecimalNumber($0).map { .number($0) } })

  private static let rate = TransferField.Standard.byHead(
    ["retinanet": .number(DecimalNumber(mantissa: 1, exponent: -2))],
    else: .number(DecimalNumber(mantissa: 2, exponent: -2)))

  private static let detectionNetwork: [TransferField] = [
    TransferField(
      "frozenStages", .integer(0...4), .detection,
      "Stages of the backbone that are not trained, counted from the stem, which is frozen with the "
        + "first; 0 for none.",
      values(1, 1, 0)),
    TransferField(
      "trunkNorm", .choice(["frozen", "affine", "trained"]), .detection,
      "Of the backbone's norms: nothing is trained, their scales alone, or statistics too (of each "
        + "group of images).",
      values("affine", "frozen", "trained")),
    TransferField(
      "fpnWidth", .integer(minimum: 1), unit: "channels", .detection, "Of the feature pyramid.",
      values(256, 256, 64)),
    TransferField(
      "hidden", .integer(minimum: 1), unit: "units", .detection, readers: twoStage,
      "Of the hidden layers of box heads.", values(1024, 1024, 256)),
    TransferField(
      "maskWidth", .integer(minimum: 1), unit: "channels", .detection, readers: ["mask-rcnn"],
      "Of the mask head.", values(256, 256, 64)),
    TransferField(
      "towerDepth", .integer(0...16), unit: "layers", .detection, readers: dense, "Of RetinaNet's towers.",
      same(4)),
    TransferField(
      "towerStd", .number(.above(0)), .detection, readers: dense, "Of the towers' first weights.",
      each(
        .value(.number(DecimalNumber(mantissa: 1, exponent: -2))),
        .value(.number(DecimalNumber(mantissa: 1, exponent: -2))), .kaiming(of: "fpnWidth"))),
    TransferField(
      "p6From", .choice(["c5", "p5"]), .detection, readers: dense, "What RetinaNet's P6 is made of.",
      same("c5")),
    TransferField(
      "p7ReLU", .flag, .detection, readers: dense, "Whether a ReLU stands between P6 and P7.",
      values(false, true, true)),
    TransferField(
      "anchorScale", .number(.above(0)), .detection, "Side of the smallest anchor, in strides of its level.",
      each(
        .byHead(["retinanet": 4], else: 8), .byHead(["retinanet": 4], else: 8),
        .byHead(["retinanet": 2], else: 4))),
    TransferField(
      "anchorRounding", .choice(["rules", "none", "tv"]), .detection,
      "Whether anchors are rounded as torchvision does; by default as the rules say.", same("rules")),
    TransferField(
      "roiSampling", .integerOr(0...16, ["rules"]), .detection, readers: twoStage,
      "Samples a cell and axis of pooled regions, 0 for as many as the cell has pixels; by default as "
        + "the rules say.",
      same("rules")),
    TransferField(
      "roiAligned", .flagOr("rules"), .detection, readers: twoStage,
      "Whether regions are pooled at the middles of pixels; by default as the rules say.", same("rules")),
  ]

  private static let detectionSamples: [TransferField] = [
    TransferField(
      "allowedBorder", .number(.from(-1)), unit: "pixels", .detection, readers: twoStage,
      "How far a trained anchor may reach over the image, under mmdet's rules; -1 for as far as it likes.",
      each(.byHead(["cascade-rcnn": 0], else: -1), .value(-1), .value(-1))),
    TransferField(
      "rpnPre", .integer(minimum: 1), unit: "regions", .detection, readers: twoStage,
      "Proposals of each level that are looked at in training.", values(2000, 2000, 500)),
    TransferField(
      "rpnPost", .integer(minimum: 1), unit: "regions", .detection, readers: twoStage,
      "Proposals of an image that are kept in training.",
      each(.byHead(["cascade-rcnn": 2000], else: 1000), .value(2000), .value(200))),
    TransferField(
      "rpnPreTest", .integer(minimum: 1), unit: "regions", .detection, readers: twoStage,
      "Proposals of each level that are looked at in a test.", values(1000, 1000, 300)),
    TransferField(
      "rpnPostTest", .integer(minimum: 1), unit: "regions", .detection, readers: twoStage,
      "Proposals of an image that are kept in a test.", values(1000, 1000, 100)),
    TransferField(
      "rpnSample", .integer(minimum: 1), unit: "anchors", .detection, readers: twoStage,
      "Anchors of an image that the proposal network learns from.", same(256)),
    TransferField(
      "roiSample", .integer(minimum: 1), unit: "regions", .detection, readers: twoStage,
      "Regions of an image that a region head learns from.", values(512, 512, 64)),
    TransferField(
      "detections", .integer(minimum: 1), unit: "objects", .detection,
      "The best detections of an image that are kept; evaluation counts 100 of a category.",
      each(.value(100), .byHead(["retinanet": 300], else: 100), .value(100))),
    TransferField(
      "cascadeAverage", .choice(["logits", "probabilities"]), .detection, readers: ["cascade-rcnn"],
      "What is averaged over Cascade's heads in a test.", same("logits")),
  ]
}
