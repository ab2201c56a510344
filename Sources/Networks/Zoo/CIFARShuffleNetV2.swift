package import Specs
internal import Tensors

/// ShuffleNetV2 for small images: a 1 × 1 stem and no pooling after it (Ma et al. 2018;
/// `architectures.md` 5.5).
package enum CIFARShuffleNetV2: NetworkFamily {
  package struct Parameters: FamilyParameters {
    /// Of the three stages and the last convolution.
    package var channels: [Int]
    /// Plain units a stage, after the one that halves the size.
    package var repeats: [Int]
    package var stem: Int

    package init(channels: [Int], repeats: [Int] = [3, 7, 3], stem: Int = 24) {
      self.channels = channels
      self.repeats = repeats
      self.stem = stem
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        channels: try reader.integers("channels", count: 4),
        repeats: try reader.integers("repeats", count: 3, or: [3, 7, 3]),
        stem: try reader.integer("stem", or: 24))
      for width in channels[..<3] where width % 2 != 0 {
        throw InvalidNetwork(
          family: CIFARShuffleNetV2.name, problem: "\(width) channels cannot be split in halves")
      }
    }

    package var json: [String: JSONValue] {
      ["channels": JSONValue(channels), "repeats": JSONValue(repeats)].merging(
        stem == 24 ? [:] : ["stem": JSONValue(stem)]
      ) { $1 }
    }
  }

  package static let name = "cifar_shufflenetv2"

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias("shufflenetv2", "ShuffleV2", Parameters(channels: [116, 232, 464, 1024])),
    NetworkAlias("shufflenetv2-0-5", "ShuffleV2_0_5", Parameters(channels: [48, 96, 192, 1024])),
    NetworkAlias("shufflenetv2-0-3", "ShuffleV2_0_3", Parameters(channels: [40, 80, 160, 512])),
    NetworkAlias(
      "shufflenetv2-0-2", "ShuffleV2_0_2", Parameters(channels: [40, 80, 160, 512], repeats: [3, 3, 3])),
    NetworkAlias("shufflenetv2-1-5", "ShuffleV2_1_5", Parameters(channels: [176, 352, 704, 1024])),
    NetworkAlias("shufflenetv2-2-0", "ShuffleV2_2_0", Parameters(channels: [224, 488, 976, 2048])),
    NetworkAlias("mini-shufflev2-05", "mini_shufflev2_05", Parameters(channels: [48, 96, 192, 1024])),
    NetworkAlias(
      "mini-shufflev2-02", "mini_shufflev2_02", Parameters(channels: [40, 80, 160, 512], repeats: [3, 3, 3])),
    NetworkAlias(
      "mini-shufflev2-01", "mini_shufflev2_01", Parameters(channels: [24, 48, 96, 256], repeats: [1, 3, 1])),
  ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    ShuffleNetV2(scope, parameters, image)
  }
}

private struct ShuffleNetV2: Backbone {
  let stem: ConvNorm
  let stages: [ShuffleStage]
  let last: ConvNorm
  let taps = Tap.stemAndStages(3)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: CIFARShuffleNetV2.Parameters, _ image: ImageShape) {
    var width = parameters.stem
    stem = ConvNorm(scope, ("conv1", "bn1"), inputs: image.channels, outputs: width, kernel: 1, start: .fanIn)
    stages = (0..<3).map { stage in
      let outputs = parameters.channels[stage]
      defer { width = outputs }
      return ShuffleStage(
        scope / "layer\(stage + 1)", inputs: width, outputs: outputs, repeats: parameters.repeats[stage])
    }
    let embedding = parameters.channels[3]
    last = ConvNorm(scope, ("conv2", "bn2"), inputs: width, outputs: embedding, kernel: 1, start: .fanIn)
    classifier = LinearHead.Plan("linear", inputs: embedding)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    let first = stem(images, pass)
    let second = stages[0](first, pass)
    let third = stages[1](second, pass)
    return features([first, second, third, last(stages[2](third, pass), pass)], pass)
  }
}

extension ShuffleStage {
  /// The first unit halves the size, `repeats` plain ones follow.
  fileprivate init(_ scope: Scope, inputs: Int, outputs: Int, repeats: Int) {
    let half = outputs / 2
    let down = scope / 0
    left = ConvNormChain([
      ConvNorm(
        down, ("conv1", "bn1"), inputs: inputs, outputs: inputs, kernel: 3, stride: 2, groups: inputs,
        relu: false, start: .fanIn),
      ConvNorm(down, ("conv2", "bn2"), inputs: inputs, outputs: half, kernel: 1, start: .fanIn),
    ])
    right = ConvNormChain([
      ConvNorm(down, ("conv3", "bn3"), inputs: inputs, outputs: half, kernel: 1, start: .fanIn),
      ConvNorm(
        down, ("conv4", "bn4"), inputs: half, outputs: half, kernel: 3, stride: 2, groups: half, relu: false,
        start: .fanIn),
      ConvNorm(down, ("conv5", "bn5"), inputs: half, outputs: half, kernel: 1, start: .fanIn),
    ])
    branches = (0..<repeats).map { index in
      let unit = scope / (index + 1)
      return ConvNormChain([
        ConvNorm(unit, ("conv1", "bn1"), inputs: half, outputs: half, kernel: 1, start: .fanIn),
        ConvNorm(
          unit, ("conv2", "bn2"), inputs: half, outputs: half, kernel: 3, groups: half, relu: false,
          start: .fanIn),
        ConvNorm(unit, ("conv3", "bn3"), inputs: half, outputs: half, kernel: 1, start: .fanIn),
      ])
    }
  }
}
