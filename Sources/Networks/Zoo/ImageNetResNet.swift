package import Specs
internal import Tensors

/// Residual networks for photographs, their wide and their grouped variants (He et al. 2016, Zagoruyko and
/// Komodakis 2016, Xie et al. 2017; `architectures.md` 6.1).
package enum ImageNetResNet: NetworkFamily {
  package enum Block: String, CaseIterable, Sendable {
    case basic, bottleneck
  }

  package struct Parameters: FamilyParameters {
    package var block: Block
    /// Blocks of each of the four stages.
    package var repeats: [Int]
    package var groups: Int
    /// Inner channels of a bottleneck's group for 64 planes.
    package var groupWidth: Int

    package init(_ block: Block, _ repeats: [Int], groups: Int = 1, groupWidth: Int = 64) {
      self.block = block
      self.repeats = repeats
      self.groups = groups
      self.groupWidth = groupWidth
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        try reader.word("block", or: .basic), try reader.integers("repeats", count: 4),
        groups: try reader.integer("groups", or: 1), groupWidth: try reader.integer("width_per_group", or: 64)
      )
      guard block == .bottleneck || (groups == 1 && groupWidth == 64) else {
        throw InvalidNetwork(
          family: ImageNetResNet.name, problem: "basic blocks have 1 group and a width_per_group of 64")
      }
    }

    package var json: [String: JSONValue] {
      [
        "block": .string(block.rawValue), "repeats": JSONValue(repeats), "groups": JSONValue(groups),
        "width_per_group": JSONValue(groupWidth),
      ]
    }

    func inner(_ planes: Int) -> Int { planes * groupWidth / 64 * groups }
  }

  package static let name = "tv_resnet"

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias("resnet18", "resnet18", Parameters(.basic, [2, 2, 2, 2])),
    NetworkAlias("resnet34", "resnet34", Parameters(.basic, [3, 4, 6, 3])),
    NetworkAlias("resnet50", "resnet50", Parameters(.bottleneck, [3, 4, 6, 3])),
    NetworkAlias("resnet101", "resnet101", Parameters(.bottleneck, [3, 4, 23, 3])),
    NetworkAlias("resnet152", "resnet152", Parameters(.bottleneck, [3, 8, 36, 3])),
    NetworkAlias(
      "wide-resnet50-2", "wide_resnet50_2", Parameters(.bottleneck, [3, 4, 6, 3], groupWidth: 128)),
    NetworkAlias(
      "wide-resnet101-2", "wide_resnet101_2", Parameters(.bottleneck, [3, 4, 23, 3], groupWidth: 128)),
    NetworkAlias(
      "resnext50-32x4d", "resnext50_32x4d",
      Parameters(.bottleneck, [3, 4, 6, 3], groups: 32, groupWidth: 4)),
    NetworkAlias(
      "resnext101-32x8d", "resnext101_32x8d",
      Parameters(.bottleneck, [3, 4, 23, 3], groups: 32, groupWidth: 8)),
  ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    PhotographResNet(scope, parameters, channels: image.channels)
  }

  /// A trunk whose third and fourth stages keep stride 8.
  static func build(_ scope: Scope, _ parameters: Parameters, dilation: TrunkDilation) -> any Backbone {
    PhotographResNet(scope, parameters, channels: 3, dilation: dilation)
  }
}

/// Which convolutions of a basic block look further where a trunk keeps stride 8.
package enum TrunkDilation: String, CaseIterable, Sendable {
  /// winycg/CIRKD `models/base_models/resnetv1b.py`.
  case both
  /// open-mmlab/mmsegmentation `mmseg/models/backbones/resnet.py` with contracted dilation.
  case first

  /// Of the two 3 × 3 convolutions of a block; that of a bottleneck has the first.
  ///
  /// - Parameter stage: from 1.
  func factors(stage: Int, isFirstBlock: Bool) -> (Int, Int) {
    guard stage >= 3 else { return (1, 1) }
    let whole = stage == 3 ? 2 : 4
    let half = isFirstBlock ? whole / 2 : whole
    return self == .both ? (half, whole) : (half, 1)
  }
}

private struct PhotographResNet: Backbone {
  let stem: ConvNorm
  let stages: [Chain]
  let taps = Tap.stemAndStages(4)
  let classifier: LinearHead.Plan

  /// - Parameter dilation: nil for a network that ends at stride 32, as it was made for.
  init(
    _ scope: Scope, _ parameters: ImageNetResNet.Parameters, channels: Int, dilation: TrunkDilation? = nil
  ) {
    var width = 64
    stem = ConvNorm(
      scope, ("conv1", "bn1"), inputs: channels, outputs: width, kernel: 7, stride: 2, start: .fanOut)
    stages = (0..<4).map { stage in
      Chain(
        (0..<parameters.repeats[stage]).map { index in
          let block = ResidualBlock(
            scope / "layer\(stage + 1)" / index, parameters, inputs: width, planes: 64 << stage,
            stride: index == 0 && (dilation == nil ? stage > 0 : stage == 1) ? 2 : 1,
            dilations: dilation?.factors(stage: stage + 1, isFirstBlock: index == 0) ?? (1, 1))
          width = block.outputs
          return block
        })
    }
    classifier = LinearHead.Plan("fc", inputs: width)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps = [stem(images, pass).maxPool2D(kernel: 3, stride: 2, padding: 1)]
    for stage in stages { maps.append(stage(maps[maps.count - 1], pass)) }
    return features(maps, pass)
  }
}

/// ReLU(branch(x) + shortcut(x)); the stride is on the first 3 × 3 convolution.
private struct ResidualBlock: Layer {
  let branch: Chain
  let shortcut: ConvNorm?
  let outputs: Int

  init(
    _ scope: Scope, _ parameters: ImageNetResNet.Parameters, inputs: Int, planes: Int, stride: Int,
    dilations: (Int, Int)
  ) {
    func brick(
      _ index: Int, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, dilation: Int = 1,
      groups: Int = 1,
      relu: Bool = true
    ) -> ConvNorm {
      ConvNorm(
        scope, ("conv\(index)", "bn\(index)"), inputs: inputs, outputs: outputs, kernel: kernel,
        stride: stride, dilation: dilation, groups: groups, relu: relu, start: .fanOut)
    }
    switch parameters.block {
    case .basic:
      outputs = planes
      branch = Chain([
        brick(1, inputs, planes, kernel: 3, stride: stride, dilation: dilations.0),
        brick(2, planes, planes, kernel: 3, dilation: dilations.1, relu: false),
      ])
    case .bottleneck:
      let inner = parameters.inner(planes)
      outputs = 4 * planes
      branch = Chain([
        brick(1, inputs, inner, kernel: 1),
        brick(2, inner, inner, kernel: 3, stride: stride, dilation: dilations.0, groups: parameters.groups),
        brick(3, inner, 4 * planes, kernel: 1, relu: false),
      ])
    }
    shortcut =
      stride != 1 || inputs != outputs
      ? ConvNorm(
        scope / "downsample", ("0", "1"), inputs: inputs, outputs: outputs, kernel: 1, stride: stride,
        relu: false, start: .fanOut) : nil
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    (branch(input, pass) + (shortcut?(input, pass) ?? input)).relu()
  }
}
