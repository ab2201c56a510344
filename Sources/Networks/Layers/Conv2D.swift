public import Tensors

/// A two-dimensional convolution with square kernel; default padding: dilation (kernel - 1) / 2.
///
/// - Input: `[batch, inputs, height, width]`. Output: `[batch, outputs, oh, ow]`.
/// - Arrays: `weight` `[outputs, inputs / groups, kernel, kernel]`, `bias` `[outputs]` where there is one.
public struct Conv2D: Layer {
  /// How weights start (`architectures.md` 9).
  public enum Start: Sendable {
    /// Uniform in ±1/√fan-in, PyTorch's own.
    case fanIn
    /// Normal with std √(2 / (outputs kernel²)); outputs are not divided by groups.
    case fanOut
  }

  private let weight: Slot
  private let bias: Slot?
  private let stride: Extent
  private let padding: Extent
  private let dilation: Extent
  private let groups: Int

  /// Declares the weight, and a bias where there is one, in a scope of its own.
  public init(
    _ scope: Scope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, padding: Int? = nil,
    dilation: Int = 1, groups: Int = 1,
    hasBias: Bool = false, start: Start
  ) {
    let fanIn = inputs / groups * kernel * kernel
    let initializer: Initializer =
      switch start {
      case .fanIn: .fanIn(fanIn)
      case .fanOut: .normal(std: (2 / Double(outputs * kernel * kernel)).squareRoot())
      }
    weight = scope.parameter("weight", [outputs, inputs / groups, kernel, kernel], initializer)
    // Where weights follow the outputs, biases start at 0; PyTorch's own draws both from the same range.
    let zero = start == .fanOut ? Initializer.constant(0) : .fanIn(fanIn)
    bias = hasBias ? scope.parameter("bias", [outputs], zero) : nil
    self.stride = Extent(stride)
    self.padding = Extent(padding ?? dilation * (kernel - 1) / 2)
    self.dilation = Extent(dilation)
    self.groups = groups
  }

  /// With a bias, and arrays that start as they are told to.
  public init(
    _ scope: Scope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1, weight: Initializer,
    bias: Initializer
  ) {
    self.weight = scope.parameter("weight", [outputs, inputs, kernel, kernel], weight)
    self.bias = scope.parameter("bias", [outputs], bias)
    self.stride = Extent(stride)
    padding = Extent((kernel - 1) / 2)
    dilation = 1
    groups = 1
  }

  public func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor {
    let weight = pass[weight]
    let output = input.conv2D(
      weight, bias: bias.map { pass[$0] }, stride: stride, padding: padding, dilation: dilation,
      groups: groups,
      by: pass.convolution)
    count(output.shape, pass)
    return output
  }

  /// Followed by a norm, perhaps a sum and a ReLU, as one operation. For convolutions without bias.
  ///
  /// - Parameter passesOn: whether only another convolution reads the output.
  func callAsFunction(
    _ input: PassingMaps, _ pass: Pass, _ norm: BatchNorm, adding added: Tensor?, relu: Bool,
    passesOn: Bool = false
  ) -> PassingMaps {
    precondition(bias == nil, "a bias before a norm has no effect")
    let weight = pass[weight]
    let output = norm.evaluate(pass) { scale, shift, statistics in
      input.convolutionNorm(
        weight, stride: stride, padding: padding, dilation: dilation, groups: groups, by: pass.convolution,
        scale: scale, shift: shift, statistics: statistics, adding: added, relu: relu, passesOn: passesOn)
    }
    count(output.shape, pass)
    return output
  }

  /// The same of maps as they are.
  func callAsFunction(_ input: Tensor, _ pass: Pass, _ norm: BatchNorm, adding added: Tensor?, relu: Bool)
    -> Tensor
  {
    callAsFunction(PassingMaps(input), pass, norm, adding: added, relu: relu).finished
  }

  /// Followed by a norm with constant statistics, as a step of several. For convolutions without bias.
  func step(
    _ pass: Pass, _ norm: (scale: Tensor, shift: Tensor, statistics: NormStatistics), relu: Bool
  ) -> ConvolutionNormStep {
    precondition(bias == nil, "a bias before a norm has no effect")
    return ConvolutionNormStep(
      weight: pass[weight], stride: stride, padding: padding, dilation: dilation, groups: groups,
      scale: norm.scale, shift: norm.shift, statistics: norm.statistics, relu: relu)
  }

  /// Counts the work of an output of this shape.
  func count(_ output: Shape, _ pass: Pass) {
    let weight = pass[weight]
    pass.count(multiplyAdds: output.inner(of: 0) * (weight.count / weight.shape[0]))
  }
}
