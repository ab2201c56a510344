package import Tensors

/// y = x Wᵀ + b
///
/// - Input: `[batch, inputs]`. Output: `[batch, outputs]`.
/// - Arrays: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
package struct Linear: Layer {
  private let weight: Slot
  private let bias: Slot?

  /// - Parameters:
  ///   - weight: U(±1/√inputs) where nothing is said.
  ///   - bias: the same.
  package init(
    _ scope: Scope, inputs: Int, outputs: Int, hasBias: Bool = true, weight: Initializer? = nil,
    bias: Initializer? = nil
  ) {
    self.weight = scope.parameter("weight", [outputs, inputs], weight ?? .fanIn(inputs))
    self.bias = hasBias ? scope.parameter("bias", [outputs], bias ?? .fanIn(inputs)) : nil
  }

  package func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let weight = pass[weight]
    pass.count(multiplyAdds: input.shape[0] * weight.count)
    let product = input.matmul(weight, transposingOther: true)
    return bias.map { product.adding(row: pass[$0]) } ?? product
  }
}
