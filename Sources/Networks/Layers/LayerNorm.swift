public import Tensors

/// Layer normalisation over the features of each token.
///
/// - Input and output: `[batch, tokens, width]`.
/// - Arrays: `weight`, `bias` `[width]`.
public struct LayerNorm: Layer {
  private let weight: Slot
  private let bias: Slot
  private let epsilon: Double

  /// - Parameter epsilon: 1e-6 in vision transformers, where PyTorch's own default is 1e-5.
  public init(_ scope: Scope, width: Int, epsilon: Double = 1e-6) {
    weight = scope.parameter("weight", [width], .constant(1))
    bias = scope.parameter("bias", [width], .constant(0))
    self.epsilon = epsilon
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    input.layerNorm(weight: pass[weight], bias: pass[bias], epsilon: epsilon)
  }
}
