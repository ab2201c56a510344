package import Specs
internal import Tensors

/// RegNetX and RegNetY for photographs (Radosavovic et al. 2020; `architectures.md` 6.4).
package enum ImageNetRegNet: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var depths: [Int]
    package var widths: [Int]
    package var groupWidths: [Int]
    /// Squeezed width as a share of the block's *input* width; 0 for RegNetX.
    package var squeezeRatio: DecimalNumber
    package var stem: Int

    package init(
      depths: [Int], widths: [Int], groupWidths: [Int], squeezeRatio: DecimalNumber, stem: Int = 32
    ) {
      self.depths = depths
      self.widths = widths
      self.groupWidths = groupWidths
      self.squeezeRatio = squeezeRatio
      self.stem = stem
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(
        depths: try reader.integers("depths", count: 4), widths: try reader.integers("widths", count: 4),
        groupWidths: try reader.integers("group_widths", count: 4),
        squeezeRatio: try reader.decimal("se_ratio", or: DecimalNumber(0)),
        stem: try reader.integer("stem", or: 32))
      for (width, group) in zip(widths, groupWidths) where width % group != 0 {
        throw InvalidNetwork(
          family: ImageNetRegNet.name,
          problem: "the width \(width) is no multiple of the group width \(group)")
      }
    }

    package var json: [String: JSONValue] {
      [
        "depths": JSONValue(depths), "widths": JSONValue(widths), "group_widths": JSONValue(groupWidths),
        "se_ratio": .number(squeezeRatio), "stem": JSONValue(stem),
      ]
    }

    func squeezed(_ inputs: Int) -> Int {
      max(1, Int((Double(inputs) * squeezeRatio.double).rounded(.toNearestOrEven)))
    }
  }

  package static let name = "tv_regnet"

  /// Name, depths, widths, group width. The published networks have one group width for all stages.
  private static let members = [
    ("y", "400", [1, 3, 6, 6], [48, 104, 208, 440], 8), ("y", "800", [1, 3, 8, 2], [64, 144, 320, 784], 16),
    ("y", "1-6", [2, 6, 17, 2], [48, 120, 336, 888], 24),
    ("x", "400", [1, 2, 7, 12], [32, 64, 160, 400], 16),
    ("x", "800", [1, 3, 7, 5], [64, 128, 288, 672], 16),
    ("x", "1-6", [2, 4, 10, 2], [72, 168, 408, 912], 24),
  ]

  package static let aliases: [NetworkAlias<Parameters>] = members.map { kind, size, depths, widths, group in
    let unit = size.contains("-") ? "gf" : "mf"
    let ratio = kind == "y" ? DecimalNumber(mantissa: 25, exponent: -2) : DecimalNumber(0)
    return NetworkAlias(
      "tv-regnet\(kind)-\(size)\(unit)", "regnet_\(kind)_\(size.replacing("-", with: "_"))\(unit)",
      Parameters(
        depths: depths, widths: widths, groupWidths: Array(repeating: group, count: 4), squeezeRatio: ratio))
  }

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    PhotographRegNet(scope, parameters, image)
  }
}

private struct PhotographRegNet: Backbone {
  let stem: ConvNorm
  let stages: [Chain]
  let taps = Tap.stemAndStages(4)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: ImageNetRegNet.Parameters, _ image: ImageShape) {
    stem = ConvNorm(
      scope / "stem", ("0", "1"), inputs: image.channels, outputs: parameters.stem, kernel: 3, stride: 2,
      start: .fanOut)
    var width = parameters.stem
    stages = (0..<4).map { stage in
      Chain(
        (0..<parameters.depths[stage]).map { index in
          defer { width = parameters.widths[stage] }
          return RegNetBlock(
            scope / "trunk_output" / "block\(stage + 1)" / "block\(stage + 1)-\(index)", parameters,
            inputs: width, width: parameters.widths[stage], groupWidth: parameters.groupWidths[stage],
            stride: index == 0 ? 2 : 1)
        })
    }
    classifier = LinearHead.Plan(
      "fc", inputs: width, weight: .normal(std: 0.01),
      bias: .constant(0))
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    var maps = [stem(images, pass)]
    for stage in stages { maps.append(stage(maps[maps.count - 1], pass)) }
    return features(maps, pass)
  }
}

/// ReLU(c(SE(b(a(x)))) + shortcut(x)): 1 × 1, grouped 3 × 3, 1 × 1.
private struct RegNetBlock: Layer {
  let shortcut: ConvNorm?
  let expand: ConvNorm
  let grouped: ConvNorm
  let excitation: SqueezeExcitation?
  let project: ConvNorm

  init(
    _ scope: Scope, _ parameters: ImageNetRegNet.Parameters, inputs: Int, width: Int, groupWidth: Int,
    stride: Int
  ) {
    shortcut =
      stride != 1 || inputs != width
      ? ConvNorm(
        scope / "proj", ("0", "1"), inputs: inputs, outputs: width, kernel: 1, stride: stride, relu: false,
        start: .fanOut) : nil
    let branch = scope / "f"
    expand = ConvNorm(branch / "a", ("0", "1"), inputs: inputs, outputs: width, kernel: 1, start: .fanOut)
    grouped = ConvNorm(
      branch / "b", ("0", "1"), inputs: width, outputs: width, kernel: 3, stride: stride,
      groups: width / groupWidth, start: .fanOut)
    excitation =
      parameters.squeezeRatio > DecimalNumber(0)
      ? SqueezeExcitation(
        branch / "se", ("fc1", "fc2"), channels: width, squeezed: parameters.squeezed(inputs)) : nil
    project = ConvNorm(
      branch / "c", ("0", "1"), inputs: width, outputs: width, kernel: 1, relu: false, start: .fanOut)
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    var inner = grouped(expand(input, pass), pass)
    if let excitation { inner = excitation(inner, pass) }
    return (project(inner, pass) + (shortcut?(input, pass) ?? input)).relu()
  }
}
