package import Specs
internal import Tensors

/// ShuffleNetV2 for photographs (Ma et al. 2018; `architectures.md` 6.3).
package enum ImageNetShuffleNetV2: NetworkFamily {
  package struct Parameters: FamilyParameters {
    /// Units of each of the three stages, the one that halves the size included.
    package var repeats: [Int]
    /// Of the stem, the stages and the last convolution.
    package var channels: [Int]

    package init(channels: [Int], repeats: [Int] = [4, 8, 4]) {
      self.channels = channels
      self.repeats = repeats
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        channels: try reader.integers("channels", count: 5),
        repeats: try reader.integers("repeats", count: 3, or: [4, 8, 4]))
      for width in channels[1..<4] where width % 2 != 0 {
        throw InvalidNetwork(
          family: ImageNetShuffleNetV2.name, problem: "\(width) channels cannot be split in halves")
      }
    }

    package var json: [String: JSONValue] {
      ["repeats": JSONValue(repeats), "channels": JSONValue(channels)]
    }
  }

  package static let name = "tv_shufflenetv2"

  package static let aliases: [NetworkAlias<Parameters>] = [
    ("0", "5", [24, 48, 96, 192, 1024]), ("1", "0", [24, 116, 232, 464, 1024]),
    ("1", "5", [24, 176, 352, 704, 1024]), ("2", "0", [24, 244, 488, 976, 2048]),
  ].map { whole, tenths, channels in
    NetworkAlias(
      "tv-shufflenetv2-x\(whole)-\(tenths)", "shufflenet_v2_x\(whole)_\(tenths)",
      Parameters(channels: channels))
  }

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    PhotographShuffleNetV2(scope, parameters, image)
  }
}

private struct PhotographShuffleNetV2: Backbone {
  let stem: ConvNorm
  let stages: [ShuffleStage]
  let last: ConvNorm
  let taps = Tap.stemAndStages(4)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: ImageNetShuffleNetV2.Parameters, _ image: ImageShape) {
    var width = parameters.channels[0]
    stem = ConvNorm(
      scope / "conv1", ("0", "1"), inputs: image.channels, outputs: width, kernel: 3, stride: 2, start: .fanIn
    )
    stages = (0..<3).map { stage in
      let outputs = parameters.channels[stage + 1]
      defer { width = outputs }
      return ShuffleStage(
        scope / "stage\(stage + 2)", inputs: width, outputs: outputs, units: parameters.repeats[stage])
    }
    last = ConvNorm(
      scope / "conv5", ("0", "1"), inputs: width, outputs: parameters.channels[4], kernel: 1, start: .fanIn)
    classifier = LinearHead.Plan("fc", inputs: parameters.channels[4])
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps = [stem(images, pass).maxPool2D(kernel: 3, stride: 2, padding: 1)]
    for stage in stages { maps.append(stage(maps[maps.count - 1], pass)) }
    maps.append(last(maps[maps.count - 1], pass))
    return features(maps, pass)
  }
}

/// 1 × 1, depthwise without activation, 1 × 1: the branch of both units.
private func branch(_ scope: Scope, inputs: Int, half: Int, stride: Int) -> ConvNormChain {
  ConvNormChain([
    ConvNorm(scope, ("0", "1"), inputs: inputs, outputs: half, kernel: 1, start: .fanIn),
    ConvNorm(
      scope, ("3", "4"), inputs: half, outputs: half, kernel: 3, stride: stride, groups: half, relu: false,
      start: .fanIn),
    ConvNorm(scope, ("5", "6"), inputs: half, outputs: half, kernel: 1, start: .fanIn),
  ])
}

extension ShuffleStage {
  /// The first unit halves the size.
  fileprivate init(_ scope: Scope, inputs: Int, outputs: Int, units: Int) {
    let half = outputs / 2
    let halving = scope / 0
    left = ConvNormChain([
      ConvNorm(
        halving / "branch1", ("0", "1"), inputs: inputs, outputs: inputs, kernel: 3, stride: 2,
        groups: inputs, relu: false, start: .fanIn),
      ConvNorm(halving / "branch1", ("2", "3"), inputs: inputs, outputs: half, kernel: 1, start: .fanIn),
    ])
    right = branch(halving / "branch2", inputs: inputs, half: half, stride: 2)
    branches = (1..<units).map { branch(scope / $0 / "branch2", inputs: half, half: half, stride: 1) }
  }
}
