package import Specs
internal import Tensors

/// Wide residual networks for small images, activation before each convolution (Zagoruyko and Komodakis 2016;
/// `architectures.md` 5.2).
package enum CIFARWideResNet: NetworkFamily {
  package struct Parameters: FamilyParameters {
    package var depth: Int
    package var widen: Int
    /// Units a stage.
    var repeats: Int { (depth - 4) / 6 }

    package init(depth: Int, widen: Int) {
      self.depth = depth
      self.widen = widen
    }

    package init(_ reader: inout ParameterReader) throws(InvalidNetwork) {
      self.init(depth: try reader.integer("depth"), widen: try reader.integer("widen"))
      guard depth > 4, (depth - 4) % 6 == 0 else {
        throw InvalidNetwork(
          family: CIFARWideResNet.name, problem: "the depth is 4 more than a multiple of 6, not \(depth)")
      }
    }

    package var json: [String: JSONValue] { ["depth": JSONValue(depth), "widen": JSONValue(widen)] }
  }

  package static let name = "cifar_wrn"

  package static let aliases: [NetworkAlias<Parameters>] =
    [(10, 1), (10, 2), (16, 1), (16, 2), (40, 1), (40, 2), (28, 4)].map { depth, widen in
      NetworkAlias("wrn-\(depth)-\(widen)", "wrn_\(depth)_\(widen)", Parameters(depth: depth, widen: widen))
    }
    + [(10, 1), (10, 2), (16, 1)].map { depth, widen in
      NetworkAlias(
        "mini-wrn-\(depth)-\(widen)", "mini_wrn_\(depth)_\(widen)", Parameters(depth: depth, widen: widen))
    } + [NetworkAlias("mini-wrn-10-1-c32", "mini_wrn_10_1_c32", Parameters(depth: 10, widen: 1))]

  package static func build(_ scope: Scope, _ parameters: Parameters, _ image: ImageShape) -> any Backbone {
    WideResNet(scope, parameters, image)
  }
}

private struct WideResNet: Backbone {
  let stem: Conv2D
  let stages: [Chain]
  let norm: BatchNorm
  let taps = Tap.stemAndStages(3)
  let classifier: LinearHead.Plan

  init(_ scope: Scope, _ parameters: CIFARWideResNet.Parameters, _ image: ImageShape) {
    stem = Conv2D(scope / "conv1", inputs: image.channels, outputs: 16, kernel: 3, start: .fanOut)
    var width = 16
    stages = (0..<3).map { stage in
      Chain(
        (0..<parameters.repeats).map { index in
          let outputs = (16 << stage) * parameters.widen
          defer { width = outputs }
          return PreActivationUnit(
            scope / "block\(stage + 1)" / "layer" / index, inputs: width, outputs: outputs,
            stride: stage > 0 && index == 0 ? 2 : 1)
        })
    }
    norm = BatchNorm(scope / "bn1", channels: width)
    classifier = LinearHead.Plan("fc", inputs: width, bias: .constant(0))
  }

  func features(of images: Tensor, _ pass: Pass) -> Features {
    let first = stem(images, pass)
    let second = stages[0](first, pass)
    let third = stages[1](second, pass)
    let last = norm(stages[2](third, pass), pass, relu: true)
    return features([first, second, third, last], pass)
  }
}

/// x + branch(a) with a = ReLU(BN(x)). Where the channels change, the shortcut is a
/// convolution of the *activated* a.
private struct PreActivationUnit: Layer {
  let norm1: BatchNorm
  let conv1: Conv2D
  let norm2: BatchNorm
  let conv2: Conv2D
  let shortcut: Conv2D?

  init(_ scope: Scope, inputs: Int, outputs: Int, stride: Int) {
    norm1 = BatchNorm(scope / "bn1", channels: inputs)
    conv1 = Conv2D(
      scope / "conv1", inputs: inputs, outputs: outputs, kernel: 3, stride: stride, start: .fanOut)
    norm2 = BatchNorm(scope / "bn2", channels: outputs)
    conv2 = Conv2D(scope / "conv2", inputs: outputs, outputs: outputs, kernel: 3, start: .fanOut)
    shortcut =
      inputs != outputs
      ? Conv2D(
        scope / "convShortcut", inputs: inputs, outputs: outputs, kernel: 1, stride: stride, start: .fanOut)
      : nil
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let activated = norm1(input, pass, relu: true)
    let branch = conv2(conv1(activated, pass, norm2, adding: nil, relu: true), pass)
    return (shortcut?(activated, pass) ?? input) + branch
  }
}
