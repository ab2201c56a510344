package import Networks
package import Tensors

/// Maps of several strides, all of one width, each with what the coarser ones know (Lin et al. 2017).
///
/// - Input: the last three or four maps of a trunk, finest first. Output: as many maps of `width` channels,
///   then the coarser ones of `top`.
/// - Arrays: `inner_blocks.I.0`, `layer_blocks.I.0`, and `extra_blocks.p6`, `extra_blocks.p7` where they are
///   learnt; torchvision's names.
package struct FeaturePyramid: Sendable {
  /// What comes above the trunk's coarsest map.
  package enum Top: Hashable, Sendable {
    /// P6 = every second pixel of P5: for proposals only.
    case sampled
    /// P6 and P7 are convolutions with stride 2: P6 of C5 or of P5, P7 of P6, with or without a ReLU between.
    case learnt(from: Source, relu: Bool)

    package enum Source: String, CaseIterable, Sendable {
      case c5, p5
    }
  }

  private let laterals: [Conv2D]
  private let outputs: [Conv2D]
  private let extra: [Conv2D]
  private let top: Top?

  /// - Parameters:
  ///   - inputs: channels of the trunk's maps, finest first.
  ///   - top: nil for nothing above.
  ///   - rules: decide how weights start: Xavier (mmdet), or Kaiming with a = 1 (torchvision), both
  ///     uniform; biases start at 0.
  package init(_ scope: Scope, inputs: [Int], width: Int, top: Top?, rules: DetectionRules) {
    func start(_ inputs: Int, _ outputs: Int, _ kernel: Int) -> Initializer {
      let fanIn = Double(inputs * kernel * kernel)
      let fanOut = Double(outputs * kernel * kernel)
      return .uniform((rules == .mmdet ? 6 / (fanIn + fanOut) : 3 / fanIn).squareRoot())
    }
    func convolution(_ scope: Scope, _ inputs: Int, kernel: Int, stride: Int = 1) -> Conv2D {
      Conv2D(
        scope, inputs: inputs, outputs: width, kernel: kernel, stride: stride,
        weight: start(inputs, width, kernel), bias: .constant(0))
    }
    laterals = inputs.enumerated().map { convolution(scope / "inner_blocks" / $0 / 0, $1, kernel: 1) }
    outputs = inputs.indices.map { convolution(scope / "layer_blocks" / $0 / 0, width, kernel: 3) }
    self.top = top
    if case .learnt(let source, _) = top {
      let from = source == .c5 ? inputs[inputs.count - 1] : width
      extra = [
        convolution(scope / "extra_blocks" / "p6", from, kernel: 3, stride: 2),
        convolution(scope / "extra_blocks" / "p7", width, kernel: 3, stride: 2),
      ]
    } else {
      extra = []
    }
  }

  package func callAsFunction(_ maps: [Tensor], _ pass: Pass) -> [Tensor] {
    precondition(maps.count == laterals.count, "\(maps.count) maps for \(laterals.count) levels")
    var merged = zip(laterals, maps).map { $0($1, pass) }
    for level in merged.indices.dropLast().reversed() {
      let shape = merged[level].shape
      merged[level] = merged[level] + merged[level + 1].nearest(height: shape[2], width: shape[3])
    }
    var levels = zip(outputs, merged).map { $0($1, pass) }
    switch top {
    case nil: break
    case .sampled: levels.append(levels[levels.count - 1].maxPool2D(kernel: 1, stride: 2))
    case .learnt(let source, let relu):
      let sixth = extra[0](source == .c5 ? maps[maps.count - 1] : levels[levels.count - 1], pass)
      levels += [sixth, extra[1](relu ? sixth.relu() : sixth, pass)]
    }
    return levels
  }
}

extension Tensor {
  /// What a dense head says of each anchor: `[batch, anchors of a cell × values, height, width]` to
  /// `[batch, anchors, values]`, in the order of `Anchors`.
  func perAnchor(values: Int) -> Tensor {
    let (batch, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    return reshaped([batch, channels, pixels]).swappingLastAxes()
      .reshaped([batch, pixels * (channels / values), values])
  }
}
