package import Specs
internal import Tensors

/// Residual networks for small images, activation after the sum (He et al. 2016; `architectures.md` 5.1).
package enum CIFARResNet: NetworkFamily {
  package enum Block: String, CaseIterable, Sendable {
    case basic, bottleneck
  }

  package struct Parameters: FamilyParameters {
    package var depth: Int
    package var block: Block
    /// Of the stem and the three stages.
    package var widths: [Int]
    /// Residual blocks a stage.
    let repeats: Int

    package init(depth: Int, block: Block = .basic, widths: [Int]) {
      self.depth = depth
      self.block = block
      self.widths = widths
      repeats = (depth - 2) / (block == .basic ? 6 : 9)
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        depth: try reader.integer("depth"), block: try reader.word("block", or: .basic),
        widths: try reader.integers("widths", count: 4, or: [16, 16, 32, 64]))
      let layers = block == .basic ? 6 : 9
      guard depth > 2, (depth - 2) % layers == 0 else {
        throw InvalidNetwork(
          family: CIFARResNet.name,
          problem: "the depth of \(block) blocks is 2 more than a multiple of \(layers), not \(depth)")
      }
    }

    package var json: [String: JSONValue] {
      ["depth": JSONValue(depth), "block": .string(block.rawValue), "widths": JSONValue(widths)]
    }
  }

  package static let name = "cifar_resnet"

  package static let aliases: [NetworkAlias<Parameters>] =
    [8, 14, 20, 32, 44, 56, 110].map {
      NetworkAlias("resnet\($0)", "resnet\($0)", Parameters(depth: $0, widths: [16, 16, 32, 64]))
    }
    + [8, 20, 32].map {
      NetworkAlias("resnet\($0)x4", "resnet\($0)x4", Parameters(depth: $0, widths: [32, 64, 128, 256]))
    } + [
      NetworkAlias("resnet110x2", "resnet110x2", Parameters(depth: 110, widths: [16, 32, 64, 128])),
      NetworkAlias(
        "resnet8x4-double", "resnet8x4_double", Parameters(depth: 8, widths: [64, 128, 256, 512])),
      NetworkAlias("mini-resnet8", "mini_resnet8", Parameters(depth: 8, widths: [16, 16, 32, 64])),
      NetworkAlias("mini-resnet8-w8", "mini_resnet8_w8", Parameters(depth: 8, widths: [8, 8, 16, 32])),
      NetworkAlias("mini-resnet14-w8", "mini_resnet14_w8", Parameters(depth: 14, widths: [8, 8, 16, 32])),
      NetworkAlias("mini-resnet20-w8", "mini_resnet20_w8", Parameters(depth: 20, widths: [8, 8, 16, 32])),
      NetworkAlias(
        "mini-resnet11b-w8", "mini_resnet11b_w8",
        Parameters(depth: 11, block: .bottleneck, widths: [8, 8, 16, 32])),
      NetworkAlias("mini-resnet8-c32", "mini_resnet8_c32", Parameters(depth: 8, widths: [8, 8, 16, 32])),
    ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    ResNet(scope, parameters, image)
  }
}

private struct ResNet: Backbone {
  let stem: ConvNorm
  let stages: [Chain]
  let taps = Tap.stemAndStages(3)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: CIFARResNet.Parameters, _ image: ImageShape) {
    var width = parameters.widths[0]
    stem = ConvNorm(
      scope, ("conv1", "bn1"), inputs: image.channels, outputs: width, kernel: 3, start: .fanOut)
    stages = (1...3).map { stage in
      Chain(
        (0..<parameters.repeats).map { index in
          let block = ResidualBlock(
            scope / "layer\(stage)" / index, parameters.block, inputs: width, width: parameters.widths[stage],
            stride: stage > 1 && index == 0 ? 2 : 1)
          width = block.outputs
          return block
        })
    }
    classifier = LinearHead.Plan("fc", inputs: width)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps = [stem(images, pass)]
    for stage in stages { maps.append(stage(maps[maps.count - 1], pass)) }
    return features(maps, pass)
  }
}

/// ReLU(branch(x) + shortcut(x)); the stride is on the first 3 × 3 convolution.
private struct ResidualBlock: Layer {
  /// Without the last.
  let branch: Chain
  let last: ConvNorm
  let shortcut: ConvNorm?
  let outputs: Int

  init(_ scope: Scope, _ kind: CIFARResNet.Block, inputs: Int, width: Int, stride: Int) {
    func brick(_ index: Int, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, relu: Bool)
      -> ConvNorm
    {
      ConvNorm(
        scope, ("conv\(index)", "bn\(index)"), inputs: inputs, outputs: outputs, kernel: kernel,
        stride: stride, relu: relu,
        start: .fanOut)
    }
    switch kind {
    case .basic:
      outputs = width
      branch = Chain([brick(1, inputs, width, kernel: 3, stride: stride, relu: true)])
      last = brick(2, width, width, kernel: 3, relu: false)
    case .bottleneck:
      outputs = 4 * width
      branch = Chain([
        brick(1, inputs, width, kernel: 1, relu: true),
        brick(2, width, width, kernel: 3, stride: stride, relu: true),
      ])
      last = brick(3, width, 4 * width, kernel: 1, relu: false)
    }
    shortcut =
      stride != 1 || inputs != outputs
      ? ConvNorm(
        scope / "downsample", ("0", "1"), inputs: inputs, outputs: outputs, kernel: 1, stride: stride,
        relu: false,
        start: .fanOut) : nil
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    last(branch(input, pass), pass, adding: shortcut?(input, pass) ?? input)
  }
}
