package import Networks
package import Tensors

/// One hidden layer with ReLU, one number a row: the critic of DPG and DDPG, the baseline of PPO.
package struct ScalarNetwork: Sendable {
  private let first: Linear
  private let second: Linear
  package let declarations: [SlotDeclaration]

  /// Declares `NAME.fc1` and `NAME.fc2`, both with bias.
  package init(_ name: String, inputs: Int, hidden: Int = 128) {
    let scope = Scope()
    first = Linear(scope / name / "fc1", inputs: inputs, outputs: hidden)
    second = Linear(scope / name / "fc2", inputs: hidden, outputs: 1)
    declarations = scope.declarations
  }

  /// `[batch]` of the parts side by side, each `[batch, width]`.
  package func callAsFunction(_ parts: [Tensor], _ pass: Pass) -> Tensor {
    let rows = parts.count == 1 ? parts[0] : Tensor.concatenated(parts, axis: 1)
    return second(first(rows, pass).relu(), pass).reshaped([rows.shape[0]])
  }

  /// The mean of (value - target)².
  package static func loss(_ values: Tensor, target: Tensor) -> Tensor { (values - target).square().mean() }
}
