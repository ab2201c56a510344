public import Tensors

/// A convolution without bias, batch normalisation and perhaps a ReLU: the brick of all small-image networks.
public struct ConvNorm: Layer {
  private let convolution: Conv2D
  private let norm: BatchNorm
  fileprivate let hasReLU: Bool

  /// - Parameters:
  ///   - names: the scopes of the convolution and of the norm, such as `("conv1", "bn1")`; both
  ///     are declared in this order.
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

  /// In a chain: the output of one that is not the last is read by the next one only.
  fileprivate func callAsFunction(
    _ input: PassingMaps, _ pass: Pass, adding added: Tensor? = nil, relu: Bool? = nil, isLast: Bool
  ) -> PassingMaps {
    precondition(added == nil || !hasReLU, "a residual sum comes before the ReLU")
    return convolution(input, pass, norm, adding: added, relu: relu ?? hasReLU, passesOn: !isLast)
  }

  /// What a pass with constant statistics computes; nil for one that takes those of the batch.
  fileprivate func step(_ pass: Pass, relu: Bool) -> ConvolutionNormStep? {
    norm.constants(pass).map { convolution.step(pass, $0, relu: relu) }
  }

  fileprivate func count(_ output: Shape, _ pass: Pass) { convolution.count(output, pass) }
}

/// Several of them, one after the other. Where nobody asks for gradients a few images pass all of them before
/// the next ones do; in training each applies the norm of the one before while it reads, so that only the
/// convolutions' own outputs are kept. The bits are those of layer after layer.
struct ConvNormChain: Layer {
  private let layers: [ConvNorm]

  /// - Parameter layers: in the order of evaluation, at least one.
  init(_ layers: [ConvNorm]) { self.layers = layers }

  func callAsFunction(_ input: Tensor, _ pass: Pass) -> Tensor { evaluate(input, pass, nil, relu: nil) }

  /// ReLU(chain(input) + added): the end of a residual block, whose last layer has no ReLU of its own.
  ///
  /// - Parameter added: evaluated behind the other layers where gradients are recorded, so that these are
  ///   summed up in the order of the formula.
  func callAsFunction(
    _ input: Tensor, _ pass: Pass, adding added: @autoclosure @escaping () -> Tensor, relu: Bool = true
  ) -> Tensor {
    evaluate(input, pass, added, relu: relu)
  }

  private func evaluate(_ input: Tensor, _ pass: Pass, _ added: (() -> Tensor)?, relu: Bool?) -> Tensor {
    let last = layers.count - 1
    let steps = layers.indices.compactMap { index in
      layers[index].step(pass, relu: index == last ? relu ?? layers[index].hasReLU : layers[index].hasReLU)
    }
    var early: Tensor?
    if steps.count == layers.count, let chain = ConvolutionNorms(input, steps, by: pass.convolution) {
      early = added?()
      if let output = chain(adding: early) {
        for (layer, shape) in zip(layers, chain.shapes) { layer.count(shape, pass) }
        return output
      }
    }
    let inner = layers.dropLast().reduce(PassingMaps(input)) { $1($0, pass, isLast: false) }
    guard let added else { return layers[last](inner, pass, isLast: true).finished }
    return layers[last](inner, pass, adding: early ?? added(), relu: relu ?? true, isLast: true).finished
  }
}
