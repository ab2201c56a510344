public import Tensors

/// A convolution without bias, batch normalisation and perhaps a ReLU: the brick of all small-image networks.
public struct ConvNorm: Layer {
  private let convolution: Conv2D
  private let norm: BatchNorm
  private let hasReLU: Bool

  /// - Parameters:
  ///   - names: the scopes of the convolution and of the norm, such as `("conv1", "bn1")`; both are declared in this order.
  public init(
    _ scope: Scope, _ names: (convolution: String, norm: String), inputs: Int, outputs: Int, kernel: Int,
    stride: Int = 1, dilation: Int = 1,
    groups: Int = 1, relu: Bool = true, start: Conv2D.Start
  ) {
    convolution = Conv2D(
      scope / names.convolution, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride,
      dilation: dilation, groups: groups,
      start: start)
    norm = BatchNorm(scope / names.norm, channels: outputs)
    hasReLU = relu
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    convolution(input, pass, norm, adding: nil, relu: hasReLU)
  }

  /// ReLU(layer(input) + added): the end of a residual block, for a layer without a ReLU of its own.
  public func callAsFunction(_ input: Tensor, _ pass: Pass, adding added: Tensor, relu: Bool = true)
    -> Tensor
  {
    precondition(!hasReLU, "a residual sum comes before the ReLU")
    return convolution(input, pass, norm, adding: added, relu: relu)
  }
}
