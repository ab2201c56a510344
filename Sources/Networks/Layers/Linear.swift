public import Tensors

/// y = x Wᵀ + b
///
/// - Input: `[batch, …, inputs]`. Output: `[batch, …, outputs]`.
/// - Arrays: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
public struct Linear: Layer {
  private let weight: Slot
  private let bias: Slot?

  /// - Parameters:
  ///   - weight: default: U(±1/√inputs).
  ///   - bias: the same.
  public init(
    _ scope: Scope, inputs: Int, outputs: Int, hasBias: Bool = true, weight: Initializer? = nil,
    bias: Initializer? = nil
  ) {
    self.weight = scope.parameter("weight", [outputs, inputs], weight ?? .fanIn(inputs))
    self.bias = hasBias ? scope.parameter("bias", [outputs], bias ?? .fanIn(inputs)) : nil
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let weight = pass[weight]
    let dimensions = input.shape.dimensions
    pass.count(multiplyAdds: dimensions[1..<(dimensions.count - 1)].reduce(1, *) * weight.count)
    let rows: Shape = [input.shape.outer(of: dimensions.count - 1), weight.shape[1]]
    let output = input.reshaped(rows)
      .matmul(weight, transposingOther: true, adding: bias.map { pass[$0] }, isParameter: true)
    return output.reshaped(Shape(dimensions.dropLast() + [weight.shape[0]]))
  }
}
