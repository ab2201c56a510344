package import Specs
internal import Tensors

/// MobileNetV2 for photographs, with ReLU6 (Sandler et al. 2018; `architectures.md` 6.2).
package enum ImageNetMobileNetV2: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var width: DecimalNumber

    package init(width: DecimalNumber) { self.width = width }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(width: try reader.decimal("width", or: DecimalNumber(1)))
    }

    package var json: [String: JSONValue] { ["width": .number(width)] }

    func channels(_ count: Int) -> Int { Divisible.by(8, Double(count) * width.double) }
    var last: Int { Divisible.by(8, 1280 * max(1, width.double)) }
  }

  package static let name = "tv_mobilenetv2"

  package static let aliases: [NetworkAlias<Parameters>] = [
    NetworkAlias("tv-mobilenetv2", "mobilenet_v2", Parameters(width: DecimalNumber(1)))
  ]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    PhotographMobileNetV2(scope, parameters, image)
  }
}

/// Widths that hardware likes.
enum Divisible {
  /// The nearest multiple, halves up, at least one; one more where that would take away more than a tenth.
  static func by(_ divisor: Int, _ value: Double) -> Int {
    let nearest = max(divisor, Int(value + Double(divisor) / 2) / divisor * divisor)
    return Double(nearest) < 0.9 * value ? nearest + divisor : nearest
  }
}

private struct PhotographMobileNetV2: Backbone {
  /// Expansion, channels, repeats, stride.
  private static let rows = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
  ]
  /// Features that distillation reads.
  private static let tapped = [0, 3, 6, 13, 17, 18]

  let features: [any Layer]
  let taps = Tap.stemAndStages(5)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: ImageNetMobileNetV2.Parameters, _ image: ImageShape) {
    let places = scope / "features"
    var width = parameters.channels(32)
    var features: [any Layer] = [
      ConvNormReLU6(places / 0, ("0", "1"), inputs: image.channels, outputs: width, kernel: 3, stride: 2)
    ]
    for (expansion, channels, repeats, stride) in Self.rows {
      for index in 0..<repeats {
        let outputs = parameters.channels(channels)
        features.append(
          InvertedResidual(
            places / features.count / "conv", expansion: expansion, inputs: width, outputs: outputs,
            stride: index == 0 ? stride : 1))
        width = outputs
      }
    }
    features.append(
      ConvNormReLU6(
        places / features.count, ("0", "1"), inputs: width, outputs: parameters.last, kernel: 1))
    self.features = features
    classifier = LinearHead.Plan(
      "classifier", "1", inputs: parameters.last,
      weight: .normal(std: 0.01), bias: .constant(0), dropout: (["classifier", "0"], 0.2))
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps: [Tensor] = []
    var map = images
    for (index, feature) in features.enumerated() {
      map = feature(map, pass)
      if Self.tapped.contains(index) { maps.append(map) }
    }
    return features(maps, pass)
  }
}

/// min(max(norm(convolution(x)), 0), 6).
private struct ConvNormReLU6: Layer {
  let brick: ConvNorm

  init(
    _ scope: Scope, _ names: (convolution: String, norm: String), inputs: Int, outputs: Int, kernel: Int,
    stride: Int = 1, groups: Int = 1
  ) {
    brick = ConvNorm(
      scope, names, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride, groups: groups,
      relu: false, start: .fanOut)
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor { brick(input, pass).relu6() }
}

/// Expand where there is something to expand, depthwise, project without activation; x is added where
/// stride and channels allow.
private struct InvertedResidual: Layer {
  let branch: Chain
  let addsInput: Bool

  init(_ scope: Scope, expansion: Int, inputs: Int, outputs: Int, stride: Int) {
    let inner = inputs * expansion
    var layers: [any Layer] = []
    if expansion > 1 {
      layers.append(ConvNormReLU6(scope / 0, ("0", "1"), inputs: inputs, outputs: inner, kernel: 1))
    }
    layers.append(
      ConvNormReLU6(
        scope / layers.count, ("0", "1"), inputs: inner, outputs: inner, kernel: 3, stride: stride,
        groups: inner))
    layers.append(
      ConvNorm(
        scope, ("\(layers.count)", "\(layers.count + 1)"), inputs: inner, outputs: outputs, kernel: 1,
        relu: false, start: .fanOut))
    branch = Chain(layers)
    addsInput = stride == 1 && inputs == outputs
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let output = branch(input, pass)
    return addsInput ? input + output : output
  }
}
