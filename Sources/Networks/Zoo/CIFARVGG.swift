package import Specs
internal import Tensors

/// VGG for small images: five blocks of 3 × 3 convolutions, a classifier on the mean of the last (Simonyan
/// and Zisserman 2015; `architectures.md` 5.7).
package enum CIFARVGG: NetworkFamily {
  package struct Parameters: FamilyParameters {
    /// Widths of the convolutions of each of the five blocks.
    package var stages: [[Int]]
    package var hasNorm: Bool

    package init(_ stages: [[Int]], hasNorm: Bool = true) {
      self.stages = stages
      self.hasNorm = hasNorm
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(try reader.lists("stages", count: 5), hasNorm: try reader.flag("batch_norm", or: true))
    }

    package var json: [String: JSONValue] {
      ["stages": .array(stages.map { JSONValue($0) }), "batch_norm": .bool(hasNorm)]
    }
  }

  package static let name = "cifar_vgg"

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias("vgg8", "vgg8", Parameters([[64], [128], [256], [512], [512]])),
    NetworkAlias("vgg11", "vgg11", Parameters([[64], [128], [256, 256], [512, 512], [512, 512]])),
    NetworkAlias(
      "vgg13", "vgg13", Parameters([[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]])),
    NetworkAlias(
      "vgg16", "vgg16",
      Parameters([[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]])),
    NetworkAlias(
      "vgg19", "vgg19",
      Parameters([
        [64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512],
      ])),
    NetworkAlias("mini-vgg8-w16", "mini_vgg8_w16", Parameters([[16], [32], [64], [128], [128]])),
  ]

  package static func build(
    _ scope: Scope, _ parameters: Parameters, _ image: ImageShape
  ) throws(InvalidNetwork) -> any Backbone {
    guard min(image.height, image.width) >= 8 else {
      throw InvalidNetwork(
        family: name,
        problem: "images of \(image.height) × \(image.width) are too small to be halved three times")
    }
    return VGG(scope, parameters, image)
  }
}

private struct VGG: Backbone {
  let blocks: [VGGBlock]
  var taps: [Tap] { (1...blocks.count).map(Tap.stage) }
  let classifier: LinearHead.Plan
  /// Whether the map is halved after the fourth block too, which the authors do for images of 64 pixels.
  let halvesLate: Bool

  init(_ scope: Scope, _ parameters: CIFARVGG.Parameters, _ image: ImageShape) {
    var width = image.channels
    blocks = parameters.stages.enumerated().map { index, widths in
      defer { width = widths[widths.count - 1] }
      return VGGBlock(scope / "block\(index)", inputs: width, widths: widths, hasNorm: parameters.hasNorm)
    }
    classifier = LinearHead.Plan(
      "classifier", inputs: width, weight: .normal(std: 0.01),
      bias: .constant(0))
    halvesLate = image.height == 64
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps: [Tensor] = []
    var input = images
    for (index, block) in blocks.enumerated() {
      maps.append(block(input, pass))
      let isHalved = index < 3 || (index == 3 && halvesLate)
      input = isHalved ? maps[index].maxPool2D(kernel: 2, stride: 2) : maps[index]
    }
    return features(maps, pass)
  }
}

/// Convolutions with bias, each followed by a norm where there is one and a ReLU. The ReLU that closes a
/// block has no place in the names.
private struct VGGBlock: Layer {
  let bricks: [(convolution: Conv2D, norm: BatchNorm?)]

  init(_ scope: Scope, inputs: Int, widths: [Int], hasNorm: Bool) {
    var width = inputs
    bricks = widths.enumerated().map { index, outputs in
      defer { width = outputs }
      let place = index * (hasNorm ? 3 : 2)
      return (
        Conv2D(scope / place, inputs: width, outputs: outputs, kernel: 3, hasBias: true, start: .fanOut),
        hasNorm ? BatchNorm(scope / (place + 1), channels: outputs) : nil
      )
    }
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    bricks.reduce(input) { map, brick in
      let output = brick.convolution(map, pass)
      return brick.norm?(output, pass, relu: true) ?? output.relu()
    }
  }
}
