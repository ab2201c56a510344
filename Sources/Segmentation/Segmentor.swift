package import Networks
package import Tensors

/// A class for every pixel, from a trunk whose maps end at stride 8: DeepLabV3 (Chen et al. 2017) and
/// PSPNet (Zhao et al. 2017).
///
/// - Input: images `[batch, 3, height, width]`. Outputs: logits `[batch, classes, ⌈height/8⌉, ⌈width/8⌉]`,
///   those of the auxiliary head too in training.
/// - Arrays: `backbone.*`, `aspp.*` or `pools.*`, `block.*`, `classifier.*`, `aux.*`.
/// - Source: winycg/CIRKD `models/`; open-mmlab/mmsegmentation `mmseg/models/decode_heads`.
package struct Segmentor: Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    case deeplabv3, pspnet
  }

  /// How DeepLabV3 joins its branches.
  package enum Fusion: String, CaseIterable, Sendable {
    /// 1 × 1, dropout of a half, 3 × 3.
    case double
    /// 3 × 3.
    case single
  }

  /// How first weights of a head are drawn.
  package enum Start: String, CaseIterable, Sendable {
    /// Uniform within 1 / √fan-in, weights and biases.
    case fanIn
    /// Normal by fan out; those of the last layer N(0, 0.01) without a bias.
    case kaiming
  }

  package struct Options: Sendable {
    package var kind: Kind
    package var classes: Int
    package var width: Int
    /// Of each of PSPNet's pooled maps.
    package var poolWidth = 128
    /// Sides of PSPNet's pooled maps.
    package var bins = [1, 2, 3, 6]
    /// Dilations of DeepLabV3's branches.
    package var rates = [12, 24, 36]
    package var fusion = Fusion.double
    package var alignsCorners: Bool
    package var dropsChannels = false
    package var start = Start.fanIn

    package init(_ kind: Kind, classes: Int, width: Int, alignsCorners: Bool) {
      self.kind = kind
      self.classes = classes
      self.width = width
      self.alignsCorners = alignsCorners
    }
  }

  private let options: Options
  private let trunk: any Backbone
  private let context: any Layer
  private let block: ConvNorm?
  private let dropout: MapDropout
  private let classifier: Conv2D
  private let auxiliary: ConvNorm
  private let auxiliaryDropout: MapDropout
  private let auxiliaryClassifier: Conv2D

  /// - Parameters:
  ///   - trunk: makes a trunk of output stride 8 in a scope.
  ///   - channels: of C4 and C5.
  package init(
    _ options: Options, _ scope: Scope, channels: (c4: Int, c5: Int),
    trunk: (Scope) throws -> any Backbone
  ) rethrows {
    self.options = options
    let start: Conv2D.Start = options.start == .fanIn ? .fanIn : .fanOut
    self.trunk = try trunk(scope / "backbone")
    switch options.kind {
    case .deeplabv3:
      context = PyramidOfDilations(scope / "aspp", inputs: channels.c5, options, start)
      block =
        options.fusion == .double
        ? ConvNorm(
          scope / "block", ("0", "1"), inputs: options.width, outputs: options.width, kernel: 3, start: start)
        : nil
    case .pspnet:
      context = PyramidOfPools(scope / "pools", inputs: channels.c5, options, start)
      block = ConvNorm(
        scope / "block", ("0", "1"), inputs: channels.c5 + options.bins.count * options.poolWidth,
        outputs: options.width, kernel: 3, start: start)
    }
    dropout = MapDropout(scope / "classifier", rate: 0.1, dropsChannels: options.dropsChannels)
    classifier = Self.classifier(scope / "classifier", inputs: options.width, options)
    let width = channels.c4 / 4
    auxiliary = ConvNorm(
      scope / "aux" / 0, ("0", "1"), inputs: channels.c4, outputs: width, kernel: 3, start: start)
    auxiliaryDropout = MapDropout(scope / "aux" / 1, rate: 0.1, dropsChannels: options.dropsChannels)
    auxiliaryClassifier = Self.classifier(scope / "aux" / 1, inputs: width, options)
  }

  private static func classifier(_ scope: Scope, inputs: Int, _ options: Options) -> Conv2D {
    let fanIn = Initializer.fanIn(inputs)
    let isFanIn = options.start == .fanIn
    return Conv2D(
      scope, inputs: inputs, outputs: options.classes, kernel: 1,
      weight: isFanIn ? fanIn : .normal(std: 0.01),
      bias: isFanIn ? fanIn : .constant(0))
  }

  /// - Parameter hasAuxiliary: whether the auxiliary head is asked too.
  package func callAsFunction(
    _ images: Tensor, _ pass: Pass, hasAuxiliary: Bool
  ) -> (main: Tensor, auxiliary: Tensor?) {
    let features = trunk.features(of: images, pass)
    let joined = context(features[.stage(4)], pass)
    let narrowed = block.map { $0(joined, pass) } ?? joined
    let main = classifier(dropout(narrowed, pass), pass)
    guard hasAuxiliary else { return (main, nil) }
    let auxiliary = auxiliary(features[.stage(3)], pass)
    return (main, auxiliaryClassifier(auxiliaryDropout(auxiliary, pass), pass))
  }

  /// Logits at another size.
  package func resized(_ logits: Tensor, height: Int, width: Int) -> Tensor {
    logits.resized(height: height, width: width, aligningCorners: options.alignsCorners)
  }
}

extension Tensor {
  fileprivate func resized(height: Int, width: Int, aligningCorners: Bool) -> Tensor {
    aligningCorners
      ? bilinearAligningCorners(height: height, width: width) : bilinear(height: height, width: width)
  }
}

/// Branches of several dilations and the mean of the whole map, joined.
private struct PyramidOfDilations: Layer {
  let branches: [ConvNorm]
  let pool: ConvNorm
  let fuse: ConvNorm
  let dropout: MapDropout?
  let alignsCorners: Bool

  init(_ scope: Scope, inputs: Int, _ options: Segmentor.Options, _ start: Conv2D.Start) {
    let width = options.width
    branches =
      [ConvNorm(scope / "branches" / 0, ("0", "1"), inputs: inputs, outputs: width, kernel: 1, start: start)]
      + options.rates.enumerated().map { index, rate in
        ConvNorm(
          scope / "branches" / (index + 1), ("0", "1"), inputs: inputs, outputs: width, kernel: 3,
          dilation: rate, start: start)
      }
    pool = ConvNorm(scope / "pool", ("0", "1"), inputs: inputs, outputs: width, kernel: 1, start: start)
    fuse = ConvNorm(
      scope / "fuse", ("0", "1"), inputs: width * (branches.count + 1), outputs: width,
      kernel: options.fusion == .double ? 1 : 3, start: start)
    // The larger dropout is by element whatever the others are.
    dropout = options.fusion == .double ? MapDropout(scope / "fuse", rate: 0.5, dropsChannels: false) : nil
    alignsCorners = options.alignsCorners
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let mean = pool(input.adaptiveAveragePool2D(height: 1, width: 1), pass)
      .resized(height: input.shape[2], width: input.shape[3], aligningCorners: alignsCorners)
    let joined = fuse(.concatenated(branches.map { $0(input, pass) } + [mean], axis: 1), pass)
    return dropout.map { $0(joined, pass) } ?? joined
  }
}

/// The map with its means over coarse grids.
private struct PyramidOfPools: Layer {
  let pools: [(bin: Int, layer: ConvNorm)]
  let alignsCorners: Bool

  init(_ scope: Scope, inputs: Int, _ options: Segmentor.Options, _ start: Conv2D.Start) {
    pools = options.bins.enumerated().map { index, bin in
      (
        bin,
        ConvNorm(
          scope / index, ("0", "1"), inputs: inputs, outputs: options.poolWidth, kernel: 1, start: start)
      )
    }
    alignsCorners = options.alignsCorners
  }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let pooled = pools.map { bin, layer in
      layer(input.adaptiveAveragePool2D(height: bin, width: bin), pass)
        .resized(height: input.shape[2], width: input.shape[3], aligningCorners: alignsCorners)
    }
    return .concatenated([input] + pooled, axis: 1)
  }
}

/// Losses of pixels.
package enum PixelLoss {
  /// By what the sum of the cross-entropy is divided.
  package enum Mean: String, CaseIterable, Sendable {
    /// Pixels that are judged.
    case valid
    /// All pixels.
    case all
  }

  /// The cross-entropy of logits at the labels' size, `[]`; 0 where no pixel is judged.
  ///
  /// - Parameters:
  ///   - logits: `[batch, classes, height, width]`.
  ///   - labels: row by row, image by image; 255 is not judged.
  package static func value(_ logits: Tensor, _ labels: [Int32], _ mean: Mean) -> Tensor {
    let judged = labels.count { $0 != 255 }
    let sum = logits.pixelCrossEntropy(labels).sum()
    guard judged > 0 else { return sum * 0 }
    return sum * (1 / Double(mean == .valid ? judged : labels.count))
  }
}
