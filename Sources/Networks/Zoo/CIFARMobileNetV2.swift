package import Specs
internal import Tensors

/// MobileNetV2 for small images, with ReLU instead of ReLU6 (Sandler et al. 2018; `architectures.md` 5.4).
package enum CIFARMobileNetV2: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var expansion: Int
    package var width: DecimalNumber

    package init(expansion: Int = 6, width: DecimalNumber) {
      self.expansion = expansion
      self.width = width
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        expansion: try reader.integer("expansion", or: 6),
        width: try reader.decimal("width", or: DecimalNumber(1)))
      guard channels(16) > 0 else {
        throw InvalidNetwork(
          family: CIFARMobileNetV2.name, problem: "a width of \(width) leaves a layer without channels")
      }
    }

    package var json: [String: JSONValue] { ["expansion": JSONValue(expansion), "width": .number(width)] }

    /// Truncated, not rounded to a multiple of eight.
    func channels(_ count: Int) -> Int { Int(Double(count) * width.double) }
    var last: Int { width > DecimalNumber(1) ? channels(1280) : 1280 }
  }

  package static let name = "cifar_mobilenetv2"

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias("mobilenetv2", "MobileNetV2", Parameters(width: DecimalNumber(1))),
    NetworkAlias(
      "mobilenetv2-half", "mobile_half", Parameters(width: DecimalNumber(mantissa: 5, exponent: -1))),
    NetworkAlias(
      "mini-mobilenetv2-025", "mini_mobilenetv2_025",
      Parameters(width: DecimalNumber(mantissa: 25, exponent: -2))),
    NetworkAlias(
      "mini-mobilenetv2-050", "mini_mobilenetv2_050",
      Parameters(width: DecimalNumber(mantissa: 5, exponent: -1))),
  ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    MobileNetV2(scope, parameters, image)
  }
}

private struct MobileNetV2: Backbone {
  /// Expansion (0 for the family's), channels, repeats, stride.
  private static let rows = [
    (1, 16, 1, 1), (0, 24, 2, 1), (0, 32, 3, 2), (0, 64, 4, 2), (0, 96, 3, 1), (0, 160, 3, 2), (0, 320, 1, 1),
  ]

  let stem: ConvNorm
  let stages: [Chain]
  let last: ConvNorm
  let taps = Tap.stemAndStages(4)
  let classifier: LinearHead.Plan
  let imagesAtOnce = 64

  init(_ scope: Scope, _ parameters: CIFARMobileNetV2.Parameters, _ image: ImageShape) {
    var width = parameters.channels(32)
    stem = ConvNorm(
      scope / "conv1", ("0", "1"), inputs: image.channels, outputs: width, kernel: 3, stride: 2,
      start: .fanOut
    )
    stages = Self.rows.enumerated().map { row, settings in
      let (expansion, channels, repeats, stride) = settings
      return Chain(
        (0..<repeats).map { index in
          let outputs = parameters.channels(channels)
          defer { width = outputs }
          return InvertedResidual(
            scope / "blocks" / row / index / "conv",
            expansion: expansion > 0 ? expansion : parameters.expansion,
            inputs: width, outputs: outputs, stride: index == 0 ? stride : 1)
        })
    }
    last = ConvNorm(
      scope / "conv2", ("0", "1"), inputs: width, outputs: parameters.last, kernel: 1, start: .fanOut)
    classifier = LinearHead.Plan(
      "classifier", "0", inputs: parameters.last,
      weight: .normal(std: 0.01),
      bias: .constant(0))
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps = [stem(images, pass)]
    var map = maps[0]
    for (row, stage) in stages.enumerated() {
      map = stage(map, pass)
      if [1, 2, 4, 6].contains(row) { maps.append(map) }
    }
    return features(maps, pass)
  }

  /// The feature map is the last block's output; a convolution follows before the mean.
  func embedding(of map: Tensor, _ pass: Pass) -> Tensor { last(map, pass).globalAveragePool() }
}

/// Expand, depthwise, project without activation; x is added where stride and channels allow.
private struct InvertedResidual: Layer {
  let branch: ConvNormChain
  let addsInput: Bool

  init(_ scope: Scope, expansion: Int, inputs: Int, outputs: Int, stride: Int) {
    let inner = inputs * expansion
    branch = ConvNormChain([
      ConvNorm(scope, ("0", "1"), inputs: inputs, outputs: inner, kernel: 1, start: .fanOut),
      ConvNorm(
        scope, ("3", "4"), inputs: inner, outputs: inner, kernel: 3, stride: stride, groups: inner,
        start: .fanOut),
      ConvNorm(
        scope, ("6", "7"), inputs: inner, outputs: outputs, kernel: 1, relu: false, start: .fanOut),
    ])
    addsInput = stride == 1 && inputs == outputs
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    addsInput ? branch(input, pass, adding: input, relu: false) : branch(input, pass)
  }
}
