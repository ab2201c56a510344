package import Networks
package import Tensors

/// Regions of a feature pyramid, each pooled from the level that fits its size.
package enum RegionFeatures {
  /// - Parameters:
  ///   - levels: P2 to P5, of strides 4 to 32.
  ///   - boxes: with the image that each is of.
  ///   - side: cells along each axis.
  ///   - sampling: samples a cell and axis; 0 for as many as the cell has pixels.
  /// - Returns: `[boxes, width, side, side]` in the order of the boxes.
  package static func pooled(
    _ levels: [Tensor], _ boxes: [(image: Int, box: Corners)], side: Int, sampling: Int, isAligned: Bool
  ) -> Tensor {
    precondition(levels.count >= 4, "\(levels.count) levels; regions are pooled from four")
    var parts: [Tensor] = []
    var places: [Int] = []
    for level in 0..<4 {
      let members = boxes.indices.filter { PyramidLevels.level(of: boxes[$0].box) == level + 2 }
      guard !members.isEmpty else { continue }
      let pooling = RegionPooling(
        cells: Extent(side), scale: 1 / Double(4 << level), sampling: sampling, isAligned: isAligned)
      let regions = members.map { index in
        let box = boxes[index].box
        return (image: boxes[index].image, x1: box.x1, y1: box.y1, x2: box.x2, y2: box.y2)
      }
      parts.append(levels[level].pooled(regions, pooling))
      places += members
    }
    let width = levels[0].shape[1]
    guard !parts.isEmpty else { return .zeros([0, width, side, side], levels[0].precision) }
    let stacked = Tensor.concatenated(parts, axis: 0).reshaped([boxes.count, width * side * side])
    var order = Array(repeating: 0, count: boxes.count)
    for (row, place) in places.enumerated() { order[place] = row }
    return stacked.rows(order).reshaped([boxes.count, width, side, side])
  }
}

/// How classes of a region are numbered in a head's outputs.
package struct RegionClasses: Hashable, Sendable {
  /// K, of objects.
  package let count: Int
  /// Whether the background comes first, as in torchvision's files, rather than last.
  package let isBackgroundFirst: Bool

  package init(count: Int, isBackgroundFirst: Bool) {
    self.count = count
    self.isBackgroundFirst = isBackgroundFirst
  }

  package var background: Int { isBackgroundFirst ? 0 : count }
  /// The output of an object's class.
  package func output(of label: Int) -> Int { isBackgroundFirst ? label + 1 : label }
  /// How many boxes or masks a head with one for each class has: the background has some
  /// too where it comes first.
  package var shaped: Int { isBackgroundFirst ? count + 1 : count }
}

/// What is in a region, and where exactly: two hidden layers, then classes and boxes (Girshick 2015).
///
/// - Input: `[regions, width, 7, 7]`. Outputs: logits `[regions, K + 1]`, deltas `[regions, 4 × boxes]`.
package struct BoxHead: Sendable {
  private let hidden: [Linear]
  private let classOutput: Linear
  private let boxOutput: Linear

  /// Where the arrays are.
  package struct Names {
    let hidden: Scope
    let outputs: Scope

    /// torchvision's: `box_head.fc6`, `box_predictor.cls_score` and so on.
    package static func torchvision(_ scope: Scope) -> Names {
      Names(hidden: scope / "box_head", outputs: scope / "box_predictor")
    }
    /// All in one scope: `fc6`, `cls_score` and so on.
    package static func flat(_ scope: Scope) -> Names { Names(hidden: scope, outputs: scope) }
  }

  /// - Parameters:
  ///   - hidden: units of each hidden layer.
  ///   - isAgnostic: whether one box serves all classes.
  ///   - rules: mmdet starts hidden layers with Xavier, classes with N(0, 0.01), boxes with N(0, 0.001), all
  ///     biases with 0; torchvision all with ±1/√inputs.
  package init(
    _ names: Names, inputs: Int, hidden: Int, classes: RegionClasses, isAgnostic: Bool, rules: DetectionRules
  ) {
    let zero: Initializer? = rules == .mmdet ? .constant(0) : nil
    func layer(_ scope: Scope, _ inputs: Int, _ outputs: Int, _ mmdet: Initializer) -> Linear {
      Linear(
        scope, inputs: inputs, outputs: outputs, weight: rules == .mmdet ? mmdet : nil, bias: zero)
    }
    func xavier(_ inputs: Int, _ outputs: Int) -> Initializer {
      .uniform((6 / Double(inputs + outputs)).squareRoot())
    }
    self.hidden = [
      layer(names.hidden / "fc6", inputs, hidden, xavier(inputs, hidden)),
      layer(names.hidden / "fc7", hidden, hidden, xavier(hidden, hidden)),
    ]
    classOutput = layer(names.outputs / "cls_score", hidden, classes.count + 1, .normal(std: 0.01))
    let boxes = isAgnostic ? 1 : classes.shaped
    boxOutput = layer(names.outputs / "bbox_pred", hidden, 4 * boxes, .normal(std: 0.001))
  }

  package func callAsFunction(_ regions: Tensor, _ pass: Pass) -> (logits: Tensor, deltas: Tensor) {
    let flat = regions.reshaped([regions.shape[0], regions.shape.inner(of: 0)])
    let features = hidden.reduce(flat) { $1($0, pass).relu() }
    return (classOutput(features, pass), boxOutput(features, pass))
  }
}

/// Which pixels of a region belong to the object (He et al. 2017).
///
/// - Input: `[regions, width, 14, 14]`. Output: logits `[regions, classes, 28, 28]`.
/// - Arrays: `mask_head.I.0`, `mask_predictor.conv5_mask`, `mask_predictor.mask_fcn_logits`.
package struct MaskHead: Sendable {
  private let tower: [Conv2D]
  private let upsampling: Slot
  private let upsamplingBias: Slot
  private let output: Conv2D

  /// Weights start with Kaiming normal by their fan out, biases with 0.
  package init(_ scope: Scope, inputs: Int, width: Int, classes: RegionClasses) {
    func start(_ outputs: Int, _ kernel: Int) -> Initializer {
      .normal(std: (2 / Double(outputs * kernel * kernel)).squareRoot())
    }
    tower = (0..<4).map {
      Conv2D(
        scope / "mask_head" / $0 / 0, inputs: $0 == 0 ? inputs : width, outputs: width, kernel: 3,
        weight: start(width, 3), bias: .constant(0))
    }
    let up = scope / "mask_predictor" / "conv5_mask"
    upsampling = up.parameter("weight", [width, width, 2, 2], start(width, 2))
    upsamplingBias = up.parameter("bias", [width], .constant(0))
    output = Conv2D(
      scope / "mask_predictor" / "mask_fcn_logits", inputs: width, outputs: classes.shaped, kernel: 1,
      weight: start(classes.shaped, 1), bias: .constant(0))
  }

  package func callAsFunction(_ regions: Tensor, _ pass: Pass) -> Tensor {
    let features = tower.reduce(regions) { $1($0, pass).relu() }
    let upsampled = features.transposedConv2D(
      pass[upsampling], bias: pass[upsamplingBias], stride: 2, by: pass.convolution)
    return output(upsampled.relu(), pass)
  }
}
