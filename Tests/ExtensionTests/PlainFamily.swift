import Networks
import Specs
import Tensors

/// Two convolutions, of which the second halves the map, and the mean over its positions.
enum PlainFamily: NetworkFamily {
  struct Parameters: FamilyParameters {
    let widths: [Int]

    init(widths: [Int]) { self.widths = widths }

    init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      widths = try reader.integers("widths", count: 2)
    }

    var json: [String: JSONValue] { ["widths": .array(widths.map { .number(DecimalNumber($0)) })] }
  }

  static let name = "plain"
  static let aliases = [
    NetworkAlias("plain-4", "plain_4", Parameters(widths: [4, 4])),
    NetworkAlias("plain-8", "plain_8", Parameters(widths: [8, 8])),
  ]

  static func build(
    _ scope: Scope, _ parameters: Parameters, _ image: ImageShape
  ) throws(InvalidNetwork) -> any Backbone {
    guard image.height >= 4, image.width >= 4 else {
      throw InvalidNetwork(family: name, problem: "images are 4 × 4 or larger")
    }
    return Plain(scope, parameters, image)
  }
}

private struct Plain: Backbone {
  let taps: [Tap] = [.stage(1), .stage(2)]
  let classifier: LinearHead.Plan
  private let first: ConvNorm
  private let second: ConvNorm

  init(_ scope: Scope, _ parameters: PlainFamily.Parameters, _ image: ImageShape) {
    first = ConvNorm(
      scope / "stage1", ("conv", "bn"), inputs: image.channels, outputs: parameters.widths[0], kernel: 3,
      start: .fanOut)
    second = ConvNorm(
      scope / "stage2", ("conv", "bn"), inputs: parameters.widths[0], outputs: parameters.widths[1],
      kernel: 3, stride: 2, start: .fanOut)
    classifier = LinearHead.Plan("fc", inputs: parameters.widths[1])
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    let map = first(images, pass)
    let last = second(map, pass)
    return Features(taps, maps: [map, last], embedding: last.globalAveragePool())
  }
}
