package import Networks
package import Tensors

#if canImport(Glibc)
  internal import Glibc
#endif

/// RetinaNet's heads: two towers shared over levels, one for classes and one for boxes (Lin et al. 2017).
///
/// - Arrays: `classification_head.conv.I.0`, `classification_head.cls_logits`, `regression_head.conv.I.0`,
///   `regression_head.bbox_reg`.
package struct RetinaHead: Sendable {
  private let classes: Int
  private let classTower: [Conv2D]
  private let boxTower: [Conv2D]
  private let classOutput: Conv2D
  private let boxOutput: Conv2D

  /// - Parameters:
  ///   - anchors: of a cell.
  ///   - depth: convolutions of a tower.
  ///   - towerStd: of the towers' weights at the start. Outputs start with 0.01; classes with a bias that
  ///     makes everything background with probability 0.99, without which the loss explodes.
  package init(
    _ scope: Scope, width: Int, classes: Int, anchors: Int, depth: Int = 4, towerStd: Double = 0.01
  ) {
    func tower(_ scope: Scope) -> [Conv2D] {
      (0..<depth).map {
        Conv2D(
          scope / "conv" / $0 / 0, inputs: width, outputs: width, kernel: 3,
          weight: .normal(std: towerStd), bias: .constant(0))
      }
    }
    func output(_ scope: Scope, _ count: Int, bias: Double) -> Conv2D {
      Conv2D(
        scope, inputs: width, outputs: count, kernel: 3, weight: .normal(std: 0.01),
        bias: .constant(bias))
    }
    self.classes = classes
    let classScope = scope / "classification_head"
    let boxScope = scope / "regression_head"
    classTower = tower(classScope)
    classOutput = output(classScope / "cls_logits", anchors * classes, bias: -log(99))
    boxTower = tower(boxScope)
    boxOutput = output(boxScope / "bbox_reg", anchors * 4, bias: 0)
  }

  /// Of all levels one after the other: logits `[batch, anchors, classes]` and deltas `[batch, anchors, 4]`.
  package func callAsFunction(_ levels: [Tensor], _ pass: Pass) -> (logits: Tensor, deltas: Tensor) {
    func run(_ tower: [Conv2D], _ output: Conv2D, _ level: Tensor) -> Tensor {
      output(tower.reduce(level) { $1($0, pass).relu() }, pass)
    }
    return (
      .concatenated(
        levels.map { run(classTower, classOutput, $0).perAnchor(values: classes) }, axis: 1),
      .concatenated(levels.map { run(boxTower, boxOutput, $0).perAnchor(values: 4) }, axis: 1)
    )
  }
}

/// The region proposal network's head: is there an object, and where (Ren et al. 2015).
///
/// - Arrays: `conv.0.0`, `cls_logits`, `bbox_pred`.
package struct ProposalHead: Sendable {
  private let tower: Conv2D
  private let objectness: Conv2D
  private let box: Conv2D

  package init(_ scope: Scope, width: Int, anchors: Int = 3) {
    func layer(_ scope: Scope, _ outputs: Int, kernel: Int) -> Conv2D {
      Conv2D(
        scope, inputs: width, outputs: outputs, kernel: kernel, weight: .normal(std: 0.01),
        bias: .constant(0))
    }
    tower = layer(scope / "conv" / 0 / 0, width, kernel: 3)
    objectness = layer(scope / "cls_logits", anchors, kernel: 1)
    box = layer(scope / "bbox_pred", 4 * anchors, kernel: 1)
  }

  /// Of all levels one after the other: logits `[batch, anchors]` and deltas `[batch, anchors, 4]`.
  package func callAsFunction(_ levels: [Tensor], _ pass: Pass) -> (objectness: Tensor, deltas: Tensor) {
    let towers = levels.map { tower($0, pass).relu() }
    let logits = Tensor.concatenated(
      towers.map { objectness($0, pass).perAnchor(values: 1) }, axis: 1)
    return (
      logits.reshaped([logits.shape[0], logits.shape[1]]),
      .concatenated(towers.map { box($0, pass).perAnchor(values: 4) }, axis: 1)
    )
  }
}
