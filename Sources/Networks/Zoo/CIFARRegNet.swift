package import Specs
internal import Tensors

/// RegNetX and RegNetY for small images (Radosavovic et al. 2020; `architectures.md` 5.3).
package enum CIFARRegNet: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var depths: [Int]
    package var widths: [Int]
    package var strides: [Int]
    package var groupWidth: Int
    /// Squeezed width as a share of the block's *input* width; 0 for RegNetX.
    package var squeezeRatio: DecimalNumber
    package var stem: Int
    /// Inner width as a share of the block's width.
    package var bottleneck: DecimalNumber

    package init(
      depths: [Int], widths: [Int], strides: [Int] = [1, 1, 2, 2], groupWidth: Int,
      squeezeRatio: DecimalNumber,
      stem: Int = 64, bottleneck: DecimalNumber = DecimalNumber(1)
    ) {
      self.depths = depths
      self.widths = widths
      self.strides = strides
      self.groupWidth = groupWidth
      self.squeezeRatio = squeezeRatio
      self.stem = stem
      self.bottleneck = bottleneck
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        depths: try reader.integers("depths", count: 4), widths: try reader.integers("widths", count: 4),
        strides: try reader.integers("strides", count: 4, or: [1, 1, 2, 2]),
        groupWidth: try reader.integer("group_width"),
        squeezeRatio: try reader.decimal("se_ratio", or: DecimalNumber(0)),
        stem: try reader.integer("stem", or: 64),
        bottleneck: try reader.decimal("bottleneck", or: DecimalNumber(1)))
      for width in widths where inner(width) == 0 || inner(width) % groupWidth != 0 {
        throw InvalidNetwork(
          family: CIFARRegNet.name,
          problem: "the inner width \(inner(width)) is no multiple of the group width \(groupWidth)")
      }
    }

    package var json: [String: JSONValue] {
      [
        "depths": JSONValue(depths), "widths": JSONValue(widths), "strides": JSONValue(strides),
        "group_width": JSONValue(groupWidth), "se_ratio": .number(squeezeRatio), "stem": JSONValue(stem),
        "bottleneck": .number(bottleneck),
      ]
    }

    func inner(_ width: Int) -> Int { Int((Double(width) * bottleneck.double).rounded(.toNearestOrEven)) }
    func squeezed(_ inputs: Int) -> Int {
      Int((Double(inputs) * squeezeRatio.double).rounded(.toNearestOrEven))
    }
  }

  package static let name = "cifar_regnet"

  private static let quarter = DecimalNumber(mantissa: 25, exponent: -2)
  private static let small = [16, 24, 56, 104]
  private static let zero = DecimalNumber(0)

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias(
      "regnetx-200mf", "RegNetX_200MF",
      Parameters(depths: [1, 1, 4, 7], widths: [24, 56, 152, 368], groupWidth: 8, squeezeRatio: zero)),
    NetworkAlias(
      "regnetx-400mf", "RegNetX_400MF",
      Parameters(depths: [1, 2, 7, 12], widths: [32, 64, 160, 384], groupWidth: 16, squeezeRatio: zero)),
    NetworkAlias(
      "regnety-400mf", "RegNetY_400MF",
      Parameters(depths: [1, 2, 7, 12], widths: [32, 64, 160, 384], groupWidth: 16, squeezeRatio: quarter)),
    NetworkAlias(
      "mini-regnetx", "mini_regnetx",
      Parameters(depths: [1, 1, 2, 2], widths: small, groupWidth: 8, squeezeRatio: zero, stem: 16)),
    NetworkAlias(
      "mini-regnety", "mini_regnety",
      Parameters(depths: [1, 1, 2, 2], widths: small, groupWidth: 8, squeezeRatio: quarter, stem: 16)),
  ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    RegNet(scope, parameters, image)
  }
}

private struct RegNet: Backbone {
  let stem: ConvNorm
  let stages: [Chain]
  /// The authors tap nothing after the first stage.
  let taps: [Tap] = [.stem, .stage(2), .stage(3), .stage(4)]
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: CIFARRegNet.Parameters, _ image: ImageShape) {
    stem = ConvNorm(
      scope, ("conv1", "bn1"), inputs: image.channels, outputs: parameters.stem, kernel: 3, start: .fanIn)
    var width = parameters.stem
    stages = (0..<4).map { stage in
      Chain(
        (0..<parameters.depths[stage]).map { index in
          defer { width = parameters.widths[stage] }
          return RegNetBlock(
            scope / "layer\(stage + 1)" / index, parameters, inputs: width, width: parameters.widths[stage],
            stride: index == 0 ? parameters.strides[stage] : 1)
        })
    }
    classifier = LinearHead.Plan("linear", inputs: width)
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    let first = stem(images, pass)
    let second = stages[1](stages[0](first, pass), pass)
    let third = stages[2](second, pass)
    return features([first, second, third, stages[3](third, pass)], pass)
  }
}

/// ReLU(project(SE(grouped(expand(x)))) + shortcut(x)).
private struct RegNetBlock: Layer {
  let expand: ConvNorm
  let grouped: ConvNorm
  let excitation: SqueezeExcitation?
  let project: ConvNorm
  let shortcut: ConvNorm?

  init(_ scope: Scope, _ parameters: CIFARRegNet.Parameters, inputs: Int, width: Int, stride: Int) {
    let inner = parameters.inner(width)
    expand = ConvNorm(scope, ("conv1", "bn1"), inputs: inputs, outputs: inner, kernel: 1, start: .fanIn)
    grouped = ConvNorm(
      scope, ("conv2", "bn2"), inputs: inner, outputs: inner, kernel: 3, stride: stride,
      groups: inner / parameters.groupWidth,
      start: .fanIn)
    excitation =
      parameters.squeezeRatio > DecimalNumber(0)
      ? SqueezeExcitation(
        scope / "se", ("se1", "se2"), channels: inner, squeezed: max(1, parameters.squeezed(inputs))) : nil
    project = ConvNorm(
      scope, ("conv3", "bn3"), inputs: inner, outputs: width, kernel: 1, relu: false, start: .fanIn)
    shortcut =
      stride != 1 || inputs != width
      ? ConvNorm(
        scope / "shortcut", ("0", "1"), inputs: inputs, outputs: width, kernel: 1, stride: stride,
        relu: false,
        start: .fanIn) : nil
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    guard let excitation else {
      return ConvNormChain([expand, grouped, project])(
        input, pass, adding: shortcut?(input, pass) ?? input)
    }
    let inner = excitation(ConvNormChain([expand, grouped])(input, pass), pass)
    return project(inner, pass, adding: shortcut?(input, pass) ?? input)
  }
}
