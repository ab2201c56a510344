package import Specs
internal import Tensors

/// ShuffleNet for small images: grouped 1 × 1 convolutions with a shuffle between them (Zhang et al. 2018;
/// `architectures.md` 5.6).
package enum CIFARShuffleNetV1: NetworkFamily {
  package struct Parameters: FamilyParameters {
    /// Of the three stages.
    package var channels: [Int]
    /// Units a stage, the one that halves the size included.
    package var repeats: [Int]
    package var groups: Int

    static let stem = 24

    package init(channels: [Int], repeats: [Int] = [4, 8, 4], groups: Int = 3) {
      self.channels = channels
      self.repeats = repeats
      self.groups = groups
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        channels: try reader.integers("channels", count: 3),
        repeats: try reader.integers("repeats", count: 3, or: [4, 8, 4]),
        groups: try reader.integer("groups", or: 3))
      var inputs = Self.stem
      for width in channels {
        // The first unit of a stage makes what the pooled input lacks, the others the whole width.
        for outputs in [width - inputs, width] {
          guard outputs >= 4, outputs / 4 % groups == 0, outputs % groups == 0 else {
            throw InvalidNetwork(
              family: CIFARShuffleNetV1.name,
              problem: "\(outputs) channels and a quarter of them cannot be split into \(groups) groups")
          }
        }
        inputs = width
      }
      for width in [Self.stem] + channels.dropLast() where width != Self.stem && width % groups != 0 {
        throw InvalidNetwork(
          family: CIFARShuffleNetV1.name, problem: "\(width) channels cannot be split into \(groups) groups")
      }
    }

    package var json: [String: JSONValue] {
      ["channels": JSONValue(channels), "repeats": JSONValue(repeats), "groups": JSONValue(groups)]
    }
  }

  package static let name = "cifar_shufflenetv1"

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias("shufflenetv1", "ShuffleV1", Parameters(channels: [240, 480, 960]))
  ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    ShuffleNetV1(scope, parameters, image)
  }
}

private struct ShuffleNetV1: Backbone {
  let stem: ConvNorm
  let stages: [Chain]
  let taps = Tap.stemAndStages(3)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: CIFARShuffleNetV1.Parameters, _ image: ImageShape) {
    var width = CIFARShuffleNetV1.Parameters.stem
    stem = ConvNorm(scope, ("conv1", "bn1"), inputs: image.channels, outputs: width, kernel: 1, start: .fanIn)
    stages = (0..<3).map { stage in
      Chain(
        (0..<parameters.repeats[stage]).map { index in
          defer { width = parameters.channels[stage] }
          return GroupedUnit(
            scope / "layer\(stage + 1)" / index, inputs: width, outputs: parameters.channels[stage],
            groups: parameters.groups, halves: index == 0)
        })
    }
    classifier = LinearHead.Plan("linear", inputs: width)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps = [stem(images, pass)]
    for stage in stages { maps.append(stage(maps[maps.count - 1], pass)) }
    return features(maps, pass)
  }
}

/// Grouped 1 × 1, shuffle, depthwise, grouped 1 × 1; then the input is added, or averaged and put beside
/// where the size is halved.
private struct GroupedUnit: Layer {
  let squeeze: ConvNorm
  let depthwise: ConvNorm
  let expand: ConvNorm
  let firstGroups: Int
  let halves: Bool

  init(_ scope: Scope, inputs: Int, outputs: Int, groups: Int, halves: Bool) {
    let made = halves ? outputs - inputs : outputs
    let inner = made / 4
    firstGroups = inputs == CIFARShuffleNetV1.Parameters.stem ? 1 : groups
    squeeze = ConvNorm(
      scope, ("conv1", "bn1"), inputs: inputs, outputs: inner, kernel: 1, groups: firstGroups, start: .fanIn)
    depthwise = ConvNorm(
      scope, ("conv2", "bn2"), inputs: inner, outputs: inner, kernel: 3, stride: halves ? 2 : 1,
      groups: inner, start: .fanIn)
    expand = ConvNorm(
      scope, ("conv3", "bn3"), inputs: inner, outputs: made, kernel: 1, groups: groups, relu: false,
      start: .fanIn)
    self.halves = halves
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let squeezed = squeeze(input, pass).channelShuffle(groups: firstGroups)
    let output = expand(depthwise(squeezed, pass), pass)
    guard halves else { return (output + input).relu() }
    return Tensor.concatenated([output, input.averagePool2D(kernel: 3, stride: 2, padding: 1)], axis: 1)
      .relu()
  }
}
