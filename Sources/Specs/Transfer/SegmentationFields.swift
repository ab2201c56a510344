extension TransferRecipes {
  private static func same(_ value: JSONValue) -> [String: TransferField.Standard] {
    ["lab-seg": .value(value), "mmseg": .value(value), "mini-seg": .value(value)]
  }

  private static func values(
    _ lab: JSONValue, _ mmseg: JSONValue, _ mini: JSONValue
  ) -> [String: TransferField.Standard] {
    ["lab-seg": .value(lab), "mmseg": .value(mmseg), "mini-seg": .value(mini)]
  }

  private static func decimal(_ text: String) -> JSONValue { .number(DecimalNumber(text)!) }

  /// Cityscapes first, then all others.
  private static func sized(
    _ lab: (JSONValue, JSONValue), _ mmseg: (JSONValue, JSONValue), _ mini: JSONValue
  ) -> [String: TransferField.Standard] {
    [
      "lab-seg": .byDataset(["cityscapes": lab.0], else: lab.1),
      "mmseg": .byDataset(["cityscapes": mmseg.0], else: mmseg.1), "mini-seg": .value(mini),
    ]
  }

  static let segmentation: [TransferField] = segmentationSchedule + segmentationNetwork

  private static let segmentationSchedule: [TransferField] = [
    TransferField(
      "steps", .integer(minimum: 1), unit: "steps", .segmentation, "Length of the transfer's training.",
      values(80_000, 80_000, 600)),
    TransferField(
      "batchSize", .integer(minimum: 2), unit: "images", .segmentation,
      "Images of an optimiser step; another number scales the recipe's learning rate, unless that is given.",
      sized((8, 16), (8, 16), 8)),
    TransferField(
      "lossGroup", .integer(minimum: 1), unit: "images", .segmentation,
      "Images whose pixels are averaged together in losses; the gradient is the mean over a batch's groups.",
      sized((2, 4), (2, 4), 8)),
    TransferField(
      "cropHeight", .integer(minimum: 0), unit: "pixels", .segmentation,
      "Of what is trained on; 0 for the whole image.", values(512, 512, 0)),
    TransferField(
      "cropWidth", .integer(minimum: 0), unit: "pixels", .segmentation,
      "Of what is trained on; 0 for the whole image.", sized((1024, 512), (1024, 512), 0)),
    TransferField(
      "cropRule", .choice(["pad", "retry75"]), .segmentation,
      "Whether a crop is drawn once from the padded image, or again while one class has three "
        + "quarters of it.",
      values("pad", "retry75", "pad")),
    TransferField(
      "scale", .choice(["none", "tenths", "ratio"]), .segmentation,
      "How images are resized in training: not, by one of 0.5, 0.6, …, 2.0, or into a frame times 0.5 to 2.",
      values("tenths", "ratio", "none")),
    TransferField(
      "frameLong", .integer(minimum: 0), unit: "pixels", .segmentation,
      "Long side of the frame that images are resized into: in training times a draw, under the scale "
        + "`ratio`; in tests as it is. 0 for none.",
      values(0, 2048, 0), omitted: 0),
    TransferField(
      "frameShort", .integer(minimum: 0), unit: "pixels", .segmentation, "Short side of that frame.",
      sized((0, 0), (1024, 512), 0), omitted: 0),
    TransferField(
      "flip", .number(.from(0, to: 1)), .segmentation, "Probability of a mirrored image.",
      same(decimal("0.5"))),
    TransferField(
      "colour", .choice(["none", "photometric"]), .segmentation,
      "Whether brightness, contrast, saturation and hue change.", values("none", "photometric", "none")),
    TransferField(
      "momentum", .number(.from(0, below: 1)), .segmentation, "Of SGD.", same(decimal("0.9"))),
    TransferField(
      "weightDecay", .number(.from(0)), .segmentation, "On all that is trained.",
      values(decimal("1e-4"), decimal("5e-4"), decimal("1e-4"))),
    TransferField(
      "learningRate", .number(.above(0)), .segmentation, "Of the transfer's first step.",
      sized(
        (decimal("0.01"), decimal("0.02")), (decimal("0.01"), decimal("0.01")), decimal("0.01"))),
    TransferField(
      "leastRate", .number(.from(0)), .segmentation, "Where the rate ends.", values(0, decimal("1e-4"), 0)),
    TransferField(
      "power", .number(.above(0)), .segmentation, "Of the share of steps that are left, in the rate.",
      same(decimal("0.9"))),
    TransferField(
      "evalEvery", .integer(minimum: 0), unit: "steps", .segmentation,
      "Steps between evaluations on the test images while it trains; 0 for at the end alone.",
      values(0, 0, 150)),
    TransferField(
      "test", .choice(["whole", "slide"]), .segmentation,
      "Whether a test image is looked at whole or in windows of the crop's size.", same("whole")),
    TransferField(
      "slideStride", .integer(minimum: 1), unit: "pixels", .segmentation,
      "Between windows; read under the test `slide`.", sized((768, 341), (768, 341), 64)),
    TransferField(
      "meanOver", .choice(["all", "present"]), .segmentation,
      "Whether `test.mIoU` counts classes that neither occur nor are predicted as 0.",
      values("all", "present", "present")),
    TransferField(
      "stuffIds", .choice(["raw", "used"]), .segmentation,
      "Of COCO-Stuff: 182 outputs as its labels say, or 171 of "
        + "ids that occur.", values("raw", "used", "raw")),
  ]

  private static let segmentationNetwork: [TransferField] = [
    TransferField(
      "alignCorners", .flag, .segmentation, "Whether resizing keeps corners in place, everywhere.",
      values(true, false, true)),
    TransferField(
      "dilation", .choice(["both", "first"]), .segmentation,
      "Which convolutions of a basic block the backbone dilates.", values("both", "first", "both")),
    TransferField(
      "dropoutChannels", .flag, .segmentation, "Whether dropout leaves out whole channels.",
      values(false, true, false)),
    TransferField(
      "lossMean", .choice(["valid", "all"]), .segmentation,
      "Whether the loss is divided by the pixels that are judged, or by all.", values("valid", "all", "valid")
    ),
    TransferField(
      "headInit", .choice(["fanIn", "kaiming"]), .segmentation,
      "First weights of the head: uniform by fan in, or normal by fan out.",
      values("fanIn", "kaiming", "fanIn")),
    TransferField(
      "width", .integer(minimum: 1), unit: "channels", .segmentation, "Of the head.",
      [
        "lab-seg": .byHead(["deeplabv3": 512], else: 128), "mmseg": .value(128),
        "mini-seg": .value(64),
      ]),
    TransferField(
      "poolWidth", .integer(minimum: 1), unit: "channels", .segmentation, readers: ["pspnet"],
      "Of each pooled map.", same(128)),
    TransferField(
      "rates", .list(.from(1)), unit: "pixels", .segmentation, readers: ["deeplabv3"],
      "Dilations of DeepLabV3's branches.", values([12, 24, 36], [12, 24, 36], [2, 4, 6])),
    TransferField(
      "fusion", .choice(["double", "single"]), .segmentation, readers: ["deeplabv3"],
      "How branches are joined: 1 × 1, dropout of a half and 3 × 3, or 3 × 3 alone.",
      values("double", "single", "double")),
    TransferField(
      "auxWeight", .number(.from(0)), .segmentation, "Of the auxiliary head's loss.", same(decimal("0.4"))),
  ]
}
